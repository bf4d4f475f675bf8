//! Sends single probes and returns what came back, without any prober.

use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use vxlan_exporter::{
    model::types::{Bytes, ProbeSize},
    path::probe::{Answer, Probe, ProbeId, ProbeMethod, Reply},
    probe::{
        egress::Routes,
        flights::{Claim, Flights},
        raw::Raw,
        target::Target,
        unprivileged::Unprivileged,
        wire::Wire,
    },
};

use super::world::{Ip, PATIENCE};

/// The two levels of privilege.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Raw,
    Unprivileged,
}

impl Level {
    pub const BOTH: [Self; 2] = [Self::Raw, Self::Unprivileged];
}

/// Probes of one target.
pub struct Driver {
    pub wire: Box<dyn Wire>,
    pub target: Target,
    flights: Flights,
    port: u16,
    began: Instant,
    next: u64,
}

impl Driver {
    pub async fn open(level: Level, ip: Ip, port: u16) -> Result<Self> {
        Self::open_to(level, ip.there(), port).await
    }

    pub async fn open_to(level: Level, address: IpAddr, port: u16) -> Result<Self> {
        let wire: Box<dyn Wire> = match level {
            Level::Raw => Box::new(Raw::open()?),
            Level::Unprivileged => Box::new(Unprivileged::open(&std::io::ErrorKind::PermissionDenied.into())),
        };
        let egress = Routes::open()?.to(address).await?;
        let target = Target { address, egress, mac: None };
        let flights = Flights::new();
        wire.writable().await?;
        Ok(Self { wire, target, flights, port, began: Instant::now(), next: 0 })
    }

    /// Sends a probe of `size` bytes.
    pub fn send(&mut self, method: ProbeMethod, flow: u8, size: Bytes) -> Result<ProbeId> {
        self.launch(method, flow, size, ProbeSize::Full, false)
    }

    /// Sends a probe of `size` bytes to another target.
    pub fn send_to(&mut self, address: IpAddr, method: ProbeMethod, size: Bytes) -> Result<ProbeId> {
        let target = Target { address, ..self.target.clone() };
        let own = std::mem::replace(&mut self.target, target);
        let sent = self.send(method, 0, size);
        self.target = own;
        sent
    }

    /// Sends a SYN that only tests whether the target is there.
    pub fn knock(&mut self, flow: u8) -> Result<ProbeId> {
        self.launch(ProbeMethod::Syn, flow, 1500, ProbeSize::Control, true)
    }

    /// Sends a small packet on a flow never used before: an echo, or a SYN that only tests whether
    /// the target is there.
    pub fn send_fresh(&mut self, method: ProbeMethod) -> Result<ProbeId> {
        self.next += 1;
        let id = ProbeId(self.next);
        let (purpose, bare) = (ProbeSize::Control, method == ProbeMethod::Syn);
        let probe = Probe { id, method, flow: 0, size: 1500, purpose, port: self.port, bare, fresh: true };
        self.leave(probe)
    }

    fn launch(
        &mut self,
        method: ProbeMethod,
        flow: u8,
        size: Bytes,
        purpose: ProbeSize,
        bare: bool,
    ) -> Result<ProbeId> {
        self.next += 1;
        let id = ProbeId(self.next);
        let probe = Probe { id, method, flow, size, purpose, port: self.port, bare, fresh: false };
        self.leave(probe)
    }

    fn leave(&mut self, probe: Probe) -> Result<ProbeId> {
        let Self { flights, wire, target, began, .. } = self;
        flights.launch(&mut **wire, 0, target, probe, began.elapsed())?;
        let mut refused = None;
        flights.flush(&mut **wire, &mut |launched| refused = launched.fate.err());
        refused.map_or(Ok(probe.id), |error| Err(error.into()))
    }

    /// The answers received until there are `enough` or `patience` is over.
    pub async fn answers(&mut self, enough: usize, patience: Duration) -> Vec<(ProbeId, Answer)> {
        let end = tokio::time::Instant::now() + patience;
        let mut all = Vec::new();
        loop {
            let Self { wire, flights, .. } = self;
            wire.drain(&mut |incoming, received| {
                if let Some((_, Claim::Probe(id, answer))) = flights.claim(&incoming, received) {
                    all.push((id, answer));
                }
            });
            if !all.is_empty() {
                flights.hear(self.target.address, self.began.elapsed());
            }
            if all.len() >= enough {
                return all;
            }
            tokio::select! {
                _ = wire.readable() => {}
                () = tokio::time::sleep_until(end) => return all,
            }
        }
    }

    /// The answer to a probe that must be answered.
    pub async fn answer(&mut self, id: ProbeId) -> Result<Answer> {
        match self.answers(1, PATIENCE).await.as_slice() {
            [(answered, answer)] if *answered == id => Ok(*answer),
            other => bail!("{id:?} is answered by {other:?}"),
        }
    }

    /// The reply to a probe that must pass.
    pub async fn passes(&mut self, id: ProbeId) -> Result<Reply> {
        match self.answer(id).await? {
            Answer::Passed(reply) => Ok(reply),
            other => bail!("{id:?}: {other:?}"),
        }
    }
}
