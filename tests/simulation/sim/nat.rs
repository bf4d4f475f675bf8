//! A stateful box: which flows it knows, and which of them are dead.

use std::{collections::HashMap, time::Duration};

use vxlan_exporter::path::probe::{FLOWS, Probe, ProbeMethod};

use super::network::Nat;

/// A flow as the box distinguishes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Flow {
    /// The regular echo, with how often its identifier has changed.
    Echo(u32),
    /// Echoes of the prober's own.
    Probe(u32),
    /// A TCP flow to a port.
    Tcp(u8, u32, u16),
    /// A flow that is used once.
    Fresh(u64),
}

#[derive(Debug, Clone, Copy)]
struct Known {
    since: Duration,
    last: Duration,
}

/// What a box remembers, and which ports and identifiers the prober uses.
#[derive(Debug, Clone, Default)]
pub struct Flows {
    known: HashMap<Flow, Known>,
    echoes: u32,
    ports: [u32; FLOWS as usize],
    fresh: u64,
    /// Whether SYNs are connections made by the kernel, each from a new port.
    pub connects: bool,
    /// When the network took its present form.
    pub began: Duration,
}

impl Flows {
    /// Gives echoes another identifier and these flows other ports.
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

    /// Whether it lets a new flow pass.
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
