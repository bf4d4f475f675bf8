//! Error answers of VyOS's HTTPS API, in JSON or HTML.

use super::api_reply;
use crate::model::snapshot::ScrapeError;

/// Why the API did not answer. `status` is the HTTP status if it is known; without it the text
/// decides.
#[must_use]
pub(crate) fn read(status: Option<u16>, body: &str) -> ScrapeError {
    api_reply::error(status, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_html_with_and_without_a_status() {
        let nginx = |title: &str| {
            format!(
                "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
            )
        };
        for (status, body, expected) in [
            (None, r#"{"success": false, "error": "Valid API key is required", "data": null}"#.to_owned(), "auth: Valid API key is required"),
            (Some(401), r#"{"detail":"Not authenticated"}"#.to_owned(), "auth: Not authenticated"),
            (None, nginx("503 Service Temporarily Unavailable"), "api: 503 Service Temporarily Unavailable"),
            (None, nginx("403 Forbidden"), "permission: 403 Forbidden"),
            (None, nginx("504 Gateway Time-out"), "timeout: 504 Gateway Time-out"),
            (None, nginx("401 Authorization Required"), "auth: 401 Authorization Required"),
            (Some(400), "{\"success\": false, \"error\": \"Malformed command &#x27;{}&#x27;: missing &#x27;op&#x27; field\", \"data\": null}".to_owned(), "api: Malformed command '{}': missing 'op' field"),
            (Some(400), "{\"success\": false, \"error\": \"\\n  Invalid command: show [interfacez]\\n\\n\", \"data\": null}".to_owned(), "command: Invalid command: show [interfacez]"),
            (Some(422), r#"{"detail":[{"loc":["body","op"],"msg":"field required","type":"value_error.missing"}]}"#.to_owned(), "api: field required"),
            (Some(500), "Internal Server Error".to_owned(), "api: expected JSON, saw `Internal Server Error`"),
            (None, String::new(), "parse: the answer is empty"),
            (None, r#"{"success": false, "error": "", "data": null}"#.to_owned(), "api: no reason was given"),
        ] {
            assert_eq!(read(status, &body).to_string(), expected);
        }
    }

    #[test]
    fn a_long_reason_is_cut() {
        let body = format!(r#"{{"success": false, "error": "{}"}}"#, "京 ".repeat(400));
        assert_eq!(read(None, &body).message.chars().count(), 301);
    }
}
