//! The exporter in the lab: its configuration, its process on a host, its /metrics, its `check`.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::{Family, Lab, fault::Fault, metrics::Metrics, namespace::Namespace, numbers::Place, runs, sshd};

/// Its address inside its namespace; it listens on all addresses.
pub const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 14_789);

/// How often it reads the lab's routers.
pub const SCRAPE_INTERVAL: Duration = Duration::from_secs(2);

/// The privileges of an exporter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rights {
    /// All capabilities.
    All,
    /// No capability, but ping sockets are allowed.
    Pings,
}

/// A running exporter; dropping it ends it.
#[derive(Debug)]
pub struct Exporter {
    child: Child,
    namespace: Namespace,
    log: PathBuf,
}

/// The configuration's path.
pub fn config(lab: &Lab) -> PathBuf {
    lab.directory().join("config.yml")
}

/// The name of the path to a host over one family.
pub fn path_name(host: &str, family: Family) -> String {
    match family {
        Family::V4 => host.to_owned(),
        Family::V6 => format!("{host}-ipv6"),
    }
}

/// Writes the configuration a person would write for this overlay, with a path to each host over
/// each of the families.
pub fn write_config(lab: &Lab, fault: &Fault, families: &[Family]) -> Result<()> {
    let here = lab.numbers.site(lab.exporter_at);
    let interval = fault.scrape_seconds.unwrap_or(SCRAPE_INTERVAL.as_secs());
    let mut text = format!("site: {}\nscrape_interval: {interval}s\n", here.label);
    if let Some(probes) = &fault.underlay_probes {
        writeln!(text, "underlay_probes: {probes}")?;
    }
    text.push_str("routers:\n");
    for place in Place::ALL {
        let site = lab.numbers.site(place);
        write!(
            text,
            "  - name: {}\n    site: {}\n    ssh: {{ address: {}, username: {}, private_key_file: {}, \
             known_hosts_file: {} }}\n",
            site.router,
            site.label,
            site.management,
            sshd::USER,
            sshd::private_key(lab).display(),
            sshd::known_hosts(lab).display(),
        )?;
    }
    text.push_str("paths:\n");
    let targets = Place::ALL.into_iter().filter(|place| *place != lab.exporter_at);
    for (place, family) in targets.flat_map(|place| families.iter().map(move |family| (place, *family))) {
        let site = lab.numbers.site(place);
        let address: IpAddr = match family {
            Family::V4 => site.host_address.into(),
            Family::V6 => site.host_address_v6().into(),
        };
        write!(
            text,
            "  - name: {}\n    site: {}\n    address: '{address}'\n    tcp_port: {}\n",
            path_name(site.host, family),
            site.label,
            fault.tcp_port.unwrap_or(site.https_port)
        )?;
    }
    fs::write(config(lab), text)?;
    Ok(())
}

/// Runs `check` where the exporter runs, and returns its output.
pub fn check(lab: &Lab, binary: &Path, arguments: &[&str]) -> Result<Output> {
    let file = format!("--config.file={}", config(lab).display());
    let binary = binary.to_str().context("the exporter's path is not UTF-8")?;
    let mut words = vec!["check", file.as_str()];
    words.extend(arguments);
    lab.vantage().output(binary, &words)
}

/// Runs `probe` on A's host, like a person without a configuration, and returns its output.
pub fn probe(lab: &Lab, binary: &Path, arguments: &[&str]) -> Result<Output> {
    let binary = binary.to_str().context("the exporter's path is not UTF-8")?;
    let mut words = vec!["probe"];
    words.extend(arguments);
    lab.host(Place::SiteA).output(binary, &words)
}

impl Exporter {
    /// Starts `serve` and waits until it answers.
    pub fn start(lab: &Lab, binary: &Path) -> Result<Self> {
        Self::start_with(lab, binary, Rights::All)
    }

    /// Starts `serve` with these privileges and waits until it answers.
    pub fn start_with(lab: &Lab, binary: &Path, rights: Rights) -> Result<Self> {
        ensure!(binary.is_file(), "no exporter at {}; build it first", binary.display());
        let namespace = lab.vantage();
        let binary_name = binary.to_str().context("the exporter's path is not UTF-8")?;
        let mut command = match rights {
            Rights::All => namespace.command(binary_name),
            Rights::Pings => {
                namespace.sysctl("net/ipv4/ping_group_range", "0 0")?;
                let mut command = namespace.command("setpriv");
                // It stays user root, so that it may read its keys.
                command.args(["--bounding-set=-all", "--inh-caps=-all", binary_name]);
                command
            }
        };
        command
            .arg("serve")
            .arg(format!("--config.file={}", config(lab).display()))
            .arg(format!("--web.listen-address=0.0.0.0:{}", LISTEN.port()));
        Self::start_by(lab, command)
    }

    /// Starts the exporter by any command; it must answer at [`LISTEN`] in the namespace of the
    /// vantage point.
    pub fn start_by(lab: &Lab, mut command: Command) -> Result<Self> {
        runs::halt_if_stopping();
        let log = lab.directory().join("exporter.log");
        let file = File::create(&log)?;
        let namespace = lab.vantage().clone();
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::from(file.try_clone()?))
            .stderr(Stdio::from(file))
            .process_group(0)
            .spawn()
            .with_context(|| format!("starting {command:?}"))?;
        let mut exporter = Self { child, namespace, log };
        let end = Instant::now() + Duration::from_mins(1);
        loop {
            if let Some(status) = exporter.child.try_wait()? {
                bail!("the exporter ended at once ({status}); it said:\n{}", exporter.log());
            }
            match exporter.metrics() {
                Ok(_) => return Ok(exporter),
                Err(error) if Instant::now() > end => {
                    bail!("no /metrics after a minute: {error:#}; the exporter said:\n{}", exporter.log())
                }
                Err(_) => thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    /// The present /metrics.
    pub fn metrics(&self) -> Result<Metrics> {
        Ok(Metrics::parse(&self.get("/metrics")?))
    }

    /// Reads a page that must exist.
    pub fn get(&self, page: &str) -> Result<String> {
        self.get_as(page, "*/*")
    }

    /// A page in the form that a client with this `Accept` gets.
    pub fn get_as(&self, page: &str, accept: &str) -> Result<String> {
        let answer = self.request(page, accept).with_context(|| format!("reading {page}"))?;
        let (head, body) =
            answer.split_once("\r\n\r\n").with_context(|| format!("{page}: no HTTP answer"))?;
        let status = head.lines().next().unwrap_or_default();
        ensure!(status.contains(" 200 "), "{page}: {status}");
        Ok(body.to_owned())
    }

    fn request(&self, page: &str, accept: &str) -> io::Result<String> {
        let mut stream = self.namespace.dial(LISTEN)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(
            format!("GET {page} HTTP/1.0\r\nHost: {LISTEN}\r\nAccept: {accept}\r\n\r\n").as_bytes(),
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// The lines of its log that contain these words.
    pub fn logged(&self, words: &[&str]) -> Vec<String> {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines = text.lines().filter(|line| words.iter().all(|words| line.contains(words)));
        lines.map(str::to_owned).collect()
    }

    /// The last lines of its log.
    pub fn log(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(60)..].join("\n")
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs; an error with its log if not.
    pub fn must_run(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("the exporter has ended ({status}); it said:\n{}", self.log()),
        }
    }

    /// Sends SIGTERM and waits at most 10 s for its end; returns the exit status and how long it
    /// took.
    pub fn terminate(&mut self) -> Result<(ExitStatus, Duration)> {
        let begin = Instant::now();
        kill(Pid::from_raw(self.child.id().try_into()?), Signal::SIGTERM)?;
        while begin.elapsed() < Duration::from_secs(10) {
            if let Some(status) = self.child.try_wait()? {
                return Ok((status, begin.elapsed()));
            }
            thread::sleep(Duration::from_millis(10));
        }
        bail!("the exporter still runs 10 s after SIGTERM; it said:\n{}", self.log())
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
