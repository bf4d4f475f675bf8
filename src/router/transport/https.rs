//! One HTTPS connection to one router, kept between scrapes.
//!
//! Calls block, as those of a [`Shell`](crate::router::shell::Shell), and end at their deadline.
//! The key is sent to the configured host only: no redirect is followed, and nothing is sent before
//! the certificate is accepted. A kept connection that the router has closed is replaced; a new one
//! that fails is not.

pub(in crate::router) mod tls;

use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{
    Request, StatusCode,
    body::Bytes,
    client::conn::http1::{SendRequest, handshake},
    header,
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpStream, lookup_host},
    runtime::{Builder, Runtime},
    time::{timeout, timeout_at},
};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};
use zeroize::Zeroizing;

use crate::{
    model::{
        plan::{ApiPlan, MAX_OUTPUT_BYTES},
        snapshot::ScrapeError,
        types::FailureReason,
    },
    router::shell::timed_out,
};

type Sender = SendRequest<Full<Bytes>>;

/// The router's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HttpReply {
    /// HTTP status.
    pub status: StatusCode,
    /// The target of a redirect.
    pub location: Option<String>,
    /// The whole body.
    pub body: String,
}

/// A client for one router's API. Holds no key: the key is part of each form.
pub(crate) struct Client {
    plan: ApiPlan,
    /// Drives the connection during a call. Empty only while it is dropped.
    runtime: Option<Runtime>,
    kept: Option<Sender>,
    connections: u64,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("plan", &self.plan)
            .field("kept", &self.kept.is_some())
            .finish_non_exhaustive()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // A plain drop would wait for a hanging resolver, and panic inside another runtime.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Client {
    /// A client that connects at its first call.
    #[must_use]
    pub(crate) fn new(plan: ApiPlan) -> Self {
        Self { plan, runtime: None, kept: None, connections: 0 }
    }

    /// How many connections there have been.
    #[must_use]
    pub(crate) fn connections(&self) -> u64 {
        self.connections
    }

    /// Requests `path`: POST if there is a form, else GET.
    pub(crate) fn ask(
        &mut self,
        path: &str,
        form: Option<&str>,
        deadline: Instant,
    ) -> Result<HttpReply, ScrapeError> {
        let runtime = match self.runtime.take() {
            Some(runtime) => runtime,
            None => Builder::new_current_thread().enable_all().build().map_err(|error| {
                ScrapeError::new(FailureReason::Connect, format!("cannot start a client: {error}"))
            })?,
        };
        let kept = self.kept.take();
        let outcome = runtime.block_on(async {
            match timeout_at(deadline.into(), exchange(&self.plan, kept, path, form, deadline)).await {
                Ok(outcome) => outcome,
                Err(_) => Err(timed_out(&format!("asking {}{path}", self.plan.url))),
            }
        });
        let (sender, fresh, reply) = match outcome {
            Ok(answered) => answered,
            Err(error) => {
                // Cuts the connection now instead of at the next call.
                runtime.shutdown_background();
                return Err(error);
            }
        };
        self.runtime = Some(runtime);
        self.kept = Some(sender);
        self.connections += u64::from(fresh);
        Ok(reply)
    }
}

/// The connection, whether it is new, and the answer.
async fn exchange(
    plan: &ApiPlan,
    kept: Option<Sender>,
    path: &str,
    form: Option<&str>,
    deadline: Instant,
) -> Result<(Sender, bool, HttpReply), ScrapeError> {
    let failed = |error: &hyper::Error| {
        let message = format!("the connection to {} was lost before it answered {path}: {error}", plan.url);
        ScrapeError::new(FailureReason::Connect, message)
    };
    let request = || {
        let method = if form.is_some() { "POST" } else { "GET" };
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, plan.url.to_string().trim_start_matches("https://"))
            .header(header::USER_AGENT, concat!("vxlan_exporter/", env!("CARGO_PKG_VERSION")))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::from_owner(Zeroizing::new(form.unwrap_or_default().to_owned()))))
            .map_err(|error| ScrapeError::new(FailureReason::Config, format!("{}{path}: {error}", plan.url)))
    };
    if let Some(mut sender) = kept
        && sender.ready().await.is_ok()
    {
        // On failure nothing was answered. Our requests change nothing, so this one may be
        // repeated.
        if let Ok(response) = sender.send_request(request()?).await {
            return Ok((sender, false, reply(plan, path, response).await?));
        }
    }
    let mut sender = connect(plan, deadline).await?;
    let response = sender.send_request(request()?).await.map_err(|error| failed(&error))?;
    Ok((sender, true, reply(plan, path, response).await?))
}

async fn reply(
    plan: &ApiPlan,
    path: &str,
    response: hyper::Response<hyper::body::Incoming>,
) -> Result<HttpReply, ScrapeError> {
    let status = response.status();
    let location = response.headers().get(header::LOCATION);
    let location = location.map(|location| String::from_utf8_lossy(location.as_bytes()).into_owned());
    let limit = usize::try_from(MAX_OUTPUT_BYTES).unwrap_or(usize::MAX);
    let body = Limited::new(response.into_body(), limit).collect().await.map_err(|error| {
        let why = if error.is::<LengthLimitError>() {
            format!("is larger than {} MiB and was cut off", MAX_OUTPUT_BYTES >> 20)
        } else {
            format!("broke off: {error}")
        };
        ScrapeError::new(FailureReason::Truncated, format!("the answer of {}{path} {why}", plan.url))
    })?;
    let body = String::from_utf8_lossy(&body.to_bytes()).into_owned();
    Ok(HttpReply { status, location, body })
}

async fn connect(plan: &ApiPlan, deadline: Instant) -> Result<Sender, ScrapeError> {
    let url = &plan.url;
    // Everything that can be wrong on our side is checked before the router is contacted.
    let connector = TlsConnector::from(Arc::new(tls::config(&plan.trust)?));
    let name = ServerName::try_from(url.host.clone())
        .map_err(|error| ScrapeError::new(FailureReason::Config, format!("the host of {url}: {error}")))?;
    let unresolved = |why: &dyn std::fmt::Display| {
        let host = &url.host;
        let message =
            format!("cannot resolve {host}: {why}; use an address, or repair the resolver of this machine");
        ScrapeError::new(FailureReason::Dns, message)
    };
    let addresses: Vec<SocketAddr> =
        lookup_host((url.host.as_str(), url.port)).await.map_err(|error| unresolved(&error))?.collect();
    if addresses.is_empty() {
        return Err(unresolved(&"no address"));
    }
    let socket = first_to_accept(&addresses, deadline).await?;
    // A failure only makes the connection slower.
    let _ = socket.set_nodelay(true);
    let stream = connector.connect(name, socket).await.map_err(|error| tls::failed(&error, url))?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|error| {
        ScrapeError::new(FailureReason::Connect, format!("the connection to {url} cannot be used: {error}"))
    })?;
    // Errors of the connection also reach us through the sender.
    tokio::spawn(async { drop(connection.await) });
    Ok(sender)
}

/// Connects to the first address that accepts; each gets an equal share of the remaining time.
async fn first_to_accept(addresses: &[SocketAddr], deadline: Instant) -> Result<TcpStream, ScrapeError> {
    let mut last = timed_out("connecting to the router's API");
    for (index, address) in addresses.iter().enumerate() {
        let left = deadline.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        last = match timeout(share.max(Duration::from_millis(1)), TcpStream::connect(address)).await {
            Ok(Ok(socket)) => return Ok(socket),
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => ScrapeError::new(
                FailureReason::Refused,
                format!("{address} refused the connection: is `service https` configured there?"),
            ),
            Ok(Err(error)) => {
                ScrapeError::new(FailureReason::Connect, format!("cannot connect to {address}: {error}"))
            }
            Err(_) => ScrapeError::new(
                FailureReason::Connect,
                format!("cannot connect to {address}: no answer within {share:.1?}"),
            ),
        };
    }
    Err(last)
}
