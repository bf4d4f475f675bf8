//! Logs a change of verdict once, with its evidence, and directions of a hole that become known
//! later. The same verdict again is not logged.

use tracing::info;

use crate::{
    language::{Between, Said},
    model::{
        observation::{Judgement, PathObservation},
        types::{BlackholeReason, UnknownReason},
    },
};

/// Logs a change of verdict since `former`, which was published before.
pub(crate) fn tell(former: Option<&Judgement>, now: &PathObservation) {
    let Some(former) = former else { return };
    let from = former.verdict;
    let judgement = &now.judgement;
    let to = judgement.verdict;
    let other_holes = !judgement.holes.is_empty() && former.holes != judgement.holes;
    if from != to || other_holes {
        let holes: Vec<_> = judgement.holes.iter().map(|hole| hole.as_str()).collect();
        let what = if from == to { "directions of the black hole changed" } else { "verdict changed" };
        info!(
            path = %now.path,
            %from,
            %to,
            reason = judgement.unknown_reason.map(UnknownReason::as_str).or(tcp_dead(judgement)),
            holes = (!holes.is_empty()).then(|| holes.join(",")),
            evidence = Said::joined(judgement.evidence.iter().cloned(), Between::Semicolon).to_string(),
            "{what}"
        );
    }
}

fn tcp_dead(judgement: &Judgement) -> Option<&'static str> {
    let dead = BlackholeReason::TcpDead;
    judgement.blackhole_reasons().contains(&dead).then_some(dead.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        logging::LogLines,
        model::types::{Direction, Verdict},
        overlay::fixture::{hole, path, verdict},
    };

    fn published(judgements: &[Judgement]) -> Vec<serde_json::Value> {
        let lines = LogLines::default();
        let subscriber =
            tracing_subscriber::fmt().with_writer(lines.writer()).json().flatten_event(true).finish();
        tracing::subscriber::with_default(subscriber, || {
            let mut former = None;
            for judgement in judgements {
                tell(former, &path("rancher", "dc", judgement.clone()));
                former = Some(judgement);
            }
        });
        lines.text().lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    }

    #[test]
    fn a_change_is_told_once_with_evidence() {
        let ok = verdict(Verdict::Ok);
        let evidence = vec!["DF echo: 1500 vanish".into(), "1454 answered, 1455 not".into()];
        let hole = Judgement { evidence, ..hole(&[Direction::Forward, Direction::Reverse], 1454) };
        // More evidence for the same hole is not logged.
        let closer = Judgement { evidence: vec!["more".into()], ..hole.clone() };
        let forward = Judgement { holes: vec![Direction::Forward], ..closer.clone() };
        let told = published(&[
            Judgement::default(),
            ok.clone(),
            ok.clone(),
            ok.clone(),
            hole.clone(),
            hole,
            closer,
            forward,
            ok,
        ]);
        let of = |name: &str| told.iter().map(|line| line[name].as_str().unwrap_or("-")).collect::<Vec<_>>();
        let changed = "verdict changed";
        assert_eq!(of("message"), [changed, changed, "directions of the black hole changed", changed]);
        assert_eq!(of("path"), ["rancher"; 4]);
        assert_eq!(of("from"), ["unknown", "ok", "blackhole", "blackhole"]);
        assert_eq!(of("to"), ["ok", "blackhole", "blackhole", "ok"]);
        assert_eq!(of("holes"), ["-", "forward,reverse", "forward", "-"]);
        assert_eq!(of("evidence"), ["", "DF echo: 1500 vanish; 1454 answered, 1455 not", "more", ""]);
    }

    #[test]
    fn what_it_begins_with_is_no_news() {
        assert_eq!(published(&[verdict(Verdict::Ok), verdict(Verdict::Ok)]), Vec::<serde_json::Value>::new());
    }
}
