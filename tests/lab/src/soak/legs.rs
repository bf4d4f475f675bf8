//! The soak of the underlay's probes: three routers, `underlay_probes: always`, and faults of the
//! underlay at known times. What pings cost the routers is compared with what their scrapes cost,
//! and nothing false may be said of a leg.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};

use super::growth::{self, Sample};
use crate::{
    Family, Lab,
    exporter::{self, Exporter},
    fault::Fault,
    judge,
    metrics::Metrics,
    namespace::Namespace,
    numbers::{Numbers, Place, Tunnel},
};

const LOOK: Duration = Duration::from_secs(2);
/// Seconds between two scrapes of a router.
const SCRAPE: u64 = 10;
/// What the tunnels need, bytes of outer packet.
const NEEDED: f64 = 1550.0;
/// So long after it began a fault must be seen.
const SEEN: Duration = Duration::from_mins(6);
/// Most loss of a healthy leg, on a machine that has other work.
const LOSS: f64 = 0.03;
const MIB: f64 = 1024.0 * 1024.0;
const TICKS: f64 = 100.0;

/// What is wrong with the leg between the DC and B.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Nothing,
    /// More than 1478 bytes vanish.
    Hole,
    /// More than 1478 bytes are answered "fragmentation needed".
    Signals,
    /// 20 % are lost.
    Loss,
}

/// The faults, in shares of the whole time.
const SCRIPT: [(f64, Wrong); 7] = [
    (0.0, Wrong::Nothing),
    (0.05, Wrong::Hole),
    (0.16, Wrong::Nothing),
    (0.28, Wrong::Loss),
    (0.4, Wrong::Nothing),
    (0.62, Wrong::Signals),
    (0.73, Wrong::Nothing),
];

impl Wrong {
    /// So long after its end a leg may still be told as it was: it is measured every five minutes,
    /// what was lost counts for ten, and a kernel remembers a signal for ten.
    fn stale(self) -> Duration {
        Duration::from_mins(match self {
            Self::Nothing => 0,
            Self::Hole => 6,
            Self::Loss => 11,
            Self::Signals => 16,
        })
    }

    /// So long after its end a path may still be judged by it: a signal is remembered for ten
    /// minutes, by the kernels on the way and by the exporter (RFC 1191 section 6.3).
    fn settles(self) -> Duration {
        Duration::from_mins(if self == Self::Signals { 11 } else { 6 })
    }
}

/// What was measured.
#[derive(Debug)]
pub struct Report {
    length: Duration,
    /// What must not have been said, and what was not said in time.
    pub findings: BTreeSet<String>,
    looked_at: u64,
    samples: Vec<Sample>,
    /// CPU seconds of the routers, and scrapes, without pings and with them.
    quiet: (f64, f64),
    asked: (f64, f64),
    /// Turns of the legs that were seen to end.
    turns: f64,
}

/// Runs a tenth of the time without pings, and then the time with them.
pub fn run(binary: &Path, length: Duration) -> Result<Report> {
    let mut fault = Fault::load("healthy")?;
    fault.scrape_seconds = Some(SCRAPE);
    let lab = Lab::raise(&Numbers::article(), &fault)?;
    let quiet = {
        let _exporter = start(&lab, binary, &mut fault, "never")?;
        let (began, before) = (Instant::now(), cpu(&lab)?);
        thread::sleep(length / 10);
        (cpu(&lab)? - before, scrapes(began.elapsed()))
    };
    let mut exporter = start(&lab, binary, &mut fault, "always")?;
    let mut soak = Soak::new(length);
    let before = cpu(&lab)?;
    while soak.began.elapsed() < length {
        exporter.must_run()?;
        soak.step(&lab, &exporter)?;
        thread::sleep(LOOK);
    }
    let asked = (cpu(&lab)? - before, scrapes(soak.began.elapsed()));
    let Soak { findings, looked_at, samples, turns, .. } = soak;
    Ok(Report { length, findings, looked_at, samples, quiet, asked, turns })
}

/// Starts the exporter and waits until all routers are read and nothing starts any more.
fn start(lab: &Lab, binary: &Path, fault: &mut Fault, probes: &str) -> Result<Exporter> {
    fault.underlay_probes = Some(probes.to_owned());
    exporter::write_config(lab, fault, &[Family::V4])?;
    let exporter = Exporter::start(lab, binary)?;
    judge::wait_for_routers(&exporter, 1500)?;
    thread::sleep(Duration::from_secs(2 * SCRAPE));
    Ok(exporter)
}

/// Scrapes of all routers in that time.
fn scrapes(time: Duration) -> f64 {
    3.0 * time.as_secs_f64() / Duration::from_secs(SCRAPE).as_secs_f64()
}

/// CPU seconds of all that runs on the routers, with what has ended and was waited for.
fn cpu(lab: &Lab) -> Result<f64> {
    let mut ticks = 0.0;
    for place in Place::ALL {
        for pid in pids(lab.router(place))? {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let after = stat.rsplit_once(") ").map_or("", |(_, after)| after);
            let fields = after.split(' ').skip(11).take(4).filter_map(|field| field.parse::<f64>().ok());
            ticks += fields.sum::<f64>();
        }
    }
    Ok(ticks / TICKS)
}

fn pids(router: &Namespace) -> Result<Vec<u32>> {
    let output = Command::new("ip").args(["netns", "pids", &router.name]).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect())
}

struct Soak {
    began: Instant,
    length: Duration,
    now: Wrong,
    /// When it last changed, since the start.
    since: Duration,
    /// Until when it may be told as it was before.
    stale_until: Duration,
    settled_at: Duration,
    /// Whether the present fault was seen.
    seen: bool,
    findings: BTreeSet<String>,
    looked_at: u64,
    samples: Vec<Sample>,
    turns: f64,
    probed: BTreeMap<String, f64>,
}

impl Soak {
    fn new(length: Duration) -> Self {
        Self {
            began: Instant::now(),
            length,
            now: Wrong::Nothing,
            since: Duration::ZERO,
            stale_until: Duration::ZERO,
            settled_at: Duration::from_mins(6),
            seen: true,
            findings: BTreeSet::new(),
            looked_at: 0,
            samples: Vec::new(),
            turns: 0.0,
            probed: BTreeMap::new(),
        }
    }

    fn step(&mut self, lab: &Lab, exporter: &Exporter) -> Result<()> {
        let at = self.began.elapsed();
        let due = |share: &f64| at.as_secs_f64() >= self.length.as_secs_f64() * share;
        let wrong = SCRIPT.iter().rev().find(|(share, _)| due(share)).map_or(Wrong::Nothing, |it| it.1);
        if wrong != self.now {
            self.missed(at);
            set(lab, self.now, false)?;
            set(lab, wrong, true)?;
            println!("{} s: {wrong:?}", at.as_secs());
            self.stale_until = at + self.now.stale();
            self.settled_at = at + self.now.settles();
            (self.now, self.since, self.seen) = (wrong, at, wrong == Wrong::Nothing);
        }
        let metrics = exporter.metrics()?;
        self.look(lab, &metrics, at);
        for tunnel in [Tunnel::A, Tunnel::B] {
            let name = lab.numbers.tunnel_name(tunnel);
            let said = exporter.get(&format!("/api/v1/tunnels/{name}"))?;
            self.listen(tunnel, &said, at);
        }
        self.samples.push(Sample::take(exporter.pid(), at)?);
        if !self.seen && at > self.since + SEEN {
            self.missed(at);
            self.seen = true;
        }
        Ok(())
    }

    fn missed(&mut self, at: Duration) {
        if !self.seen && at > self.since + SEEN {
            self.findings.insert(format!("{:?} of {} s was not seen", self.now, self.since.as_secs()));
        }
    }

    fn is_healthy(&self, tunnel: Tunnel, at: Duration) -> bool {
        tunnel == Tunnel::A || (self.now == Wrong::Nothing && at >= self.stale_until)
    }

    fn look(&mut self, lab: &Lab, metrics: &Metrics, at: Duration) {
        for tunnel in [Tunnel::A, Tunnel::B] {
            let name = lab.numbers.tunnel_name(tunnel);
            let labels = [("tunnel", name.as_str())];
            let healthy = self.is_healthy(tunnel, at);
            for leg in metrics.all("vxlan_tunnel_underlay_mtu_bytes", &labels) {
                self.looked_at += 1;
                if healthy && leg.value.to_bits() != NEEDED.to_bits() {
                    self.findings.insert(format!("{} s: {name} carries {}", at.as_secs(), leg.value));
                }
                self.seen |= tunnel == Tunnel::B
                    && leg.value.to_bits() == 1478.0_f64.to_bits()
                    && matches!(self.now, Wrong::Hole | Wrong::Signals);
            }
            for leg in metrics.all("vxlan_tunnel_underlay_loss_ratio", &labels) {
                self.looked_at += 1;
                if healthy && leg.value > LOSS {
                    self.findings.insert(format!("{} s: {name} loses {}", at.as_secs(), leg.value));
                }
                self.seen |= tunnel == Tunnel::B && leg.value > LOSS && self.now == Wrong::Loss;
            }
            for leg in metrics.all("vxlan_tunnel_underlay_probed_timestamp_seconds", &labels) {
                let key = format!("{name} {:?}", leg.labels.get("from"));
                let before = self.probed.insert(key, leg.value);
                self.turns += f64::from(u8::from(before.is_some_and(|before| before < leg.value)));
            }
        }
        // A fault may be told a while later, and its end too.
        let rancher = judge::verdict(metrics, lab.numbers.dc.host);
        if at > Duration::from_mins(1) && rancher != "ok" {
            self.findings.insert(format!("{} s: rancher is {rancher}", at.as_secs()));
        }
        let node_b = judge::verdict(metrics, lab.numbers.site_b.host);
        if self.now == Wrong::Nothing && at > self.settled_at && node_b != "ok" {
            self.findings.insert(format!("{} s: node-b is {node_b}", at.as_secs()));
        }
    }

    /// What must never be said of a tunnel in its present state.
    fn listen(&mut self, tunnel: Tunnel, said: &str, at: Duration) {
        // Only sentences: the answer has keys beside them, and history.
        let answer = said.split_once("\r\n\r\n").map_or(said, |(_, body)| body);
        let evidence = serde_json::from_str::<serde_json::Value>(answer)
            .map(|tunnel| tunnel["evidence"].to_string())
            .unwrap_or_default();
        let said = evidence.as_str();
        let healthy = self.is_healthy(tunnel, at);
        let mut never =
            vec!["is not measured", "perhaps a firewall", "cuts outer packets", "get lost on the way"];
        if healthy {
            never.extend(["swallows", "fragmentation needed", "remembers"]);
        }
        for words in never.into_iter().filter(|words| said.contains(words)) {
            self.findings.insert(format!("{} s: of {tunnel:?} it says {words:?}", at.as_secs()));
        }
    }
}

/// Begins or ends a fault on the leg between the DC and B.
fn set(lab: &Lab, wrong: Wrong, on: bool) -> Result<()> {
    let rules: &[&str] = match wrong {
        Wrong::Nothing => return Ok(()),
        Wrong::Signals => {
            let way = crate::underlay::Way::Plain;
            return if on {
                way.narrow_core(lab, Place::SiteB, 1478)
            } else {
                way.widen_core(lab, Place::SiteB)
            };
        }
        Wrong::Hole => {
            &["oifname to-site-b ip length > 1478 drop", "iifname to-site-b ip length > 1478 drop"]
        }
        Wrong::Loss => &["oifname to-site-b numgen random mod 100 < 20 drop"],
    };
    let mut nft = vec!["add table inet soak".to_owned()];
    if on {
        nft.push("add chain inet soak forward { type filter hook forward priority 0; }".to_owned());
        nft.extend(rules.iter().map(|rule| format!("add rule inet soak forward {rule}")));
    } else {
        nft.push("delete table inet soak".to_owned());
    }
    lab.core().run("nft", &[&nft.join("; ")]).context("changing the core")
}

impl Report {
    /// Growth of memory in MiB per minute.
    pub fn slope(&self) -> f64 {
        let settled = growth::between(&self.samples, self.length / 6, self.length);
        growth::slope(&settled) * 60.0 / MIB
    }

    /// The figures, and what was found.
    pub fn table(&self) -> String {
        let memory = |from: Duration, to: Duration| {
            let samples = growth::between(&self.samples, from, to);
            samples.iter().map(|sample| sample.memory).fold(f64::INFINITY, f64::min) / MIB
        };
        let per_scrape = self.quiet.0 / self.quiet.1.max(1.0);
        let pings = self.asked.0 - per_scrape * self.asked.1;
        let scrapes = per_scrape * self.asked.1;
        let rows = [
            ("length", format!("{} s, and a tenth without pings", self.length.as_secs())),
            ("values looked at", self.looked_at.to_string()),
            ("findings", self.findings.len().to_string()),
            ("scrapes, turns of legs", format!("{:.0}, {:.0}", self.asked.1, self.turns)),
            ("routers' CPU a scrape", format!("{:.1} ms", per_scrape * 1e3)),
            ("routers' CPU a turn", format!("{:.1} ms", pings / self.turns.max(1.0) * 1e3)),
            ("pings' CPU to that of scrapes", format!("{:.3}", pings / scrapes)),
            (
                "memory settled, end",
                format!(
                    "{:.1}, {:.1} MiB",
                    memory(self.length / 6, self.length / 3),
                    memory(self.length * 5 / 6, self.length)
                ),
            ),
            ("memory slope", format!("{:+.4} MiB/min", self.slope())),
        ];
        let mut table = String::new();
        for (what, value) in rows {
            let _ = writeln!(table, "{what:<32}{value}");
        }
        for finding in &self.findings {
            let _ = writeln!(table, "FOUND: {finding}");
        }
        table
    }
}
