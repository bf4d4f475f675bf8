//! A prober, a router and a reflector in three network namespaces: `near` - `mid` - `far`. The
//! router's nftables drop, translate and count; both binaries are the real one.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sched::{CloneFlags, setns},
    unistd::geteuid,
};
use tempfile::TempDir;

use ::lab::namespace::Namespace;

/// The reflector's host.
pub const FAR: &str = "10.77.2.2";
/// The reflector's host over IPv6.
pub const FAR_V6: &str = "fd77:2::2";
/// The router as the prober sees it.
pub const MID: &str = "10.77.1.1";
/// Runs as root without any capability.
const UNPRIVILEGED: [&str; 3] = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"];
const METRICS: &str = "127.0.0.1:14789";

/// The three namespaces and what runs in them; dropping it ends and removes everything.
pub struct Lab {
    near: String,
    mid: String,
    far: String,
    directory: TempDir,
    children: Vec<Child>,
}

impl Lab {
    /// Links with an MTU of 1500, no fault.
    pub fn new() -> Self {
        assert!(geteuid().is_root(), "these tests make network namespaces: run them as root");
        let name = |part| format!("rf{:08x}-{part}", fastrand::u32(..));
        let lab = Self {
            near: name("near"),
            mid: name("mid"),
            far: name("far"),
            directory: tempfile::tempdir().expect("a directory"),
            children: Vec::new(),
        };
        let names = [&lab.mid, &lab.near, &lab.far].map(Clone::clone).to_vec();
        let all = Namespace::add_all(names).expect("namespaces");
        let (mid, ends) = all.split_first().expect("three namespaces");
        let mut at_mid = vec!["link set lo up".to_owned()];
        for (leg, net, end) in [("near", 1, &ends[0]), ("far", 2, &ends[1])] {
            at_mid.extend([
                format!("link add {leg} type veth peer name eth0 netns {}", end.name),
                format!("addr add 10.77.{net}.1/24 dev {leg}"),
                format!("addr add fd77:{net}::1/64 dev {leg} nodad"),
                format!("link set {leg} up"),
            ]);
        }
        mid.batch(&at_mid).expect("the router's links");
        for (net, end) in [(1, &ends[0]), (2, &ends[1])] {
            let at_end = [
                "link set lo up".to_owned(),
                format!("addr add 10.77.{net}.2/24 dev eth0"),
                format!("addr add fd77:{net}::2/64 dev eth0 nodad"),
                "link set eth0 up".to_owned(),
                format!("route add default via 10.77.{net}.1"),
                format!("route add default via fd77:{net}::1"),
            ];
            end.batch(&at_end).expect("a host's link");
            // A veth passes super-packets where single packets would be lost.
            run_in(&end.name, "ethtool -K eth0 tso off gso off");
        }
        for key in ["net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"] {
            mid.sysctl(key, "1").expect("forwarding");
        }
        lab.nft(
            "add table ip lab; \
             add chain ip lab count { type filter hook forward priority -10; }; \
             add counter ip lab paid; add counter ip lab spent; add counter ip lab data; \
             add rule ip lab count ip protocol tcp iifname near counter name paid; \
             add rule ip lab count ip protocol tcp iifname far counter name spent; \
             add rule ip lab count ip protocol tcp iifname far meta length > 60 counter name data; \
             add chain ip lab forward { type filter hook forward priority 0; }; \
             add chain ip lab nat { type nat hook prerouting priority -100; }",
        );
        lab
    }

    /// Adds a fault or a translation by the router's nftables.
    pub fn nft(&self, words: &str) {
        run("ip", &["netns", "exec", &self.mid, "nft", words]);
    }

    /// Drops forwarded packets that `rule` matches; the router's legs are `near` and `far`.
    pub fn drop_where(&self, rule: &str) {
        self.nft(&format!("add rule ip lab forward {rule} drop"));
    }

    /// Makes the link to the prober slow, in bits per second.
    pub fn slow_down(&self, rate: &str) {
        run_in(&self.mid, &format!("tc qdisc add dev near root tbf rate {rate} burst 1600 latency 1s"));
    }

    /// Other traffic from the near host to the far one and back, in packets of `size` bytes, at
    /// this interval in seconds.
    pub fn echo_on(&mut self, size: u32, every: &str) {
        let ping = ["ip", "netns", "exec", &self.near, "ping", "-q", "-i", every, "-s"];
        let child = Command::new(ping[0])
            .args(&ping[1..])
            .args([&(size - 28).to_string(), FAR])
            .stdout(Stdio::null())
            .spawn()
            .expect("started");
        self.children.push(child);
    }

    /// Removes all faults.
    pub fn mend(&self) {
        self.nft("flush chain ip lab forward");
    }

    /// Sets the MTU of the router's leg to the far host: the router signals larger packets.
    pub fn set_far_leg(&self, mtu: u32) {
        run("ip", &["-n", &self.mid, "link", "set", "far", "mtu", &mtu.to_string()]);
    }

    /// Sets the MTU of the far host's own interface.
    pub fn set_far_host(&self, mtu: u32) {
        run("ip", &["-n", &self.far, "link", "set", "eth0", "mtu", &mtu.to_string()]);
    }

    /// Starts a reflector without any privilege and waits until it listens.
    pub fn reflect(&mut self, arguments: &[&str]) {
        let far = self.far.clone();
        let mut words = vec!["reflect", "--log.level=debug"];
        words.extend(arguments);
        self.start(&far, "reflector", &UNPRIVILEGED, &words);
        wait_until("the reflector listens", 20, || self.log("reflector").contains("msg=reflecting"));
    }

    /// Starts an exporter with one path.
    pub fn export(&mut self, path: &str) {
        self.export_with(&[], path);
    }

    /// Starts an exporter with one path, without any privilege.
    pub fn export_unprivileged(&mut self, path: &str) {
        self.export_with(&UNPRIVILEGED, path);
    }

    fn export_with(&mut self, wrapper: &[&str], path: &str) {
        let near = self.near.clone();
        let config = self.file("config.yml", &format!("site: a\npaths:\n- name: p\n  site: b\n{path}"));
        let flag = format!("--config.file={}", config.display());
        let listen = format!("--web.listen-address={METRICS}");
        self.start(&near, "exporter", wrapper, &["serve", &flag, &listen, "--log.level=debug"]);
    }

    /// Runs `check` with one path, as JSON.
    pub fn check(&self, path: &str) -> serde_json::Value {
        let config = self.file("check.yml", &format!("site: a\npaths:\n- name: p\n  site: b\n{path}"));
        let output = Command::new("ip")
            .args(["netns", "exec", &self.near, crate::BINARY, "check", "--format=json"])
            .arg(format!("--config.file={}", config.display()))
            .output()
            .expect("started");
        let errors = String::from_utf8_lossy(&output.stderr);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {errors}"))
    }

    fn start(&mut self, namespace: &str, name: &str, wrapper: &[&str], words: &[&str]) {
        let log = File::create(self.directory.path().join(name)).expect("a log");
        let child = Command::new("ip")
            .args(["netns", "exec", namespace])
            .args(wrapper)
            .arg(crate::BINARY)
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("started");
        self.children.push(child);
    }

    /// A file of this test.
    pub fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        fs::write(&path, content).expect("written");
        path
    }

    /// The log of `reflector` or `exporter`.
    pub fn log(&self, name: &str) -> String {
        fs::read_to_string(self.directory.path().join(name)).unwrap_or_default()
    }

    /// Ends the reflector or exporter that was started last.
    pub fn end_last(&mut self) {
        if let Some(mut child) = self.children.pop() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// A connection from the near host.
    pub fn dial(&self, address: &str) -> std::io::Result<TcpStream> {
        let address: SocketAddr = address.parse().expect("an address");
        self.inside(move || TcpStream::connect_timeout(&address, Duration::from_secs(3)))
    }

    /// Runs something on the near host. A socket stays in the namespace in which it was made.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let entry = File::open(format!("/run/netns/{}", self.near)).expect("the namespace");
        thread::scope(|scope| {
            let thread = scope.spawn(move || {
                setns(entry, CloneFlags::CLONE_NEWNET).expect("entered");
                work()
            });
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    fn get(&self, path: &str) -> String {
        let mut text = String::new();
        if let Ok(mut stream) = self.dial(METRICS) {
            let _ = write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            let _ = stream.read_to_string(&mut text);
        }
        text
    }

    /// `/metrics` of the exporter.
    pub fn metrics(&self) -> String {
        self.get("/metrics")
    }

    /// The sentences of evidence about the reflector.
    pub fn evidence(&self) -> Vec<String> {
        let answer = self.get("/api/v1/paths");
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        let report: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
        let paths = report["paths"].as_array().into_iter().flatten();
        let evidence = paths.flat_map(|path| path["evidence"].as_array().into_iter().flatten());
        let sentences = evidence.filter_map(|sentence| sentence.as_str());
        sentences.filter(|sentence| sentence.contains("reflector")).map(str::to_owned).collect()
    }

    /// What the reflector measured for `forward` or `reverse`.
    pub fn direction(&self, name: &str) -> String {
        let start = format!("{name}, reflector: ");
        let sentence = self.evidence().into_iter().find_map(|it| it.strip_prefix(&start).map(str::to_owned));
        sentence.unwrap_or_default()
    }

    /// Packets and bytes of IP packet of a counter: `paid` to the reflector, `spent` by it, `data`
    /// for those of the latter with payload.
    pub fn counter(&self, name: &str) -> (u64, u64) {
        let listed = run("ip", &["netns", "exec", &self.mid, "nft", "list", "counter", "ip", "lab", name]);
        let number = |word: &str| {
            let after = listed.split_whitespace().skip_while(|it| *it != word).nth(1);
            after.and_then(|it| it.parse().ok()).unwrap_or_else(|| panic!("no {word} in {listed}"))
        };
        (number("packets"), number("bytes"))
    }

    /// A TCP counter of the reflector's kernel (`/proc/net/snmp`, `/proc/net/netstat`).
    pub fn far_tcp(&self, name: &str) -> u64 {
        let listed = run("ip", &["netns", "exec", &self.far, "cat", "/proc/net/snmp", "/proc/net/netstat"]);
        let lines: Vec<Vec<&str>> = listed.lines().map(|line| line.split_whitespace().collect()).collect();
        let told = lines.chunks(2).find_map(|two| {
            let column = two[0].iter().position(|it| *it == name)?;
            two[1].get(column)?.parse().ok()
        });
        told.unwrap_or_else(|| panic!("no {name} in {listed}"))
    }

    /// Waits until a condition holds; the panic says what was seen instead.
    pub fn wait(&self, what: &str, seconds: u64, condition: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !condition(self) {
            if start.elapsed() > Duration::from_secs(seconds) {
                let mut seen = self.evidence().join("\n");
                let _ = write!(seen, "\n{}", self.metrics());
                let tail = |name| {
                    let log = self.log(name);
                    log.lines().rev().take(30).fold(String::new(), |all, line| format!("{line}\n{all}"))
                };
                panic!("not within {seconds} s: {what}\n{seen}\n{}\n{}", tail("reflector"), tail("exporter"));
            }
            thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        while !self.children.is_empty() {
            self.end_last();
        }
        for namespace in [&self.near, &self.mid, &self.far] {
            let _ = Command::new("ip").args(["netns", "del", namespace]).status();
        }
    }
}

fn run_in(namespace: &str, words: &str) {
    run("ip", &[&["netns", "exec", namespace][..], &words.split(' ').collect::<Vec<_>>()].concat());
}

/// Waits until a condition holds.
pub fn wait_until(what: &str, seconds: u64, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(seconds), "not within {seconds} s: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("cannot run {program}: {error}; run scripts/setup.sh"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
