//! What each probe method sees of sizes.

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::{
    observation::MethodSizes,
    types::{Bytes, Direction, SizeMethod},
};

/// Which sizes of IP packet pass, are answered with Packet Too Big and vanish, as one probe method
/// sees it.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct MethodReport {
    /// The method.
    method: SizeMethod,
    /// The directions that it tests at once.
    directions: Vec<Direction>,
    /// Of TCP, how many flows see this alike.
    tcp_flows: Option<u8>,
    /// The largest size that passes.
    passes_bytes: Option<Bytes>,
    /// The smallest size that is answered with Packet Too Big.
    signalled_bytes: Option<Bytes>,
    /// The MTU that this names.
    signalled_mtu_bytes: Option<Bytes>,
    /// The smallest size that is proven to vanish without a signal.
    vanishes_bytes: Option<Bytes>,
}

impl MethodReport {
    pub(super) fn of(sizes: &MethodSizes) -> Self {
        let MethodSizes { method, direction, flows, passes, vanishes, signalled } = *sizes;
        let both = [Direction::Forward, Direction::Reverse];
        Self {
            method,
            directions: direction.map_or_else(|| both.to_vec(), |direction| vec![direction]),
            tcp_flows: (flows > 0).then_some(flows),
            passes_bytes: passes,
            signalled_bytes: signalled.map(|(size, _)| size),
            signalled_mtu_bytes: signalled.map(|(_, mtu)| mtu),
            vanishes_bytes: vanishes,
        }
    }
}
