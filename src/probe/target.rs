//! Where a path leads now: its target's address, and our own way to it.
//!
//! A name is resolved at start and every 5 minutes; the first IPv4 address is kept while it is still
//! in the answer, and a failed look-up keeps the old one.

use std::{net::Ipv4Addr, time::Duration};

use tokio::{sync::mpsc::UnboundedSender, time::Instant};

use super::egress::{Egress, Routes};

const RESOLVE: Duration = Duration::from_mins(5);
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// An address and our way to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The address.
    pub address: Ipv4Addr,
    /// Our interface.
    pub egress: Egress,
}

/// News of one path's target.
#[derive(Debug, Clone)]
pub struct TargetUpdate {
    /// The path's place in the plan.
    pub path: usize,
    /// The target, or why there is none, in words.
    pub found: Result<Target, String>,
}

/// Looks for `host` for as long as somebody listens.
pub fn follow(path: usize, host: String, routes: Routes, news: UnboundedSender<TargetUpdate>) {
    tokio::spawn(async move {
        let mut address = None;
        let mut resolved_at: Option<Instant> = None;
        loop {
            let mut problem = None;
            if resolved_at.is_none_or(|at| at.elapsed() >= RESOLVE) {
                match resolve(&host, address).await {
                    Ok(found) => {
                        address = Some(found);
                        resolved_at = Some(Instant::now());
                    }
                    Err(error) => problem = Some(error),
                }
            }
            let found = match (address, problem) {
                (Some(address), _) => match routes.to(address).await {
                    Ok(egress) => Ok(Target { address, egress }),
                    Err(error) => Err(format!("{error:#}")),
                },
                (None, problem) => Err(problem.unwrap_or_default()),
            };
            if news.send(TargetUpdate { path, found }).is_err() {
                return;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    });
}

async fn resolve(host: &str, known: Option<Ipv4Addr>) -> Result<Ipv4Addr, String> {
    let answers: Vec<Ipv4Addr> = tokio::net::lookup_host((host, 0))
        .await
        .map_err(|error| format!("cannot resolve {host}: {error}"))?
        .filter_map(|address| match address.ip() {
            std::net::IpAddr::V4(address) => Some(address),
            std::net::IpAddr::V6(_) => None,
        })
        .collect();
    known
        .filter(|known| answers.contains(known))
        .or_else(|| answers.first().copied())
        .ok_or_else(|| format!("{host} has no IPv4 address, and IPv6 is not probed yet"))
}
