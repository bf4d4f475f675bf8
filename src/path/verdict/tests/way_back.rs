//! The reverse path where the target's MSS announces less than our own size.

use super::*;
use crate::path::verdict::way_back::Beyond;

/// A path of 1500 bytes at our end, to a target whose MSS announces 1400. Three DF echoes larger
/// than that were not answered.
fn clamped() -> Facts {
    let mut facts = Facts { echo: passing(1400), syn: passing(1400), ..healthy() };
    facts.sizes.named = Some(1400);
    facts.target.name(Family::V4, 1360, NOW);
    for _ in 0..3 {
        facts.target.looked(false, Family::V4);
    }
    facts
}

/// Replies arrive unfragmented, or in fragments of at most `largest` bytes.
fn replied(facts: &mut Facts, largest: Option<Bytes>) {
    facts.target.replied(Family::V4, largest, true);
}

type Row = (&'static str, Beyond, Change);

const TABLE: &[Row] = &[
    ("nothing", Beyond::Pending, |_| {}),
    ("the MSS names our own size", Beyond::Clear, |f| f.sizes.named = Some(1500)),
    ("not looked at yet", Beyond::Pending, |f| {
        f.target = TargetMtu::default();
        f.fragments.exhausted = true;
    }),
    ("it cuts where its MSS says", Beyond::Clear, |f| {
        replied(f, Some(1396));
        f.fragments.exhausted = true;
    }),
    ("echoes with DF come back whole", Beyond::Clear, |f| {
        replied(f, None);
        f.target.looked(true, Family::V4);
        f.fragments.exhausted = true;
    }),
    ("replies come whole", Beyond::Clear, |f| {
        replied(f, None);
        f.fragments = passing(1500);
    }),
    ("replies come in pieces", Beyond::Cut, |f| {
        replied(f, Some(1452));
        f.fragments = passing(1500);
    }),
    ("replies come in pieces, IPv6", Beyond::Clear, |f| {
        replied(f, Some(1452));
        (f.family, f.fragments) = (Family::V6, passing(1500));
    }),
    ("replies vanish above an edge", Beyond::Unmeasured, |f| f.fragments = silent(1500, 1450)),
    ("replies vanish, edge being searched", Beyond::Pending, |f| {
        f.fragments = silent(1500, 1450);
        f.fragments.hole = f.fragments.hole.map(|hole| HoleFacts { exact: false, ..hole });
    }),
    ("a burst decided nothing", Beyond::Unmeasured, |f| f.fragments.exhausted = true),
    ("loss by size", Beyond::Unmeasured, |f| f.fragments.size_dependent = true),
    ("no socket for fragments", Beyond::Unmeasured, |f| f.icmp = IcmpProbes::Sized),
    ("pieces do not pass", Beyond::Unmeasured, |f| (f.echo, f.syn) = (silent(1400, 200), silent(1400, 200))),
];

#[test]
fn what_lies_beyond_the_mss() {
    for (name, beyond, change) in TABLE {
        let mut facts = clamped();
        change(&mut facts);
        assert_eq!(facts.beyond(), *beyond, "{name}");
    }
}

#[test]
fn only_a_target_that_takes_more_is_expected_to_send_more() {
    let expected = |change: fn(&mut Facts)| {
        let mut facts = clamped();
        change(&mut facts);
        facts.expected_reverse()
    };
    assert_eq!(expected(|_| {}), 1400);
    assert_eq!(expected(|f| replied(f, None)), 1500);
    assert_eq!(expected(|f| f.fragments = silent(1500, 1401)), 1500, "such a reply came");
    assert_eq!(expected(|f| f.fragments = silent(1500, 1400)), 1400);
    assert_eq!(expected(|f| f.fragments = silent(1500, 1399)), 1400);
    let named_more = |f: &mut Facts| {
        replied(f, None);
        f.sizes.named = Some(1500);
        f.sizes.configured = Some(1450);
    };
    assert_eq!(expected(named_more), 1450);
}

#[test]
fn what_came_back_whole_beyond_the_mss() {
    let whole = |change: fn(&mut Facts)| {
        let mut facts = clamped();
        change(&mut facts);
        (facts.whole_beyond(), facts.whole_echo())
    };
    assert_eq!(whole(|_| {}), (None, 1400));
    assert_eq!(whole(|f| replied(f, None)), (None, 1400), "of one reply alone");
    let of_fragments = |f: &mut Facts| {
        replied(f, None);
        f.fragments = passing(1500);
    };
    assert_eq!(whole(of_fragments), (Some(1500), 1400));
    let of_fewer = |f: &mut Facts| {
        replied(f, None);
        f.fragments = passing(1499);
    };
    assert_eq!(whole(of_fewer), (None, 1400));
    let in_pieces = |f: &mut Facts| {
        replied(f, Some(1452));
        f.fragments = passing(1500);
    };
    assert_eq!(whole(in_pieces), (None, 1400));
    assert_eq!(whole(|f| f.fragments = passing(1500)), (None, 1400), "it is not known to be larger");
    let with_df = |f: &mut Facts| {
        replied(f, None);
        f.target.looked(true, Family::V4);
    };
    assert_eq!(whole(with_df), (Some(1500), 1500));
    let with_df_of_a_larger_mss = |f: &mut Facts| {
        replied(f, None);
        f.target.looked(true, Family::V4);
        f.sizes.named = Some(1500);
        f.sizes.configured = Some(1450);
    };
    assert_eq!(whole(with_df_of_a_larger_mss), (None, 1450));
    let with_df_in_pieces = |f: &mut Facts| {
        replied(f, None);
        f.target.looked(true, Family::V4);
        replied(f, Some(1452));
    };
    assert_eq!(whole(with_df_in_pieces).1, 1400);
}

#[test]
fn the_target_keeps_to_what_ends_discovery_on_the_way_there() {
    let kept = |top: Bytes, expected: Bytes| {
        let mut facts = Facts { echo: passing(top), ..healthy() };
        facts.sizes.configured = Some(expected);
        facts.target.name(Family::V4, 1460, NOW);
        facts.target.name(Family::V4, 1410, NOW);
        facts.target.compare(Family::V4, (1500, Some(1444)), Some(1450), NOW);
        facts.kept_to_by_target()
    };
    assert_eq!(kept(1450, 1500), Some(1450));
    assert_eq!(kept(1450, 1451), Some(1450));
    assert_eq!(kept(1450, 1450), None, "no less is expected");
    assert_eq!(kept(1440, 1500), None, "discovery ended elsewhere");
}
