//! Which devices carry a VNI: a look-up by ranges, fast however many devices and ranges there are.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    model::{types::Vni, vnis::VniSet},
    work,
};

/// Devices by the ranges of VNIs they carry. For each VNI only the first two devices are kept:
/// enough to tell whether there is one, and one other than a given device.
#[derive(Debug)]
pub(super) struct Carriers<T>(BTreeMap<u32, Vec<T>>);

impl<T: Copy + Ord> Carriers<T> {
    /// Indexes devices, each with the VNIs it carries.
    pub(super) fn of<'v>(devices: impl IntoIterator<Item = (T, &'v VniSet)>) -> Self {
        // For each VNI where something changes: the devices that start there, and those that ended
        // before it.
        let mut changes: BTreeMap<u32, (Vec<T>, Vec<T>)> = BTreeMap::new();
        for (device, vnis) in devices {
            for (first, last) in work::each(vnis.ranges()) {
                changes.entry(first).or_default().0.push(device);
                changes.entry(last + 1).or_default().1.push(device);
            }
        }
        let mut now = BTreeSet::new();
        let mut from = BTreeMap::new();
        for (vni, (begin, end)) in work::each(changes) {
            for device in end {
                now.remove(&device);
            }
            now.extend(begin);
            from.insert(vni, now.iter().take(2).copied().collect());
        }
        Self(from)
    }

    /// At most two devices that carry this VNI.
    pub(super) fn of_vni(&self, vni: Vni) -> &[T] {
        work::step();
        self.0.range(..=vni.0).next_back().map_or(&[], |(_, devices)| devices)
    }

    /// The devices that carry any of these VNIs: at most two for each range with the same carriers.
    pub(super) fn of_any<'c>(&'c self, vnis: &'c VniSet) -> impl Iterator<Item = T> + 'c {
        vnis.ranges().flat_map(|(first, last)| {
            let at_first = self.of_vni(Vni(first)).iter();
            let later = work::each(self.0.range(first..=last)).flat_map(|(_, devices)| devices);
            at_first.chain(later).copied()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_carries_what() {
        let sets = [[(1, 5)].as_slice(), &[(3, 9)], &[(4, 4), (9, 12)]]
            .map(|it| VniSet::of_ranges(it.iter().copied()));
        let carriers = Carriers::of(sets.iter().enumerate());
        let of = |vni| carriers.of_vni(Vni(vni)).to_vec();
        assert_eq!(
            [0, 1, 3, 4, 6, 9, 10, 13].map(of),
            [vec![], vec![0], vec![0, 1], vec![0, 1], vec![1], vec![1, 2], vec![2], vec![]]
        );
        let any = |first, last| carriers.of_any(&VniSet::of_ranges([(first, last)])).collect::<BTreeSet<_>>();
        assert_eq!(any(6, 8), BTreeSet::from([1]));
        assert_eq!(any(6, 20), BTreeSet::from([1, 2]));
        assert_eq!(any(13, 20), BTreeSet::new());
    }
}
