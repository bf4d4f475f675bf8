//! What one probe method sees of sizes in one direction.

use crate::model::types::{Bytes, Direction, SizeMethod};

/// What one probe method sees of sizes, in bytes of IP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MethodSizes {
    /// The method.
    pub method: SizeMethod,
    /// The direction that it tests; absent where it tests there and back at once.
    pub direction: Option<Direction>,
    /// Of TCP, how many flows see this alike; 0 for other methods.
    pub flows: u8,
    /// The largest size that passes.
    pub passes: Option<Bytes>,
    /// The smallest size that vanishes without a signal, as pairs have proven.
    pub vanishes: Option<Bytes>,
    /// The smallest size that is answered with Packet Too Big, and the MTU that this names.
    pub signalled: Option<(Bytes, Bytes)>,
}

impl MethodSizes {
    /// Whether it sees anything.
    #[must_use]
    pub(crate) const fn tells(&self) -> bool {
        self.passes.is_some() || self.vanishes.is_some() || self.signalled.is_some()
    }
}
