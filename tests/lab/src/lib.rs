//! The lab: three sites joined by VXLAN in network namespaces, with real sshds on the routers and a
//! real HTTPS server behind them. Tests start one per fault; `make demo` tells its story on one.
//! There are also [`fleet`], many routers in one namespace, and [`soak`], everything at once. The
//! lab knows only the outside of the exporter: its command line, its configuration, its pages.

#![allow(
    clippy::too_many_lines,
    reason = "a test tells a story or tables its cases: cutting it makes it no easier to read"
)]
#![allow(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::return_self_not_must_use,
    reason = "for tests alone, where a panic is a failed test"
)]

pub mod bench;
pub mod dashboards;
pub mod exporter;
pub mod fault;
pub mod fleet;
pub mod https;
pub mod judge;
pub mod levels;
pub mod lossy;
pub mod metrics;
pub mod namespace;
pub mod notice;
pub mod numbers;
pub mod readme;
pub mod relay;
pub mod runs;
pub mod soak;
pub mod ssh_router;
pub mod sshd;
pub mod topology;
pub mod traffic;
pub mod underlay;
pub mod vyos;
pub mod wire;

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

use fault::Fault;
use namespace::Namespace;
use numbers::{End, Numbers, Place};

/// IPv4 or IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// A file of the project, by its path from the root.
pub fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// The exporter that was built beside this command.
pub fn beside_us() -> PathBuf {
    std::env::current_exe().unwrap_or_default().with_file_name("vxlan_exporter")
}

/// A running lab; dropping it removes everything.
#[derive(Debug)]
pub struct Lab {
    /// The random part of all its names.
    pub id: String,
    /// Its names and numbers.
    pub numbers: Numbers,
    routers: BTreeMap<Place, Namespace>,
    hosts: BTreeMap<Place, Namespace>,
    /// The site whose host runs the exporter.
    exporter_at: Place,
    /// The pod in which the exporter runs, if it is not on the host itself.
    pod: Option<Namespace>,
    services: Vec<Child>,
}

impl Lab {
    /// Starts a lab with a fault in it.
    pub fn raise(numbers: &Numbers, fault: &Fault) -> Result<Self> {
        ensure!(
            nix::unistd::geteuid().is_root(),
            "the lab needs root: it makes network namespaces. Run `make test` or `make demo`, which ask for sudo"
        );
        let mut lab = Self {
            id: runs::begin()?,
            numbers: *numbers,
            routers: BTreeMap::new(),
            hosts: BTreeMap::new(),
            exporter_at: fault.exporter_at,
            pod: None,
            services: Vec::new(),
        };
        topology::build(&mut lab, fault).context("raising the lab")?;
        sshd::start(&mut lab, fault).context("starting the routers' sshd")?;
        https::start(&mut lab, fault.https_over_ipv6).context("starting the HTTPS servers")?;
        exporter::write_config(&lab, fault, &[Family::V4]).context("writing the exporter's configuration")?;
        Ok(lab)
    }

    /// The lab's own directory, removed with it.
    pub fn directory(&self) -> PathBuf {
        runs::directory(&self.id)
    }

    /// A site's router.
    pub fn router(&self, place: Place) -> &Namespace {
        &self.routers[&place]
    }

    /// The host behind a site's router.
    pub fn host(&self, place: Place) -> &Namespace {
        &self.hosts[&place]
    }

    /// The namespace of the exporter: a site's host, A's unless the fault says otherwise, or a pod
    /// on it.
    pub fn vantage(&self) -> &Namespace {
        self.pod.as_ref().unwrap_or_else(|| self.host(self.exporter_at))
    }

    /// The overlay address of [`Lab::vantage`].
    pub fn vantage_address(&self) -> Ipv4Addr {
        if self.pod.is_some() {
            self.numbers.pod_address
        } else {
            self.numbers.site(self.exporter_at).host_address
        }
    }

    /// A host on the management network, from which exporter and routers can be reached whatever
    /// the state of the overlay.
    pub fn management(&self) -> Namespace {
        Namespace { name: runs::namespace_name(&self.id, "mgmt") }
    }

    /// The router between the sites; it knows nothing of VXLAN.
    pub fn core(&self) -> Namespace {
        Namespace { name: runs::namespace_name(&self.id, "core") }
    }

    /// Sets an MTU, as a person does with `set interfaces vxlan … mtu`.
    pub fn set_vxlan_mtu(&self, end: End, mtu: u32) -> Result<()> {
        let interface = self.numbers.interface(end);
        self.router(end.place()).ip(&format!("link set {interface} mtu {mtu}"))
    }

    /// Sets the MTU of the underlay, routers and core alike.
    ///
    /// Meanwhile the core never has the smaller MTU: it would signal that to a router over IPv6,
    /// and the router would remember it for ten minutes.
    pub fn set_underlay_mtu(&self, mtu: u32) -> Result<()> {
        let core = |mtu: u32| {
            let legs = Place::ALL.map(|place| format!("link set {} mtu {mtu}", place.core_leg()));
            self.core().batch(&legs)
        };
        core(9000)?;
        for place in Place::ALL {
            self.router(place).ip(&format!("link set eth0 mtu {mtu}"))?;
        }
        core(mtu)
    }

    /// Adds IPv6 to the underlay, with the addresses of [`Lab::underlay_v6`].
    pub fn add_underlay_v6(&self) -> Result<()> {
        Place::ALL.into_iter().try_for_each(|place| self.add_underlay_v6_at(place))
    }

    /// Adds IPv6 to one leg.
    pub(crate) fn add_underlay_v6_at(&self, place: Place) -> Result<()> {
        let (core, router) = (self.core(), self.router(place));
        core.sysctl("net/ipv6/conf/all/forwarding", "1")?;
        let [gateway, own] = [1, 2].map(|host| Self::underlay_v6_host(place, host));
        core.ip(&format!("addr add {gateway}/64 dev {} nodad", place.core_leg()))?;
        router.ip(&format!("addr add {own}/64 dev eth0 nodad"))?;
        router.ip(&format!("-6 route add default via {gateway}"))
    }

    /// A router's IPv6 address on the underlay.
    pub fn underlay_v6(place: Place) -> IpAddr {
        Self::underlay_v6_host(place, 2)
    }

    fn underlay_v6_host(place: Place, host: u16) -> IpAddr {
        let network = match place {
            Place::Dc => 1,
            Place::SiteA => 2,
            Place::SiteB => 3,
        };
        Ipv6Addr::new(0xfd00, 0, 0, network, 0, 0, 0, host).into()
    }

    /// Starts a service that lives as long as the lab. It has its own process group, so that Ctrl-C
    /// reaches only us and we can stop everything in order.
    pub fn serve(&mut self, mut command: Command, log: &str) -> Result<()> {
        use std::os::unix::process::CommandExt;
        runs::halt_if_stopping();
        let path = self.directory().join(log);
        let file = std::fs::File::create(&path).with_context(|| format!("making {}", path.display()))?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).process_group(0);
        let child = command.spawn().with_context(|| format!("starting {command:?}"))?;
        self.services.push(child);
        Ok(())
    }

    /// Waits until something listens there.
    pub fn wait_for(from: &Namespace, address: Ipv4Addr, port: u16, log: &str) -> Result<()> {
        let end = Instant::now() + Duration::from_mins(1);
        loop {
            match from.dial(SocketAddr::from((address, port))) {
                Ok(_) => return Ok(()),
                Err(error) if Instant::now() > end => {
                    bail!("nothing answers at {address}:{port} from {}: {error}; see {log}", from.name)
                }
                Err(_) => thread::sleep(Duration::from_millis(50)),
            }
        }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        runs::remove(&self.id);
        for child in &mut self.services {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
