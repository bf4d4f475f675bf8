//! The reported path MTUs, from facts.

use super::*;

const BEFORE: Confirmed = Confirmed { forward: Some(1111), reverse: Some(1222) };

fn next(facts: &Facts) -> (Option<Bytes>, Option<Bytes>) {
    let Confirmed { forward, reverse } = BEFORE.next(facts, &facts.finding());
    (forward, reverse)
}

fn exact_to(answered: Bytes) -> Facts {
    Facts { echo: silent(1500, answered), ..healthy() }
}

fn searched(mut method: MethodFacts) -> MethodFacts {
    method.hole = method.hole.map(|hole| HoleFacts { exact: false, ..hole });
    method
}

type Row = (&'static str, Option<Bytes>, Change);

/// The forward path MTU. Each row makes the change that its name gives to a healthy path, whose
/// last confirmed path MTU was 1111.
const FORWARD: &[Row] = &[
    ("nothing", Some(1500), |_| {}),
    ("SYNs vanish", Some(1454), |f| f.syn = silent(1500, 1454)),
    ("SYNs vanish, edge being searched", Some(1111), |f| f.syn = searched(silent(1500, 1454))),
    ("SYNs vanish, echoes above less, and come back", Some(1400), |f| {
        (f.syn, f.echo, f.fragments) = (silent(1500, 1454), silent(1500, 1400), passing(1500));
    }),
    ("SYNs vanish, echoes above less, way back unknown", Some(1454), |f| {
        (f.syn, f.echo) = (silent(1500, 1454), silent(1500, 1400));
    }),
    ("SYNs vanish, echoes above less by what a filter may do", Some(1454), |f| {
        (f.syn, f.echo, f.fragments) = (silent(1500, 1454), silent(1500, 1199), passing(1500));
    }),
    ("SYNs vanish, echoes above less in pieces", Some(1454), |f| {
        (f.syn, f.echo, f.fragments) = (silent(1500, 1454), silent(1500, 1400), passing(1500));
        f.echo.hole = f.echo.hole.map(|hole| HoleFacts { in_pieces: true, ..hole });
    }),
    ("SYNs vanish, echoes above less, being searched", Some(1454), |f| {
        (f.syn, f.echo, f.fragments) = (silent(1500, 1454), searched(silent(1500, 1400)), passing(1500));
    }),
    ("SYNs vanish, echoes above more", Some(1400), |f| {
        (f.syn, f.echo, f.fragments) = (silent(1500, 1400), silent(1500, 1454), passing(1500));
    }),
    ("echoes vanish, SYNs pass", Some(1500), |f| f.echo = silent(1500, 1454)),
    ("echoes vanish alone", Some(1454), |f| {
        (f.echo, f.syn) = (silent(1500, 1454), MethodFacts::default());
    }),
    ("echoes vanish alone, edge being searched", Some(1111), |f| {
        (f.echo, f.syn) = (searched(silent(1500, 1454)), MethodFacts::default());
    }),
    ("echoes vanish alone, in pieces", None, |f| {
        (f.echo, f.syn) = (silent(1500, 1454), MethodFacts::default());
        f.echo.hole = f.echo.hole.map(|hole| HoleFacts { in_pieces: true, ..hole });
    }),
    ("echoes vanish alone, above nothing but small ones", Some(1111), |f| {
        (f.echo, f.syn) = (silent(1500, 68), MethodFacts::default());
        f.reflected.holes = [true, false];
    }),
    ("echoes vanish alone, above a little more", Some(69), |f| {
        (f.echo, f.syn) = (silent(1500, 69), MethodFacts::default());
        f.reflected.holes = [true, false];
    }),
    ("a filter of ICMP", None, |f| (f.echo, f.syn) = (silent(1500, 1000), MethodFacts::default())),
    ("perhaps a filter of ICMP", None, |f| {
        (f.echo, f.syn) = (silent(1500, 1199), MethodFacts { silent: true, ..MethodFacts::default() });
    }),
    ("perhaps a filter of ICMP, being searched", Some(1111), |f| {
        (f.echo, f.syn) = (searched(silent(1500, 1199)), MethodFacts::default());
    }),
    ("echoes and replies vanish alike, TCP tells", Some(1111), |f| {
        (f.echo, f.fragments) = (silent(1500, 1454), silent(1500, 1454));
        f.syn = MethodFacts { top: 1500, passing: Some(1470), ..MethodFacts::default() };
    }),
    ("echoes and replies vanish alike, TCP is signalled", Some(1470), |f| {
        (f.echo, f.fragments) = (silent(1500, 1454), silent(1500, 1454));
        f.syn = passing(1470);
    }),
    ("echoes and replies vanish alike, no TCP", None, |f| {
        (f.echo, f.fragments) = (silent(1500, 1454), silent(1500, 1454));
        f.tcp_probes = TcpProbes::Small;
        f.syn = MethodFacts::default();
    }),
    ("echoes vanish above less than replies", Some(1454), |f| {
        (f.echo, f.fragments) = (silent(1500, 1454), silent(1500, 1460));
        f.syn = MethodFacts { top: 1500, passing: Some(1470), ..MethodFacts::default() };
    }),
    ("signalled to TCP", Some(1450), |f| f.syn = passing(1450)),
    ("signalled to echoes", Some(1450), |f| f.echo = passing(1450)),
    ("signalled to TCP, end not known yet", Some(1111), |f| {
        f.syn = MethodFacts { top: 1450, ..MethodFacts::default() };
    }),
    ("signalled to TCP, something smaller passes", Some(1111), |f| {
        f.syn = MethodFacts { top: 1450, passing: Some(1400), ..MethodFacts::default() };
    }),
    ("no ICMP", Some(1500), |f| {
        f.echo = MethodFacts::default();
        f.reach.icmp_ever = false;
    }),
    ("no echo known yet", Some(1111), |f| f.echo = MethodFacts::default()),
    ("no ICMP, SYNs of size not answered", Some(1111), |f| {
        f.echo = MethodFacts::default();
        f.reach.icmp_ever = false;
        f.syn.exhausted = true;
    }),
];

#[test]
fn the_way_there() {
    for (name, mtu, change) in FORWARD {
        let mut facts = healthy();
        change(&mut facts);
        assert_eq!(next(&facts).0, *mtu, "{name}");
    }
}

#[test]
fn the_way_back_is_told_to_the_byte_or_not_at_all() {
    let replies = |fragments: MethodFacts| next(&Facts { fragments, ..healthy() }).1;
    assert_eq!(replies(passing(1500)), None);
    assert_eq!(replies(silent(1500, 1454)), Some(1454));
    assert_eq!(replies(searched(silent(1500, 1454))), Some(1222), "as last known");
    assert_eq!(replies(silent(1500, 1000)), None, "a filter of ICMP does that");
}

#[test]
fn what_echoes_pass_under_a_hole_of_replies_passes_there_at_least() {
    for (replies, at_least) in [(1400, Some(1454)), (1454, Some(1454)), (1460, None)] {
        let facts = Facts { fragments: silent(1500, replies), ..exact_to(1454) };
        assert_eq!(facts.passes_at_least(), at_least, "replies to {replies}");
    }
    assert_eq!(exact_to(1454).passes_at_least(), None);
    let mut facts = Facts { fragments: silent(1500, 1454), syn: MethodFacts::default(), ..exact_to(1454) };
    facts.tcp_probes = TcpProbes::Small;
    let said = judged(&facts);
    assert_eq!((said.mtu_forward, said.forward_at_least, said.mtu_reverse), (None, Some(1454), Some(1454)));
}

#[test]
fn the_way_back_carries_what_came_whole() {
    let least = |change: fn(&mut Facts)| {
        let mut facts = Facts { echo: MethodFacts::default(), ..healthy() };
        change(&mut facts);
        facts.came_back_whole()
    };
    assert_eq!(least(|_| {}), None);
    assert_eq!(least(|f| f.fragments = passing(1500)), Some(1500));
    assert_eq!(least(|f| f.echo.edge = Some(68)), None, "every control is of that size");
    assert_eq!(least(|f| f.echo.edge = Some(69)), Some(69));
    let doubted = |f: &mut Facts| {
        f.fragments = passing(1500);
        f.doubt_since = Some(NOW + Duration::from_secs(1));
    };
    assert_eq!(least(doubted), None);
    let cut = |f: &mut Facts| {
        f.fragments = passing(1500);
        f.largest_fragment = Some(1396);
    };
    assert_eq!(least(cut), Some(1396));
}

#[test]
fn the_edge_of_a_filter_is_no_path_mtu_even_while_it_is_only_thought_of() {
    for (answered, mtu) in [(1199, None), (1200, Some(1200))] {
        let mut facts = exact_to(answered);
        facts.syn = MethodFacts { silent: true, ..MethodFacts::default() };
        assert_eq!(next(&facts).0, mtu, "{answered}");
    }
}
