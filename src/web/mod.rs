//! Views of the state over HTTP.
//!
//! A request costs no packet and waits for nothing: it copies the present and prints it; only a reload is waited for. A client may be
//! slow, mute or greedy: the request's head has a deadline, a connection has a greatest age, and their
//! number is bounded, so that the next scrape always finds a place.

pub mod access;
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
        ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue,
        WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
    },
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use crate::{listen::ListenAddress, state::State};
pub use access::Access;
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

/// Answers whom `access` lets in until `shutdown` completes, then lets responses that have begun take one second more.
pub async fn serve(
    listener: TcpListener,
    pages: Pages,
    access: Access,
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
            Ok((_, peer)) if !access.is_open_to(peer.ip()) => {
                tracing::debug!(%peer, "not one of web.allowed_sources");
            }
            Ok((stream, _)) => {
                let connection = connection(stream, pages.clone(), access.clone(), stopped.clone());
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

/// What requests are answered from. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Pages {
    /// What is known.
    pub state: State,
    /// What the exporter says of itself.
    pub self_info: SelfInfo,
    /// What it can be asked to do.
    pub lifecycle: Lifecycle,
}

async fn connection(stream: TcpStream, pages: Pages, access: Access, mut stopped: watch::Receiver<()>) {
    let Some(config) = access.tls().await else {
        let service = service_fn(|request| answer_to(request, &pages, &access));
        return exchange(stream, service, stopped).await;
    };
    let handshake = timeout(HEAD_TIMEOUT, async {
        let mut first = [0];
        if stream.peek(&mut first).await? == 1 && first != TLS_HANDSHAKE {
            return Ok(Err(stream));
        }
        TlsAcceptor::from(config).accept(stream).await.map(Ok)
    });
    let shaken = tokio::select! {
        shaken = handshake => shaken,
        _ = stopped.changed() => return,
    };
    match shaken {
        Ok(Ok(Ok(stream))) => {
            let service = service_fn(|request| answer_to(request, &pages, &access));
            exchange(stream, service, stopped).await;
        }
        Ok(Ok(Err(plain))) => {
            let service = service_fn(|_| async {
                let text = "this port speaks HTTPS: write https:// before its address\n";
                Ok(answer(StatusCode::BAD_REQUEST, PLAIN_TEXT, text))
            });
            exchange(plain, service, stopped).await;
        }
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
}

/// The first byte of a TLS connection (RFC 8446 section 5.1).
const TLS_HANDSHAKE: [u8; 1] = [22];

async fn answer_to(request: Request<Incoming>, pages: &Pages, access: &Access) -> Result<Answer, Infallible> {
    if access.admits(request.headers().get(AUTHORIZATION)).await {
        return Ok(respond(request.method(), request.uri().path(), pages).await);
    }
    let mut refusal = answer(StatusCode::UNAUTHORIZED, PLAIN_TEXT, "a user name and a password are needed\n");
    refusal.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic"));
    Ok(refusal)
}

async fn exchange<S>(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    service: S,
    mut stopped: watch::Receiver<()>,
) where
    S: Service<Request<Incoming>, Response = Answer, Error = Infallible>,
{
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
