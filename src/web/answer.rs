//! How a response is made: its headers, its compressed form, and the one that says that the client
//! has it already.

use std::io::Write as _;

use axum::{body::Body, response::Response};
use flate2::{Compression, write::GzEncoder};
use hyper::{
    HeaderMap, StatusCode,
    body::Bytes,
    header::{
        ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY,
        CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_NONE_MATCH, REFERRER_POLICY, VARY,
        X_CONTENT_TYPE_OPTIONS,
    },
};
use sha2::{Digest as _, Sha256};

use super::{
    format::{self, ContentCoding, ScrapeForm},
    mount::Mount,
};
use crate::language::{Language, spoken};

pub(super) const PLAIN_TEXT: &str = "text/plain; charset=utf-8";
pub(super) const JSON: &str = "application/json";
pub(super) const HTML: &str = "text/html; charset=utf-8";
/// Everything comes from this exporter, and nothing is inline: a name from the configuration or a
/// router can never be run as a script.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// Below this, compression saves no packet.
const WORTH_COMPRESSING: usize = 1200;

pub(super) type PageResponse = Response;

pub(super) fn answer(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> PageResponse {
    let mut response = Response::new(Body::from(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

/// The answer to a scrape.
pub(super) fn scrape(form: ScrapeForm, coding: ContentCoding, body: impl Into<Bytes>) -> PageResponse {
    let mut response = answer(StatusCode::OK, form.content_type(), body);
    response.headers_mut().insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    if let Some(name) = coding.name() {
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static(name));
    }
    response
}

/// A page before it is printed.
#[derive(Debug, Clone)]
pub(super) struct Content {
    pub status: StatusCode,
    /// Its content type.
    pub kind: &'static str,
    pub text: String,
    /// The language of a page for people; anything else is the same for all.
    pub language: Option<Language>,
}

impl Content {
    /// A page in the language that is spoken.
    pub(super) fn html(text: String) -> Self {
        Self { status: StatusCode::OK, kind: HTML, text, language: Some(spoken()) }
    }

    pub(super) fn json(value: &impl serde::Serialize) -> Self {
        // Strings, numbers, lists and maps with such keys: nothing can fail.
        let text = serde_json::to_string(value).unwrap_or_default();
        Self { status: StatusCode::OK, kind: JSON, text, language: None }
    }

    /// A page with its links as they are below this mount.
    pub(super) fn linked(self, mount: &Mount) -> Self {
        if self.kind == HTML { Self { text: mount.linked(self.text), ..self } } else { self }
    }

    pub(super) fn with(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }
}

/// A page as it is sent, made once for all who request it at the same time.
#[derive(Debug, Clone)]
pub(super) struct Printed {
    status: StatusCode,
    content_type: &'static str,
    plain: Bytes,
    compressed: Option<Bytes>,
    language: Option<Language>,
    tag: HeaderValue,
}

impl Printed {
    pub(super) fn new(content: Content) -> Self {
        let Content { status, kind: content_type, text, language } = content;
        let digest = Sha256::digest(text.as_bytes());
        let short = digest.first_chunk().map_or(0, |bytes| u128::from_be_bytes(*bytes));
        let tag = HeaderValue::from_str(&format!("W/\"{short:032x}\""))
            .unwrap_or(HeaderValue::from_static("W/\"\""));
        let compressed = (text.len() >= WORTH_COMPRESSING).then(|| compressed(&text)).flatten();
        Self { status, content_type, plain: Bytes::from(text), compressed, language, tag }
    }

    /// The response to a request with these headers.
    pub(super) fn answer(&self, request: &HeaderMap) -> PageResponse {
        let has_it = request.get(IF_NONE_MATCH).is_some_and(|known| names(known, &self.tag));
        if has_it && self.status == StatusCode::OK {
            return self.headed(answer(StatusCode::NOT_MODIFIED, self.content_type, Bytes::new()));
        }
        let compressed = self.compressed.as_ref().filter(|_| takes_gzip(request));
        let body = compressed.unwrap_or(&self.plain).clone();
        let mut response = self.headed(answer(self.status, self.content_type, body));
        if compressed.is_some() {
            response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }

    fn headed(&self, mut response: PageResponse) -> PageResponse {
        let vary =
            if self.language.is_some() { "Accept-Encoding, Accept-Language" } else { "Accept-Encoding" };
        if let Some(language) = self.language {
            response.headers_mut().insert(CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
        }
        let with: [(HeaderName, HeaderValue); 3] = [
            (CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
            (VARY, HeaderValue::from_static(vary)),
            (ETAG, self.tag.clone()),
        ];
        for (name, value) in with {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

fn compressed(text: &str) -> Option<Bytes> {
    let mut gzip = GzEncoder::new(Vec::with_capacity(text.len() / 4), Compression::default());
    gzip.write_all(text.as_bytes()).ok()?;
    gzip.finish().ok().map(Bytes::from)
}

/// Whether a list of tags (RFC 9110 section 13.1.2) names this one.
fn names(list: &HeaderValue, tag: &HeaderValue) -> bool {
    let (Ok(list), Ok(tag)) = (list.to_str(), tag.to_str()) else { return false };
    let tag = tag.trim_start_matches("W/");
    list.split(',')
        .map(|known| known.trim().trim_start_matches("W/"))
        .any(|known| known == tag || known == "*")
}

/// Whether gzip is among the codings that the client takes, and not refused by `q=0`.
fn takes_gzip(request: &HeaderMap) -> bool {
    format::wanted(request, &ACCEPT_ENCODING).iter().any(|coding| coding.name.eq_ignore_ascii_case("gzip"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn compressed_for_those_who_take_it() {
        for (takes, is_taken) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip; q=0.0, br", false),
            ("identity", false),
            ("", false),
        ] {
            assert_eq!(takes_gzip(&headers(ACCEPT_ENCODING, takes)), is_taken, "{takes}");
        }
        let long = Printed::new(Content::html("tunnel ".repeat(1000)));
        let response = long.answer(&headers(ACCEPT_ENCODING, "gzip"));
        assert_eq!(response.headers()[CONTENT_ENCODING], "gzip");
        assert!(long.compressed.as_ref().is_some_and(|small| small.len() < 200));
        assert!(!long.answer(&HeaderMap::new()).headers().contains_key(CONTENT_ENCODING));
        assert!(Printed::new(Content::html("short".to_owned())).compressed.is_none());
    }

    #[test]
    fn what_the_client_has_is_not_sent_again() {
        let page = Printed::new(Content::html("a page".to_owned()));
        let tag = page.answer(&HeaderMap::new()).headers()[ETAG].clone();
        let again = HeaderMap::from_iter([(IF_NONE_MATCH, tag)]);
        assert_eq!(page.answer(&again).status(), StatusCode::NOT_MODIFIED);
        assert_eq!(page.answer(&headers(IF_NONE_MATCH, "\"other\", *")).status(), StatusCode::NOT_MODIFIED);
        assert_eq!(page.answer(&headers(IF_NONE_MATCH, "\"other\"")).status(), StatusCode::OK);
        let other = Printed::new(Content::html("another".to_owned()));
        assert_eq!(other.answer(&again).status(), StatusCode::OK);
    }
}
