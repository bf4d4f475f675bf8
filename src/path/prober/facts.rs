//! The facts from which the verdict of this moment is decided ([`crate::path::verdict`]).

use std::borrow::Cow;

use super::PathProber;
use crate::{
    language::{Said, say},
    model::{
        observation::{ExpectedMtu, Judgement, MethodSizes, PathObservation},
        types::{Bytes, Verdict},
    },
    path::{
        hole::{
            detect::Detect,
            detector::{Detector, Hole},
            flows::{FlowGroups, FlowHole},
        },
        reflection::{OneWay, Sizes},
        verdict::{
            evidence::Words,
            expected_mtu::MtuBounds,
            facts::{Facts, HoleFacts, MethodFacts, ReachFacts, ReflectedFacts, TcpFacts},
            findings, judge,
        },
    },
};

/// Added to the rule of an expected MTU.
fn larger(rule: Said) -> Said {
    say!("{rule}; the target's interface is larger than its MSS says", rule => rule)
}

impl From<&Hole> for HoleFacts {
    fn from(hole: &Hole) -> Self {
        let Hole { size, answered, silent, exact, in_pieces, proof, .. } = *hole;
        Self { size, answered, silent, exact, in_pieces, proof }
    }
}

impl From<&Detector> for MethodFacts {
    fn from(detector: &Detector) -> Self {
        Self {
            top: detector.top(),
            passing: detector.passing(),
            edge: detector.edge(),
            hole: detector.hole().map(HoleFacts::from),
            silent: detector.is_silent(),
            exhausted: detector.is_exhausted(),
            size_dependent: detector.is_size_dependent(),
            busy: detector.is_busy(),
            decided_at: detector.decided_at(),
        }
    }
}

impl MethodFacts {
    /// The facts of all TCP flows together.
    pub(super) fn of_flows(flows: &FlowGroups, hole: Option<FlowHole<'_>>) -> Self {
        Self {
            top: flows.top(),
            passing: flows.passing(),
            edge: None,
            hole: hole.map(|found| HoleFacts::from(found.hole)),
            silent: flows.is_silent(),
            exhausted: flows.is_exhausted(),
            size_dependent: flows.is_size_dependent(),
            busy: flows.is_busy(),
            decided_at: flows.decided_at(),
        }
    }
}

impl PathProber {
    /// The verdict now, with evidence.
    #[must_use]
    pub fn judgement(&self) -> Judgement {
        let facts = self.facts();
        judge(&facts, &self.memory, |verdict| self.words(&facts, verdict))
    }

    /// The verdict now, with evidence, the larger of the expected MTUs of the two directions, and
    /// what each method sees of sizes.
    #[must_use]
    pub(crate) fn judgement_mtu_and_sizes(&self) -> (Judgement, ExpectedMtu, Box<[MethodSizes]>) {
        let facts = self.facts();
        let judgement = judge(&facts, &self.memory, |verdict| self.words(&facts, verdict));
        let (bytes, rule, is_larger) = self.expected_of(&facts);
        let rule = rule.into_owned();
        let sizes = self.method_sizes(&facts, judgement.verdict).collect();
        (judgement, ExpectedMtu { bytes, rule: if is_larger { larger(rule) } else { rule } }, sizes)
    }

    /// Whether an observation still says what is known now, whatever its evidence. Makes no words.
    #[must_use]
    pub(crate) fn is_told_by(&self, known: &PathObservation) -> bool {
        let facts = self.facts();
        let (bytes, rule, is_larger) = self.expected_of(&facts);
        let expects = |known: &ExpectedMtu| {
            let told = if is_larger { known.rule.part("rule") } else { Some(&known.rule) };
            known.bytes == bytes && told == Some(&*rule)
        };
        let found = findings(&facts, &self.memory);
        found.finds_like(&known.judgement)
            && self.method_sizes(&facts, found.verdict).eq(known.sizes.iter().copied())
            && known.expected_mtu.as_ref().is_some_and(expects)
            && known.reflector == self.reflector_use()
            && known.awaits_reflector == self.awaits_reflector()
    }

    /// The verdict now, with path MTUs, without evidence.
    #[must_use]
    pub fn findings(&self) -> Judgement {
        findings(&self.facts(), &self.memory)
    }

    /// The facts from which a verdict is decided.
    #[must_use]
    pub(crate) fn facts(&self) -> Facts {
        let syn_hole = self.syn.hole();
        let mut facts = Facts {
            now: self.now,
            began: self.began,
            family: self.settings.family,
            sentinel_interval: self.settings.sentinel_interval,
            icmp: self.settings.icmp,
            tcp_probes: self.settings.tcp,
            sizes: self.sizes(),
            awaits_routers: self.awaits_routers(),
            trouble: self.local.trouble(Self::patience(self.settings.probe_interval), self.now),
            deaf_to_full: self
                .local
                .is_deaf_to_full(Self::patience(self.settings.sentinel_interval), self.now),
            reach: ReachFacts {
                down: self.reach.is_down(),
                suspicious: self.reach.is_suspicious(),
                icmp_ever: self.reach.icmp_ever(),
                tcp_ever: self.reach.tcp_ever(),
            },
            tcp: self.tcp_facts(),
            lossy: self.loss.is_lossy(),
            rationed: self.icmp_rate.is_rationed(),
            foreign: self.origin.is_foreign(),
            mtu_from_target: self.mtu_from_target,
            signalled_at: self.signalled_at,
            largest_fragment: self.largest_fragment,
            target: self.target.clone(),
            echo: MethodFacts::from(&self.echo),
            syn: MethodFacts::of_flows(&self.syn, syn_hole),
            fragments: MethodFacts::from(&self.fragments),
            syn_tops: std::array::from_fn(|flow| u8::try_from(flow).map_or(0, |flow| self.syn.top_of(flow))),
            hole_flows: syn_hole.map_or(0, |found| found.flows),
            doubt_since: self.doubt.since,
            reverse_ended_at: self.doubt.reverse_ended_at,
            reflected: ReflectedFacts::default(),
        };
        facts.reflected = self.reflected_facts(facts.expected_reverse());
        facts
    }

    fn tcp_facts(&self) -> TcpFacts {
        TcpFacts {
            state: self.tcp_state(),
            silent: self.tcp.is_silent(),
            open: self.tcp.is_open(),
            awaits_byte: self.awaits_byte(),
            exhausted: self.tcp.is_exhausted(),
            bytes_exhausted: self.payload.is_exhausted(),
            asking: self.tcp.is_asking() || self.payload.is_asking(),
        }
    }

    fn reflected_facts(&self, expected_reverse: Bytes) -> ReflectedFacts {
        let Some(measured) = self.measured() else { return ReflectedFacts::default() };
        let hole = |one_way: &OneWay, expected| matches!(one_way.sizes, Sizes::Silent { answered, .. } if answered < expected);
        ReflectedFacts {
            reverse: measured.reverse.exact_mtu(expected_reverse),
            holes: [
                hole(&measured.forward, self.sizes().expected()),
                hole(&measured.reverse, expected_reverse),
            ],
            far_mtu: measured.far_mtu,
        }
    }

    fn words(&self, facts: &Facts, verdict: Verdict) -> Words {
        Words {
            unreachable: self.reach.evidence(self.now),
            tcp: [self.tcp.in_words(), self.payload.in_words(verdict == Verdict::Ok)].concat(),
            pinned: self.pinned.in_words(self.now),
            reflector: self.reflected_evidence(),
            loss: self.loss.count(),
            limited: self.icmp_rate.is_limited(),
            origin: self.origin.in_words(),
            syn_unusable: self.syn.is_unusable(),
            expected: self.expected(),
            expected_reverse: self.expected_reverse_of(facts),
            above: self.above_in_words(),
        }
    }

    /// The MTUs that expected and testable sizes are derived from.
    pub(super) fn sizes(&self) -> MtuBounds {
        MtuBounds {
            configured: self.settings.expected_mtu,
            hosts: self.hosts.hosts,
            testable: self.hosts.testable,
            named: self.target.named().filter(|_| !self.origin.is_foreign()),
        }
    }

    /// The expected MTU of the forward direction, and its rule: configured, else the smaller of
    /// what hosts of our site have and what the target's SYN-ACK names.
    #[must_use]
    pub(crate) fn expected(&self) -> ExpectedMtu {
        let (bytes, rule) = self.expected_forward();
        ExpectedMtu { bytes, rule: rule.into_owned() }
    }

    fn expected_forward(&self) -> (Bytes, Cow<'_, Said>) {
        let sizes = self.sizes();
        let bytes = sizes.expected();
        let rule = if sizes.configured.is_some() {
            Cow::Owned(say!("configured"))
        } else if bytes < sizes.hosts {
            Cow::Owned(say!("MSS in the target's SYN-ACK"))
        } else {
            Cow::Borrowed(&self.hosts.rule)
        };
        (bytes, rule)
    }

    /// The expected MTU of the reverse direction, and its rule: our own size if the target's
    /// interface was found to be larger than its MSS says, else as in the forward direction.
    fn expected_reverse_of(&self, facts: &Facts) -> ExpectedMtu {
        if !facts.shows_larger_target() {
            return self.expected();
        }
        let (bytes, rule) = self.expected_as_own();
        ExpectedMtu { bytes, rule: larger(rule.into_owned()) }
    }

    fn expected_as_own(&self) -> (Bytes, Cow<'_, Said>) {
        let sizes = self.sizes();
        let rule = if sizes.hosts <= sizes.testable {
            Cow::Borrowed(&self.hosts.rule)
        } else {
            Cow::Owned(say!("our own interface"))
        };
        (sizes.own(), rule)
    }

    /// The larger of the expected MTUs of the two directions: bytes of IP packet, the rule, and whether
    /// it is larger than the target's MSS says.
    fn expected_of(&self, facts: &Facts) -> (Bytes, Cow<'_, Said>, bool) {
        let (forward, rule) = self.expected_forward();
        let larger = facts.shows_larger_target().then(|| self.expected_as_own());
        match larger.filter(|(own, _)| *own > forward) {
            Some((own, rule)) => (own, rule, true),
            None => (forward, rule, false),
        }
    }

    /// The largest size that a reflector tests, bytes of IP packet.
    #[must_use]
    pub(crate) fn asked_of_reflector(&self) -> Bytes {
        self.sizes().asked_of_reflector()
    }

    /// The largest size that can be tested in the forward direction, bytes of IP packet.
    #[must_use]
    pub(crate) fn ceiling(&self) -> Bytes {
        self.sizes().ceiling()
    }

    /// The largest size that is tested in the reverse direction, bytes of IP packet.
    pub(super) fn reverse_ceiling(&self) -> Bytes {
        let sizes = self.sizes();
        if sizes.names_less().is_some() && !self.target.is_as_named() { sizes.own() } else { sizes.ceiling() }
    }
}
