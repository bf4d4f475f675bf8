//! Views of the state over HTTP.
//!
//! A request sends no packet and waits for nothing except a reload: it copies the present state and
//! prints it. A client may be slow, silent or greedy: its resources are limited, and what other
//! clients need is taken from the one that uses the most.
//!
//! - `places`: which connections exist when there are too many, by `peer`
//! - `connection`: one connection
//! - `access`: which requests are answered
//! - `printing`: prints each page once for all who request it at the same time (`coalesce`)

pub(crate) mod access;
mod coalesce;
mod connection;
mod counts;
mod exposition;
#[cfg(test)]
mod fixture;
pub(crate) mod landing;
mod lifecycle;
pub mod metrics;
mod peer;
mod places;
mod printing;
#[cfg(test)]
mod tests;

use std::{future::Future, pin::pin, sync::Arc, time::Duration};

use anyhow::Context as _;
use hyper::{
    Method, Response, StatusCode,
    body::Bytes,
    header::{
        ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS,
    },
};
use nix::sys::resource::{Resource, getrlimit};
use tokio::{net::TcpListener, sync::watch, task::JoinSet, time::timeout};

use crate::{
    listen::ListenAddress,
    model::{state::State, types::TurnedAway},
};
pub use access::Access;
use connection::connection;
pub use lifecycle::{Lifecycle, Wish};
pub use metrics::SelfInfo;
use places::Places;
pub use printing::Printing;

/// Timeout for the head of a request, including the next one on a kept connection.
const HEAD_TIMEOUT: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 10 });
/// How long a response that has begun may still take when its connection reaches its maximum age,
/// and at shutdown.
const GRACE: Duration = Duration::from_secs(1);
const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
const PLAIN_TEXT: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

/// Opens the socket.
pub(crate) async fn listen(address: &ListenAddress) -> anyhow::Result<TcpListener> {
    let opened = address.bind().await;
    opened.with_context(|| format!("cannot listen on {address}: choose another with --web.listen-address"))
}

/// Serves the clients that `access` admits until `shutdown` completes, then gives responses that
/// have begun one more second.
pub async fn serve(
    listener: TcpListener,
    pages: Pages,
    access: Access,
    shutdown: impl Future,
) -> anyhow::Result<()> {
    let open_files = getrlimit(Resource::RLIMIT_NOFILE).map_or(0, |(soft, _)| soft);
    let counts = Arc::clone(&pages.self_info.web);
    let places = Places::new(open_files, Arc::clone(&counts));
    let (stop, stopped) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        // Never waits for a place: every client is accepted, if only to be turned away.
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            _ = &mut shutdown => break,
        };
        match accepted {
            Ok((_, peer)) if !access.is_open_to(peer.ip()) => {
                counts.turned_away(TurnedAway::NotAllowed);
                tracing::debug!(%peer, "not one of web.allowed_sources");
            }
            Ok((stream, peer)) => {
                let Some(place) = places.take(peer.ip().into()) else {
                    tracing::debug!(%peer, "no place for another connection");
                    continue;
                };
                connections.spawn(connection(stream, place, pages.clone(), access.clone(), stopped.clone()));
            }
            Err(error) => {
                // Mostly no file descriptor is left; they become free as connections end.
                tracing::warn!(%error, "cannot accept a connection");
                places.end_one();
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    drop(stop);
    // Each connection limits itself; the grace period lets them finish.
    let _ = timeout(GRACE, connections.join_all()).await;
    Ok(())
}

/// The source of every response. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Pages {
    /// The shared state.
    pub state: State,
    /// Data about the exporter itself.
    pub self_info: SelfInfo,
    /// Reload and quit.
    pub lifecycle: Lifecycle,
    /// The printers of the pages.
    pub printing: Printing,
}

/// The pages that have an effect.
const LIFECYCLE: [&str; 2] = ["/-/reload", "/-/quit"];

type PageResponse = Response<Bytes>;

async fn respond(method: &Method, path: &str, pages: &Pages) -> PageResponse {
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
        "/metrics" => match pages.printing.metrics(&pages.state, &pages.self_info).await {
            Ok(text) => answer(StatusCode::OK, PROMETHEUS_TEXT, text),
            Err(error) => {
                tracing::error!(error, "cannot print the metrics");
                answer(StatusCode::INTERNAL_SERVER_ERROR, PLAIN_TEXT, format!("{error}\n"))
            }
        },
        "/-/healthy" => health("healthy", &pages.self_info),
        // Everything it serves is there from the start, so it need not wait for anything.
        "/-/ready" => health("ready", &pages.self_info),
        _ => match pages.printing.landing(&pages.state, &pages.self_info).await {
            Some(page) => answer(StatusCode::OK, HTML, page),
            None => answer(StatusCode::INTERNAL_SERVER_ERROR, PLAIN_TEXT, "printing this page has failed\n"),
        },
    }
}

/// Whether all parts of the exporter run and make progress.
fn health(word: &str, process: &SelfInfo) -> PageResponse {
    match process.trouble() {
        None => answer(StatusCode::OK, PLAIN_TEXT, format!("vxlan_exporter is {word}\n")),
        Some(trouble) => {
            let text = format!("vxlan_exporter is not {word}: {trouble}\n");
            answer(StatusCode::SERVICE_UNAVAILABLE, PLAIN_TEXT, text)
        }
    }
}

fn answer(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> PageResponse {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Pages are text only: a name from the configuration must never be run as a script.
    headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    );
    response
}
