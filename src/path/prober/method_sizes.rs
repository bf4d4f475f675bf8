//! What each probe method sees of sizes: what passes, what is signalled, what vanishes. The verdict
//! weighs these against each other; here each stands for itself.

use super::PathProber;
use crate::{
    model::{
        observation::MethodSizes,
        types::{Bytes, Direction, SizeMethod, Verdict},
    },
    path::{
        hole::detector::{Detector, Standing},
        probe::Moment,
        reflection::{OneWay, Sizes},
        verdict::{facts::Facts, tells_sizes},
    },
};

impl PathProber {
    /// What each method sees of sizes, methods that see nothing left out: DF echoes, each group of
    /// TCP flows, fragments, and the reflector each way.
    pub(super) fn method_sizes(&self, facts: &Facts, verdict: Verdict) -> impl Iterator<Item = MethodSizes> {
        let smallest = self.settings.family.small();
        let since = facts.doubt_since;
        let signalled = self.walks.told_to_icmp();
        let echo = MethodSizes { signalled, ..seen(SizeMethod::IcmpEcho, &self.echo, smallest, None) };
        // Another box's answers say nothing of the target's.
        let groups = (!facts.foreign && !facts.tcp.silent).then(|| self.syn.groups());
        let flows = groups.into_iter().flatten().map(move |group| MethodSizes {
            direction: Some(Direction::Forward),
            flows: u8::try_from(group.flows().len()).unwrap_or(u8::MAX),
            signalled: self.walks.told_to_tcp(group.flows()),
            ..seen(SizeMethod::TcpSyn, group, smallest, since)
        });
        // Where fragments are lost on the way there, no reply says anything of the way back.
        let fragments = (facts.pieces_pass() != Some(false)).then(|| MethodSizes {
            direction: Some(Direction::Reverse),
            ..seen(SizeMethod::Fragments, &self.fragments, smallest, since)
        });
        let reflected = self.measured().map(|measured| {
            [(Direction::Forward, &measured.forward), (Direction::Reverse, &measured.reverse)]
                .map(|(direction, one_way)| reflected(direction, one_way))
        });
        let all = [echo].into_iter().chain(flows).chain(fragments).chain(reflected.into_iter().flatten());
        let holds = tells_sizes(facts, verdict);
        all.map(consistent).filter(move |sizes| holds && sizes.tells())
    }
}

/// What a detector has found. What passed before `since` is in doubt.
fn seen(method: SizeMethod, detector: &Detector, smallest: Bytes, since: Option<Moment>) -> MethodSizes {
    let (passes, vanishes) = match detector.standing() {
        Standing::Untested => (None, None),
        Standing::Passing { size } => (Some(*size).filter(|_| detector.decided_at() >= since), None),
        Standing::Hole(hole) => {
            (Some(hole.answered).filter(|size| *size > smallest), hole.sharp.then_some(hole.silent))
        }
    };
    MethodSizes { method, direction: None, flows: 0, passes, vanishes, signalled: None }
}

fn reflected(direction: Direction, one_way: &OneWay) -> MethodSizes {
    let (passes, vanishes) = match one_way.sizes {
        Sizes::Passed { size } => (Some(size), None),
        Sizes::Silent { size, answered, exact, .. } => {
            (Some(answered).filter(|size| *size > 0), Some(if exact { answered + 1 } else { size }))
        }
        Sizes::Starting | Sizes::SizeDependent | Sizes::NotUsable { .. } => (None, None),
    };
    let direction = Some(direction);
    MethodSizes { method: SizeMethod::Reflector, direction, flows: 0, passes, vanishes, signalled: None }
}

/// A signal is remembered for ten minutes: what passes by now is refused no more.
fn consistent(sizes: MethodSizes) -> MethodSizes {
    MethodSizes { signalled: sizes.signalled.filter(|(size, _)| Some(*size) > sizes.passes), ..sizes }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::types::ProbeSize;
    use crate::path::{
        pairs::PairCount,
        probe::{Answer, Probe, ProbeMethod, Reply},
        prober::fixture::{Host, asking_all, without_tcp},
        reflection::{Measured, Reflection},
    };
    use ProbeMethod::{Echo, Fragments, Syn};

    const PASSED: Option<Answer> =
        Some(Answer::Passed(Reply { mss: None, ttl: None, reset: None, largest_fragment: None }));

    /// What becomes of a large packet by a method, on a flow.
    type Network = fn(ProbeMethod, u8, Bytes) -> Option<Answer>;

    fn up_to(edge: Bytes, size: Bytes) -> Option<Answer> {
        PASSED.filter(|_| size <= edge)
    }

    fn too_big_above(mtu: Bytes, size: Bytes) -> Option<Answer> {
        if size <= mtu { PASSED } else { Some(Answer::TooBig { mtu, by_target: false }) }
    }

    fn play(host: &mut Host, network: Network) {
        host.play(90, |probe: Probe| match probe.purpose {
            ProbeSize::Control => PASSED,
            _ => network(probe.method, probe.flow, probe.size),
        });
    }

    /// `icmp_echo <-> 1450 | 1500: 1450 | 1451`: what passes, what is signalled, what vanishes.
    fn lines(host: &Host) -> Vec<String> {
        let facts = host.prober.facts();
        let verdict = host.prober.findings().verdict;
        let mut lines: Vec<_> = host.prober.method_sizes(&facts, verdict).map(line).collect();
        lines.sort();
        lines
    }

    fn line(sizes: MethodSizes) -> String {
        let MethodSizes { method, direction, flows, passes, vanishes, signalled } = sizes;
        let direction = match direction {
            None => "<->",
            Some(Direction::Forward) => "->",
            Some(_) => "<-",
        };
        let flows = if flows > 0 { format!(" {flows}") } else { String::new() };
        let shown = |size: Option<Bytes>| size.map_or_else(|| "-".to_owned(), |size| size.to_string());
        let signalled = signalled.map_or_else(|| "-".to_owned(), |(size, mtu)| format!("{size}: {mtu}"));
        let (passes, vanishes) = (shown(passes), shown(vanishes));
        format!("{}{flows} {direction} {passes} | {signalled} | {vanishes}", method.as_str())
    }

    #[test]
    fn each_method_tells_what_it_sees() {
        let table: [(&str, Network, &[&str]); 7] = [
            (
                "healthy",
                |_, _, size| up_to(1500, size),
                &["icmp_echo <-> 1500 | - | -", "tcp_syn 8 -> 1500 | - | -"],
            ),
            (
                "a hole both ways",
                |_, _, size| up_to(1450, size),
                &[
                    "icmp_echo <-> 1450 | - | 1451",
                    "icmp_fragments <- 1450 | - | 1451",
                    "tcp_syn 8 -> 1450 | - | 1451",
                ],
            ),
            (
                "a hole on the way back",
                |method, _, size| up_to(if method == Syn { 1500 } else { 1450 }, size),
                &[
                    "icmp_echo <-> 1450 | - | 1451",
                    "icmp_fragments <- 1450 | - | 1451",
                    "tcp_syn 8 -> 1500 | - | -",
                ],
            ),
            (
                "signalled",
                |method, _, size| if method == Fragments { PASSED } else { too_big_above(1450, size) },
                &[
                    "icmp_echo <-> 1450 | 1500: 1450 | -",
                    "icmp_fragments <- 1500 | - | -",
                    "tcp_syn 8 -> 1450 | 1500: 1450 | -",
                ],
            ),
            (
                "signalled, and a hole below",
                |method, _, size| match method {
                    Fragments => PASSED,
                    _ if size <= 1450 => up_to(1400, size),
                    _ => too_big_above(1450, size),
                },
                &[
                    "icmp_echo <-> 1400 | 1500: 1450 | 1401",
                    "icmp_fragments <- 1500 | - | -",
                    "tcp_syn 8 -> 1400 | 1500: 1450 | 1401",
                ],
            ),
            (
                "a hole on one of several legs",
                |method, flow, size| up_to(if method == Syn && flow < 3 { 1400 } else { 1500 }, size),
                &["icmp_echo <-> 1500 | - | -", "tcp_syn 3 -> 1400 | - | 1401", "tcp_syn 5 -> 1500 | - | -"],
            ),
            (
                "large ICMP filtered",
                |method, _, size| up_to(if method == Syn { 1500 } else { 1000 }, size),
                &[
                    "icmp_echo <-> 1000 | - | 1001",
                    "icmp_fragments <- 1000 | - | 1001",
                    "tcp_syn 8 -> 1500 | - | -",
                ],
            ),
        ];
        for (seed, (name, network, expected)) in (1..).zip(table) {
            let mut host = Host::from(asking_all(seed));
            play(&mut host, network);
            assert_eq!(lines(&host), expected, "{name}: {:?}", host.prober.judgement());
        }
    }

    #[test]
    fn nothing_is_told_of_a_target_that_does_not_answer() {
        let mut host = Host::from(without_tcp(1));
        play(&mut host, |_, _, size| up_to(1450, size));
        assert_eq!(lines(&host).len(), 2, "{:?}", lines(&host));
        host.icmp = false;
        host.play(60, |_| None);
        assert_eq!(lines(&host), Vec::<String>::new());
    }

    #[test]
    fn a_method_that_is_not_in_use_is_left_out() {
        let mut host = Host::from(without_tcp(1));
        play(&mut host, |method, _, size| if method == Echo { up_to(1450, size) } else { None });
        assert_eq!(lines(&host).first().map(String::as_str), Some("icmp_echo <-> 1450 | - | 1451"));
        assert!(lines(&host).iter().all(|line| !line.starts_with("tcp_syn")), "{:?}", lines(&host));
    }

    #[test]
    fn a_reflector_tells_each_way() {
        let mut host = Host::from(without_tcp(1));
        play(&mut host, |_, _, size| up_to(1500, size));
        let one_way = |sizes| OneWay { sizes, ..OneWay::default() };
        let silent = |exact| Sizes::Silent { size: 1500, answered: 1454, exact, proof: PairCount::default() };
        for (sizes, told) in [
            (Sizes::Starting, None),
            (Sizes::SizeDependent, None),
            (Sizes::Passed { size: 1500 }, Some("reflector <- 1500 | - | -")),
            (silent(false), Some("reflector <- 1454 | - | 1500")),
            (silent(true), Some("reflector <- 1454 | - | 1455")),
        ] {
            let measured = Measured { reverse: one_way(sizes.clone()), ..Measured::default() };
            host.prober.reflected(Reflection::Measured(measured), host.now + Duration::from_secs(1));
            let lines = lines(&host);
            let of_reflector = lines.iter().find(|line| line.starts_with("reflector"));
            assert_eq!(of_reflector.map(String::as_str), told, "{sizes:?}");
        }
    }

    #[test]
    fn what_passes_by_now_is_signalled_no_more() {
        let sizes = |passes| MethodSizes {
            method: SizeMethod::IcmpEcho,
            direction: None,
            flows: 0,
            passes,
            vanishes: None,
            signalled: Some((1500, 1450)),
        };
        assert_eq!(consistent(sizes(Some(1500))).signalled, None);
        assert_eq!(consistent(sizes(Some(1450))).signalled, Some((1500, 1450)));
        assert!(consistent(sizes(None)).tells());
    }
}
