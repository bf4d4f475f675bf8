//! `/-/reload` and `/-/quit`: requests that control a running exporter, if its owner enabled them.

use hyper::{Method, StatusCode, header::HeaderValue};
use tokio::sync::{mpsc, oneshot};

use super::answer::{PLAIN_TEXT, PageResponse, answer};

/// A request that was made.
#[derive(Debug)]
pub enum Wish {
    /// Read the configuration again and report the result in words.
    Reload(oneshot::Sender<Result<String, String>>),
    /// End, as on SIGTERM.
    Quit,
}

/// Accepts these requests or refuses them; by default it refuses.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    wishes: Option<mpsc::Sender<Wish>>,
}

impl Lifecycle {
    /// Passes requests on.
    #[must_use]
    pub(crate) fn enabled(wishes: mpsc::Sender<Wish>) -> Self {
        Self { wishes: Some(wishes) }
    }

    /// The answer to a request for one of `/-/reload` and `/-/quit`.
    pub(super) async fn respond(&self, method: &Method, path: &str) -> PageResponse {
        if !matches!(*method, Method::POST | Method::PUT) {
            let mut refusal = answer(StatusCode::METHOD_NOT_ALLOWED, PLAIN_TEXT, "only POST and PUT\n");
            refusal.headers_mut().insert(hyper::header::ALLOW, HeaderValue::from_static("POST, PUT"));
            return refusal;
        }
        let Some(wishes) = &self.wishes else {
            let why = "not enabled: start the exporter with --web.enable-lifecycle, or send it SIGHUP to reload and SIGTERM to end\n";
            return answer(StatusCode::FORBIDDEN, PLAIN_TEXT, why);
        };
        let outcome = if path == "/-/quit" {
            wishes.send(Wish::Quit).await.map(|()| Ok("stopping".to_owned())).ok()
        } else {
            let (tell, told) = oneshot::channel();
            match wishes.send(Wish::Reload(tell)).await {
                Ok(()) => told.await.ok(),
                Err(_) => None,
            }
        };
        match outcome {
            Some(Ok(words)) => answer(StatusCode::OK, PLAIN_TEXT, format!("{words}\n")),
            Some(Err(why)) => {
                let text = format!("the previous configuration stays in use: {why}\n");
                answer(StatusCode::INTERNAL_SERVER_ERROR, PLAIN_TEXT, text)
            }
            None => answer(StatusCode::SERVICE_UNAVAILABLE, PLAIN_TEXT, "about to end\n"),
        }
    }
}
