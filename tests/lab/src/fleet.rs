//! Many routers for tests, and the exporter as a process beside them. A single real OpenSSH server
//! runs, and every address of 127.0.0.0/8 is a router. The exporter's own script runs there; only
//! `ip` and `bridge` are replaced by files.
//!
//! `r0` is the hub; every other router has one tunnel to it.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs::{self, File},
    io::{self, Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;

use crate::{
    namespace::Namespace,
    ssh_router::{Router, with_router},
};

/// The port that all of them listen on.
pub const PORT: u16 = 2223;

/// Longer than anything here takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_mins(3);

/// Routers `r0` … in a network namespace of their own.
pub struct Fleet<'r> {
    router: &'r Router,
    count: usize,
    files: PathBuf,
}

/// Runs `test` in the namespace of `count` routers.
pub fn with_fleet(count: usize, test: impl FnOnce(&Fleet<'_>) + Send) {
    let files = tempfile::tempdir().expect("make a directory");
    for number in 0..count {
        write_router(files.path(), number, count);
    }
    let sshd_config = format!(
        "ListenAddress 0.0.0.0:{PORT}\nMaxStartups 1000\nForceCommand {}\n",
        write_shell(&files).display()
    );
    with_router(&sshd_config, |router| {
        let key = router.host_key("ed25519");
        let known = (0..count).fold(String::new(), |mut known, number| {
            let _ = writeln!(known, "[{}]:{PORT} {key}", address(number));
            known
        });
        router.know(&known);
        // Paths need an interface other than loopback; nobody answers on this one.
        router.ip("link add d0 type veth peer name d0p");
        router.ip("link set d0p up");
        router.ip("addr add 10.9.0.1/24 dev d0");
        router.ip("link set d0 up");
        test(&Fleet { router, count, files: files.path().to_owned() });
    });
}

/// The address to log in to a router.
pub fn address(number: usize) -> String {
    format!("127.1.{}.{}", number / 250, number % 250 + 1)
}

fn vtep(number: usize) -> String {
    format!("10.1.{}.{}", number / 250, number % 250 + 1)
}

/// Writes what `ip` prints on a router: its underlay, and a tunnel to the hub, or to everyone.
fn write_router(directory: &Path, number: usize, count: usize) {
    let link = |index: usize, name: &str, more: &str| {
        format!(
            r#"{{"ifindex":{index},"ifname":"{name}","flags":["UP"],"mtu":1500,"operstate":"UP","link_type":"ether",{more},
"stats64":{{"rx":{{"bytes":0,"packets":0,"errors":0,"dropped":0}},"tx":{{"bytes":0,"packets":0,"errors":0,"dropped":0}}}}}}"#
        )
    };
    let underlay = format!(r#""addr_info":[{{"local":"{}"}}]"#, vtep(number));
    let mut links = vec![link(2, "eth0", &underlay), link(3, "br01", r#""linkinfo":{"info_kind":"bridge"}"#)];
    let peers = if number == 0 { 1..count } else { 0..1 };
    for (index, peer) in peers.enumerate() {
        let vni = number.max(peer);
        let vxlan = format!(
            r#""master":"br01","linkinfo":{{"info_kind":"vxlan","info_data":{{"id":{vni},"remote":"{}","port":8472}}}}"#,
            vtep(peer)
        );
        links.push(link(index + 4, &format!("vxlan{vni}"), &vxlan));
    }
    fs::write(directory.join(address(number)), format!("[{}]", links.join(","))).expect("write a router");
}

/// A login shell in which `ip` and `bridge` print files chosen by the address that was logged in
/// to.
fn write_shell(files: &TempDir) -> PathBuf {
    let shell = files.path().join("shell");
    let text = format!(
        r#"#!/bin/sh
set -- $SSH_CONNECTION
FILE={}/$3
[ -e "${{FILE%/*}}/record" ] && printf '%s' "$SSH_ORIGINAL_COMMAND" >"${{FILE%/*}}/script"
ip() {{
    case "$*" in
    *addr*) cat "$FILE" ;;
    *route*) echo '[{{"dst":"'"${{5:-$4}}"'","dev":"eth0"}}]' ;;
    *) return 1 ;;
    esac
}}
bridge() {{
    case "$*" in
    *fdb*) [ -r "$FILE.fdb" ] && cat "$FILE.fdb" || echo '[]' ;;
    *) echo '[]' ;;
    esac
}}
eval "$SSH_ORIGINAL_COMMAND"
"#,
        files.path().display()
    );
    fs::write(&shell, text).expect("write the shell");
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&shell, executable).expect("make it executable");
    shell
}

impl Fleet<'_> {
    /// The configuration entry of router `number`, with these lines added.
    pub fn router(&self, number: usize, more: &str) -> String {
        self.router_at(number, &address(number), PORT, more)
    }

    /// The configuration entry of router `number` at another address and port.
    pub fn router_at(&self, number: usize, address: &str, port: u16, more: &str) -> String {
        format!(
            "- name: r{number}\n  site: s{number}\n  ssh: {{ address: {address}, port: {port}, username: root, \
             private_key_file: {}, known_hosts_file: {} }}\n{more}",
            self.router.path("user").display(),
            self.router.path("known_hosts").display()
        )
    }

    /// Makes the host keys of this address and port trusted for any host.
    pub fn know_everyone(&self, address: &str, port: u16) {
        let file = self.router.path("known_hosts");
        let known = fs::read_to_string(file).expect("read known_hosts");
        self.router.know(&format!("{known}[{address}]:{port} {}\n", self.router.host_key("ed25519")));
    }

    /// Sets what `ip addr` and `bridge fdb` print on router `number` from now on; `None` restores
    /// the original output.
    pub fn say(&self, number: usize, links: Option<&str>, entries: Option<&str>) {
        let file = self.files.join(address(number));
        // Renamed into place, so that nobody reads half of it.
        let put = |file: PathBuf, text: &str| {
            let draft = self.files.join("draft");
            fs::write(&draft, text).expect("write what a router says");
            fs::rename(&draft, file).expect("put it in place");
        };
        put(self.files.join(format!("{}.fdb", address(number))), entries.unwrap_or("[]"));
        match links {
            Some(links) => put(file, links),
            None => write_router(&self.files, number, self.count),
        }
    }

    /// The configuration entries of all routers.
    pub fn routers(&self) -> String {
        (0..self.count).map(|number| self.router(number, "")).collect()
    }

    /// Writes a configuration with that name.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let file = self.router.path(name);
        // Renamed into place, as editors and Kubernetes do it: a half-written file is never read.
        let draft = self.router.path("draft");
        fs::write(&draft, text).expect("write a configuration");
        fs::rename(&draft, &file).expect("put it in place");
        file
    }

    /// The network namespace of all routers.
    pub fn namespace(&self) -> Namespace {
        Namespace { name: self.router.namespace.clone() }
    }

    /// The private key that every router accepts.
    pub fn key(&self) -> PathBuf {
        self.router.path("user")
    }

    /// Lets the routers write the commands that they are given to the file [`Fleet::script`].
    pub fn record(&self) {
        fs::write(self.files.join("record"), "").expect("write a file");
    }

    /// The last command that a router was given, once [`Fleet::record`] was called.
    pub fn script(&self) -> PathBuf {
        self.files.join("script")
    }

    /// The number of logins so far.
    pub fn logins(&self) -> usize {
        self.router.log().matches("Accepted publickey").count()
    }

    /// Starts `serve` with these additional flags and waits until it answers.
    pub fn serve(&self, binary: &Path, config: &Path, port: u16, flags: &[&str]) -> Exporter {
        let log = self.router.path(&format!("exporter-{port}.log"));
        let file = File::create(&log).expect("make a log");
        let child = Command::new(binary)
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .args(flags)
            .stderr(file)
            .spawn()
            .expect("start the exporter");
        let exporter = Exporter { child, port, log };
        let end = Instant::now() + PATIENCE;
        while exporter.try_ask("GET", "/-/ready").is_err() {
            assert!(Instant::now() < end, "it does not answer: {}", exporter.log());
            thread::sleep(Duration::from_millis(20));
        }
        exporter
    }
}

/// The exporter as a process. Dropping it ends it.
pub struct Exporter {
    child: Child,
    port: u16,
    log: PathBuf,
}

/// One scrape: values by series.
pub type Metrics = BTreeMap<String, f64>;

impl Exporter {
    fn try_ask(&self, method: &str, page: &str) -> io::Result<(u16, String)> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "{method} {page} HTTP/1.0\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
        status.zip(body).ok_or_else(|| io::Error::other(answer))
    }

    /// Status and body of a page.
    pub fn ask(&self, method: &str, page: &str) -> (u16, String) {
        self.try_ask(method, page)
            .unwrap_or_else(|error| panic!("{method} {page}: {error}; it said: {}", self.log()))
    }

    /// The present /metrics.
    pub fn metrics(&self) -> Metrics {
        let (status, text) = self.ask("GET", "/metrics");
        assert_eq!(status, 200, "{text}");
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        samples
            .filter_map(|line| line.rsplit_once(' '))
            .filter_map(|(series, value)| Some((series.to_owned(), value.parse().ok()?)))
            .collect()
    }

    /// Waits until the metrics satisfy `wanted`.
    #[track_caller]
    pub fn wait_for(&self, what: &str, mut wanted: impl FnMut(&Metrics) -> bool) -> Metrics {
        let end = Instant::now() + PATIENCE;
        loop {
            let metrics = self.metrics();
            if wanted(&metrics) {
                return metrics;
            }
            assert!(Instant::now() < end, "{what}: not within {PATIENCE:?}; it said: {}", self.log());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).expect("it runs");
    }

    /// What it logged.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The names of its present threads.
    pub fn threads(&self) -> Vec<String> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.pid())).expect("it runs");
        // A thread may end meanwhile.
        tasks.flatten().filter_map(|task| fs::read_to_string(task.path().join("comm")).ok()).collect()
    }

    /// Waits until it ends by itself.
    pub fn wait_for_end(&mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.child.try_wait().expect("it is our child") {
                Some(status) => return status,
                None if Instant::now() > end => panic!("it does not end: {}", self.log()),
                None => thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    /// Its process id.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().try_into().expect("a process id"))
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The values of a family, by one label.
pub fn by_label(metrics: &Metrics, family: &str, label: &str) -> BTreeMap<String, f64> {
    let series = metrics.iter().filter(|(series, _)| series.split('{').next() == Some(family));
    series
        .filter_map(|(series, value)| {
            let (_, after) = series.split_once(&format!("{label}=\""))?;
            Some((after.split('"').next()?.to_owned(), *value))
        })
        .collect()
}
