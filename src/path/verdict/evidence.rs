//! Evidence: the sentences and numbers behind a verdict, which a person can check.

mod expected;
mod unknown;

use super::facts::{Facts, HoleFacts};
use crate::{
    model::{
        observation::ExpectedMtu,
        types::{Direction, UnknownReason, Verdict},
    },
    path::{loss::echo_loss::LossCount, probe::FLOWS},
};

/// What the other parts of the prober add to the evidence.
#[derive(Debug, Clone)]
pub(crate) struct Words {
    /// Why the target is unreachable, if it is.
    pub unreachable: Option<String>,
    /// Whether TCP works.
    pub tcp: Vec<String>,
    /// Whether long-lived flows are dead.
    pub pinned: Option<String>,
    /// What the reflector has measured.
    pub reflector: Vec<String>,
    /// Loss of small echoes over the last five minutes.
    pub loss: LossCount,
    /// ICMP is rate-limited: answers per second do not rise with probes per second.
    pub limited: bool,
    /// Whether a middlebox answers TCP in the target's place.
    pub origin: Option<String>,
    /// SYNs with data get no answer; bare SYNs do.
    pub syn_unusable: bool,
    /// Expected MTU to the target, with the rule it comes from.
    pub expected: ExpectedMtu,
    /// Expected MTU from the target, with the rule it comes from.
    pub expected_reverse: ExpectedMtu,
    /// What hosts that do not use our route with a lower MTU would experience.
    pub above: Option<String>,
}

impl Facts {
    /// The evidence, one sentence per entry, most important first.
    pub(super) fn evidence(
        &self,
        (verdict, reason): (Verdict, Option<UnknownReason>),
        holes: &[Direction],
        words: Words,
    ) -> Vec<String> {
        if let Some(trouble) = self.trouble {
            return vec![format!("{}: nothing can be said about the network", trouble.in_words())];
        }
        if let Some(sentence) = words.unreachable {
            return [vec![sentence], words.reflector].concat();
        }
        let mut said = match verdict {
            Verdict::Blackhole => self.holes_in_words(holes),
            Verdict::Reduced => vec![self.reduced_in_words()],
            Verdict::Ok => vec![format!("DF echoes of {} bytes come back whole", self.whole_echo())],
            Verdict::Lossy if self.is_size_dependent() => vec!["size-dependent loss, no edge".to_owned()],
            Verdict::Unknown => reason.map(|reason| self.why_unknown(reason)).into_iter().collect(),
            Verdict::Lossy | Verdict::Unreachable => Vec::new(),
        };
        said.extend(words.tcp);
        said.extend(words.pinned);
        said.extend(words.reflector);
        said.extend(loss_in_words(words.loss));
        if words.limited {
            said.push("ICMP rate-limited: answers per second do not rise with probes per second".to_owned());
        }
        said.extend(words.origin);
        if words.syn_unusable {
            said.push(
                "SYNs with data are not answered, SYNs without data are: SYNs cannot test sizes here"
                    .to_owned(),
            );
        }
        said.extend(self.largest_fragment.map(|bytes| {
            format!(
                "reverse: replies came in fragments of at most {bytes} bytes, so that is the most that comes \
                 back in one piece"
            )
        }));
        said.extend(self.expected_in_words(&words.expected, &words.expected_reverse));
        said.extend(words.above);
        said
    }

    fn holes_in_words(&self, holes: &[Direction]) -> Vec<String> {
        let mut said = Vec::new();
        let echo = self.echo.hole;
        if let Some(hole) = echo {
            said.push(format!("DF echo: {}", self.hole_in_words(&hole, "")));
        }
        if let Some(hole) = self.forward_hole() {
            let flows = format!(" on {} of {FLOWS} TCP flows", self.hole_flows);
            said.push(format!("forward, padded TCP SYN: {}", self.hole_in_words(&hole, &flows)));
            if self.hole_flows < usize::from(FLOWS) {
                said.push("the other flows meet no hole: one of several underlay legs has it".to_owned());
            }
            if let Some(size) = self.echo.passing {
                said.push(format!("DF echoes of {size} bytes come back whole: ICMP is one flow, on one leg"));
            }
        } else if let Some(size) = echo.and_then(|hole| self.forward_passes(hole.size)) {
            said.push(format!("forward, padded TCP SYN: {size} bytes are answered"));
        }
        if let Some(hole) = self.reverse_hole().filter(|_| holes.contains(&Direction::Reverse)) {
            said.push(format!("reverse, echo request in fragments: {}", self.hole_in_words(&hole, "")));
        } else if echo.is_some_and(|hole| self.reverse_passes(hole.size)) {
            let size = self.fragments.top;
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
            "the direction is not known: measuring it requires CAP_NET_RAW"
        }
    }

    fn reduced_in_words(&self) -> String {
        let expected = self.sizes.expected();
        let echo = self.echo.passing.unwrap_or(self.echo.top);
        let size = self.reduced_flows().map_or(echo, |flows| flows.min(echo));
        let where_ = if echo > size { " on some TCP flows" } else { "" };
        format!(
            "{expected} bytes are answered with \"fragmentation needed\" by a bridge or router on the \
             way{where_}; \
             {size} bytes are answered"
        )
    }

    fn hole_in_words(&self, hole: &HoleFacts, over: &str) -> String {
        let proof = hole.proof;
        let edge = if self.is_below_least(hole) {
            let least = self.family.least_mtu();
            format!("{} answered, {} not: below IPv6's minimum of {least}", hole.answered, hole.silent)
        } else if hole.answered <= self.family.small() {
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

fn loss_in_words(loss: LossCount) -> Option<String> {
    (loss.lost > 0).then(|| {
        format!(
            "small echoes: {} of {} lost ({:.1} %) in the last 5 min",
            loss.lost,
            loss.sent,
            loss.percent()
        )
    })
}
