//! An exporter whose stderr may be anything, with a client for plain HTTP.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// A running exporter.
pub struct Started {
    child: Child,
    directory: TempDir,
    port: u16,
}

impl Started {
    /// Starts it and waits until it answers. It gets a port that was free before, as it may have no
    /// log to report one in.
    pub fn new(config: &str, stderr: Stdio, environment: &[(&str, &str)], flags: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("config.yml");
        fs::write(&file, config).expect("written");
        let port = crate::support::free_port();
        let child = Command::new(crate::BINARY)
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .args(flags)
            .envs(environment.iter().copied())
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn()
            .expect("it starts");
        let mut started = Self { child, directory, port };
        started.wait_for("it answers", |started| {
            let ended = started.child.try_wait().expect("a state");
            assert!(ended.is_none(), "it ended before it answered: {ended:?}");
            started.ask("/-/healthy").is_some()
        });
        started
    }

    /// Exit code and output of `vxlan_exporter healthy`.
    pub fn healthy(&self) -> (Option<i32>, String) {
        let port = format!("--port={}", self.port);
        let output = Command::new(crate::BINARY).args(["healthy", &port]).output().expect("it runs");
        (output.status.code(), String::from_utf8(output.stdout).expect("text"))
    }

    /// Writes another configuration in one step.
    pub fn configure(&self, config: &str) {
        fs::write(self.directory.path().join("config.yml"), config).expect("written");
        self.signal(Signal::SIGHUP);
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().try_into().expect("a pid")), signal).expect("sent");
    }

    /// Sends SIGTERM; returns its exit code.
    pub fn terminate(&mut self) -> Option<i32> {
        self.signal(Signal::SIGTERM);
        self.ended()
    }

    /// Waits for its end; returns its exit code.
    pub fn ended(&mut self) -> Option<i32> {
        let mut code = None;
        self.wait_for("it ends", |started| {
            let status = started.child.try_wait().expect("a state");
            code = status.and_then(|status| status.code());
            status.is_some()
        });
        code
    }

    /// Status and text of a page; `None` while it does not answer.
    pub fn ask(&self, page: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
        write!(stream, "GET {page} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").ok()?;
        let mut text = String::new();
        stream.read_to_string(&mut text).ok()?;
        let status = text.split(' ').nth(1)?.parse().ok()?;
        Some((status, text.split_once("\r\n\r\n")?.1.to_owned()))
    }

    /// The status of a page; 0 while it does not answer.
    pub fn status(&self, page: &str) -> u16 {
        self.ask(page).map_or(0, |(status, _)| status)
    }

    /// `/metrics`; empty while it does not answer.
    pub fn metrics(&self) -> String {
        self.ask("/metrics").map_or_else(String::new, |(_, text)| text)
    }

    /// Waits until a condition holds.
    pub fn wait_for(&mut self, what: &str, mut holds: impl FnMut(&mut Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !holds(self) {
            assert!(Instant::now() < end, "{what}: not within {PATIENCE:?}:\n{}", self.metrics());
            thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The sum of the samples whose names begin like this.
pub fn metric(text: &str, begins: &str) -> f64 {
    text.lines()
        .filter(|line| line.starts_with(begins))
        .filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok())
        .sum()
}
