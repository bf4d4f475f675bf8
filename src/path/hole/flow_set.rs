//! A set of a path's TCP flows.

use crate::path::probe::FLOWS;

/// Some of the flows below [`FLOWS`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct FlowSet(u8);

impl FlowSet {
    /// Every flow.
    pub(crate) const ALL: Self = Self(u8::MAX >> (u8::BITS - FLOWS as u32));

    /// One flow.
    #[must_use]
    pub(crate) const fn of(flow: u8) -> Self {
        Self(1 << flow)
    }

    /// Whether it holds that flow.
    #[must_use]
    pub(crate) const fn contains(self, flow: u8) -> bool {
        self.0 & (1 << flow) != 0
    }

    /// The union.
    #[must_use]
    pub(crate) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The difference.
    #[must_use]
    pub(crate) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The intersection.
    #[must_use]
    pub(crate) const fn within(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The number of flows.
    #[must_use]
    pub(crate) const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether it holds no flow.
    #[must_use]
    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// In ascending order.
    pub(crate) fn iter(self) -> impl Iterator<Item = u8> {
        (0..FLOWS).filter(move |flow| self.contains(*flow))
    }
}

impl FromIterator<u8> for FlowSet {
    fn from_iter<T: IntoIterator<Item = u8>>(flows: T) -> Self {
        flows.into_iter().fold(Self::default(), |set, flow| set.with(Self::of(flow)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_made_and_taken_apart() {
        assert_eq!((FlowSet::ALL.len(), FlowSet::default().len()), (usize::from(FLOWS), 0));
        let some: FlowSet = [1, 4, 6].into_iter().collect();
        assert_eq!(some.without(FlowSet::of(4)).iter().collect::<Vec<_>>(), [1, 6]);
        assert_eq!(FlowSet::ALL.without(some).with(some), FlowSet::ALL);
        assert!(FlowSet::of(3).within(some).is_empty());
    }
}
