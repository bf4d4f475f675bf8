//! Which of several exporters with one configuration owns a name: a router, a path, a tunnel.
//!
//! Rendezvous hashing: each shard's bid for a name is the first 8 bytes, as a big-endian number, of
//! SHA-256 over `INDEX/NAME`; the highest bid owns the name. When a shard is added, a name moves
//! only if the new shard outbids all others for it. `printf 2/dc | sha256sum` shows a bid.
//!
//! Chance makes the fullest of many shards a good deal fuller than the mean, so `Shard::share`
//! bounds what one takes of names that all shards know: beyond a tenth above the mean, the names
//! with its lowest bids go to the shard with their next highest bid.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap},
    fmt,
    str::FromStr,
};

use sha2::{Digest, Sha256};

/// More shards than this are taken for a typing error.
const MOST: u32 = 1000;

/// One of several exporters that share the work. The default is the only one and owns every name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: u32,
    count: u32,
}

impl Default for Shard {
    fn default() -> Self {
        Self { index: 0, count: 1 }
    }
}

impl Shard {
    /// Whether this shard probes, judges and exports what is called `name`.
    #[must_use]
    pub(crate) fn owns(self, name: &str) -> bool {
        self.count == 1 || owner(name, self.count) == self.index
    }

    /// Which of `names` this shard owns, if every shard is asked about the same ones: no shard owns
    /// more than 1.1 times the mean.
    #[must_use]
    pub(crate) fn share<'n>(self, names: &[&'n str]) -> BTreeSet<&'n str> {
        if self.count == 1 {
            return names.iter().copied().collect();
        }
        let index = usize::try_from(self.index).unwrap_or_default();
        shares(names, self.count, bid).into_iter().nth(index).unwrap_or_default()
    }

    /// Whether this is the only shard.
    #[must_use]
    pub(crate) fn is_alone(self) -> bool {
        self.count == 1
    }
}

/// The index of the shard that owns `name`.
fn owner(name: &str, count: u32) -> u32 {
    // Two equal bids are as unlikely as a collision of SHA-256; then the higher index owns the
    // name.
    (0..count).max_by_key(|index| bid(*index, name)).unwrap_or_default()
}

/// The most names that one of `count` shards takes of `names`.
fn most(names: usize, count: usize) -> usize {
    names.div_ceil(count).max(names * 11 / (count * 10))
}

/// The names of each shard. Each name asks its shards from the highest bid to the lowest; a full
/// shard keeps the highest bids. The result does not depend on the order of the names (Gale and
/// Shapley, 1962).
fn shares<'n>(names: &[&'n str], count: u32, bid: impl Fn(u32, &str) -> u64) -> Vec<BTreeSet<&'n str>> {
    let shards: Vec<u32> = (0..count).collect();
    let most = most(names.len(), shards.len());
    let mut taken: Vec<BinaryHeap<Reverse<(u64, &str)>>> = vec![BinaryHeap::new(); shards.len()];
    for name in names {
        let mut seeking = *name;
        // Whoever was turned away had a higher bid than all that it asks next.
        let mut below = None;
        loop {
            let bids = shards.iter().map(|index| (bid(*index, seeking), *index));
            let Some((bid, index)) = bids.filter(|bid| below.is_none_or(|below| *bid < below)).max() else {
                break;
            };
            let Some(shard) = taken.get_mut(index as usize) else { break };
            shard.push(Reverse((bid, seeking)));
            if shard.len() <= most {
                break;
            }
            let Some(Reverse((bid, turned_away))) = shard.pop() else { break };
            (seeking, below) = (turned_away, Some((bid, index)));
        }
    }
    taken.into_iter().map(|shard| shard.into_iter().map(|Reverse((_, name))| name).collect()).collect()
}

/// A shard's bid for a name.
fn bid(index: u32, name: &str) -> u64 {
    hash(&format!("{index}/{name}"))
}

/// The first 8 bytes of SHA-256: the same in every process, on every machine, in every version.
#[must_use]
pub(crate) fn hash(text: &str) -> u64 {
    let digest: [u8; 32] = Sha256::digest(text).into();
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

/// `INDEX/COUNT`. The index may have a name before it, as a `StatefulSet` names its pods:
/// `vxlan-exporter-2/3`.
impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once('/').and_then(|(index, count)| {
            let index = index.rsplit('-').next().unwrap_or(index);
            let number = |text: &str| {
                let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
                digits.then(|| text.parse().ok()).flatten()
            };
            Some(Self { index: number(index)?, count: number(count)? })
        });
        match parsed {
            None => Err("write INDEX/COUNT, e.g. 0/3 or vxlan-exporter-0/3".to_owned()),
            Some(Self { count: 0, .. }) => Err("there is at least one shard: 0/1".to_owned()),
            Some(Self { count, .. }) if count > MOST => Err(format!("there are at most {MOST} shards")),
            Some(Self { index, count }) if index >= count => Err(format!(
                "of {count} shards the last one is {}/{count}: they are numbered from 0",
                count - 1
            )),
            Some(shard) => Ok(shard),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};

    use proptest::{collection::btree_set, prelude::*};

    use super::*;

    fn names() -> impl Strategy<Value = std::collections::BTreeSet<String>> {
        btree_set("[a-z0-9~./-]{1,24}", 400..600)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn every_name_is_in_exactly_one_shard(names in names(), count in 1_u32..12) {
            for name in &names {
                let owners = (0..count).filter(|index| Shard { index: *index, count }.owns(name)).count();
                prop_assert_eq!(owners, 1, "{}", name);
            }
        }

        #[test]
        fn one_more_shard_takes_its_share_and_moves_nothing_else(names in names(), count in 1_u32..12) {
            let moved: Vec<_> = names.iter().filter(|name| owner(name, count) != owner(name, count + 1)).collect();
            for name in &moved {
                prop_assert_eq!(owner(name, count + 1), count, "{} moved between old shards", name);
            }
            // Binomial around 1 in count + 1: five standard deviations to either side.
            #[allow(clippy::cast_precision_loss)]
            let (total, moved) = (names.len() as f64, moved.len() as f64);
            let share = 1.0 / f64::from(count + 1);
            let off = 5.0 * (total * share * (1.0 - share)).sqrt();
            prop_assert!((moved - total * share).abs() <= off, "{moved} of {total} moved to {count} + 1");
        }

        #[test]
        fn shards_are_about_equal(names in names(), count in 2_u32..6) {
            for index in 0..count {
                #[allow(clippy::cast_precision_loss)]
                let (total, own) =
                    (names.len() as f64, names.iter().filter(|name| owner(name, count) == index).count() as f64);
                let share = 1.0 / f64::from(count);
                let off = 5.0 * (total * share * (1.0 - share)).sqrt();
                prop_assert!((own - total * share).abs() <= off, "{own} of {total} in {index}/{count}");
            }
        }
    }

    fn paths(count: usize) -> Vec<String> {
        (0..count).map(|path| format!("site-{}-10.0.{}.{}", path % 500, path / 250, path % 250)).collect()
    }

    #[test]
    fn of_64_shards_and_20_000_names_the_fullest_has_a_tenth_more_than_the_mean() {
        let names = paths(20_000);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        // A hash that an unoptimised build computes two million times in a second.
        let bid = |index: u32, name: &str| {
            let mut hasher = DefaultHasher::new();
            (index, name).hash(&mut hasher);
            hasher.finish()
        };
        let before = shares(&names, 64, bid);
        let fullest = before.iter().map(BTreeSet::len).max().unwrap_or_default();
        assert!(fullest * 64 * 10 <= names.len() * 11, "{fullest} of {}", names.len());
        assert_eq!(before.iter().map(BTreeSet::len).sum::<usize>(), names.len());
        assert_eq!(before.iter().flatten().collect::<BTreeSet<_>>().len(), names.len());
        // One is lost: its own names move, and a few that make room for them.
        let after = shares(&names, 63, bid);
        let stay: usize =
            before.iter().zip(&after).map(|(before, after)| before.intersection(after).count()).sum();
        let moved = names.len() - stay;
        assert!(moved <= before[63].len() * 5 / 4, "{moved} moved, {} were lost", before[63].len());
    }

    #[test]
    fn shares_do_not_depend_on_the_order_of_the_names() {
        let names = paths(200);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let backwards: Vec<&str> = names.iter().rev().copied().collect();
        assert_eq!(shares(&names, 7, bid), shares(&backwards, 7, bid));
        let third = Shard { index: 2, count: 7 }.share(&names);
        assert_eq!(third, shares(&names, 7, bid)[2]);
        assert_eq!(Shard::default().share(&names).len(), 200);
        assert!(shares(&[], 3, bid).iter().all(BTreeSet::is_empty));
    }

    #[test]
    fn a_name_has_the_same_owner_for_ever() {
        // `for i in 0 1 2; do printf $i/dc | sha256sum; done`
        assert_eq!(hash("0/dc"), 0x9e5c_5286_a4ff_5bac);
        assert_eq!(["dc", "site-a", "site-b", "rancher"].map(|name| owner(name, 3)), [1, 0, 0, 1]);
    }

    #[test]
    fn words_of_the_command_line() {
        for (text, index, count) in
            [("0/1", 0, 1), ("2/3", 2, 3), ("vxlan-exporter-2/3", 2, 3), ("x-1-0/2", 0, 2), ("007/10", 7, 10)]
        {
            assert_eq!(text.parse(), Ok(Shard { index, count }), "{text}");
        }
        for bad in
            ["", "1", "/", "1/", "/3", "3/3", "1/0", "a/3", "a-/3", "-1.5/3", "1/3/4", "+1/3", "0/1001"]
        {
            assert!(bad.parse::<Shard>().is_err(), "{bad}");
        }
        assert_eq!(
            "vxlan-exporter-3/3".parse::<Shard>(),
            Err("of 3 shards the last one is 2/3: they are numbered from 0".to_owned())
        );
        assert!(Shard::default().owns("anything") && Shard::default().is_alone());
    }
}
