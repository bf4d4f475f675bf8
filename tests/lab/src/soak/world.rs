//! The lab with two hundred targets and eight failing routers, and the means to break and mend
//! them.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::Write as _,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    thread,
    time::Duration,
};

use anyhow::{Context, Result, anyhow};
use nix::sched::{CloneFlags, setns};

use super::schedule::{ABSENT, Act, FICKLE, LIVE, MUTE, Mode, PATHS, Reload, Wrong};
use crate::{
    Lab, exporter,
    fault::Fault,
    namespace::Namespace,
    numbers::{Numbers, Place},
    sshd,
};

/// Port of the first fickle router; the others follow.
pub const FICKLE_PORT: u16 = 2300;
/// Port of a router on which nothing listens.
const REFUSED_PORT: u16 = 2310;
/// Port of a router whose host key is not the known one.
const STRANGER_PORT: u16 = 2311;
/// Port of a router that accepts connections and sends nothing.
const MUTE_PORT: u16 = 2312;
/// Port of a router that is not an SSH server.
const BANNER_PORT: u16 = 2313;

/// The lab of the soak; dropping it removes everything.
pub struct World {
    /// The three sites.
    pub lab: Lab,
}

/// The name of a path.
pub fn path_name(path: usize) -> String {
    let kind = match path {
        path if path < LIVE => "live",
        path if path < LIVE + MUTE => "mute",
        _ => "absent",
    };
    format!("{kind}-{path}")
}

/// The site of its target, and the last number of its address.
fn target(path: usize) -> (Place, u8) {
    let (half, first) = (LIVE / 2, LIVE + MUTE);
    let (place, number) = match path {
        path if path < half => (Place::Dc, 110 + path),
        path if path < LIVE => (Place::SiteB, 30 + path - half),
        path if path < LIVE + MUTE / 2 => (Place::Dc, 160 + path - LIVE),
        path if path < first => (Place::SiteB, 190 + path - LIVE - MUTE / 2),
        path if path < first + 30 => (Place::SiteB, 220 + path - first),
        path => (Place::Dc, 80 + path - first - 30),
    };
    (place, u8::try_from(number).expect("a /24 holds them all"))
}

fn address(numbers: &Numbers, path: usize) -> Ipv4Addr {
    let [a, b, c, _] = numbers.site(target(path).0).host_address.octets();
    Ipv4Addr::new(a, b, c, target(path).1)
}

/// Runs something in a namespace permanently, on a thread of its own.
pub fn inside<T: Send + 'static>(
    namespace: &Namespace,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<thread::JoinHandle<T>> {
    let entry = File::open(format!("/run/netns/{}", namespace.name))?;
    let work = move || {
        setns(entry, CloneFlags::CLONE_NEWNET).expect("entering a namespace takes root");
        work()
    };
    thread::Builder::new().spawn(work).context("starting a thread")
}

impl World {
    /// Starts everything.
    pub fn raise() -> Result<Self> {
        let numbers = Numbers::article();
        let lab = Lab::raise(&numbers, &Fault::load("healthy")?)?;
        let mut world = Self { lab };
        world.add_targets()?;
        world.start_fickle()?;
        world.start_others()?;
        world.write_config(Reload::Plain)?;
        Ok(world)
    }

    fn add_targets(&self) -> Result<()> {
        for place in [Place::Dc, Place::SiteB] {
            let host = self.lab.host(place);
            for path in (0..PATHS - ABSENT).filter(|path| target(*path).0 == place) {
                host.ip(&format!("addr add {}/24 dev eth0", address(&self.lab.numbers, path)))?;
            }
            let set = |name: &str| format!("add set ip soak {name} {{ type ipv4_addr; }}");
            // At a priority before reassembly, so that fragments are filtered one by one.
            let chain = "add chain ip soak in { type filter hook prerouting priority -450; }";
            let rules = [
                "ip daddr @silent drop",
                "ip daddr @hole ip length > 1400 drop",
                "ip daddr @loss numgen random mod 100 < 25 drop",
            ];
            let mut nft = vec!["add table ip soak".to_owned()];
            nft.extend(["silent", "hole", "loss"].map(set));
            nft.push(chain.to_owned());
            nft.extend(rules.map(|rule| format!("add rule ip soak in {rule}")));
            host.run("nft", &[&nft.join("; ")])?;
        }
        let mute: Vec<usize> = (LIVE..LIVE + MUTE).collect();
        self.set(Wrong::Silent, &mute, true)
    }

    /// Starts or ends a fault of some paths.
    pub fn set(&self, wrong: Wrong, paths: &[usize], on: bool) -> Result<()> {
        let set = match wrong {
            Wrong::Silent => "silent",
            Wrong::Hole => "hole",
            Wrong::Loss => "loss",
        };
        let what = if on { "add" } else { "delete" };
        for place in [Place::Dc, Place::SiteB] {
            let addresses: Vec<String> = paths
                .iter()
                .filter(|path| target(**path).0 == place)
                .map(|path| address(&self.lab.numbers, *path).to_string())
                .collect();
            if !addresses.is_empty() {
                let nft = format!("{what} element ip soak {set} {{ {} }}", addresses.join(", "));
                self.lab.host(place).run("nft", &[&nft])?;
            }
        }
        Ok(())
    }

    /// Executes an act of the script, except for floods.
    pub fn act(&self, act: Act) -> Result<()> {
        match act {
            Act::Router(router, mode) => self.set_mode(router, mode),
            Act::Reload(reload) => self.write_config(reload),
            Act::Flood(_) => Ok(()),
        }
    }

    fn set_mode(&self, router: usize, mode: Mode) -> Result<()> {
        let port = usize::from(FICKLE_PORT) + router;
        let (file, draft) = (self.file(&format!("mode-{port}")), self.file("mode-draft"));
        fs::write(&draft, mode.name())?;
        Ok(fs::rename(draft, file)?)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.lab.directory().join(name)
    }

    /// One sshd on several ports; a script does what the port's file says.
    fn start_fickle(&mut self) -> Result<()> {
        let directory = self.lab.directory();
        let key = self.file("host_key_fickle");
        sshd::keygen(&key)?;
        sshd::write_accounts(&self.lab, &self.lab.management())?;
        let script = self.file("fickle");
        let text = include_str!("fickle.sh").replace("DIRECTORY", &directory.display().to_string());
        fs::write(&script, text)?;
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
        fs::write(self.file("crowd"), crowd())?;
        let mut config = format!(
            "HostKey {}\nAuthorizedKeysFile {}\nPidFile none\nUsePAM no\nUseDNS no\nPasswordAuthentication no\n\
             KbdInteractiveAuthentication no\nStrictModes no\nAllowUsers {}\nForceCommand {}\n",
            key.display(),
            self.file("authorized_keys").display(),
            sshd::USER,
            script.display()
        );
        let address = self.lab.numbers.management_host;
        self.lab.management().ip(&format!("addr add {address}/24 dev br0")).ok();
        let mut known = fs::read_to_string(sshd::known_hosts(&self.lab))?;
        let public = fs::read_to_string(key.with_extension("pub"))?;
        let ports = (FICKLE_PORT..).take(FICKLE).chain([STRANGER_PORT]);
        for port in ports {
            writeln!(config, "ListenAddress {address}:{port}")?;
            let stranger = fs::read_to_string(self.file("id_ed25519.pub"))?;
            let key = if port == STRANGER_PORT { &stranger } else { &public };
            writeln!(known, "[{address}]:{port} {}", key.trim())?;
        }
        for port in [REFUSED_PORT, MUTE_PORT, BANNER_PORT] {
            writeln!(known, "[{address}]:{port} {}", public.trim())?;
        }
        fs::write(sshd::known_hosts(&self.lab), known)?;
        fs::write(self.file("sshd_config_fickle"), config)?;
        for router in 0..FICKLE {
            self.set_mode(router, Mode::Good)?;
        }
        let mut command = self.lab.management().command("/usr/sbin/sshd");
        command.args(["-D", "-e", "-f"]).arg(self.file("sshd_config_fickle"));
        self.lab.serve(command, "sshd_fickle.log")?;
        Lab::wait_for(&self.lab.management(), address, FICKLE_PORT, "sshd_fickle.log")
    }

    /// Listeners that are not SSH servers.
    fn start_others(&self) -> Result<()> {
        let address = self.lab.numbers.management_host;
        for (port, words) in [(MUTE_PORT, ""), (BANNER_PORT, "HTTP/1.1 400 Bad Request\r\n\r\n")] {
            let listen = move || TcpListener::bind(SocketAddr::from((address, port)));
            let listener = inside(&self.lab.management(), listen)?;
            let listener = listener.join().map_err(|_| anyhow!("no listener"))??;
            thread::spawn(move || serve(&listener, words));
        }
        Ok(())
    }

    /// Writes a configuration; the exporter notices that the file has changed.
    pub fn write_config(&self, reload: Reload) -> Result<()> {
        let numbers = &self.lab.numbers;
        let text = match reload {
            Reload::Broken => "paths: [ }\n".to_owned(),
            Reload::Plain => self.config(""),
            Reload::Guest => self.config(&format!(
                "  - {{ name: guest, site: {}, address: {}, tcp_port: 443 }}\n",
                numbers.dc.label, numbers.dc.host_address
            )),
        };
        let draft = self.file("config-draft");
        fs::write(&draft, text)?;
        Ok(fs::rename(draft, exporter::config(&self.lab))?)
    }

    fn config(&self, guest: &str) -> String {
        let numbers = &self.lab.numbers;
        let (key, known) = (sshd::private_key(&self.lab), sshd::known_hosts(&self.lab));
        let login = format!(
            "username: {}, private_key_file: {}, known_hosts_file: {}",
            sshd::USER,
            key.display(),
            known.display()
        );
        let mut text = format!("site: {}\nscrape_interval: 5s\nrouters:\n", numbers.site_a.label);
        for place in Place::ALL {
            let site = numbers.site(place);
            let _ = writeln!(
                text,
                "  - {{ name: {}, site: {}, ssh: {{ address: {}, {login} }} }}",
                site.router, site.label, site.management
            );
        }
        for (name, port) in failing() {
            let _ = writeln!(
                text,
                "  - {{ name: {name}, site: {name}, scrape_timeout: 2s, ssh: {{ address: {}, port: {port}, {login} }} }}",
                numbers.management_host
            );
        }
        text.push_str("paths:\n");
        for path in 0..PATHS {
            let site = numbers.site(target(path).0);
            let _ = writeln!(
                text,
                "  - {{ name: {}, site: {}, address: {}, tcp_port: {} }}",
                path_name(path),
                site.label,
                address(numbers, path),
                site.https_port
            );
        }
        text.push_str(guest);
        text
    }
}

/// The failing routers and their ports.
pub fn failing() -> Vec<(String, u16)> {
    let fickle =
        (FICKLE_PORT..).take(FICKLE).enumerate().map(|(router, port)| (format!("fickle-{router}"), port));
    let others = [
        ("refused", REFUSED_PORT),
        ("stranger", STRANGER_PORT),
        ("mute", MUTE_PORT),
        ("banner", BANNER_PORT),
    ];
    fickle.chain(others.map(|(name, port)| (name.to_owned(), port))).collect()
}

/// Sends its text and keeps the connection open for longer than anybody reads.
fn serve(listener: &TcpListener, words: &'static str) {
    for stream in listener.incoming().flatten() {
        thread::spawn(move || {
            let mut stream: TcpStream = stream;
            let _ = stream.write_all(words.as_bytes());
            if words.is_empty() {
                thread::sleep(Duration::from_secs(10));
            }
        });
    }
}

/// Five thousand interfaces with names that no kernel accepts.
fn crowd() -> String {
    let link = |index: usize| {
        format!(
            r#"{{"ifindex":{index},"ifname":"vx\u001b[31m{index}\n;","flags":["UP"],"mtu":1500,"operstate":"UP","link_type":"ether","linkinfo":{{"info_kind":"vxlan","info_data":{{"id":{index},"remote":"10.0.0.1","port":8472}}}},"stats64":{{"rx":{{"bytes":0,"packets":0,"errors":0,"dropped":0}},"tx":{{"bytes":0,"packets":0,"errors":0,"dropped":0}}}}}}"#
        )
    };
    format!("[{}]", (2..5002).map(link).collect::<Vec<_>>().join(","))
}
