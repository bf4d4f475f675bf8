//! The few packets by which `init` gets to know hosts: three small echoes and one SYN to each of a
//! few ports, no more, whether they are answered or not.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::{Semaphore, mpsc::unbounded_channel},
    task::{JoinSet, spawn_blocking},
    time::{Instant, sleep, sleep_until, timeout},
};

use crate::{
    config,
    probe::{Echoes, SocketGroup, syn},
};

/// Most hosts that are asked.
pub(crate) const MOST_HOSTS: usize = 32;
/// Small echoes to each.
pub(crate) const ECHOES: u64 = 3;
/// Ports to each of which one SYN is sent.
pub(crate) const PORTS: [u16; 5] = [22, 80, 443, 6443, 9345];

/// Hosts that are asked at the same time.
const AT_ONCE: usize = 8;
const ECHO_EVERY: Duration = Duration::from_millis(200);
/// How long echoes are waited for.
const PATIENCE: Duration = Duration::from_millis(1600);
/// How long the look-up of a name may take.
const LOOKUP: Duration = Duration::from_secs(2);

/// What a host answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct KnockAnswers {
    /// Echoes that were answered.
    pub echoes: u64,
    /// Ports that accepted the connection.
    pub open: Vec<u16>,
    /// Ports that refused it.
    pub closed: Vec<u16>,
    /// The name that the resolver has for the address.
    pub name: Option<String>,
}

/// Knocks at these hosts, a few at the same time; the answers come in the same order.
pub(crate) async fn knock(addresses: &[IpAddr]) -> Vec<KnockAnswers> {
    let (tell, mut told) = unbounded_channel();
    // Without the privilege for echoes, TCP alone must do.
    let echoes = Echoes::open(fastrand::u16(..), tell).ok();
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut knocking = JoinSet::new();
    for (host, address) in addresses.iter().copied().enumerate().take(MOST_HOSTS) {
        let (echoes, places) = (echoes.clone(), Arc::clone(&places));
        knocking.spawn(async move {
            // Never closed. If it were, the knocking would only lack the limit.
            let _place = places.acquire_owned().await;
            (host, at_one(host, address, echoes.as_ref()).await)
        });
    }
    let mut answers = vec![KnockAnswers::default(); addresses.len()];
    while let Some(joined) = knocking.join_next().await {
        let Ok((host, answered)) = joined else { continue };
        answers[host] = answered;
    }
    while let Ok(echo) = told.try_recv() {
        answers[echo.path].echoes += u64::from(echo.fate.is_ok());
    }
    answers
}

async fn at_one(host: usize, address: IpAddr, echoes: Option<&Echoes>) -> KnockAnswers {
    let mut answers = KnockAnswers::default();
    let until = Instant::now() + PATIENCE;
    for number in 0..ECHOES {
        if let Some(echoes) = echoes {
            echoes.send(host, address, number, SocketGroup::Main);
        }
        sleep(ECHO_EVERY).await;
    }
    for port in PORTS {
        match syn(SocketAddr::new(address, port)).await {
            Some(false) => answers.open.push(port),
            Some(true) => answers.closed.push(port),
            None => {}
        }
    }
    answers.name = name_of(address).await;
    sleep_until(until).await;
    answers
}

/// The name of an address, if it is one that the configuration could have.
async fn name_of(address: IpAddr) -> Option<String> {
    let looked_up = spawn_blocking(move || dns_lookup::lookup_addr(&address));
    let name = timeout(LOOKUP, looked_up).await.ok()?.ok()?.ok()?;
    if name.parse::<IpAddr>().is_ok() {
        return None;
    }
    config::host(&name).ok()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[tokio::test]
    async fn this_machine_refuses_or_accepts_and_never_stays_silent() {
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let [answers] = &knock(&[here]).await[..] else { panic!("one host") };
        assert_eq!(answers.open.len() + answers.closed.len(), PORTS.len(), "{answers:?}");
        assert!(answers.echoes <= ECHOES);
        assert!(knock(&[]).await.is_empty());
    }
}
