//! The exporter as a process on loopback, curl as its client, and certificates made by openssl.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running exporter with a directory of its own.
pub struct Exporter {
    child: Child,
    directory: TempDir,
    port: u16,
}

/// What curl is always told: the status comes on a line of its own after the body.
pub const CURL: [&str; 8] =
    ["--silent", "--show-error", "--noproxy", "*", "--max-time", "20", "--write-out", "\n%{http_code}"];

/// The answer that curl received.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status; 0 without an answer.
    pub status: u32,
    /// The body.
    pub body: String,
    /// curl's exit code.
    pub exit: i32,
}

/// Makes a directory for the exporter's files.
pub fn directory() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

/// Runs the exporter to its end.
pub fn run(arguments: &[&str]) -> Output {
    Command::new(crate::BINARY).args(arguments).output().expect("it runs")
}

impl Exporter {
    /// Starts it with `config.yml` of `directory` and these flags.
    pub fn start(directory: TempDir, flags: &[&str]) -> Self {
        Self::start_by(directory, &[crate::BINARY], flags)
    }

    /// Starts it by another command, to which the flags are added.
    pub fn start_by(directory: TempDir, command: &[&str], flags: &[&str]) -> Self {
        let log = File::create(directory.path().join("log")).expect("a file");
        let child = Command::new(command[0])
            .args(&command[1..])
            .arg(format!("--config.file={}", directory.path().join("config.yml").display()))
            .arg("--web.listen-address=127.0.0.1:0")
            .args(flags)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("it starts");
        let mut exporter = Self { child, directory, port: 0 };
        exporter.wait_for("it serves", |exporter| {
            let log = exporter.log();
            assert!(exporter.child.try_wait().expect("a state").is_none(), "it has ended: {log}");
            let port = log.lines().find(|line| line.contains("msg=serving")).and_then(|line| {
                line.split_once("127.0.0.1:")?.1.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
            });
            exporter.port = port.unwrap_or_default();
            exporter.port != 0
        });
        exporter
    }

    /// A file in its directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its log so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).expect("a log")
    }

    /// Requests a page, with curl's arguments; `scheme` is `http` or `https`.
    pub fn ask(&self, scheme: &str, page: &str, curl: &[&str]) -> Answer {
        let output = Command::new("curl")
            .args(CURL)
            .args(["--resolve", &format!("exporter.test:{}:127.0.0.1", self.port)])
            .args(curl)
            .arg(format!("{scheme}://exporter.test:{}{page}", self.port))
            .current_dir(self.directory.path())
            .output()
            .expect("curl runs");
        let said = String::from_utf8(output.stdout).expect("text");
        let (body, status) = said.rsplit_once('\n').expect("a status");
        Answer {
            status: status.parse().expect("a status"),
            body: body.to_owned(),
            exit: output.status.code().unwrap_or(-1),
        }
    }

    /// Waits until a condition holds.
    pub fn wait_for(&mut self, what: &str, mut holds: impl FnMut(&mut Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !holds(self) {
            assert!(
                Instant::now() < end,
                "{what}: not within {PATIENCE:?}; the exporter said:\n{}",
                self.log()
            );
            thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes `NAME.crt` and `NAME.key`: an authority, or a certificate of one, for `exporter.test`.
pub fn certificate(directory: &Path, name: &str, authority: Option<&str>) {
    let mut openssl = Command::new("openssl");
    openssl.current_dir(directory).args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
    ]);
    openssl.args(["-nodes", "-days", "2", "-subj", &format!("/CN={name}")]);
    openssl.args(["-keyout", &format!("{name}.key"), "-out", &format!("{name}.crt")]);
    if let Some(authority) = authority {
        openssl.args(["-CA", &format!("{authority}.crt"), "-CAkey", &format!("{authority}.key")]);
        openssl.args([
            "-addext",
            "basicConstraints=critical,CA:FALSE",
            "-addext",
            "subjectAltName=DNS:exporter.test",
        ]);
    }
    let output = openssl.output().expect("openssl runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
