//! What a reply means: the data in it, or why there is none.
//!
//! VyOS answers `{"success": …, "data": …, "error": …}`, declared as text/html, its error texts escaped for
//! HTML; nginx before it answers with pages of HTML. Neither may carry the key into a message: some errors
//! of the API repeat the whole request.

use hyper::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use super::client::Reply;
use crate::{
    plan::ApiPlan,
    router::{parse::excerpt, snapshot::ScrapeError},
    types::FailureReason,
};

#[derive(Deserialize)]
struct Envelope {
    success: bool,
    #[serde(default)]
    data: Value,
    #[serde(default)]
    error: Option<Value>,
}

/// The `data` of a reply, or what went wrong.
pub fn data(plan: &ApiPlan, path: &str, reply: &Reply, key: &str) -> Result<Value, ScrapeError> {
    let envelope = serde_json::from_str::<Envelope>(&reply.body);
    match envelope {
        Ok(Envelope { success: true, data, .. }) if reply.status == StatusCode::OK => Ok(data),
        Ok(Envelope { error, .. }) => Err(refused(plan, path, reply, &said(error.as_ref(), key))),
        Err(error) if reply.status == StatusCode::OK => Err(ScrapeError::new(
            FailureReason::Parse,
            format!(
                "{}{path} answered no JSON of VyOS's ({error}), but `{}`",
                plan.url,
                shown(&reply.body, key)
            ),
        )),
        Err(_) => Err(refused(plan, path, reply, &shown(&reply.body, key))),
    }
}

fn refused(plan: &ApiPlan, path: &str, reply: &Reply, said: &str) -> ScrapeError {
    let (url, status) = (&plan.url, reply.status);
    let file = plan.key_file.display();
    let (reason, remedy) = match status.as_u16() {
        401 => (
            FailureReason::Auth,
            format!("compare the key in {file} with `show configuration commands | match \"https api keys\"`"),
        ),
        403 => (
            FailureReason::Permission,
            "let this machine in: `set service https allow-client address …`".to_owned(),
        ),
        300..=399 => {
            let to = reply.location.as_deref().unwrap_or("nowhere");
            let remedy = format!("it leads to `{}`; no redirect is followed, give the API's own URL", excerpt(to));
            (FailureReason::Api, remedy)
        }
        404 | 502 | 503 => (
            FailureReason::Api,
            "is the API on? `set service https api keys id … key …`, on VyOS 1.5 `set service https api rest` too"
                .to_owned(),
        ),
        _ => (FailureReason::Api, "the router's own log says more: `journalctl -u vyos-http-api`".to_owned()),
    };
    ScrapeError::new(reason, format!("{url}{path} answered {status}, `{said}`; {remedy}"))
}

/// The API's own words.
fn said(error: Option<&Value>, key: &str) -> String {
    match error {
        Some(Value::String(text)) => shown(text, key),
        Some(Value::Null) | None => "no reason given".to_owned(),
        Some(other) => shown(&other.to_string(), key),
    }
}

/// The start of a text or a page as a person would read it.
fn shown(text: &str, key: &str) -> String {
    let readable = unescape(&without_tags(text));
    excerpt(readable.replace(key, "***").split_whitespace().collect::<Vec<_>>().join(" ").as_str())
}

/// What stands between the tags of an HTML page. A text without a tag stays as it is.
fn without_tags(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        plain.push_str(before);
        match after.split_once('>') {
            Some((_, after)) => rest = after,
            None => return plain + "<" + after,
        }
        plain.push(' ');
    }
    plain + rest
}

/// `&lt;` and its kind, as Python's `html.escape` makes them.
fn unescape(text: &str) -> String {
    let named =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#x27;", "'"), ("&#39;", "'"), ("&amp;", "&")];
    named.iter().fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}
