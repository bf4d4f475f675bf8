//! Compares every scrape with the script: what is reported for each path and router, how counters
//! move, which echoes are lost.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    time::Duration,
};

use super::{
    schedule::{LIVE, MUTE, PATHS, REST_AFTER_LOSS, Schedule, WARM_UP, Wrong},
    world::path_name,
};
use crate::metrics::Metrics;

/// Time within which a change must be reported: a proof takes 3 s alone, 16 of them share the probe
/// budget, and the machine is busy.
const SEEN: Duration = Duration::from_secs(30);
/// An echo counts as lost 5 s after it was sent; loss within this time before or after a fault may
/// be due to it.
const AFTERMATH: Duration = Duration::from_secs(15);
/// Time after which loss is certain: docs/probing.md.
const LOSS_SEEN: Duration = Duration::from_mins(3);

/// What was wrongly reported, each once, as text.
#[derive(Debug, Default)]
pub struct Findings {
    /// A verdict that was not true, or a router of the lab reported as down.
    pub wrong: BTreeSet<String>,
    /// What was true and not reported in time.
    pub missed: BTreeSet<String>,
    /// Echoes lost while nothing was wrong.
    pub lost: BTreeMap<String, f64>,
    /// Counters that decreased.
    pub decreases: BTreeSet<String>,
    /// False reports by kind of path, fault and report: how often, first and last.
    pub kinds: BTreeMap<String, Kind>,
    /// Lost echoes, in steps of 10 s.
    pub lost_at: BTreeMap<u64, f64>,
    /// Verdicts that were missing because the exporter got too little CPU to hear answers, and said
    /// so.
    pub starved: u64,
}

/// How often something was reported, and from when until when.
#[derive(Debug)]
pub struct Kind {
    count: u64,
    first: Duration,
    last: Duration,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} times, {} to {} s", self.count, self.first.as_secs(), self.last.as_secs())
    }
}

/// Examines scrapes one after the other.
pub struct Watch<'s> {
    script: &'s Schedule,
    /// The findings so far.
    pub findings: Findings,
    /// Number of verdicts examined.
    pub looked_at: u64,
    /// The highest value of each counter so far.
    counters: HashMap<String, f64>,
    lost: Vec<f64>,
    /// Packets of each path that our own host refused to send.
    refused: Vec<f64>,
    names: Vec<String>,
    routers: [String; 3],
}

impl<'s> Watch<'s> {
    /// `routers` are those that work all the time.
    pub fn new(script: &'s Schedule, routers: [String; 3]) -> Self {
        Self {
            script,
            findings: Findings::default(),
            looked_at: 0,
            counters: HashMap::new(),
            lost: vec![0.0; PATHS],
            refused: vec![0.0; PATHS],
            names: (0..PATHS).map(path_name).collect(),
            routers,
        }
    }

    /// Examines a scrape that began and ended at these times, both since the start of the script.
    /// `starved` tells whether the exporter has recently waited long for a CPU.
    pub fn look(&mut self, text: &str, (began, at): (Duration, Duration), starved: bool) {
        let metrics = Metrics::parse(text);
        self.counters(text);
        let verdicts = of_paths(&metrics, "vxlan_path_verdict", "verdict");
        let reasons = of_paths(&metrics, "vxlan_path_unknown_reason", "reason");
        let lost = by_path(&metrics, "vxlan_path_echo_lost_total");
        let refused = by_path(&metrics, "vxlan_path_send_errors_total");
        for path in 0..PATHS {
            let name = self.names[path].clone();
            let refused = refused.get(&name).copied().unwrap_or_default();
            let is_refused = refused > std::mem::replace(&mut self.refused[path], refused);
            if began >= WARM_UP {
                let said = verdicts.get(&name).map_or("absent", String::as_str);
                let reason = reasons.get(&name).map(String::as_str).unwrap_or_default();
                if starved && !is_refused && (said, reason) == ("unknown", "local_send") {
                    self.looked_at += 1;
                    self.findings.starved += 1;
                } else {
                    let reason =
                        if is_refused { format!("{reason}, sends refused") } else { reason.to_owned() };
                    self.judge(path, &name, (said, &reason), began, at);
                }
            }
            let now = lost.get(&name).copied().unwrap_or_default();
            self.losses(path, &name, now, at);
        }
        if began >= WARM_UP {
            for router in &self.routers {
                if metrics.value("vxlan_router_up", &[("router", router)]) != Some(1.0) {
                    self.findings
                        .wrong
                        .insert(format!("router {router} is well and not up, {} s", at.as_secs()));
                }
            }
        }
    }

    fn judge(&mut self, path: usize, name: &str, said: (&str, &str), began: Duration, at: Duration) {
        let (said, reason) = said;
        self.looked_at += 1;
        let (wrong, since) = self.script.state(path, began);
        if self.script.state(path, at) != (wrong, since) {
            return;
        }
        let allowed = truth(path, wrong);
        if allowed.contains(&said) {
            return;
        }
        let age = began.saturating_sub(since);
        let before = self.script.before(path, began);
        let late = match (wrong, before) {
            (Some(Wrong::Loss), _) => LOSS_SEEN,
            (_, Some(Wrong::Loss)) => REST_AFTER_LOSS,
            _ => SEEN,
        };
        let former = truth(path, before).contains(&said) && since > Duration::ZERO;
        let on_the_way = said == "unknown" && since > Duration::ZERO;
        if age < late && (former || on_the_way) {
            return;
        }
        let of = wrong.map_or("well".to_owned(), |wrong| format!("{wrong:?}"));
        let story = format!("{name}: {of} since {} s, said {said}", since.as_secs());
        if former {
            self.findings.missed.insert(story);
        } else {
            self.findings.wrong.insert(format!("{story}, {} s", at.as_secs()));
            let (sort, _) = name.split_once('-').unwrap_or((name, ""));
            let kind = format!("{sort} {of} since {} s, said {said} {reason}", since.as_secs());
            let kind = self.findings.kinds.entry(kind).or_insert(Kind { count: 0, first: at, last: at });
            (kind.count, kind.last) = (kind.count + 1, at);
        }
    }

    fn losses(&mut self, path: usize, name: &str, now: f64, at: Duration) {
        let more = now - std::mem::replace(&mut self.lost[path], now);
        let (wrong, since) = self.script.state(path, at);
        let well = path < LIVE && wrong.is_none() && at >= since + AFTERMATH && at >= AFTERMATH;
        if more > 0.0 && well {
            *self.findings.lost.entry(name.to_owned()).or_default() += more;
            *self.findings.lost_at.entry(at.as_secs() / 10 * 10).or_default() += more;
        }
    }

    fn counters(&mut self, text: &str) {
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let Some((series, value)) = line.rsplit_once(' ') else { continue };
            let family = series.split('{').next().unwrap_or_default();
            let counts = ["_total", "_count", "_bucket"].iter().any(|end| family.ends_with(end));
            let Some(value) = value.parse::<f64>().ok().filter(|_| counts) else { continue };
            match self.counters.get_mut(series) {
                Some(known) if value < *known => {
                    self.findings.decreases.insert(format!("{series}: {known} to {value}"));
                    *known = value;
                }
                Some(known) => *known = value,
                None => {
                    self.counters.insert(series.to_owned(), value);
                }
            }
        }
    }
}

/// For each path, the value of a label whose series is 1.
fn of_paths(metrics: &Metrics, name: &str, label: &str) -> BTreeMap<String, String> {
    let on = metrics.all(name, &[]).filter(|series| series.value > 0.5);
    on.map(|series| (series.labels["path"].clone(), series.labels[label].clone())).collect()
}

/// For each path, the sum of its series.
fn by_path(metrics: &Metrics, name: &str) -> BTreeMap<String, f64> {
    let mut sums = BTreeMap::new();
    for series in metrics.all(name, &[]) {
        *sums.entry(series.labels["path"].clone()).or_default() += series.value;
    }
    sums
}

/// The verdicts that are correct for a path.
fn truth(path: usize, wrong: Option<Wrong>) -> &'static [&'static str] {
    match (path, wrong) {
        (path, None) if path < LIVE => &["ok"],
        (path, _) if path < LIVE && wrong == Some(Wrong::Silent) => &["unreachable"],
        (path, _) if path < LIVE && wrong == Some(Wrong::Hole) => &["blackhole"],
        (path, _) if path < LIVE => &["lossy"],
        (path, _) if path < LIVE + MUTE => &["unreachable"],
        // A packet to an address that nobody has never leaves this host; if the kernel says so,
        // nothing is claimed.
        _ => &["unreachable", "unknown"],
    }
}
