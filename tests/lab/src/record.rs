//! A real Prometheus beside the lab, for the pictures of the dashboards: some healthy minutes, the
//! article's failure, and some minutes after its commands were typed. Its data stay in a directory,
//! with the times of the phases.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, ensure};

use super::demo;
use lab::{
    Lab,
    exporter::{self, Exporter},
    fault::Fault,
    judge,
    numbers::{End, Numbers, Place},
    relay,
    traffic::Traffic,
};

/// The hole and its end are noticed within seconds; a busy machine may need more.
const PATIENCE: Duration = Duration::from_mins(1);

/// How long each phase lasts, in seconds.
#[derive(Debug, Clone, Copy)]
pub struct Phases {
    pub healthy: u64,
    pub broken: u64,
    pub mended: u64,
}

/// Records all phases into a directory, which must be empty or absent.
pub fn run(binary: &Path, into: &Path, phases: Phases) -> Result<()> {
    let taken = fs::read_dir(into).is_ok_and(|mut entries| entries.next().is_some());
    ensure!(!taken, "{} is not empty", into.display());
    fs::create_dir_all(into).with_context(|| format!("making {}", into.display()))?;
    let into = into.canonicalize()?;

    let lab = Lab::raise(&Numbers::article(), &Fault::load("healthy")?)?;
    let _traffic = Traffic::start(&lab, 100)?;
    let mut exporter = Exporter::start(&lab, binary)?;
    let address = relay::start(exporter::LISTEN.port(), lab.host(Place::SiteA).clone(), exporter::LISTEN)?;
    until(&mut exporter, |metrics| all_are(metrics, &lab, "ok") && judge::routers_say(metrics, 1500))?;
    let _prometheus = Process::start(prometheus(&into, address)?)?;

    let begin = now()?;
    println!("All is well; recording for {} s.", phases.healthy);
    pass(&mut exporter, phases.healthy)?;
    for end in End::ALL {
        lab.set_vxlan_mtu(end, 1450)?;
    }
    let broken = now()?;
    until(&mut exporter, |metrics| all_are(metrics, &lab, "blackhole") && demo::fix_is_complete(metrics))?;
    println!("Both paths are black holes; recording for {} s.", phases.broken);
    pass(&mut exporter, phases.broken)?;
    let mended = now()?;
    demo::type_commands(&lab, &exporter.metrics()?)?;
    until(&mut exporter, |metrics| all_are(metrics, &lab, "ok"))?;
    println!("Both paths are mended; recording for {} s.", phases.mended);
    pass(&mut exporter, phases.mended)?;
    let times = serde_json::json!({ "begin": begin, "broken": broken, "mended": mended, "end": now()? });
    fs::write(into.join("phases.json"), times.to_string())?;
    Ok(())
}

/// A process that ends with its owner.
struct Process(Child);

impl Process {
    fn start(mut command: Command) -> Result<Self> {
        let child = command.stdin(Stdio::null()).spawn().with_context(|| format!("starting {command:?}"))?;
        Ok(Self(child))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Debian's Prometheus with the rules unchanged; scrapes and evaluations are frequent, as the
/// recording is short.
fn prometheus(into: &Path, exporter: SocketAddr) -> Result<Command> {
    let rules = lab::project("alerts/*.yml");
    let config = serde_json::json!({
        "global": { "scrape_interval": "2s", "evaluation_interval": "2s" },
        "rule_files": [rules],
        "scrape_configs": [{
            "job_name": "vxlan-exporter",
            "static_configs": [{ "targets": [exporter.to_string()], "labels": { "instance": "node-a:14789" } }],
        }],
    });
    let file: PathBuf = into.join("prometheus.yml");
    fs::write(&file, config.to_string())?;
    let log = fs::File::create(into.join("prometheus.log"))?;
    let mut command = Command::new("prometheus");
    command
        .arg(format!("--config.file={}", file.display()))
        .arg(format!("--storage.tsdb.path={}", into.join("data").display()))
        .arg("--web.listen-address=127.0.0.1:0")
        .stdout(log.try_clone()?)
        .stderr(log);
    Ok(command)
}

fn now() -> Result<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())
}

fn pass(exporter: &mut Exporter, seconds: u64) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < end {
        exporter.must_run()?;
        thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}

fn all_are(metrics: &lab::metrics::Metrics, lab: &Lab, verdict: &str) -> bool {
    [Place::Dc, Place::SiteB]
        .iter()
        .all(|place| judge::verdict(metrics, lab.numbers.site(*place).host) == verdict)
}

fn until(exporter: &mut Exporter, seen: impl Fn(&lab::metrics::Metrics) -> bool) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    while !seen(&exporter.metrics()?) {
        exporter.must_run()?;
        ensure!(Instant::now() < end, "not seen within {} s; {}", PATIENCE.as_secs(), exporter.log());
        thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}
