//! `POST /show` of VyOS's HTTPS API with the path `interfaces vxlan detail`: op-mode's text in one
//! JSON string.

use serde_json::Value;

use super::{api_reply, excerpt, links::Links, show_text, terminal};
use crate::model::{snapshot::ScrapeError, types::FailureReason};

/// All interfaces, with the same counters as [`show_text`].
pub(crate) fn links(body: &str) -> Result<Links, ScrapeError> {
    let parse = |message: String| ScrapeError::new(FailureReason::Parse, message);
    match api_reply::data(body)? {
        Value::String(text) => {
            show_text::links(&terminal::clean(&text)).map_err(|error| parse(error.to_string()))
        }
        other => Err(parse(format!("`data`: expected a text, saw `{}`", excerpt(&other.to_string())))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_as_one() {
        let error =
            links(r#"{"success": false, "error": "Valid API key is required", "data": null}"#).unwrap_err();
        assert_eq!(error.reason, FailureReason::Auth);
        let error = links(r#"{"success": true, "data": null, "error": null}"#).unwrap_err();
        assert_eq!(error.to_string(), "parse: `data`: expected a text, saw `null`");
        assert_eq!(links(r#"{"success": true, "data": "", "error": null}"#).unwrap(), Links::default());
    }
}
