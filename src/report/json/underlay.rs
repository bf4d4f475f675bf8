//! What routers say of the underlay below a tunnel: by their own pings, and by their counters.

use schemars::JsonSchema;
use serde::Serialize;

use super::EndReport;
use crate::{
    language::Said,
    model::{
        leg::LegSizes,
        picture::{TunnelFlow, TunnelLeg},
        types::Bytes,
    },
};

/// The underlay from one end to the other, by pings of the sending end's router.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct LegReport<'a> {
    from: EndReport<'a>,
    to: EndReport<'a>,
    /// Bytes of outer packet that the tunnel needs.
    needed_bytes: Bytes,
    /// The largest that is answered, where it is known exactly.
    mtu_bytes: Option<Bytes>,
    /// Whether larger ones are proven to vanish.
    swallows_larger: bool,
    /// The smallest MTU that a "fragmentation needed" named.
    signalled_bytes: Option<Bytes>,
    /// Small pings sent, and those not answered.
    pings: u32,
    pings_lost: u32,
    rtt_mean_seconds: Option<f64>,
    /// Why sizes are not measured.
    not_measured: Option<&'a Said>,
}

impl<'a> LegReport<'a> {
    pub(super) fn of(leg: &'a TunnelLeg) -> Self {
        let reading = &leg.reading;
        let not_measured = match &reading.sizes {
            LegSizes::NotMeasured { why } => Some(why),
            _ => None,
        };
        Self {
            from: EndReport::of(&leg.from),
            to: EndReport::of(&leg.to),
            needed_bytes: leg.needed,
            mtu_bytes: reading.mtu(),
            swallows_larger: reading.edge().is_some(),
            signalled_bytes: reading.signalled,
            pings: reading.sent,
            pings_lost: reading.lost,
            rtt_mean_seconds: reading.rtt.map(|rtt| rtt.as_secs_f64()),
            not_measured,
        }
    }
}

/// What routers' own counters show of one direction.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct FlowReport<'a> {
    from: EndReport<'a>,
    /// The receiving end, or its router alone.
    to: &'a str,
    /// Outer fragments that the sending router makes.
    fragments_per_second: Option<f64>,
    /// Reassemblies that fail at the receiving router, as a share.
    reassemblies_failed: Option<f64>,
    /// Packets that arrive at a UDP port where nobody listens.
    unheard_per_second: Option<f64>,
}

impl<'a> FlowReport<'a> {
    pub(super) fn of(flow: &'a TunnelFlow) -> Self {
        Self {
            from: EndReport::of(&flow.from),
            to: &flow.to,
            fragments_per_second: flow.fragments_per_second,
            reassemblies_failed: flow.reassemblies_failed,
            unheard_per_second: flow.unheard_per_second,
        }
    }
}
