//! A stateful box at work: which flows it knows, and which of them are dead.

use std::{collections::HashMap, time::Duration};

use vxlan_exporter::path::probe::{FLOWS, Probe, ProbeMethod};

use super::network::Nat;

/// A flow as the box tells it from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Flow {
    /// The regular echo, by how often its identifier has changed.
    Echo(u32),
    /// Our own echoes.
    Probe(u32),
    /// A TCP flow to a port.
    Tcp(u8, u32, u16),
    /// One that is used once.
    Fresh(u64),
}

#[derive(Debug, Clone, Copy)]
struct Known {
    since: Duration,
    last: Duration,
}

/// What a box remembers, and by which ports and identifiers we ask.
#[derive(Debug, Clone, Default)]
pub struct Flows {
    known: HashMap<Flow, Known>,
    echoes: u32,
    ports: [u32; FLOWS as usize],
    fresh: u64,
    /// The kernel's own connections, each from a port of its own.
    pub connects: bool,
    /// When the network became what it is.
    pub began: Duration,
}

impl Flows {
    /// Echoes have another identifier now, and these flows another port.
    pub fn renew(&mut self, flows: &[u8]) {
        self.echoes += 1;
        for flow in flows {
            self.ports[usize::from(*flow)] += 1;
        }
    }

    /// Whether the box lets the regular echo pass.
    pub fn lets_echo(&mut self, nat: Option<Nat>, now: Duration) -> bool {
        self.lets(nat, Flow::Echo(self.echoes), now)
    }

    /// Whether it lets a probe pass.
    pub fn lets_probe(&mut self, nat: Option<Nat>, probe: Probe, now: Duration) -> bool {
        let flow = match probe.method {
            ProbeMethod::Syn if probe.fresh || self.connects => self.fresh(),
            ProbeMethod::Syn => Flow::Tcp(probe.flow, self.ports[usize::from(probe.flow)], probe.port),
            _ if probe.fresh => self.fresh(),
            _ => Flow::Probe(self.echoes),
        };
        self.lets(nat, flow, now)
    }

    /// Whether it lets a flow pass that never was before.
    pub fn lets_fresh(&mut self, nat: Option<Nat>, now: Duration) -> bool {
        let flow = self.fresh();
        self.lets(nat, flow, now)
    }

    fn fresh(&mut self) -> Flow {
        self.fresh += 1;
        Flow::Fresh(self.fresh)
    }

    fn lets(&mut self, nat: Option<Nat>, flow: Flow, now: Duration) -> bool {
        let Some(nat) = nat else { return true };
        let timeout = Duration::from_secs_f64(nat.timeout_s);
        let known = self.known.get(&flow).copied().filter(|known| now.saturating_sub(known.last) < timeout);
        if known.is_none() && nat.full {
            return false;
        }
        let since = known.map_or(now, |known| known.since);
        self.known.insert(flow, Known { since, last: now });
        !(nat.failover && since < self.began)
    }
}
