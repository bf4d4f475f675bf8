//! A small network for packets: `here` and `there`, and `way`, which routes between them. Two
//! families.

use std::{
    fs::{self, File},
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail};
use nix::{
    sched::{CloneFlags, setns},
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use lab::{metrics::Metrics, namespace::Namespace, runs};

/// A port on which something listens at `there`.
pub const OPEN: u16 = 4430;
/// A port on which nothing listens.
pub const CLOSED: u16 = 4431;

/// A running network; dropping it removes it.
pub struct World {
    id: String,
    pub here: Namespace,
    pub way: Namespace,
    pub there: Namespace,
    listener: Option<Child>,
}

/// The IP version of a test's packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ip {
    V4,
    V6,
}

impl Ip {
    pub const BOTH: [Self; 2] = [Self::V4, Self::V6];

    pub fn here(self) -> IpAddr {
        self.address(1, 2)
    }

    pub fn there(self) -> IpAddr {
        self.address(2, 2)
    }

    pub fn way(self) -> IpAddr {
        self.address(1, 1)
    }

    /// An unused address on the network of `here`.
    pub fn neighbour(self, host: u16) -> IpAddr {
        self.address(1, host)
    }

    /// Bytes of the IP header.
    pub fn header(self) -> usize {
        match self {
            Self::V4 => 20,
            Self::V6 => 40,
        }
    }

    /// The minimum MTU of a link.
    pub fn least(self) -> u32 {
        match self {
            Self::V4 => 68,
            Self::V6 => 1280,
        }
    }

    fn address(self, net: u16, host: u16) -> IpAddr {
        match self {
            Self::V4 => IpAddr::from([10, 99, net.to_be_bytes()[1], host.to_be_bytes()[1]]),
            Self::V6 => IpAddr::from([0xfd99, net, 0, 0, 0, 0, 0, host]),
        }
    }
}

impl World {
    /// Starts it, with 1500 bytes everywhere.
    pub fn raise() -> Result<Self> {
        let id = runs::begin()?;
        let names = ["here", "way", "there"].map(|role| runs::namespace_name(&id, role)).to_vec();
        let mut added = Namespace::add_all(names)?.into_iter();
        let mut next = || added.next().context("three namespaces");
        let mut world = Self { here: next()?, way: next()?, there: next()?, id, listener: None };
        world.way.ip("link set lo up")?;
        world.join(&world.here, "near", 1)?;
        world.join(&world.there, "far", 2)?;
        for key in ["net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"] {
            world.way.sysctl(key, "1")?;
        }
        // The tests cause more errors and echoes than a host's default rate limits permit.
        for namespace in [&world.way, &world.there] {
            namespace.sysctl("net/ipv4/icmp_ratelimit", "0")?;
            namespace.sysctl("net/ipv4/icmp_msgs_per_sec", "100000")?;
            namespace.sysctl("net/ipv4/icmp_msgs_burst", "100000")?;
            namespace.sysctl("net/ipv6/icmp/ratelimit", "0")?;
        }
        world.listen()?;
        // A new link takes a second to resolve its neighbours over IPv6: a round trip of that
        // length, among the first few, would make every timeout of the test 2 s.
        for ip in Ip::BOTH {
            let address = ip.there().to_string();
            wait_for("a ping", || {
                let ping = world.here.output("ping", &["-c1", "-W1", &address])?;
                Ok(ping.status.success())
            })?;
        }
        Ok(world)
    }

    fn join(&self, host: &Namespace, leg: &str, net: u16) -> Result<()> {
        let mut way = vec![format!("link add {leg} type veth peer name eth0 netns {}", host.name)];
        let mut end = vec!["link set lo up".to_owned()];
        for ip in Ip::BOTH {
            let bits = if ip == Ip::V4 { 24 } else { 64 };
            let flags = if ip == Ip::V4 { "" } else { "nodad" };
            way.push(format!("addr add {}/{bits} dev {leg} {flags}", ip.address(net, 1)));
            end.push(format!("addr add {}/{bits} dev eth0 {flags}", ip.address(net, 2)));
        }
        way.push(format!("link set {leg} up"));
        end.push("link set eth0 up".to_owned());
        end.extend(Ip::BOTH.map(|ip| format!("route add default via {}", ip.address(net, 1))));
        self.way.batch(&way)?;
        host.batch(&end)?;
        // Packets must have the checksums and sizes that they have on a real link.
        host.run("ethtool", &["-K", "eth0", "tso", "off", "gso", "off", "tx", "off"])
    }

    fn listen(&mut self) -> Result<()> {
        let script = "import socket, sys\ns = socket.create_server(('::', int(sys.argv[1])), \
                      family=socket.AF_INET6, dualstack_ipv6=True, backlog=512)\nwhile True: s.accept()[0].close()";
        let mut command = self.there.command("python3");
        command.args(["-c", script, &OPEN.to_string()]);
        self.listener = Some(command.spawn().context("starting a listener")?);
        let address = SocketAddr::from((Ip::V4.there(), OPEN));
        wait_for("the listener", || Ok(self.here.dial(address).is_ok()))
    }

    /// Silently drops packets of more than `size` bytes that leave by `leg`: `far` for forward,
    /// `near` for reverse.
    pub fn hole(&self, leg: &str, size: u32) -> Result<()> {
        let rule = format!("add rule inet hole forward oifname {leg} meta length > {size} drop");
        let chain = "add table inet hole; \
                     add chain inet hole forward { type filter hook forward priority 0; }";
        self.way.run("nft", &[&format!("{chain}; {rule}")])
    }

    /// Lets everything pass again.
    pub fn mend(&self) -> Result<()> {
        self.way.run("nft", &["delete table inet hole"])
    }

    /// Sets the MTU that `way` uses towards a host, and signals.
    pub fn narrow(&self, ip: Ip, leg: &str, mtu: Option<u32>) -> Result<()> {
        let to = if leg == "far" { ip.there() } else { ip.here() };
        match mtu {
            Some(mtu) => self.way.ip(&format!("route replace {to} dev {leg} mtu lock {mtu}")),
            None => self.way.ip(&format!("route del {to} dev {leg}")),
        }
    }

    /// The path MTU to `there` in the kernel's cache at `here`.
    pub fn cached(&self, ip: Ip) -> Result<Option<u32>> {
        let route = self.here.output("ip", &["route", "get", &ip.there().to_string()])?;
        let route = String::from_utf8_lossy(&route.stdout).into_owned();
        let mut words = route.split_whitespace().skip_while(|word| *word != "mtu").skip(1);
        words.next().map(|mtu| mtu.parse().context("an MTU")).transpose()
    }

    /// Runs something asynchronous at `here`.
    pub fn probe<T: Send, F: Future<Output = Result<T>>>(&self, run: impl FnOnce() -> F + Send) -> Result<T> {
        inside(&self.here, || {
            tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run())
        })
    }

    /// The exporter at `here` with one path to `there`; `wrapped` comes before the binary on the
    /// command line.
    pub fn serve(&self, ip: Ip, port: Option<u16>, wrapped: &[&str]) -> Result<Exporter> {
        self.serve_to(ip.there(), port, wrapped)
    }

    /// The exporter with a path to that address.
    pub fn serve_to(&self, to: IpAddr, port: Option<u16>, wrapped: &[&str]) -> Result<Exporter> {
        self.serve_paths(&[to], port, wrapped)
    }

    /// The exporter with a path to each of these addresses.
    pub fn serve_paths(&self, to: &[IpAddr], port: Option<u16>, wrapped: &[&str]) -> Result<Exporter> {
        let directory = runs::directory(&self.id);
        let config = directory.join("config.yml");
        let port = port.map(|port| format!(", tcp_port: {port}")).unwrap_or_default();
        let path = |(number, to)| {
            let number = if number > 0 { format!("-{number}") } else { String::new() };
            format!("{{ name: there{number}, site: b, address: '{to}'{port} }}")
        };
        let paths: Vec<_> = to.iter().enumerate().map(path).collect();
        fs::write(&config, format!("site: a\npaths: [{}]\n", paths.join(", ")))?;
        // A place where a user without any rights may read it too.
        let binary = directory.join("vxlan_exporter");
        if !binary.exists() {
            fs::copy(crate::BINARY, &binary)?;
        }
        let binary = binary.to_str().context("not UTF-8")?.to_owned();
        let words = wrapped.iter().map(|word| (*word).to_owned()).chain([binary]).collect::<Vec<_>>();
        let log = directory.join("exporter.log");
        let file = File::create(&log)?;
        let mut command = self.here.command(&words[0]);
        command.args(&words[1..]);
        command.args(["serve", "--web.listen-address=127.0.0.1:14789"]);
        command.arg(format!("--config.file={}", config.display()));
        // Twenty thousand paths are more than the default.
        command.arg("--config.max-size=8MiB");
        let child = command.stdout(file.try_clone()?).stderr(Stdio::from(file)).spawn()?;
        Ok(Exporter { child, namespace: self.here.clone(), log })
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(mut listener) = self.listener.take() {
            let _ = listener.kill();
            let _ = listener.wait();
        }
        runs::remove(&self.id);
    }
}

/// A running exporter; dropping it ends it.
pub struct Exporter {
    child: Child,
    namespace: Namespace,
    log: PathBuf,
}

impl Exporter {
    /// Its present metrics.
    pub fn metrics(&self) -> Result<Metrics> {
        use std::io::{Read, Write};
        let mut stream = self.namespace.dial(SocketAddr::from(([127, 0, 0, 1], 14_789)))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(Metrics::parse(&answer))
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        Ok(kill(Pid::from_raw(i32::try_from(self.child.id())?), signal)?)
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        read(&self.log)
    }

    /// Waits until its metrics satisfy `right`.
    pub fn wait_for(&self, what: &str, right: impl Fn(&Metrics) -> bool) -> Result<Metrics> {
        let mut last = Metrics::default();
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if let Ok(metrics) = self.metrics() {
                if right(&metrics) {
                    return Ok(metrics);
                }
                last = metrics;
            }
            thread::sleep(Duration::from_millis(100));
        }
        bail!("{what}: not within {PATIENCE:?}\n{}\n{}", last.about("path", "there"), self.log())
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs something in a namespace; sockets made there stay there.
pub fn inside<T: Send>(namespace: &Namespace, run: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let entry = File::open(format!("/run/netns/{}", namespace.name))?;
    thread::scope(|scope| {
        let entered = scope.spawn(move || {
            setns(entry, CloneFlags::CLONE_NEWNET)?;
            run()
        });
        entered.join().unwrap_or_else(|panic| Err(anyhow!("panicked: {:?}", panic.downcast_ref::<String>())))
    })
}

/// Far longer than anything here takes.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// Waits until a condition holds.
pub fn wait_for(what: &str, mut done: impl FnMut() -> Result<bool>) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    while !done()? {
        if Instant::now() > end {
            bail!("{what}: not within {PATIENCE:?}");
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}
