//! Views of the state over HTTP.
//!
//! A request costs no packet and waits for nothing: it copies the present and prints it; only a reload is waited for. A client may be
//! slow, mute or greedy: the request's head has a deadline, a connection has a greatest age, and their
//! number is bounded, so that the next scrape always finds a place.

mod exposition;
#[cfg(test)]
mod fixture;
mod landing;
mod lifecycle;
pub mod metrics;
#[cfg(test)]
mod tests;

use std::{convert::Infallible, future::Future, pin::pin, sync::Arc, time::Duration};

use anyhow::Context as _;
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{
        ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS,
    },
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
    time::timeout,
};

use crate::{listen::ListenAddress, state::State};
pub use lifecycle::{Lifecycle, Wish};
pub use metrics::SelfInfo;

/// Several Prometheus servers and a few people; more wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 64;
/// For the head of a request, also of the next one on a kept connection.
const HEAD_TIMEOUT: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 10 });
/// After this a connection ends with the response it is at.
const MAX_AGE: Duration = Duration::from_mins(5);
/// What a response that has begun may still take then, and at shutdown.
const GRACE: Duration = Duration::from_secs(1);
const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
const PLAIN_TEXT: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

/// Opens the socket.
pub async fn listen(address: &ListenAddress) -> anyhow::Result<TcpListener> {
    let opened = address.bind().await;
    opened.with_context(|| format!("cannot listen on {address}: choose another with --web.listen-address"))
}

/// Answers until `shutdown` completes, then lets responses that have begun take one second more.
pub async fn serve(
    listener: TcpListener,
    state: State,
    self_info: SelfInfo,
    lifecycle: Lifecycle,
    shutdown: impl Future,
) -> anyhow::Result<()> {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let (stop, stopped) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            accepted = accepted => accepted,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            _ = &mut shutdown => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let (state, self_info, lifecycle) = (state.clone(), self_info.clone(), lifecycle.clone());
                let pages = Pages { state, self_info, lifecycle };
                let connection = connection(stream, pages, stopped.clone());
                connections.spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
            Err(error) => {
                // Most often no file descriptor is left; they come back as connections end.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    drop(stop);
    // Each connection bounds itself; the second is for those.
    let _ = timeout(GRACE, connections.join_all()).await;
    Ok(())
}

/// What requests are answered from.
struct Pages {
    state: State,
    self_info: SelfInfo,
    lifecycle: Lifecycle,
}

async fn connection(stream: TcpStream, pages: Pages, mut stopped: watch::Receiver<()>) {
    let pages = &pages;
    let service = service_fn(move |request: Request<Incoming>| async move {
        Ok::<_, Infallible>(respond(request.method(), request.uri().path(), pages).await)
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .serve_connection(TokioIo::new(stream), service)
    );
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        _ = stopped.changed() => None,
        () = tokio::time::sleep(MAX_AGE) => None,
    };
    let ended = if let Some(ended) = ended {
        ended
    } else {
        connection.as_mut().graceful_shutdown();
        timeout(GRACE, connection).await.unwrap_or(Ok(()))
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// The pages that change something.
const LIFECYCLE: [&str; 2] = ["/-/reload", "/-/quit"];

type Answer = Response<Full<Bytes>>;

async fn respond(method: &Method, path: &str, pages: &Pages) -> Answer {
    if LIFECYCLE.contains(&path) {
        return pages.lifecycle.respond(method, path).await;
    }
    if !matches!(path, "/" | "/metrics" | "/-/healthy" | "/-/ready") {
        return answer(StatusCode::NOT_FOUND, PLAIN_TEXT, "not found; see / for what is here\n");
    }
    if !matches!(*method, Method::GET | Method::HEAD) {
        let mut refusal = answer(StatusCode::METHOD_NOT_ALLOWED, PLAIN_TEXT, "only GET and HEAD\n");
        refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refusal;
    }
    match path {
        "/metrics" => match metrics::render(&pages.state.present(), &pages.self_info) {
            Ok(text) => answer(StatusCode::OK, PROMETHEUS_TEXT, text),
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "cannot print the metrics");
                answer(StatusCode::INTERNAL_SERVER_ERROR, PLAIN_TEXT, format!("{error:#}\n"))
            }
        },
        "/-/healthy" => answer(StatusCode::OK, PLAIN_TEXT, "vxlan_exporter is healthy\n"),
        // What it serves is there from the start; nothing has to be waited for.
        "/-/ready" => answer(StatusCode::OK, PLAIN_TEXT, "vxlan_exporter is ready\n"),
        _ => answer(StatusCode::OK, HTML, landing::page(&pages.state.present(), pages.self_info.version)),
    }
}

fn answer(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // The page is text; a name from the configuration must never become a script.
    headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    );
    response
}
