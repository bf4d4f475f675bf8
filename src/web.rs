//! Views of the state over HTTP.
//!
//! A request sends no packet, except one that asks for that (`wanted`, `on_demand`), and waits for
//! nothing except a reload and `/probe`: it copies the present state and prints it. A client may be
//! slow, silent or greedy: its resources are limited, and what other clients need is taken from the
//! one that uses the most.
//!
//! - `routes`: which request gets which page; `page` for people, with the overlay as a `picture`
//! - `api`: the same for machines
//! - `view`: what a page shows, `words`: messages in it, `mark`: how a state looks, `answer`: how a response is made, `assets`
//! - `live`: tells browsers that something has changed
//! - `places`: which connections exist when there are too many, by `peer`
//! - `connection`: one connection
//! - `access`: which requests are answered
//! - `on_demand`: `/probe`
//! - `mount`: below which path they are
//! - `printing`: prints each page once for all who request it at the same time (`coalesce`)

pub(crate) mod access;
mod answer;
mod api;
mod assets;
mod coalesce;
mod connection;
mod counts;
mod exposition;
#[cfg(test)]
mod fixture;
mod format;
mod lifecycle;
mod live;
mod mark;
pub mod metrics;
pub mod mount;
mod on_demand;
pub(crate) mod page;
mod peer;
mod picture;
mod places;
mod printing;
mod routes;
#[cfg(test)]
mod tests;
mod view;
mod wanted;
mod words;

use std::{future::Future, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use futures_util::future::select_all;
use nix::sys::resource::{Resource, getrlimit};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::timeout,
};

use crate::{
    history::History,
    listen::ListenAddress,
    model::{state::State, types::TurnedAway},
    on_demand::OnDemand,
};
pub use access::Access;
use connection::{Served, connection};
pub use lifecycle::{Lifecycle, Wish};
pub use live::LiveRevisions;
pub use metrics::SelfInfo;
use mount::Mount;
use places::Places;
pub use printing::Printing;
pub use wanted::Wanted;

/// Timeout for the head of a request, including the next one on a kept connection.
const HEAD_TIMEOUT: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 10 });
/// How long a response that has begun may still take when its connection reaches its maximum age,
/// and at shutdown.
const GRACE: Duration = Duration::from_secs(1);
/// Opens the sockets.
pub(crate) async fn listen(addresses: &[ListenAddress]) -> anyhow::Result<Vec<TcpListener>> {
    let mut listeners = Vec::new();
    for address in addresses {
        let opened = address.bind().await;
        listeners.push(opened.with_context(|| {
            format!("cannot listen on {address}: choose another with --web.listen-address")
        })?);
    }
    Ok(listeners)
}

/// Serves the clients that `access` admits until `shutdown` completes, then gives responses that
/// have begun one more second.
pub async fn serve(
    listeners: Vec<TcpListener>,
    pages: Pages,
    access: Access,
    shutdown: impl Future,
) -> anyhow::Result<()> {
    let open_files = getrlimit(Resource::RLIMIT_NOFILE).map_or(0, |(soft, _)| soft);
    let counts = Arc::clone(&pages.self_info.web);
    let places = Places::new(open_files, Arc::clone(&counts));
    let (stop, stopped) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut remembering = JoinSet::new();
    remembering.spawn(pages.live.clone().keep(pages.clone()));
    let (router, mount) = (routes::router(pages.clone()), Arc::new(pages.mount));
    let mut shutdown = pin!(shutdown);
    loop {
        // Never waits for a place: every client is accepted, if only to be turned away.
        let accepted = tokio::select! {
            accepted = accept(&listeners) => accepted,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            ended = remembering.join_next() => bail!("what remembers the last hours has ended: {ended:?}"),
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
                let (router, mount) = (router.clone(), Arc::clone(&mount));
                let site = Served { router, mount, counts: Arc::clone(&counts) };
                connections.spawn(connection(stream, place, site, access.clone(), stopped.clone()));
            }
            Err(error) => {
                // Mostly no file descriptor is left; they become free as connections end.
                tracing::warn!(%error, "cannot accept a connection");
                places.end_one();
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listeners);
    drop(stop);
    // Each connection limits itself; the grace period lets them finish.
    let _ = timeout(GRACE, connections.join_all()).await;
    Ok(())
}

/// The next connection of any listener. Nothing is lost if this is not waited for.
async fn accept(listeners: &[TcpListener]) -> io::Result<(TcpStream, SocketAddr)> {
    if let [listener] = listeners {
        return listener.accept().await;
    }
    select_all(listeners.iter().map(|listener| Box::pin(listener.accept()))).await.0
}

/// The source of every response. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Pages {
    /// The shared state.
    pub state: State,
    /// Data about the exporter itself.
    pub self_info: SelfInfo,
    /// Reload and quit.
    pub lifecycle: Lifecycle,
    /// What `/probe` does.
    pub on_demand: OnDemand,
    /// Where they are.
    pub mount: Mount,
    /// The configuration in use, without its secrets.
    pub config: Option<watch::Receiver<Arc<str>>>,
    /// The printers of the pages.
    pub printing: Printing,
    /// What is remembered of the last 24 hours.
    pub history: History,
    /// Tells browsers of changes.
    pub live: LiveRevisions,
    /// Who may have a path probed at once.
    pub wanted: Wanted,
}
