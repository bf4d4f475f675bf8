//! One direction: which packets pass, in how many pieces, and which are signalled.

use std::time::Duration;

use fastrand::Rng;
use vxlan_exporter::model::family::Family;

use super::{
    bucket::Police,
    loss::Chance,
    network::{Way, largest_piece},
};

/// A packet on its way.
#[derive(Debug, Clone, Copy)]
pub struct Packet {
    /// Bytes of IP packet.
    pub size: u32,
    /// Whether it carries DF, so that no router may cut it.
    pub df: bool,
    /// Its TCP flow; `None` is ICMP.
    pub flow: Option<u8>,
}

/// What happened to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crossing {
    /// It passed, in one piece or in several.
    Through {
        /// Bytes of the largest piece.
        piece: u32,
    },
    /// A bottleneck refused it and signalled an MTU.
    TooBig {
        /// The signalled MTU.
        mtu: u32,
    },
    /// It was lost.
    Lost,
}

/// The state of one direction.
#[derive(Debug, Clone)]
pub struct WayState {
    chance: Chance,
    police: Option<Police>,
}

impl WayState {
    /// The initial state.
    pub fn new(way: &Way, now: Duration) -> Self {
        Self {
            chance: Chance::new(way.loss, now),
            police: way.policer.map(|policer| Police::new(policer, now)),
        }
    }

    /// Lets a packet cross.
    pub fn cross(
        &mut self,
        way: &Way,
        family: Family,
        packet: Packet,
        now: Duration,
        rng: &mut Rng,
    ) -> Crossing {
        let mut piece = packet.size;
        for bottleneck in way.bottlenecks(packet.flow) {
            if piece <= bottleneck.above {
                continue;
            }
            match bottleneck.signals {
                None => return Crossing::Lost,
                Some(mtu) if packet.df => return Crossing::TooBig { mtu },
                Some(_) if bottleneck.cuts_none => return Crossing::Lost,
                Some(_) => piece = largest_piece(family, piece, bottleneck.above),
            }
        }
        let pieces = packet.size.div_ceil(piece.max(1));
        for _ in 0..pieces {
            let size = piece.min(packet.size);
            let dropped = self.police.as_mut().is_some_and(|police| !police.takes(size, now, rng))
                || self.chance.loses(now, rng)
                || way.frames.is_some_and(|frames| rng.f64() < frames.loss_of(size));
            if dropped {
                return Crossing::Lost;
            }
        }
        Crossing::Through { piece }
    }
}
