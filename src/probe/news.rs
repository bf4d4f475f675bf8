//! A verdict that changes is told once, with its evidence; the same verdict again is no news.

use tracing::info;

use crate::{
    overlay::observation::{Judgement, PathObservation},
    types::UnknownReason,
};

/// Logs a change of the verdict since `former`, what was published before.
pub fn tell(former: Option<&Judgement>, now: &PathObservation) {
    let Some(from) = former.map(|former| former.verdict) else { return };
    let judgement = &now.judgement;
    let to = judgement.verdict;
    if from != to {
        let holes: Vec<_> = judgement.holes.iter().map(|hole| hole.as_str()).collect();
        info!(
            path = %now.path,
            %from,
            %to,
            reason = judgement.unknown_reason.map(UnknownReason::as_str),
            holes = (!holes.is_empty()).then(|| holes.join(",")),
            evidence = judgement.evidence.join("; "),
            "verdict changed"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        logging::Lines,
        overlay::fixture::{hole, path, verdict},
        types::{Direction, Verdict},
    };

    fn published(judgements: &[Judgement]) -> Vec<serde_json::Value> {
        let lines = Lines::default();
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
        let evidence = vec!["DF echo: 1500 vanish".to_owned(), "1454 answered, 1455 not".to_owned()];
        let hole = Judgement { evidence, ..hole(&[Direction::Forward, Direction::Reverse], 1454) };
        // More becomes known of the same hole: no news.
        let closer = Judgement { evidence: vec!["more".to_owned()], ..hole.clone() };
        let told = published(&[
            Judgement::default(),
            ok.clone(),
            ok.clone(),
            ok.clone(),
            hole.clone(),
            hole,
            closer,
            ok,
        ]);
        let of = |name: &str| told.iter().map(|line| line[name].as_str().unwrap_or("-")).collect::<Vec<_>>();
        assert_eq!(of("message"), ["verdict changed"; 3]);
        assert_eq!(of("path"), ["rancher"; 3]);
        assert_eq!(of("from"), ["unknown", "ok", "blackhole"]);
        assert_eq!(of("to"), ["ok", "blackhole", "ok"]);
        assert_eq!(of("holes"), ["-", "forward,reverse", "-"]);
        assert_eq!(of("evidence"), ["", "DF echo: 1500 vanish; 1454 answered, 1455 not", ""]);
    }

    #[test]
    fn what_it_begins_with_is_no_news() {
        assert_eq!(published(&[verdict(Verdict::Ok), verdict(Verdict::Ok)]), Vec::<serde_json::Value>::new());
    }
}
