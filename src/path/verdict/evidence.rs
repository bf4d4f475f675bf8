//! The words and numbers that carry a verdict: what a person can check.

use crate::{
    model::types::{Bytes, Direction, UnknownReason, Verdict},
    path::{
        hole::{asking::Asking, lane::Hole},
        probe::FLOWS,
        prober::PathProber,
        settings::IcmpProbes,
    },
};

impl PathProber {
    pub(super) fn evidence(
        &self,
        verdict: Verdict,
        reason: Option<UnknownReason>,
        holes: &[Direction],
    ) -> Vec<String> {
        if let Some(trouble) = self.local.trouble() {
            return vec![format!("{}: nothing can be said of the network", trouble.in_words())];
        }
        if let Some(sentence) = self.reach.evidence(self.now) {
            let mut said = vec![sentence];
            said.extend(self.reflected_evidence());
            return said;
        }
        let expected = self.expected();
        let mut said = match verdict {
            Verdict::Blackhole => self.holes_in_words(holes),
            Verdict::Reduced => vec![self.reduced_in_words(expected.bytes)],
            Verdict::Ok => {
                vec![format!("DF echoes of {} bytes come back whole", self.whole_echo(expected.bytes))]
            }
            Verdict::Lossy if self.is_size_dependent() => vec!["size-dependent loss, no edge".to_owned()],
            Verdict::Unknown => reason.map(|reason| self.why_unknown(reason)).into_iter().collect(),
            Verdict::Lossy | Verdict::Unreachable => Vec::new(),
        };
        said.extend(self.tcp.in_words());
        said.extend(self.payload.in_words(verdict == Verdict::Ok));
        said.extend(self.pinned.in_words(self.now));
        said.extend(self.reflected_evidence());
        said.extend(self.loss_in_words());
        if self.icmp_rate.is_limited() {
            said.push("ICMP rate-limited: answers per second do not rise with probes per second".to_owned());
        }
        said.extend(self.origin.in_words());
        if self.syn.is_unusable() {
            said.push(
                "SYNs that carry data are not answered, bare ones are: SYN sizing is not usable here"
                    .to_owned(),
            );
        }
        if let Some(bytes) = self.largest_fragment {
            said.push(format!(
                "reverse: replies came in fragments of at most {bytes} bytes, so that is the most that comes \
                 back in one piece"
            ));
        }
        said.extend(self.expected_in_words());
        said.extend(self.above_in_words());
        said
    }

    fn holes_in_words(&self, holes: &[Direction]) -> Vec<String> {
        let mut said = Vec::new();
        let echo = self.echo.hole();
        if let Some(hole) = echo {
            said.push(format!("DF echo: {}", self.hole_in_words(hole, "")));
        }
        if let Some(hole) = self.forward_hole() {
            let flows = format!(" on {} of {FLOWS} TCP flows", hole.flows);
            said.push(format!("forward, padded TCP SYN: {}", self.hole_in_words(hole.hole, &flows)));
            if hole.flows < usize::from(FLOWS) {
                said.push("the other flows meet none: one of several underlay legs has the hole".to_owned());
            }
            if let Some(size) = self.echo.passing() {
                said.push(format!("DF echoes of {size} bytes come back whole: ICMP is one flow, on one leg"));
            }
        } else if let Some(size) = echo.and_then(|hole| self.forward_passes(hole.size)) {
            said.push(format!("forward, padded TCP SYN: {size} bytes are answered"));
        }
        if let Some(hole) = self.reverse_hole().filter(|_| holes.contains(&Direction::Reverse)) {
            said.push(format!("reverse, echo request in fragments: {}", self.hole_in_words(hole, "")));
        } else if echo.is_some_and(|hole| self.reverse_passes(hole.size)) {
            let size = self.fragments.top();
            said.push(format!("reverse, echo request in fragments: replies of {size} bytes come back whole"));
        }
        if holes.contains(&Direction::Unknown) {
            said.push(self.why_no_direction().to_owned());
        }
        said
    }

    fn why_no_direction(&self) -> &'static str {
        if self.can_fragment() {
            "the direction is not proven (yet)"
        } else {
            "the direction is not known: telling it takes CAP_NET_RAW"
        }
    }

    fn reduced_in_words(&self, expected: Bytes) -> String {
        let echo = self.echo.passing().unwrap_or(self.echo.top());
        let size = self.reduced_flows().map_or(echo, |flows| flows.min(echo));
        let where_ = if echo > size { " on some TCP flows" } else { "" };
        format!(
            "{expected} bytes are answered \"fragmentation needed\" by a bridge or router on the way{where_}; \
             {size} bytes are answered"
        )
    }

    fn loss_in_words(&self) -> Option<String> {
        let loss = self.loss.count();
        (loss.lost > 0).then(|| {
            format!(
                "small echoes: {} of {} lost ({:.1} %) in the last 5 min",
                loss.lost,
                loss.sent,
                loss.percent()
            )
        })
    }

    fn why_unknown(&self, reason: UnknownReason) -> String {
        match reason {
            UnknownReason::LocalLimit => format!(
                "can test only up to {} bytes, what our own interface lets out: run in the host's network",
                self.hosts.testable
            ),
            UnknownReason::LargeIcmpFiltered => {
                let edge = self.echo.hole().map_or(self.settings.family.small(), |hole| hole.answered);
                format!("ICMP above {edge} bytes is dropped: a filter of large ICMP hides the path MTU")
            }
            UnknownReason::ReverseUnmeasured if self.reverse_in_doubt() => {
                let size = self.echo.top().min(self.syn.top());
                format!(
                    "forward, {size} bytes are answered and more is signalled; replies larger than that vanish, but they \
                     carry no DF, and packets that do may be signalled as ours are (over an IPv6 underlay they are): a \
                     reflector at the far end would tell"
                )
            }
            UnknownReason::ReverseUnmeasured => self.unmeasured_beyond().unwrap_or_else(|| {
                if self.echo.passing().is_some() {
                    "replies are cut into fragments on the way back, which says nothing of packets with DF: a reflector \
                     at the far end would tell"
                } else {
                    "padded TCP SYNs pass forward; ICMP is not answered, so reverse cannot be measured"
                }
                .to_owned()
            }),
            UnknownReason::NoProof if self.settings.icmp == IcmpProbes::None => {
                let answered = if self.reach.tcp_ever() { "and they are" } else { "and none is" };
                format!(
                    "no ICMP socket: only TCP connections are tried, {answered} answered; sizes are not tested"
                )
            }
            UnknownReason::NoProof if !self.can_size_echo() => {
                "no ICMP socket for sized echoes: only small echoes are sent, sizes are not tested".to_owned()
            }
            UnknownReason::NoProof if self.has_no_sizes() => {
                "the target answers TCP and no ICMP, and only ICMP has sizes here: sizes are not tested \
                 (padded TCP SYNs take CAP_NET_RAW)"
                    .to_owned()
            }
            UnknownReason::NoProof if self.tcp.is_open() && self.icmp_usable() => {
                "no SYN to the path's TCP port is answered, and it is not proven whether TCP passes".to_owned()
            }
            UnknownReason::NoProof if self.awaits_byte() => {
                "SYNs to the path's TCP port are answered, and it is not proven whether TCP carries payload".to_owned()
            }
            UnknownReason::NoProof => "full-size probes are silent, but not enough is proven".to_owned(),
            UnknownReason::Starting => "too early to tell".to_owned(),
            UnknownReason::Dns => "the target's name cannot be resolved".to_owned(),
            UnknownReason::LocalDown | UnknownReason::LocalSend => "nothing leaves our own host".to_owned(),
            UnknownReason::OwnAddress => "the target is this machine's own address".to_owned(),
            UnknownReason::Stale => "not probed now".to_owned(),
            UnknownReason::PeerLimit => "the far end cannot take the expected size".to_owned(),
        }
    }

    fn hole_in_words(&self, hole: &Hole, over: &str) -> String {
        let proof = hole.proof;
        let edge = if self.is_below_least(hole) {
            let (answered, silent) = (hole.answered, hole.silent);
            let least = self.settings.family.least_mtu();
            format!("{answered} answered, {silent} not: below IPv6's minimum of {least}")
        } else if hole.answered <= self.settings.family.small() {
            "the edge is being searched".to_owned()
        } else if hole.exact {
            format!("{} answered, {} not", hole.answered, hole.silent)
        } else {
            format!("{} answered, exact edge being searched", hole.answered)
        };
        format!(
            "{} bytes vanish without a signal ({} pairs{over} lost the large packet and kept the small one, \
             {}); {edge}",
            hole.size,
            proof.counted,
            proof.lost_in_words()
        )
    }
}
