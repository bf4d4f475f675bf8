//! The present address of a path's target, and our own route to it.
//!
//! A name is resolved at start and every 5 minutes. The first address is used, IPv4 unless the
//! family is given. It is kept while it is still in the answer, and after a failed look-up.

use std::{net::IpAddr, time::Duration};

use tokio::{sync::mpsc::UnboundedSender, time::Instant};

use super::egress::{Egress, Routes};
use crate::{
    language::{Said, say},
    model::{
        family::Family,
        types::{Mac, UnknownReason},
    },
};

const RESOLVE: Duration = Duration::from_mins(5);
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// A route is looked up again after this time even if the kernel has reported no change: three
/// questions per path, which for thousands of paths would cost more than their packets.
const SURELY: Duration = Duration::from_mins(2);

/// An address and our route to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The address.
    pub address: IpAddr,
    /// Our interface towards it.
    pub egress: Egress,
    /// Its MAC, if it is on our own network: the last one known, so that it stays for a target that
    /// falls silent.
    pub mac: Option<Mac>,
}

/// A change of one path's target.
#[derive(Debug, Clone)]
pub(crate) struct TargetUpdate {
    /// The path's number.
    pub path: usize,
    /// The target, or why there is none.
    pub found: Result<Target, NoTarget>,
}

/// Why nothing can be probed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoTarget {
    /// The reason.
    pub reason: UnknownReason,
    /// The reason in words.
    pub words: Said,
}

/// Looks for `host`, of that family if one is given, for as long as the receiver exists.
pub(crate) async fn watch_target(
    path: usize,
    host: String,
    family: Option<Family>,
    mut routes: Routes,
    news: UnboundedSender<TargetUpdate>,
) {
    let mut address = None;
    let mut resolved_at: Option<Instant> = None;
    let mut last: Option<LookUp> = None;
    loop {
        let mut problem = None;
        if resolved_at.is_none_or(|at| at.elapsed() >= RESOLVE) {
            match resolve(&host, family, address).await {
                Ok(found) => {
                    address = Some(found);
                    resolved_at = Some(Instant::now());
                }
                Err(error) => problem = Some(error),
            }
        }
        let found = match (address, problem) {
            (Some(address), _) => LookUp::look(&mut routes, address, last.as_ref()).await,
            (None, problem) => {
                let words = problem.unwrap_or_else(Said::nothing);
                Some(LookUp::nowhere(NoTarget { reason: UnknownReason::Dns, words }))
            }
        };
        if let Some(found) = found {
            if news.send(TargetUpdate { path, found: found.target.clone() }).is_err() {
                return;
            }
            last = Some(found);
        }
        let target = last.as_ref().and_then(|found| found.target.as_ref().ok());
        tokio::select! {
            () = tokio::time::sleep(LOOK_AGAIN) => {}
            () = routes.news(target.map(|target| &target.egress)) => {}
        }
    }
}

/// What was found last.
struct LookUp {
    target: Result<Target, NoTarget>,
    /// The address that was looked up, when, and how many changes of routes were reported by then.
    of: Option<(IpAddr, Instant, u64)>,
}

impl LookUp {
    fn nowhere(why: NoTarget) -> Self {
        Self { target: Err(why), of: None }
    }

    /// Looks up the route to `address`; `None` if it is as it was.
    async fn look(routes: &mut Routes, address: IpAddr, last: Option<&Self>) -> Option<Self> {
        let changes = routes.changes();
        let known = last.and_then(|last| last.target.as_ref().ok()).filter(|known| known.address == address);
        let heard = routes.mac(address).await;
        let mac = heard.or(known.and_then(|known| known.mac));
        let is_current = last
            .and_then(|last| last.of)
            .is_some_and(|(of, at, then)| of == address && changes == Some(then) && at.elapsed() < SURELY);
        if is_current && known.is_none_or(|known| known.mac == mac) {
            return None;
        }
        let target = match routes.to(address).await {
            Ok(egress) => Ok(Target { address, egress, mac }),
            Err(error) => Err(NoTarget {
                reason: UnknownReason::LocalDown,
                words: Said::verbatim(format!("{error:#}")),
            }),
        };
        // What failed is tried again whether anything has changed or not.
        let of = changes.filter(|_| target.is_ok()).map(|changes| (address, Instant::now(), changes));
        Some(Self { target, of })
    }
}

/// The address of a host, of that family if one is given; `known` is kept while it is among the answers.
pub(crate) async fn resolve(
    host: &str,
    family: Option<Family>,
    known: Option<IpAddr>,
) -> Result<IpAddr, Said> {
    let answers: Vec<IpAddr> = tokio::net::lookup_host((host, 0))
        .await
        .map_err(|error| say!("cannot resolve {host}: {error}", host, error))?
        .map(|address| address.ip())
        .collect();
    choose(host, &answers, family, known)
}

/// The first address of the given family, without one IPv4 before IPv6; `known` is kept while it is
/// among the answers.
fn choose(
    host: &str,
    answers: &[IpAddr],
    family: Option<Family>,
    known: Option<IpAddr>,
) -> Result<IpAddr, Said> {
    let usable = |address: &IpAddr| match address {
        IpAddr::V4(_) => family != Some(Family::V6),
        IpAddr::V6(address) => family != Some(Family::V4) && !address.is_unicast_link_local(),
    };
    let first = |wanted| answers.iter().find(|address| usable(address) && Family::of(**address) == wanted);
    if let Some(known) = known.filter(|known| usable(known) && answers.contains(known)) {
        return Ok(known);
    }
    first(Family::V4).or_else(|| first(Family::V6)).copied().ok_or_else(|| match family {
        Some(Family::V4) => say!("{host} has no IPv4 address, which `family: 4` asks for", host),
        Some(Family::V6) => {
            say!("{host} has no IPv6 address beyond link-local ones, which `family: 6` asks for", host)
        }
        None => say!(
            "{host} has only link-local IPv6 addresses, which cannot be probed: their scope is ours alone",
            host
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(answers: &[&str], family: Option<Family>, known: Option<&str>) -> Result<String, Said> {
        let parse = |text: &str| text.parse::<IpAddr>().unwrap();
        let answers: Vec<IpAddr> = answers.iter().map(|text| parse(text)).collect();
        choose("host", &answers, family, known.map(parse)).map(|address| address.to_string())
    }

    #[test]
    fn ipv4_comes_first_unless_the_family_is_given() {
        let both = ["2001:db8::1", "192.0.2.1", "192.0.2.2"];
        assert_eq!(chosen(&both, None, None).unwrap(), "192.0.2.1");
        assert_eq!(chosen(&both, Some(Family::V4), None).unwrap(), "192.0.2.1");
        assert_eq!(chosen(&both, Some(Family::V6), None).unwrap(), "2001:db8::1");
        assert_eq!(chosen(&["2001:db8::1"], None, None).unwrap(), "2001:db8::1");
        assert!(chosen(&["192.0.2.1"], Some(Family::V6), None).unwrap_err().contains("family: 6"));
        assert!(chosen(&["2001:db8::1"], Some(Family::V4), None).unwrap_err().contains("family: 4"));
    }

    #[test]
    fn an_address_stays_while_it_is_among_the_answers() {
        let both = ["192.0.2.1", "192.0.2.2"];
        assert_eq!(chosen(&both, None, Some("192.0.2.2")).unwrap(), "192.0.2.2");
        assert_eq!(chosen(&both, None, Some("192.0.2.3")).unwrap(), "192.0.2.1");
    }

    #[test]
    fn link_local_addresses_are_refused() {
        assert_eq!(chosen(&["fe80::1", "2001:db8::1"], Some(Family::V6), None).unwrap(), "2001:db8::1");
        assert!(chosen(&["fe80::1"], None, None).unwrap_err().contains("link-local"));
    }
}
