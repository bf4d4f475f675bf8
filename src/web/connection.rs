//! One connection: TLS if configured, then one request after the other, as long as it keeps its
//! place.

use std::{
    convert::Infallible,
    io,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use axum::{Router, body::Body};
use http_body_util::BodyExt as _;
use hyper::{
    Request, StatusCode,
    body::{Body as _, Incoming},
    header::{AUTHORIZATION, HeaderValue, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE},
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::watch,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tower_service::Service as _;

use super::{
    Access, GRACE, HEAD_TIMEOUT,
    access::Admission,
    answer::{PLAIN_TEXT, PageResponse, answer},
    counts::WebCounters,
    mount::Mount,
    places::Place,
    wanted::Restricted,
};
use crate::model::types::LoginRefusal;

/// A connection this old ends after its present response.
const MAX_AGE: Duration = Duration::from_mins(5);
/// Longest head in bytes. hyper's own limit is 400 kB, which every client could make us hold.
const HEAD_BYTES: usize = 16 << 10;
/// Bytes of an answer that the kernel holds for one client. Without it they grow to megabytes for a
/// client that does not read.
const KERNEL_BYTES: usize = 64 << 10;
/// The first byte of a TLS connection (RFC 8446 section 5.1).
const TLS_HANDSHAKE: [u8; 1] = [22];

/// What every connection serves.
pub(crate) struct Served {
    pub router: Router,
    /// Below which path they are.
    pub mount: Arc<Mount>,
    pub counts: Arc<WebCounters>,
}

/// Serves its client until one of them ends the connection, or its place is needed.
pub(crate) async fn connection(
    stream: TcpStream,
    place: Place,
    site: Served,
    access: Access,
    stopped: watch::Receiver<()>,
) {
    if let Err(error) = SockRef::from(&stream).set_send_buffer_size(KERNEL_BYTES) {
        tracing::debug!(%error, "the send buffer stays as large as it gets");
    }
    let place = Arc::new(place);
    tokio::select! {
        () = serve(stream, &place, site, access, stopped) => {}
        () = place.ended() => tracing::debug!(peer = ?place.peer, "a connection gives its place to another"),
    }
}

async fn serve(
    stream: TcpStream,
    place: &Arc<Place>,
    site: Served,
    access: Access,
    mut stopped: watch::Receiver<()>,
) {
    let stop = stopped.clone();
    let Some(config) = access.tls().await else {
        let service = service_fn(|request| answer_to(request, place, &site, &access, &stop));
        return exchange(stream, place, service, stopped).await;
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
            let service = service_fn(|request| answer_to(request, place, &site, &access, &stop));
            exchange(stream, place, service, stopped).await;
        }
        Ok(Ok(Err(plain))) => {
            let service = service_fn(|_| async {
                let text = "this port speaks HTTPS: write https:// before its address\n";
                Ok(answer(StatusCode::BAD_REQUEST, PLAIN_TEXT, text))
            });
            exchange(plain, place, service, stopped).await;
        }
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
}

async fn answer_to(
    request: Request<Incoming>,
    place: &Place,
    site: &Served,
    access: &Access,
    stop: &watch::Receiver<()>,
) -> Result<PageResponse, Infallible> {
    let began = Instant::now();
    let answered = respond(request, place, site, access, stop).await;
    site.counts.answered(answered.status(), began.elapsed());
    Ok(answered)
}

async fn respond(
    mut request: Request<Incoming>,
    place: &Place,
    site: &Served,
    access: &Access,
    stop: &watch::Receiver<()>,
) -> PageResponse {
    place.works();
    let rules = access.rules().await;
    if !rules.may_come() {
        let mut refusal =
            answer(StatusCode::TOO_MANY_REQUESTS, PLAIN_TEXT, "too many requests: see rate_limit\n");
        refusal.headers_mut().insert(RETRY_AFTER, HeaderValue::from(1));
        return sent(place, refusal).await;
    }
    let admission = rules.admits(place, request.headers().get(AUTHORIZATION)).await;
    let mut answered = match admission {
        Admission::Granted => {
            let Some(uri) = site.mount.below(request.uri()) else {
                return sent(place, elsewhere(&site.mount)).await;
            };
            let is_scrape = uri.path() == site.mount.telemetry();
            *request.uri_mut() = uri;
            request.extensions_mut().insert(stop.clone());
            request.extensions_mut().insert(Restricted(access.restricts(place)));
            let Ok(answered) = site.router.clone().call(request).await;
            if is_scrape && answered.status() == StatusCode::OK {
                place.greet();
            }
            answered
        }
        Admission::Refused(reason, retry_after) => {
            site.counts.login_refused(reason);
            refusal(reason, retry_after)
        }
    };
    rules.dress(&mut answered);
    sent(place, answered).await
}

/// Where the pages are, for a request that is not below the prefix.
fn elsewhere(mount: &Mount) -> PageResponse {
    let home = mount.home();
    let mut answer = answer(StatusCode::NOT_FOUND, PLAIN_TEXT, format!("the pages are below {home}\n"));
    if let Ok(location) = HeaderValue::from_str(&home) {
        *answer.status_mut() = StatusCode::FOUND;
        answer.headers_mut().insert(LOCATION, location);
    }
    answer
}

/// Accounts for what the client has to read. An answer without a known length goes on for as long
/// as the client listens.
async fn sent(place: &Place, answered: PageResponse) -> PageResponse {
    let (parts, body) = answered.into_parts();
    if body.size_hint().exact().is_none() {
        place.watches();
        return PageResponse::from_parts(parts, body);
    }
    // One piece, which is in memory already: it is neither waited for nor copied.
    let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    if place.sends(&bytes) {
        return PageResponse::from_parts(parts, Body::from(bytes));
    }
    let text = "too many clients are slow to take their answers: come again\n";
    let mut refusal = answer(StatusCode::SERVICE_UNAVAILABLE, PLAIN_TEXT, text);
    refusal.headers_mut().insert(RETRY_AFTER, HeaderValue::from(1));
    refusal
}

fn refusal(reason: LoginRefusal, retry_after: Duration) -> PageResponse {
    let (status, text) = match reason {
        LoginRefusal::Missing | LoginRefusal::Wrong => {
            (StatusCode::UNAUTHORIZED, "a user name and a password are needed\n")
        }
        LoginRefusal::BackOff => {
            (StatusCode::TOO_MANY_REQUESTS, "too many wrong passwords from this address: come again later\n")
        }
        LoginRefusal::Busy => {
            (StatusCode::SERVICE_UNAVAILABLE, "too many passwords are being checked: come again later\n")
        }
    };
    let mut refusal = answer(status, PLAIN_TEXT, text);
    if status == StatusCode::UNAUTHORIZED {
        refusal.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic"));
    } else {
        let seconds = retry_after.as_secs_f64().ceil().max(1.0);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        refusal.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds as u64));
    }
    refusal
}

async fn exchange<S>(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    place: &Arc<Place>,
    service: S,
    mut stopped: watch::Receiver<()>,
) where
    S: Service<Request<Incoming>, Response = PageResponse, Error = Infallible>,
{
    let stream = WatchedStream { stream, place: Arc::clone(place) };
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(HEAD_BYTES)
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

/// Tells the place when an answer has been sent: hyper flushes after it has written a whole answer.
struct WatchedStream<T> {
    stream: T,
    place: Arc<Place>,
}

impl<T: AsyncRead + Unpin> AsyncRead for WatchedStream<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for WatchedStream<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.place.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
