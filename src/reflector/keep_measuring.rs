//! One path's use of its reflector, for as long as the exporter runs: start, notice that it is
//! gone, try again.

use std::{
    net::IpAddr,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::{sync::watch, time::sleep};
use tracing::{debug, info, warn};

use super::{bench::Bench, client::Unusable, secret::Secret};
use crate::{language::say, model::types::Bytes, path::reflection::Reflection};

/// Which reflector to use, and for which MTU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Measurand {
    /// The path's target.
    pub address: IpAddr,
    /// The expected MTU, bytes of IP packet.
    pub expected: Bytes,
}

/// How to reach it.
#[derive(Debug, Clone)]
pub(crate) struct ReflectorEndpoint {
    /// TCP port.
    pub port: u16,
    /// The file of the shared secret, if there is one.
    pub secret_file: Option<PathBuf>,
}

/// Measures for as long as it is polled and `wanted` has a sender; reports every change. At each
/// `reread` it checks whether the file holds another secret.
pub(crate) async fn keep_measuring(
    access: ReflectorEndpoint,
    mut wanted: watch::Receiver<Option<Measurand>>,
    mut reread: watch::Receiver<()>,
    tell: impl Fn(Reflection) + Send + Sync,
) {
    let mut backoff = ReflectorBackoff::default();
    let news = ReflectorLog::default();
    loop {
        let Some(now) = *wanted.borrow_and_update() else {
            if wanted.changed().await.is_err() {
                return;
            }
            continue;
        };
        if wanted.has_changed().is_err() {
            return;
        }
        let began = Instant::now();
        reread.borrow_and_update();
        let why = match Secret::of(access.secret_file.clone()).await {
            Err(error) => Unusable::Secret(format!("{error:#}")),
            Ok(secret) => {
                let tell = |reflection| {
                    news.is_used(now.address);
                    tell(reflection);
                };
                let bench = Bench::new(now.address, access.port, secret.as_ref(), &tell);
                bench.set_expected(now.expected);
                tokio::select! {
                    () = moved(&mut wanted, now.address, |expected| bench.set_expected(expected)) => continue,
                    () = other_secret(&mut reread, &access, secret.as_ref()) => continue,
                    why = bench.sizes() => why,
                    why = bench.losses() => why,
                }
            }
        };
        let wait = backoff.after(&why, began.elapsed());
        news.is_not_used(now.address, &why, wait);
        let mut words = why.said();
        if why.is_misbehaviour() {
            words = say!("{why}; tried again after {wait} s", why => words, wait = wait.as_secs());
        }
        tell(Reflection::Gone { why: words });
        tokio::select! {
            () = sleep(wait) => {}
            () = moved(&mut wanted, now.address, |_| ()) => backoff = ReflectorBackoff::default(),
            Ok(()) = reread.changed() => backoff = ReflectorBackoff::default(),
        }
    }
}

/// Completes when the file holds another secret.
async fn other_secret(reread: &mut watch::Receiver<()>, access: &ReflectorEndpoint, secret: Option<&Secret>) {
    while reread.changed().await.is_ok() {
        match Secret::of(access.secret_file.clone()).await {
            Ok(now) if now.as_ref() != secret => return,
            Ok(_) => {}
            Err(error) => warn!("{error:#}: the reflector is used with the previous secret"),
        }
    }
    std::future::pending::<()>().await;
}

/// Completes when the address changes or the sender is gone. A change of the expected MTU needs no
/// new connection.
async fn moved(wanted: &mut watch::Receiver<Option<Measurand>>, address: IpAddr, expects: impl Fn(Bytes)) {
    while wanted.changed().await.is_ok() {
        match *wanted.borrow_and_update() {
            Some(new) if new.address == address => expects(new.expected),
            _ => return,
        }
    }
}

/// How long a reflector that cannot be used is left alone; the wait doubles each time.
#[derive(Debug, Default)]
struct ReflectorBackoff {
    last: Option<Duration>,
}

impl ReflectorBackoff {
    /// First and longest wait if it is gone.
    const GONE: [Duration; 2] = [Duration::from_secs(5), Duration::from_mins(1)];
    /// First and longest wait if the peer is not our reflector, or floods.
    const DISTRUSTED: [Duration; 2] = [Duration::from_secs(30), Duration::from_mins(15)];

    /// The wait after this failure; `used` is how long the reflector was in use before.
    fn after(&mut self, why: &Unusable, used: Duration) -> Duration {
        let [first, longest] = if why.is_misbehaviour() { Self::DISTRUSTED } else { Self::GONE };
        let last = self.last.filter(|_| used <= longest);
        let wait = last.map_or(first, |last| (last * 2).clamp(first, longest));
        self.last = Some(wait);
        wait
    }
}

/// Logs each change of one path's reflector once.
#[derive(Debug, Default)]
struct ReflectorLog {
    said: Mutex<Option<String>>,
}

impl ReflectorLog {
    fn said(&self) -> MutexGuard<'_, Option<String>> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_not_used(&self, address: IpAddr, why: &Unusable, wait: Duration) {
        let words = why.to_string();
        let mut said = self.said();
        if said.as_ref() == Some(&words) {
            debug!(%address, why = words, ?wait, "the reflector is still not used");
        } else {
            warn!(%address, why = words, ?wait, "the reflector is not used, directions are inferred");
            *said = Some(words);
        }
    }

    fn is_used(&self, address: IpAddr) {
        if self.said().take().is_some() {
            info!(%address, "the reflector is used again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reflector::inbox::Ended;

    #[test]
    fn who_lies_is_left_alone_for_longer_each_time_up_to_a_quarter_of_an_hour() {
        let lie = Unusable::Misbehaved(Ended::Unasked);
        let mut backoff = ReflectorBackoff::default();
        let waits: Vec<u64> =
            (0..7).map(|_| backoff.after(&lie, Duration::from_secs(20)).as_secs()).collect();
        assert_eq!(waits, [30, 60, 120, 240, 480, 900, 900]);
        // A reflector that behaved for long is trusted again.
        assert_eq!(backoff.after(&lie, Duration::from_hours(1)).as_secs(), 30);
    }

    #[test]
    fn who_is_gone_is_looked_for_every_minute() {
        let mut backoff = ReflectorBackoff::default();
        let waits: Vec<u64> =
            (0..6).map(|_| backoff.after(&Unusable::Mute, Duration::ZERO).as_secs()).collect();
        assert_eq!(waits, [5, 10, 20, 40, 60, 60]);
        assert_eq!(backoff.after(&Unusable::FalseProof, Duration::ZERO).as_secs(), 120);
        assert_eq!(backoff.after(&Unusable::Mute, Duration::ZERO).as_secs(), 60);
    }
}
