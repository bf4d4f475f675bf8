//! Networks as files: `scenarios/*.yml`, network in, verdict out. A new case is a new file.

use std::time::Duration;

use serde::Deserialize;
use vxlan_exporter::model::{
    observation::Judgement,
    types::{BlackholeReason, UnknownReason},
};

use super::{
    network::Network,
    own::Own,
    play::{Case, Look, Prober, play},
};

/// One file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// A description for a person.
    #[serde(rename = "about")]
    _about: String,
    /// Number of runs, each with another seed.
    #[serde(default = "one_run")]
    pub runs: u64,
    seconds: u64,
    #[serde(default)]
    prober: Prober,
    network: Network,
    #[serde(default)]
    changes: Vec<Change>,
    /// Faults of the prober's own host.
    #[serde(default)]
    own: Vec<Own>,
    expect: Vec<Expect>,
    /// Verdicts that must never be reported.
    #[serde(default)]
    never: Vec<String>,
    /// Forward path MTUs that must never be reported.
    #[serde(default)]
    never_forward_mtu: Vec<u32>,
}

fn one_run() -> u64 {
    1
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    at_second: f64,
    network: Network,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    /// From this second on, until `until` or the end, all of this must hold at every moment.
    from_second: u64,
    until_second: Option<u64>,
    /// Any of these verdicts, separated by ` or `.
    verdict: String,
    reason: Option<String>,
    /// What is lost, if the verdict is `blackhole`.
    reasons: Option<Vec<String>>,
    holes: Option<Vec<String>>,
    forward_mtu: Option<Told>,
    reverse_mtu: Option<Told>,
    forward_at_least: Option<Told>,
    reverse_at_least: Option<Told>,
    forward_expected: Option<Told>,
    /// Whether nothing is in progress.
    settled: Option<bool>,
    /// Words that some sentence of the evidence must contain.
    evidence: Option<String>,
}

/// A size that must be reported, or `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
enum Told {
    Bytes(u32),
    Not(NotTold),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum NotTold {
    None,
}

impl Told {
    fn is(self, said: Option<u32>) -> bool {
        match self {
            Self::Bytes(right) => said == Some(right),
            Self::Not(NotTold::None) => said.is_none(),
        }
    }
}

impl Scenario {
    /// Plays it once; returns the first deviation from what the file says.
    pub fn run(&self, seed: u64) -> Result<(), String> {
        let first = (0.0, self.network.clone());
        let changes = self.changes.iter().map(|change| (change.at_second, change.network.clone()));
        let case = Case {
            seed,
            prober: self.prober.clone(),
            own: self.own.clone(),
            phases: std::iter::once(first).chain(changes).collect(),
            #[expect(clippy::cast_precision_loss, reason = "seconds of a test")]
            seconds: self.seconds as f64,
        };
        let mut wrong = None;
        play(&case, |look| {
            if wrong.is_none() {
                wrong = self.check(&look);
            }
        });
        wrong.map_or(Ok(()), Err)
    }

    fn check(&self, look: &Look<'_>) -> Option<String> {
        let said = look.judgement;
        let at = |what: String| Some(format!("{what} at {:.3} s: {said:#?}", look.now.as_secs_f64()));
        if self.never.iter().any(|never| never == said.verdict.as_str()) {
            return at("never to be seen".to_owned());
        }
        if said.mtu_forward.is_some_and(|mtu| self.never_forward_mtu.contains(&mtu)) {
            return at("a path MTU never to be shown".to_owned());
        }
        let due = |expect: &&Expect| {
            let until = expect.until_second.unwrap_or(self.seconds);
            look.now >= Duration::from_secs(expect.from_second) && look.now < Duration::from_secs(until)
        };
        self.expect.iter().filter(due).find_map(|expect| expect.differs(said).and_then(at))
    }
}

impl Expect {
    fn differs(&self, said: &Judgement) -> Option<String> {
        let holes: Vec<&str> = said.holes.iter().map(|hole| hole.as_str()).collect();
        let reasons: Vec<&str> = said.blackhole_reasons().into_iter().map(BlackholeReason::as_str).collect();
        let reason = said.unknown_reason.map(UnknownReason::as_str);
        if !self.verdict.split(" or ").any(|right| right == said.verdict.as_str()) {
            Some(format!("not {}", self.verdict))
        } else if self.reason.is_some() && self.reason.as_deref() != reason {
            Some(format!("reason not {:?}", self.reason))
        } else if self.reasons.as_ref().is_some_and(|right| *right != reasons) {
            Some(format!("blackhole by {reasons:?}, not {:?}", self.reasons))
        } else if self.holes.as_ref().is_some_and(|right| *right != holes) {
            Some(format!("holes not {:?}", self.holes))
        } else if let Some(size) = self.size_differs(said) {
            Some(size)
        } else if self.settled.is_some_and(|right| right != said.settled) {
            Some(format!("settled not {:?}", self.settled))
        } else {
            let words = self.evidence.as_ref()?;
            let there = said.evidence.iter().any(|sentence| sentence.to_string().contains(words.as_str()));
            (!there).then(|| format!("evidence without {words:?}"))
        }
    }

    fn size_differs(&self, said: &Judgement) -> Option<String> {
        [
            ("forward", self.forward_mtu, said.mtu_forward),
            ("reverse", self.reverse_mtu, said.mtu_reverse),
            ("forward at least", self.forward_at_least, said.forward_at_least),
            ("reverse at least", self.reverse_at_least, said.reverse_at_least),
            ("forward expected", self.forward_expected, said.forward_expected),
        ]
        .into_iter()
        .find(|(_, right, said)| right.is_some_and(|right| !right.is(*said)))
        .map(|(name, right, _)| format!("{name} not {right:?}"))
    }
}
