//! A leg: the underlay from one router to the VTEP of another, and what that router measured by
//! pings of its own.

use std::{
    net::IpAddr,
    time::{Duration, SystemTime},
};

use serde::Serialize;

use crate::{
    language::Said,
    model::types::{Bytes, InterfaceName},
};

/// When the routers are asked to ping each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UnderlayProbes {
    /// While a path over a tunnel is not ok, and by `check`.
    #[default]
    OnTrouble,
    /// Also regularly.
    Always,
    /// Never.
    Never,
}

/// A leg to measure. It becomes part of a script that a router runs, so it has only addresses,
/// numbers, and a device name that means nothing to a shell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LegAsk {
    /// The VTEP to ping.
    pub remote: IpAddr,
    /// The tunnel's own address, which the pings come from.
    pub source: Option<IpAddr>,
    /// The device or VRF that the route look-up is tied to.
    pub device: Option<InterfaceName>,
    /// The largest size to test, bytes of outer IP packet.
    pub top: Bytes,
    /// Sizes to try first, bytes of outer IP packet: where paths over the tunnel have their edge.
    pub hints: Vec<Bytes>,
    /// So many small pings are to be sent before a result stands.
    pub pings: u32,
    /// How long a result stands before the leg is measured again.
    pub every: Duration,
}

/// What a router has measured of one leg.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LegReading {
    /// The largest size that was to be tested, bytes of outer IP packet.
    pub top: Bytes,
    /// When it was last measured.
    #[serde(skip)]
    pub probed_at: SystemTime,
    /// Small pings of the last turns.
    pub sent: u32,
    /// Those not answered within a second.
    pub lost: u32,
    /// The mean round-trip time of those answered.
    pub rtt: Option<Duration>,
    /// Which sizes are answered.
    pub sizes: LegSizes,
    /// The smallest MTU that a "fragmentation needed" named to these pings, bytes.
    pub signalled: Option<Bytes>,
}

/// Which sizes of ping with DF are answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum LegSizes {
    /// Not known yet.
    Starting,
    /// This size is, the largest that was tested.
    Passed {
        /// Bytes of outer IP packet.
        size: Bytes,
    },
    /// Larger ones never are, though small ones beside them are.
    Silent {
        /// The largest size answered, bytes of outer IP packet; 0 while none is known.
        answered: Bytes,
        /// The next size is proven silent too.
        exact: bool,
        /// Pairs of a large and a small ping that prove it.
        pairs: usize,
    },
    /// Loss grows with size, without an edge.
    SizeDependent,
    /// Nothing can be said of sizes.
    NotMeasured {
        /// Why, in words.
        why: Said,
    },
}

impl LegReading {
    /// The largest size known to be answered, if nothing above it is: up to `top`, or below an
    /// exact edge.
    #[must_use]
    pub fn mtu(&self) -> Option<Bytes> {
        match self.sizes {
            LegSizes::Passed { size } => Some(size),
            LegSizes::Silent { answered, exact: true, .. } => Some(answered),
            _ => None,
        }
    }

    /// The edge above which pings vanish.
    #[must_use]
    pub fn edge(&self) -> Option<(Bytes, usize)> {
        match self.sizes {
            LegSizes::Silent { answered, exact: true, pairs } => Some((answered, pairs)),
            _ => None,
        }
    }

    /// Lost small pings as a share of those sent, 0 to 1.
    #[must_use]
    pub fn loss(&self) -> Option<f64> {
        (self.sent > 0).then(|| f64::from(self.lost) / f64::from(self.sent))
    }

    /// Whether further turns would not tell more.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        !matches!(self.sizes, LegSizes::Starting | LegSizes::Silent { exact: false, .. })
    }
}
