//! When a verdict is final, which `probe` and `check` wait for.

use super::*;

type Row = (&'static str, bool, Change);

fn undecided(facts: &mut Facts) {
    facts.echo.decided_at = None;
}

/// Each row makes the change that its name gives to a healthy path.
const TABLE: &[Row] = &[
    ("nothing", true, |_| {}),
    ("a burst of echoes", false, |f| f.echo.busy = true),
    ("a burst of SYNs", false, |f| f.syn.busy = true),
    ("a burst of fragments", false, |f| f.fragments.busy = true),
    ("it may be unreachable", false, |f| f.reach.suspicious = true),
    ("TCP is being asked", false, |f| f.tcp.asking = true),
    ("echoes undecided", false, undecided),
    ("unreachable", true, |f| {
        undecided(f);
        f.reach.down = true;
    }),
    ("own trouble", true, |f| {
        undecided(f);
        f.trouble = Some(Trouble::NoCarrier);
    }),
    ("no socket for sizes", true, |f| {
        undecided(f);
        f.icmp = IcmpProbes::None;
    }),
    ("no socket for sizes, only TCP answers", true, |f| {
        undecided(f);
        (f.icmp, f.reach.icmp_ever) = (IcmpProbes::None, false);
    }),
    ("no socket for sizes, only ICMP answers", true, |f| {
        undecided(f);
        (f.icmp, f.reach.tcp_ever) = (IcmpProbes::None, false);
    }),
    ("no socket for sizes, no answer yet", false, |f| {
        undecided(f);
        (f.icmp, f.reach.icmp_ever, f.reach.tcp_ever) = (IcmpProbes::None, false, false);
    }),
    ("no ICMP, and only ICMP has sizes", true, |f| {
        undecided(f);
        f.reach.icmp_ever = false;
        f.tcp_probes = TcpProbes::Small;
    }),
    ("SYNs in doubt", false, |f| f.tcp.open = true),
    ("SYNs in doubt, a burst decided nothing", true, |f| (f.tcp.open, f.tcp.exhausted) = (true, true)),
    ("SYNs in doubt, no ICMP to tell why", true, |f| (f.tcp.open, f.reach.icmp_ever) = (true, false)),
    ("payload in doubt", false, |f| f.tcp.awaits_byte = true),
    ("payload in doubt, a burst decided nothing", true, |f| {
        (f.tcp.awaits_byte, f.tcp.bytes_exhausted) = (true, true);
    }),
    ("a way back beyond the MSS", false, |f| f.sizes.named = Some(1400)),
    ("a way back beyond the MSS, no ICMP", true, |f| {
        f.sizes.named = Some(1400);
        f.reach.icmp_ever = false;
    }),
    ("a way back beyond the MSS, no size known", true, |f| {
        f.sizes.named = Some(1400);
        f.echo.passing = None;
    }),
];

#[test]
fn what_is_under_way_can_still_change_it() {
    for (name, settled, change) in TABLE {
        let mut facts = healthy();
        change(&mut facts);
        assert_eq!(facts.is_settled(), *settled, "{name}");
    }
}
