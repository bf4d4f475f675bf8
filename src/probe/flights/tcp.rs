//! SYNs, connections and bytes on their way out.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use super::{Flight, Flights, Key, SynFlight, TUPLE_BUSY};
use crate::{
    model::family::Family,
    path::probe::{ByteFate, Moment, Probe, ProbeId},
    probe::{
        packet::{self, Incoming},
        random::random,
        target::Target,
        wire::{Outgoing, Wire},
    },
};

impl Flights {
    pub(super) fn launch_syn(
        &mut self,
        wire: &mut dyn Wire,
        target: &Target,
        probe: Probe,
        flight: Flight,
    ) -> io::Result<()> {
        let port = probe.port;
        let door = self.heard.door(target.address, flight.at);
        let family = Family::of(target.address);
        let (local, label) =
            if probe.fresh { wire.fresh_flow(family)? } else { wire.flow(family, probe.flow) };
        let waiting = self.syns.entry((target.address, port, local)).or_default();
        let busy = |syn: &SynFlight| {
            syn.flight.path != flight.path && flight.at.saturating_sub(syn.flight.at) < TUPLE_BUSY
        };
        if waiting.iter().any(busy) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        let sequence = random();
        let segment = packet::syn(
            flight.size as usize,
            SocketAddr::from((target.egress.source, local)),
            SocketAddr::from((target.address, port)),
            sequence,
            target.egress.mtu,
            label,
        );
        let ticket = self.queued.len();
        wire.queue(ticket, Outgoing::Syn(&segment), target.address, door)?;
        waiting.push(SynFlight { flight, sequence });
        self.queued.push((Key::Syn((target.address, port, local), sequence), flight));
        Ok(())
    }

    pub(super) fn connect(&mut self, wire: &mut dyn Wire, port: u16, flight: Flight) -> io::Result<()> {
        let token = random();
        let door = self.heard.door(flight.to, flight.at);
        wire.queue(usize::MAX, Outgoing::Connect { token, port }, flight.to, door)?;
        self.connects.insert(token, flight);
        Ok(())
    }

    /// Opens a connection of `path` and sends a byte on it.
    pub(crate) fn launch_byte(
        &mut self,
        wire: &mut dyn Wire,
        to: IpAddr,
        (path, id, port): (usize, ProbeId, u16),
        now: Moment,
    ) -> io::Result<()> {
        let token = random();
        self.count = self.count.wrapping_add(1);
        wire.queue(usize::MAX, Outgoing::Byte { token, port }, to, self.heard.door(to, now))?;
        self.bytes.insert(token, (path, id, now));
        Ok(())
    }

    /// The path and probe whose byte `incoming` reports on, with the result.
    pub(crate) fn claim_byte(&mut self, incoming: &Incoming) -> Option<(usize, ProbeId, ByteFate)> {
        let Incoming::Byte { token, fate } = *incoming else { return None };
        let (path, id, _) = self.bytes.remove(&token)?;
        Some((path, id, fate))
    }
}
