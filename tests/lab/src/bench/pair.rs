//! Two network namespaces joined by a veth. The far one answers for every target.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{namespace::Namespace, runs};

/// Where the exporter listens.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 14_789);

/// The two namespaces. Dropping it removes them.
#[derive(Debug)]
pub struct Pair {
    id: String,
    /// Where probes are sent from.
    pub near: Namespace,
    /// Where they are answered.
    pub far: Namespace,
}

/// The address of a target.
pub fn target(number: usize) -> Ipv4Addr {
    let byte = |value: usize| u8::try_from(value).unwrap_or(u8::MAX);
    Ipv4Addr::new(10, 12, byte(number / 250), byte(number % 250 + 1))
}

/// The lines of the configuration for that many paths.
pub fn config(paths: usize) -> String {
    let mut text = "site: here\nprobe_budget_pps: 2000\npaths:\n".to_owned();
    for number in 0..paths {
        let address = target(number);
        let _ = writeln!(text, "- {{name: p{number}, site: s{number}, address: {address}}}");
    }
    text
}

impl Pair {
    /// Creates them.
    pub fn new() -> Result<Self> {
        let id = runs::begin()?;
        let near = Namespace::add(runs::namespace_name(&id, "near"))?;
        let far = Namespace::add(runs::namespace_name(&id, "far"))?;
        let pair = Self { id, near, far };
        pair.join(&pair.near)?;
        Ok(pair)
    }

    /// Like [`Pair::new`], with an existing namespace as the near one, e.g. that of a fleet of routers.
    pub fn beside(near: &Namespace) -> Result<Self> {
        let id = runs::begin()?;
        let far = Namespace::add(runs::namespace_name(&id, "far"))?;
        let pair = Self { id, near: near.clone(), far };
        pair.join(near)?;
        Ok(pair)
    }

    fn join(&self, near: &Namespace) -> Result<()> {
        near.ip(&format!("link add b0 type veth peer name b1 netns {}", self.far.name))?;
        for (namespace, device, address) in [(near, "b0", "10.8.0.1/16"), (&self.far, "b1", "10.8.0.2/16")] {
            namespace.ip(&format!("addr add {address} dev {device}"))?;
            namespace.ip(&format!("link set {device} up"))?;
        }
        self.far.ip("route add local 10.12.0.0/16 dev lo")?;
        near.ip("route add 10.12.0.0/16 via 10.8.0.2")
    }

    /// A file of this run.
    pub fn file(&self, name: &str) -> PathBuf {
        runs::directory(&self.id).join(name)
    }

    /// Echo requests that have reached the far namespace.
    pub fn arrived(&self) -> Result<u64> {
        let output = self.far.output("cat", &["/proc/net/snmp"])?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut lines = text.lines().filter(|line| line.starts_with("Icmp: "));
        let (names, values) = lines.next().zip(lines.next()).context("/proc/net/snmp has no Icmp")?;
        let place = names.split(' ').position(|name| name == "InEchos").context("no InEchos")?;
        Ok(values.split(' ').nth(place).unwrap_or_default().parse()?)
    }

    /// Starts a command of the near namespace.
    pub fn start(&self, name: &str, mut command: Command) -> Result<Process> {
        let log = self.file(&format!("{name}.log"));
        let file = File::create(&log)?;
        let child = command.stdout(file.try_clone()?).stderr(file).stdin(Stdio::null()).spawn();
        let child = child.with_context(|| format!("starting {name}"))?;
        Ok(Process { child, log })
    }

    /// Starts the exporter with this configuration; it may not answer yet.
    pub fn serve(&self, exporter: &Path, config: &str) -> Result<Process> {
        let file = self.file("config.yml");
        fs::write(&file, config)?;
        let mut command = self.near.command(exporter.to_str().context("the exporter's path is not UTF-8")?);
        command.arg("serve").arg(format!("--config.file={}", file.display()));
        command.arg(format!("--web.listen-address={LISTEN}"));
        self.start("exporter", command)
    }
}

/// The body of a page of the exporter in that namespace.
pub fn get(near: &Namespace, page: &str) -> Result<String> {
    get_at(near, LISTEN.port(), page)
}

/// The body of a page of a server in that namespace.
pub fn get_at(near: &Namespace, port: u16, page: &str) -> Result<String> {
    let mut stream = near.dial(SocketAddr::new(LISTEN.ip(), port))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    stream.write_all(format!("GET {page} HTTP/1.0\r\nHost: {LISTEN}\r\n\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no HTTP answer")?;
    ensure!(head.lines().next().unwrap_or_default().contains(" 200 "), "{page}: {head}");
    Ok(body.to_owned())
}

/// /metrics, once the exporter answers.
pub fn first_metrics(near: &Namespace, process: &mut Process) -> Result<String> {
    let end = Instant::now() + Duration::from_mins(1);
    loop {
        process.must_run()?;
        match get(near, "/metrics") {
            Ok(text) => return Ok(text),
            Err(error) if Instant::now() > end => bail!("{error:#}; it said: {}", process.log()),
            Err(_) => thread::sleep(Duration::from_millis(50)),
        }
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        runs::remove(&self.id);
    }
}

/// A program that is measured. Dropping it ends it.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Its process id.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap_or_default())
    }

    /// What it printed.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// An error with its output if it has ended.
    pub fn must_run(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("it has ended ({status}): {}", self.log()),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = kill(self.pid(), Signal::SIGTERM);
        for _ in 0..100 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
