//! One path's use of its reflector, for as long as the exporter runs: begin, notice that it is gone, try
//! again.

use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

use tokio::{sync::watch, time::sleep};
use tracing::debug;

use super::{bench::Bench, secret::Secret};
use crate::{overlay::path::reflection::Reflection, types::Bytes};

/// After the first failure; doubled up to the longest.
const RETRY: Duration = Duration::from_secs(5);
const LONGEST_RETRY: Duration = Duration::from_mins(1);

/// Which reflector, and what for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The path's target.
    pub address: IpAddr,
    /// The expected MTU, bytes of IP packet.
    pub expected: Bytes,
}

/// How to reach it.
#[derive(Debug, Clone)]
pub struct Access {
    /// TCP port.
    pub port: u16,
    /// The shared secret, if any.
    pub secret: Option<Secret>,
}

/// Measures for as long as it is polled and `wanted` has a sender; tells whatever changes.
pub async fn follow(
    access: Access,
    mut wanted: watch::Receiver<Option<Wanted>>,
    tell: impl Fn(Reflection) + Send + Sync,
) {
    let mut retry = RETRY;
    loop {
        let Some(now) = *wanted.borrow_and_update() else {
            if wanted.changed().await.is_err() {
                return;
            }
            continue;
        };
        let began = Instant::now();
        let bench = Bench::new(&access, now.address, &tell);
        let moved = async {
            // Another expected MTU does not need another connection.
            while wanted.changed().await.is_ok() {
                match *wanted.borrow_and_update() {
                    Some(new) if new.address == now.address => bench.set_expected(new.expected),
                    _ => return,
                }
            }
        };
        bench.set_expected(now.expected);
        let why = tokio::select! {
            () = moved => {
                if wanted.has_changed().is_err() {
                    return;
                }
                continue;
            }
            why = bench.sizes() => why,
            why = bench.losses() => why,
        };
        debug!(address = %now.address, %why, "reflector");
        tell(Reflection::Gone { why: why.to_string() });
        if began.elapsed() > LONGEST_RETRY {
            retry = RETRY;
        }
        sleep(retry).await;
        retry = (retry * 2).min(LONGEST_RETRY);
    }
}
