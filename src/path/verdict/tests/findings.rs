//! Which silence is a hole, by table: each row changes one fact.

use super::*;

type Row = (&'static str, Finding, Change);

const NONE: &[Direction] = &[];
const FORWARD: &[Direction] = &[Direction::Forward];
const REVERSE: &[Direction] = &[Direction::Reverse];
const UNDIRECTED: &[Direction] = &[Direction::Unknown];

/// Silence whose edge is not known to the byte yet.
fn blurred(top: Bytes, answered: Bytes) -> MethodFacts {
    let mut facts = silent(top, answered);
    facts.hole = facts.hole.map(|hole| HoleFacts { silent: top, exact: false, ..hole });
    facts
}

fn just_before(moment: Moment) -> Moment {
    moment.saturating_sub(Duration::from_millis(1))
}

fn ago(duration: Duration) -> Option<Moment> {
    NOW.checked_sub(duration)
}

/// Each row makes the change that its name gives, on a path whose echoes are silent above 1000
/// bytes. A filter of large ICMP may cause silence at that size, and SYNs and fragments have no
/// result.
const FILTERED: &[Row] = &[
    ("nothing", Finding::Filtered, |_| {}),
    ("edge being searched", Finding::Pending, |f| f.echo = blurred(1500, 1000)),
    ("edge above any filter, being searched", Finding::Hole(Vec::new()), |f| f.echo = blurred(1500, 1200)),
    ("SYNs pass, fragments not asked", Finding::Pending, |f| f.syn = passing(1500)),
    ("SYNs pass, fragments decided nothing", Finding::Filtered, |f| {
        f.syn = passing(1500);
        f.fragments.exhausted = true;
    }),
    ("SYNs pass, no socket for fragments", Finding::Filtered, |f| {
        f.syn = passing(1500);
        f.icmp = IcmpProbes::Sized;
    }),
    ("SYNs and fragments pass, edge being searched", Finding::Filtered, |f| {
        f.echo = blurred(1500, 1000);
        (f.syn, f.fragments) = (passing(1500), passing(1500));
    }),
    ("SYNs pass, fragments are silent too", Finding::Filtered, |f| {
        f.echo = blurred(1500, 1000);
        (f.syn, f.fragments) = (passing(1500), silent(1500, 1000));
    }),
    ("SYNs pass, edge of fragments being searched", Finding::Pending, |f| {
        (f.syn, f.fragments) = (passing(1500), blurred(1500, 1000));
    }),
    ("SYNs pass, but not by so much", Finding::Pending, |f| {
        f.echo = blurred(1500, 1000);
        (f.syn, f.fragments) = (passing(1499), passing(1500));
    }),
    ("fragments pass alone", Finding::Pending, |f| {
        f.echo = blurred(1500, 1000);
        f.fragments = passing(1500);
    }),
    ("SYNs passed as the doubt began", Finding::Filtered, |f| {
        f.echo = blurred(1500, 1000);
        (f.syn, f.fragments) = (passing(1500), passing(1500));
        f.doubt_since = Some(NOW);
    }),
    ("SYNs passed before the doubt", Finding::Pending, |f| {
        f.echo = blurred(1500, 1000);
        (f.syn, f.fragments) = (passing(1500), passing(1500));
        f.syn.decided_at = Some(just_before(NOW));
        f.doubt_since = Some(NOW);
    }),
    ("fragments passed before the doubt", Finding::Pending, |f| {
        f.echo = blurred(1500, 1000);
        (f.syn, f.fragments) = (passing(1500), passing(1500));
        f.fragments.decided_at = Some(just_before(NOW));
        f.doubt_since = Some(NOW);
    }),
    ("a box in between passes SYNs", Finding::Pending, |f| {
        f.echo = blurred(1500, 1000);
        (f.syn, f.fragments, f.foreign) = (passing(1500), passing(1500), true);
    }),
    ("SYNs silent too", Finding::Pending, |f| f.syn.silent = true),
    ("SYNs silent too, by a box in between", Finding::Filtered, |f| (f.syn.silent, f.foreign) = (true, true)),
];

/// The same with echoes silent above 1454 bytes, which no filter causes.
const UNFILTERED: &[(&str, &[Direction], Change)] = &[
    ("nothing", UNDIRECTED, |_| {}),
    ("only fragments pass, TCP tells nothing", FORWARD, |f| {
        f.fragments = passing(1500);
        f.syn.exhausted = true;
    }),
    ("only fragments pass, TCP will tell", UNDIRECTED, |f| f.fragments = passing(1500)),
    ("only fragments pass, a box in between answers TCP", FORWARD, |f| {
        f.fragments = passing(1500);
        f.foreign = true;
    }),
    ("only fragments pass, since just before", UNDIRECTED, |f| {
        f.fragments = passing(1500);
        f.syn.exhausted = true;
        f.reverse_ended_at = Some(NOW);
    }),
    ("only fragments pass, silence came after", FORWARD, |f| {
        f.fragments = passing(1500);
        f.syn.exhausted = true;
        f.reverse_ended_at = Some(just_before(NOW));
    }),
    ("SYNs pass, fragments not asked", UNDIRECTED, |f| f.syn = passing(1500)),
];

/// The same where signals have lowered discovery to 1450 bytes and larger replies are lost.
const SIGNALLED: &[(&str, &[Direction], Change)] = &[
    ("signalled now", NONE, |_| {}),
    ("IPv6", REVERSE, |f| f.family = Family::V6),
    ("replies vanish above another size", REVERSE, |f| f.fragments = silent(1500, 1454)),
    ("replies vanish, edge being searched", NONE, |f| f.fragments = blurred(1500, 1400)),
    ("signalled just within 30 s", NONE, |f| {
        f.signalled_at = NOW.checked_sub(just_before(Duration::from_secs(30)));
    }),
    ("signalled 30 s ago", REVERSE, |f| f.signalled_at = ago(Duration::from_secs(30))),
    ("signalled long ago, asked for seldom", NONE, |f| {
        f.signalled_at = ago(Duration::from_secs(44));
        f.sentinel_interval = Duration::from_secs(3);
    }),
    ("signalled to SYNs alone", NONE, |f| f.echo = passing(1500)),
    ("signalled, and yet all passes", REVERSE, |f| {
        (f.echo, f.syn) = (passing(1500), passing(1500));
        f.fragments = blurred(1500, 1400);
    }),
    ("signalled to a look above the MSS", NONE, |f| {
        f.signalled_at = None;
        f.target.signalled(1450, false, NOW.saturating_sub(Duration::from_secs(30)));
    }),
    ("signalled to a look above the MSS long ago", REVERSE, |f| {
        f.signalled_at = None;
        f.target.signalled(1450, false, just_before(NOW.saturating_sub(Duration::from_secs(30))));
    }),
    ("replies vanish where a filter may do that", NONE, |f| {
        f.signalled_at = None;
        f.fragments = silent(1500, 1199);
    }),
    ("replies vanish where no filter does that", REVERSE, |f| {
        f.signalled_at = None;
        f.fragments = silent(1500, 1200);
    }),
];

fn found(base: &Facts, change: Change) -> Finding {
    let mut facts = base.clone();
    change(&mut facts);
    facts.finding()
}

#[test]
fn where_a_filter_may_do_it() {
    let base = Facts { echo: silent(1500, 1000), syn: MethodFacts::default(), ..healthy() };
    for (name, expected, change) in FILTERED {
        let found = found(&base, *change);
        match expected {
            Finding::Hole(_) => assert_eq!(found, Finding::Hole(UNDIRECTED.to_vec()), "{name}"),
            expected => assert_eq!(found, *expected, "{name}"),
        }
    }
}

#[test]
fn where_no_filter_does_it() {
    let base = Facts { echo: silent(1500, 1454), syn: MethodFacts::default(), ..healthy() };
    for (name, directions, change) in UNFILTERED {
        assert_eq!(found(&base, *change), Finding::Hole(directions.to_vec()), "{name}");
    }
}

#[test]
fn where_more_is_signalled() {
    let (echo, syn) = (passing(1450), passing(1450));
    let base = Facts { echo, syn, fragments: silent(1500, 1450), signalled_at: Some(NOW), ..healthy() };
    for (name, directions, change) in SIGNALLED {
        let expected = if directions.is_empty() { Finding::None } else { Finding::Hole(directions.to_vec()) };
        assert_eq!(found(&base, *change), expected, "{name}");
    }
}

#[test]
fn what_the_target_keeps_to_is_in_no_doubt() {
    let (echo, syn) = (passing(1450), passing(1450));
    let mut facts = Facts { echo, syn, fragments: silent(1500, 1450), signalled_at: Some(NOW), ..healthy() };
    assert!(facts.reverse_in_doubt());
    facts.target.name(Family::V4, 1460, NOW);
    facts.target.name(Family::V4, 1410, NOW);
    facts.target.compare(Family::V4, (1500, Some(1444)), Some(1450), NOW);
    assert_eq!(facts.kept_to_by_target(), Some(1450));
    assert!(!facts.reverse_in_doubt(), "it cuts its replies to what is signalled");
    facts.fragments = blurred(1500, 1400);
    assert!(!facts.reverse_in_doubt(), "the edge may turn out to be there");
    (facts.syn, facts.fragments) = (passing(1440), silent(1500, 1440));
    assert!(facts.reverse_in_doubt(), "a TCP flow is told less");
    facts.signalled_at = None;
    assert!(!facts.reverse_in_doubt(), "nothing is signalled: it is a hole");
}

#[test]
fn a_hole_of_replies_needs_pieces_that_pass_and_a_target_that_does_not_cut() {
    let piece = Family::V4.fragment();
    let base = Facts { fragments: silent(1500, 1454), echo: MethodFacts::default(), ..healthy() };
    for (passes, is_hole) in [(piece, true), (piece - 1, false)] {
        let facts = Facts { syn: passing(passes), ..base.clone() };
        assert_eq!(facts.reverse_hole().is_some(), is_hole, "{passes}");
        let facts = Facts { syn: silent(1500, passes), ..base.clone() };
        assert_eq!(facts.reverse_hole().is_some(), is_hole, "silent above {passes}");
    }
    // The target's interface may have an MTU of 1400, as its MSS announces.
    for (answered, is_hole) in [(1399, true), (1400, false), (1401, true)] {
        let mut facts = Facts { fragments: silent(1500, answered), ..healthy() };
        facts.sizes.named = Some(1400);
        assert_eq!(facts.reverse_hole().is_some(), is_hole, "{answered}");
        facts.target.name(Family::V4, 1360, NOW);
        facts.target.replied(Family::V4, None, true);
        assert!(facts.reverse_hole().is_some(), "it is larger");
    }
}

#[test]
fn only_what_every_ipv6_link_must_carry_is_below_the_least() {
    let hole = |answered| silent(1500, answered).hole.expect("a hole");
    for (family, answered, below) in
        [(Family::V6, 1279, true), (Family::V6, 1280, false), (Family::V4, 67, false)]
    {
        let facts = Facts { family, ..healthy() };
        assert_eq!(facts.is_below_least(&hole(answered)), below, "{answered}");
        let searched = HoleFacts { exact: false, ..hole(answered) };
        assert!(!facts.is_below_least(&searched));
    }
}
