//! The envelope of every answer of VyOS's HTTPS API: `{"success": …, "data": …, "error": …}`, sent
//! as `text/html`.
//!
//! nginx in front of the API answers in HTML: 503 if the API is not configured, 403 if
//! `allow-client` does not list the caller, 502 while the service starts. Error texts are
//! HTML-escaped since VyOS 1.5.

use serde::de::DeserializeSeed as _;
use serde_json::Value;

use super::{
    error_text, excerpt,
    json::{self, Affordable},
};
use crate::model::{snapshot::ScrapeError, types::FailureReason};

/// Longest error message: one line. A whole HTML page or traceback would fill the log.
const LONGEST: usize = 300;

/// The `data` of a successful answer.
pub(in crate::router) fn data(body: &str) -> Result<Value, ScrapeError> {
    match parse(body) {
        Some(Value::Object(mut reply)) if reply.get("success") == Some(&Value::Bool(true)) => {
            Ok(reply.remove("data").unwrap_or_default())
        }
        _ => Err(error(None, body)),
    }
}

/// The error in an answer; `status` is its HTTP status if it is known.
pub(super) fn error(status: Option<u16>, body: &str) -> ScrapeError {
    let (status, message) = match parse(body) {
        Some(Value::Object(reply)) => (status, said(&reply)),
        Some(other) => (status, format!("expected an object, saw `{}`", excerpt(&other.to_string()))),
        None if is_html(body) => {
            let title = title(body);
            let named = title
                .split_whitespace()
                .find_map(|word| word.parse().ok())
                .filter(|it| (400..600).contains(it));
            (status.or(named), title)
        }
        None if body.trim().is_empty() => (status, "the answer is empty".to_owned()),
        None => (status, format!("expected JSON, saw `{}`", excerpt(body.trim()))),
    };
    let message: String = unescape(&message).split_whitespace().collect::<Vec<_>>().join(" ");
    let mut short: String = message.chars().take(LONGEST).collect();
    if short.len() < message.len() {
        short.push('…');
    }
    let known = error_text::classify(&message).map(|error| error.reason);
    let reason = match (status, known) {
        (Some(401), _) => FailureReason::Auth,
        (Some(403), _) => FailureReason::Permission,
        (Some(504), _) => FailureReason::Timeout,
        (_, Some(reason)) => reason,
        (None, None) if message.starts_with("expected ") || message.starts_with("the answer is empty") => {
            FailureReason::Parse
        }
        _ => FailureReason::Api,
    };
    ScrapeError::new(reason, short)
}

/// Parses JSON after any leading text, up to the memory budget.
fn parse(body: &str) -> Option<Value> {
    let body = body.trim_start_matches('\u{feff}').trim();
    let (mut left, mut from) = (json::budget(body.len()), serde_json::Deserializer::from_str(body));
    let value = Affordable::new(&mut left).deserialize(&mut from).ok()?;
    from.end().ok().map(|()| value)
}

/// The message of an error reply: `error` is set by VyOS, `detail` by its web framework (a string,
/// or a list of faults with their locations).
fn said(reply: &super::Object) -> String {
    for key in ["error", "detail", "message"] {
        match reply.get(key) {
            Some(Value::String(text)) if !text.trim().is_empty() => return text.clone(),
            Some(Value::Array(all)) if !all.is_empty() => {
                let said = all.iter().map(|one| one.get("msg").and_then(Value::as_str).unwrap_or_default());
                return said.collect::<Vec<_>>().join(", ");
            }
            _ => {}
        }
    }
    match reply.get("success") {
        Some(Value::Bool(true)) => "the answer reports success, not an error".to_owned(),
        _ => "no reason was given".to_owned(),
    }
}

fn is_html(body: &str) -> bool {
    let start = body.trim_start().get(..9).unwrap_or(body.trim_start()).to_ascii_lowercase();
    start.starts_with("<!doctype") || start.starts_with("<html") || start.starts_with("<head")
}

/// The title of a page; failing that its first heading, failing that its text.
fn title(body: &str) -> String {
    let lower = body.to_ascii_lowercase();
    for (open, close) in [("<title>", "</title>"), ("<h1>", "</h1>")] {
        let Some(start) = lower.find(open).map(|at| at + open.len()) else { continue };
        let end = lower[start..].find(close).map_or(lower.len(), |at| start + at);
        if let Some(text) = body.get(start..end).filter(|text| !text.trim().is_empty()) {
            return text.to_owned();
        }
    }
    let mut text = String::new();
    let mut in_tag = false;
    for char in body.chars() {
        match char {
            '<' => in_tag = true,
            '>' if in_tag => in_tag = false,
            char if !in_tag => text.push(char),
            _ => {}
        }
    }
    text
}

/// Replaces the entities that Python's `html.escape` writes. `&amp;` comes last, or `&amp;lt;`
/// would become `<`.
fn unescape(text: &str) -> String {
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#x27;", "'"), ("&#39;", "'"), ("&amp;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (entity, char)| text.replace(entity, char))
}
