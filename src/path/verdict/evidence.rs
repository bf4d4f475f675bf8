//! Evidence: the sentences and numbers behind a verdict, which a person can check.

mod expected;
mod unknown;

use super::facts::{Facts, HoleFacts};
use crate::{
    language::{Said, say},
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
    pub unreachable: Option<Said>,
    /// Whether TCP works.
    pub tcp: Vec<Said>,
    /// Whether long-lived flows are dead.
    pub pinned: Option<Said>,
    /// What the reflector has measured.
    pub reflector: Vec<Said>,
    /// Loss of small echoes over the last five minutes.
    pub loss: LossCount,
    /// ICMP is rate-limited: answers per second do not rise with probes per second.
    pub limited: bool,
    /// Whether a middlebox answers TCP in the target's place.
    pub origin: Option<Said>,
    /// SYNs with data get no answer; bare SYNs do.
    pub syn_unusable: bool,
    /// Expected MTU to the target, with the rule it comes from.
    pub expected: ExpectedMtu,
    /// Expected MTU from the target, with the rule it comes from.
    pub expected_reverse: ExpectedMtu,
    /// What hosts that do not use our route with a lower MTU would experience.
    pub above: Option<Said>,
}

impl Facts {
    /// The evidence, one sentence per entry, most important first.
    pub(super) fn evidence(
        &self,
        (verdict, reason): (Verdict, Option<UnknownReason>),
        holes: &[Direction],
        words: Words,
    ) -> Vec<Said> {
        if let Some(trouble) = self.trouble {
            return vec![say!(
                "{trouble}: nothing can be said about the network",
                trouble => trouble.said()
            )];
        }
        if let Some(sentence) = words.unreachable {
            return [vec![sentence], words.reflector].concat();
        }
        let mut said = match verdict {
            Verdict::Blackhole => self.holes_in_words(holes),
            Verdict::Reduced => vec![self.reduced_in_words()],
            Verdict::Ok => vec![say!("DF echoes of {size} bytes come back whole", size = self.whole_echo())],
            Verdict::Lossy if self.is_size_dependent() => vec![say!("size-dependent loss, no edge")],
            Verdict::Unknown => reason.map(|reason| self.why_unknown(reason)).into_iter().collect(),
            Verdict::Lossy | Verdict::Unreachable => Vec::new(),
        };
        said.extend(words.tcp);
        said.extend(words.pinned);
        said.extend(words.reflector);
        said.extend(loss_in_words(words.loss));
        if words.limited {
            said.push(say!("ICMP rate-limited: answers per second do not rise with probes per second"));
        }
        said.extend(words.origin);
        if words.syn_unusable {
            said.push(say!(
                "SYNs with data are not answered, SYNs without data are: SYNs cannot test sizes here"
            ));
        }
        said.extend(self.largest_fragment.map(|bytes| {
            say!(
                "reverse: replies came in fragments of at most {bytes} bytes, so that is the most that comes \
                 back in one piece",
                bytes
            )
        }));
        said.extend(self.expected_in_words(&words.expected, &words.expected_reverse));
        said.extend(words.above);
        said
    }

    fn holes_in_words(&self, holes: &[Direction]) -> Vec<Said> {
        let mut said = Vec::new();
        let echo = self.echo.hole;
        if let Some(hole) = echo {
            said.push(say!("DF echo: {hole}", hole => self.hole_in_words(&hole, None)));
        }
        if let Some(hole) = self.forward_hole() {
            let hole = self.hole_in_words(&hole, Some(self.hole_flows));
            said.push(say!("forward, padded TCP SYN: {hole}", hole => hole));
            if self.hole_flows < usize::from(FLOWS) {
                said.push(say!("the other flows meet no hole: one of several underlay legs has it"));
            }
            if let Some(size) = self.echo.passing {
                said.push(say!(
                    "DF echoes of {size} bytes come back whole: ICMP is one flow, on one leg",
                    size
                ));
            }
        } else if let Some(size) = echo.and_then(|hole| self.forward_passes(hole.size)) {
            said.push(say!("forward, padded TCP SYN: {size} bytes are answered", size));
        }
        if let Some(hole) = self.reverse_hole().filter(|_| holes.contains(&Direction::Reverse)) {
            said.push(say!(
                "reverse, echo request in fragments: {hole}",
                hole => self.hole_in_words(&hole, None)
            ));
        } else if echo.is_some_and(|hole| self.reverse_passes(hole.size)) {
            let size = self.fragments.top;
            said.push(say!(
                "reverse, echo request in fragments: replies of {size} bytes come back whole",
                size
            ));
        }
        if holes.contains(&Direction::Unknown) {
            said.push(self.why_no_direction());
        }
        said
    }

    fn why_no_direction(&self) -> Said {
        if self.can_fragment() {
            say!("the direction is not proven (yet)")
        } else {
            say!("the direction is not known: measuring it requires CAP_NET_RAW")
        }
    }

    fn reduced_in_words(&self) -> Said {
        let expected = self.sizes.expected();
        let echo = self.echo.passing.unwrap_or(self.echo.top);
        let size = self.reduced_flows().map_or(echo, |flows| flows.min(echo));
        if echo > size {
            return say!(
                "{expected} bytes are answered with \"fragmentation needed\" by a bridge or router on the way on \
                 some TCP flows; {size} bytes are answered",
                expected,
                size
            );
        }
        say!(
            "{expected} bytes are answered with \"fragmentation needed\" by a bridge or router on the way; \
             {size} bytes are answered",
            expected,
            size
        )
    }

    /// `flows`: on how many TCP flows, if it was tested by those.
    fn hole_in_words(&self, hole: &HoleFacts, flows: Option<usize>) -> Said {
        let HoleFacts { proof, answered, silent, .. } = *hole;
        let edge = if self.is_below_least(hole) {
            let least = self.family.least_mtu();
            say!(
                "{answered} answered, {silent} not: below IPv6's minimum of {least}",
                answered,
                silent,
                least
            )
        } else if hole.answered <= self.family.small() {
            say!("the edge is being searched")
        } else if hole.exact {
            say!("{answered} answered, {silent} not", answered, silent)
        } else {
            say!("{answered} answered, exact edge being searched", answered)
        };
        let (size, pairs, lost) = (hole.size, proof.counted, proof.lost_in_words());
        match flows {
            None => say!(
                "{size} bytes vanish without a signal ({pairs} pairs lost the large packet and kept the small \
                 one, {lost}); {edge}",
                size,
                pairs,
                lost => lost,
                edge => edge
            ),
            Some(flows) => say!(
                "{size} bytes vanish without a signal ({pairs} pairs on {flows} of {all} TCP flows lost the \
                 large packet and kept the small one, {lost}); {edge}",
                size,
                pairs,
                flows,
                all = FLOWS,
                lost => lost,
                edge => edge
            ),
        }
    }
}

fn loss_in_words(loss: LossCount) -> Option<Said> {
    let LossCount { lost, sent } = loss;
    (lost > 0).then(|| {
        say!(
            "small echoes: {lost} of {sent} lost ({percent} %) in the last 5 min",
            lost,
            sent,
            percent = format_args!("{:.1}", loss.percent())
        )
    })
}
