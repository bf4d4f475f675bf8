//! A reply of the API, with errors that name the API and the remedy.
//!
//! nginx in front of the API answers in HTML. Errors of the API may repeat the whole request,
//! including the key; that is never shown.

use crate::{
    model::{plan::ApiPlan, snapshot::ScrapeError, types::FailureReason},
    router::{
        parse::{api_error, excerpt},
        transport::https::HttpReply,
    },
    vendor::Vyos,
};

/// The body of a reply that is not an error.
pub(crate) fn body(plan: &ApiPlan, path: &str, reply: HttpReply, key: &str) -> Result<String, ScrapeError> {
    if reply.status.is_success() && reply.body.trim_start().starts_with('{') {
        return Ok(reply.body);
    }
    let (url, status) = (&plan.url, reply.status);
    let said = api_error::read(Some(status.as_u16()), &reply.body);
    let words = said.message.replace(key, "***");
    if status.is_success() {
        let message = format!("{url}{path} did not answer with VyOS's JSON: `{words}`");
        return Err(ScrapeError::new(FailureReason::Parse, message));
    }
    let remedy = match status.as_u16() {
        300..=399 => {
            let to = excerpt(reply.location.as_deref().unwrap_or("nowhere"));
            format!("it leads to `{to}`; redirects are not followed, give the API's own URL")
        }
        status => Vyos::api(status, &plan.key_file.display()),
    };
    let message = format!("{url}{path} answered {status}, `{words}`; {remedy}");
    Err(ScrapeError::new(said.reason, message))
}
