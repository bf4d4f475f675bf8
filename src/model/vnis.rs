//! A set of VNIs, kept as ranges: one range of a filter may hold all sixteen million.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeSeq as _};

use crate::model::types::Vni;

/// The largest VNI, 24 bits (RFC 7348 section 5).
pub(crate) const MAX_VNI: u32 = (1 << 24) - 1;

/// Ranges shorter than this are written as single numbers in JSON.
const WRITTEN_OUT: u32 = 16;
/// A sentence lists at most this many ranges.
const LISTED: usize = 8;

/// VNIs as sorted ranges that neither overlap nor touch.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VniSet(Vec<(u32, u32)>);

impl VniSet {
    /// The empty set.
    pub(crate) const EMPTY: &'static Self = &Self(Vec::new());

    /// The VNIs of these ranges, each given by its first and last VNI. Numbers that are no VNI are
    /// left out.
    pub(crate) fn of_ranges(ranges: impl IntoIterator<Item = (u32, u32)>) -> Self {
        let valid =
            |(first, last): (u32, u32)| (first <= last.min(MAX_VNI)).then_some((first, last.min(MAX_VNI)));
        let mut ranges: Vec<_> = ranges.into_iter().filter_map(valid).collect();
        ranges.sort_unstable();
        ranges.dedup_by(|next, kept| {
            let joined = next.0 <= kept.1.saturating_add(1);
            if joined {
                kept.1 = kept.1.max(next.1);
            }
            joined
        });
        ranges.shrink_to_fit();
        Self(ranges)
    }

    /// How many VNIs there are.
    #[must_use]
    pub(crate) fn len(&self) -> u64 {
        self.0.iter().map(|(first, last)| u64::from(last - first) + 1).sum()
    }

    /// Whether there are none.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The only VNI, if there is exactly one.
    #[must_use]
    pub(crate) fn only(&self) -> Option<Vni> {
        match self.0[..] {
            [(first, last)] if first == last => Some(Vni(first)),
            _ => None,
        }
    }

    /// The ranges, each as its first and last VNI.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = (u32, u32)> {
        self.0.iter().copied()
    }

    /// Whether this set contains all of `other`.
    #[must_use]
    pub(crate) fn is_superset(&self, other: &Self) -> bool {
        let within =
            |(first, last)| self.over(first, last).next().is_some_and(|own| own.0 <= first && last <= own.1);
        other.ranges().all(within)
    }

    /// The VNIs in both sets. Costs as much as the smaller set.
    #[must_use]
    pub(crate) fn intersection(&self, other: &Self) -> Self {
        let (few, many) = if self.0.len() <= other.0.len() { (self, other) } else { (other, self) };
        let common = few.ranges().flat_map(|(first, last)| {
            many.over(first, last).map(move |(low, high)| (low.max(first), high.min(last)))
        });
        Self(common.collect())
    }

    /// The ranges of this set that overlap the given one.
    fn over(&self, first: u32, last: u32) -> impl Iterator<Item = (u32, u32)> {
        let begin = self.0.partition_point(|range| range.1 < first);
        self.0[begin..].iter().copied().take_while(move |range| range.0 <= last)
    }
}

impl FromIterator<Vni> for VniSet {
    fn from_iter<I: IntoIterator<Item = Vni>>(vnis: I) -> Self {
        Self::of_ranges(vnis.into_iter().map(|vni| (vni.0, vni.0)))
    }
}

/// `1 3 100-200`; of many ranges only the first ones.
impl fmt::Display for VniSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.ranges().flat_map(|(first, last)| match last - first {
            0 => vec![first.to_string()],
            1 => vec![first.to_string(), last.to_string()],
            _ => vec![format!("{first}-{last}")],
        });
        let shown: Vec<_> = words.take(LISTED).collect();
        f.write_str(&shown.join(" "))?;
        if self.0.len() > LISTED { write!(f, " and more, {} in all", self.len()) } else { Ok(()) }
    }
}

/// A list with single numbers, and strings such as `100-200` for long ranges.
impl Serialize for VniSet {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut list = to.serialize_seq(None)?;
        for (first, last) in self.ranges() {
            if last - first < WRITTEN_OUT {
                (first..=last).try_for_each(|vni| list.serialize_element(&vni))?;
            } else {
                list.serialize_element(&format!("{first}-{last}"))?;
            }
        }
        list.end()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn ranges() -> impl Strategy<Value = Vec<(u32, u32)>> {
        proptest::collection::vec((0..60_u32, 0..9_u32).prop_map(|(first, more)| (first, first + more)), 0..8)
    }

    fn plain(ranges: &[(u32, u32)]) -> BTreeSet<u32> {
        ranges.iter().flat_map(|(first, last)| *first..=*last).collect()
    }

    proptest! {
        #[test]
        fn as_a_plain_set(a in ranges(), b in ranges(), asked in 0..80_u32) {
            let (set_a, set_b) = (VniSet::of_ranges(a.iter().copied()), VniSet::of_ranges(b.iter().copied()));
            let (a, b) = (plain(&a), plain(&b));
            prop_assert_eq!(set_a.len(), a.len() as u64);
            prop_assert_eq!(set_a.over(asked, asked).next().is_some(), a.contains(&asked));
            prop_assert_eq!(set_a.is_superset(&set_b), a.is_superset(&b));
            let both: Vec<_> = set_a.intersection(&set_b).ranges().collect();
            prop_assert_eq!(plain(&both), &a & &b);
            prop_assert_eq!(set_a == set_b, a == b);
            prop_assert_eq!(set_a.only(), (a.len() == 1).then(|| a.first().copied().map(Vni)).flatten());
            let again = a.iter().copied().map(Vni).collect::<VniSet>();
            prop_assert_eq!(set_a, again);
        }
    }

    #[test]
    fn all_there_are_is_one_range_and_what_is_no_vni_is_left_out() {
        let all = VniSet::of_ranges([(0, u32::MAX), (16_777_216, 16_777_300), (9, 3)]);
        assert_eq!((all.len(), all.to_string().as_str()), (1 << 24, "0-16777215"));
        let many = VniSet::of_ranges((0..100).map(|n| (n * 3, n * 3)));
        assert_eq!(many.to_string(), "0 3 6 9 12 15 18 21 and more, 100 in all");
        assert_eq!(
            serde_json::to_string(&VniSet::of_ranges([(1, 1), (3, 4), (6, 90)])).unwrap(),
            r#"[1,3,4,"6-90"]"#
        );
    }
}
