//! What a path's reflector adds: the reverse path MTU to the byte, loss per direction, and evidence
//! of both. The verdict is decided elsewhere.

use super::PathProber;
use crate::{
    language::{Between, Said, say},
    model::observation::ReflectorUse,
    path::{
        probe::Moment,
        reflection::{Bound, Measured, OneWay, Reflection, SegmentLoss, Sizes},
    },
};

impl PathProber {
    /// Takes in a report of the path's reflector, or that it is gone.
    pub(crate) fn reflected(&mut self, reflection: Reflection, now: Moment) {
        self.now = self.now.max(now);
        self.reflection = Some(reflection);
    }

    /// Whether the path's reflector is in use; none if there is none, or before its first answer.
    #[must_use]
    pub(crate) fn reflector_use(&self) -> Option<ReflectorUse> {
        match self.reflection.as_ref()? {
            Reflection::Awaited => None,
            Reflection::Measured(_) => Some(ReflectorUse::Used),
            Reflection::Gone { .. } => Some(ReflectorUse::Gone),
        }
    }

    /// Whether the path's reflector may soon report more.
    #[must_use]
    pub(crate) fn awaits_reflector(&self) -> bool {
        self.reflection.as_ref().is_some_and(Reflection::is_under_way)
    }

    /// What the reflector has measured, while it answers.
    pub(super) fn measured(&self) -> Option<&Measured> {
        match self.reflection.as_ref()? {
            Reflection::Measured(measured) => Some(measured),
            Reflection::Awaited | Reflection::Gone { .. } => None,
        }
    }

    /// One sentence per direction, or that the reflector is gone.
    pub(super) fn reflected_evidence(&self) -> Vec<Said> {
        match &self.reflection {
            None => Vec::new(),
            Some(Reflection::Awaited) => vec![say!("the reflector has not answered yet")],
            Some(Reflection::Gone { why }) => {
                vec![say!("the reflector cannot be used, directions are inferred: {why}", why => why.clone())]
            }
            Some(Reflection::Measured(measured)) => {
                let mut said = vec![
                    say!("forward, reflector: {finding}", finding => in_words(&measured.forward)),
                    say!("reverse, reflector: {finding}", finding => in_words(&measured.reverse)),
                ];
                let expected = self.sizes().expected();
                if let Some(mtu) = measured.far_mtu.filter(|mtu| *mtu < expected) {
                    said.push(say!("the reflector's interface takes at most {mtu} bytes", mtu));
                }
                said
            }
        }
    }
}

fn in_words(one_way: &OneWay) -> Said {
    let sizes = match &one_way.sizes {
        Sizes::Starting => say!("sizes are being measured"),
        Sizes::Passed { size } => say!("{size} bytes arrive", size),
        Sizes::Silent { size, answered, exact, proof } => {
            let edge = match (*answered, *exact) {
                (0, _) => say!("the edge is being searched"),
                (answered, true) => {
                    say!("{answered} arrive, {silent} do not", answered, silent = answered + 1)
                }
                (answered, false) => say!("{answered} arrive, exact edge being searched", answered),
            };
            say!(
                "{size} bytes vanish without a signal ({pairs} pairs lost the large segment and kept the small one, \
                 {lost}); {edge}",
                size,
                pairs = proof.counted,
                lost => proof.lost_in_words(),
                edge => edge
            )
        }
        Sizes::SizeDependent => say!("size-dependent loss, no edge"),
        Sizes::NotUsable { why } => say!("not usable: {why}", why => why.clone()),
    };
    let bound = one_way.bound.map(|bound| match bound {
        Bound::Cached { mtu } => say!(
            "no more can be tested: the sender was told of a path MTU of {mtu} within the last 10 min (cached)",
            mtu
        ),
        Bound::Segments { limit } => {
            say!("no more can be tested: TCP segments here are at most {limit} bytes", limit)
        }
    });
    let parts = [Some(sizes), bound, loss_in_words(one_way.loss)];
    Said::joined(parts.into_iter().flatten(), Between::Semicolon)
}

#[expect(clippy::cast_precision_loss, reason = "counts of five minutes, far below 2^52")]
fn loss_in_words(loss: SegmentLoss) -> Option<Said> {
    let SegmentLoss { lost, sent } = loss;
    let percent = lost as f64 * 100.0 / sent as f64;
    (sent > 0).then(|| {
        say!(
            "{lost} of {sent} small segments lost ({percent} %)",
            lost,
            sent,
            percent = format_args!("{percent:.1}")
        )
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::path::{pairs::PairCount, prober::fixture::echoing};

    fn prober() -> PathProber {
        echoing(Duration::from_secs(1), 1)
    }

    fn hole() -> Measured {
        let proof =
            PairCount { sent: 41, counted: 40, lost: 41, control_answered: 40, control_lost: 1, answered: 0 };
        Measured {
            far_mtu: Some(1500),
            forward: OneWay { sizes: Sizes::Passed { size: 1500 }, ..OneWay::default() },
            reverse: OneWay {
                sizes: Sizes::Silent { size: 1500, answered: 1454, exact: true, proof },
                bound: None,
                loss: SegmentLoss { sent: 200, lost: 20 },
            },
        }
    }

    #[test]
    fn reverse_is_exported_where_it_was_measured_and_goes_with_the_reflector() {
        let mut prober = prober();
        assert_eq!((prober.judgement().mtu_reverse, prober.reflector_use()), (None, None));
        prober.reflected(Reflection::Measured(hole()), Duration::from_secs(1));
        assert_eq!(prober.judgement().mtu_reverse, Some(1454));
        assert_eq!(prober.reflector_use(), Some(ReflectorUse::Used));
        prober.reflected(Reflection::Gone { why: "no answer".into() }, Duration::from_secs(2));
        assert_eq!(prober.judgement().mtu_reverse, None);
        assert_eq!(prober.reflector_use(), Some(ReflectorUse::Gone));
    }

    #[test]
    fn it_is_awaited_until_it_has_measured_to_the_byte_or_is_gone() {
        let mut prober = prober();
        assert!(!prober.awaits_reflector(), "a path without one awaits none");
        let edge = |exact| {
            let mut told = hole();
            told.reverse.sizes =
                Sizes::Silent { size: 1500, answered: 1454, exact, proof: PairCount::default() };
            Reflection::Measured(told)
        };
        for (told, awaited) in [
            (Reflection::Awaited, true),
            (Reflection::Measured(Measured::default()), true),
            (edge(false), true),
            (edge(true), false),
            (Reflection::Awaited, true),
            (Reflection::Gone { why: "no answer".into() }, false),
        ] {
            prober.reflected(told.clone(), Duration::from_secs(1));
            assert_eq!(prober.awaits_reflector(), awaited, "{told:?}");
        }
    }

    fn joined(prober: &PathProber) -> String {
        crate::language::lines(&prober.reflected_evidence())
    }

    #[test]
    fn evidence_says_what_was_used() {
        let mut prober = prober();
        prober.reflected(Reflection::Awaited, Duration::ZERO);
        insta::assert_snapshot!(joined(&prober), @"the reflector has not answered yet");
        assert_eq!(prober.reflector_use(), None);
        prober.reflected(Reflection::Measured(hole()), Duration::from_secs(1));
        insta::assert_snapshot!(joined(&prober), @"
        forward, reflector: 1500 bytes arrive
        reverse, reflector: 1500 bytes vanish without a signal (40 pairs lost the large segment and kept the small one, 1 control lost); 1454 arrive, 1455 do not; 20 of 200 small segments lost (10.0 %)
        ");
        prober.reflected(Reflection::Gone { why: "no answer".into() }, Duration::from_secs(2));
        insta::assert_snapshot!(joined(&prober), @"the reflector cannot be used, directions are inferred: no answer");
    }

    #[test]
    fn a_cache_is_said_and_no_mtu() {
        let one_way = OneWay {
            sizes: Sizes::Passed { size: 1450 },
            bound: Some(Bound::Cached { mtu: 1450 }),
            loss: SegmentLoss::default(),
        };
        assert_eq!(one_way.exact_mtu(1500), None);
        insta::assert_snapshot!(in_words(&one_way), @"1450 bytes arrive; no more can be tested: the sender was told of a path MTU of 1450 within the last 10 min (cached)");
    }
}
