//! The configuration with every default filled in: what to read and what to probe.

use std::{
    collections::BTreeSet,
    fmt,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use pnet::ipnetwork::IpNetwork;

use crate::{
    listen::ListenAddress,
    model::{
        family::Family,
        fingerprint::Fingerprint,
        leg::UnderlayProbes,
        on_demand::OnDemandPlan,
        shard::Shard,
        types::{Bytes, PathName, RouterName, Site, Source},
    },
};

/// Default limit for the output of one script, in bytes: enough for about 160,000 forwarding
/// entries.
pub(crate) const MAX_OUTPUT_BYTES: u64 = 16 << 20;
/// Where a reflector listens unless configured otherwise (TCP).
pub(crate) const REFLECTOR_PORT: u16 = 14790;

/// How much of a router's output is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLimits {
    /// Most interfaces of any kind.
    pub max_interfaces: usize,
    /// Most forwarding entries of vxlan interfaces that name a remote.
    pub max_fdb_entries: usize,
}

impl ReadLimits {
    /// The defaults.
    pub(crate) const DEFAULT: Self = Self { max_interfaces: 1000, max_fdb_entries: 100_000 };
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// What this process does. Made by [`crate::config::Config::plan`].
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Where this exporter runs; always set when there is a path.
    pub site: Option<Site>,
    /// Which share of all names this process owns.
    pub shard: Shard,
    /// Routers to read. Includes those of other shards, since a tunnel may end there.
    pub routers: Vec<RouterPlan>,
    /// Routers read at the same time.
    pub router_workers: usize,
    /// Paths to probe.
    pub paths: Vec<PathPlan>,
    /// Target sites of the paths that other shards probe.
    pub sites_probed_elsewhere: BTreeSet<Site>,
    /// Pairs of tunnel ends declared by hand, `["dc/vxlan01", "site-a/vxlan01"]`.
    pub tunnels: Vec<[String; 2]>,
    /// Packets per second for everything except the regular echoes and sentinels.
    pub probe_budget_pps: u32,
    /// The built-in reflector.
    pub reflector: Option<ReflectorPlan>,
    /// Networks that may read metrics and pages; empty means everyone.
    pub web_sources: Vec<IpNetwork>,
    /// Whose requests may have a path probed at once.
    pub probe_now: ProbeNow,
    /// What `/probe` may be asked.
    pub on_demand: OnDemandPlan,
    /// The configuration as text, without secrets.
    pub shown: Arc<str>,
}

impl Plan {
    /// The same plan with paths that start at one node of our site: `source` is `SITE/NODE`.
    pub(crate) fn probed_from(mut self, source: &str) -> anyhow::Result<Self> {
        let Some(site) = &self.site else { return Ok(self) };
        let node = source.strip_prefix(site.as_str()).and_then(|rest| rest.strip_prefix('/'));
        let node = node.with_context(|| {
            format!("--source={source} does not have the configuration's site: write --source={site}/NODE")
        })?;
        for path in &mut self.paths {
            path.source.node = Some(node.to_owned());
        }
        Ok(self)
    }

    /// All files that hold a secret.
    pub(crate) fn secret_files(&self) -> impl Iterator<Item = &Path> {
        let of_routers = self.routers.iter().flat_map(|router| {
            let (login, api) = match &router.transport {
                Transport::Ssh(login) => (Some(login), router.api.as_ref()),
                Transport::Api(api) => (None, Some(api)),
                Transport::Local => (None, router.api.as_ref()),
            };
            let login = login.into_iter().flat_map(|login| login.credential.files());
            login.chain(api.map(|api| api.key_file.as_path()))
        });
        of_routers.chain(self.reflector_secrets())
    }

    /// The files with secrets of reflectors: our own and those of the targets.
    pub(crate) fn reflector_secrets(&self) -> impl Iterator<Item = &Path> {
        let of_targets = self.paths.iter().filter_map(|path| path.reflector.as_ref()?.secret_file.as_deref());
        self.reflector.iter().filter_map(|ours| ours.secret_file.as_deref()).chain(of_targets)
    }

    /// The part of the plan that `shard` owns: its paths, and every router.
    #[must_use]
    pub(crate) fn for_shard(mut self, shard: Shard) -> Self {
        let paths = std::mem::take(&mut self.paths);
        let names: Vec<&str> = paths.iter().map(|path| path.name.as_str()).collect();
        let mine: BTreeSet<String> = shard.share(&names).into_iter().map(str::to_owned).collect();
        let (own, others): (Vec<_>, Vec<_>) =
            paths.into_iter().partition(|path| mine.contains(path.name.as_str()));
        self.sites_probed_elsewhere.extend(others.into_iter().map(|path| path.site));
        Self { shard, paths: own, ..self }
    }
}

/// Whose requests may have a path probed at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ProbeNow {
    /// Of those who had to log in or to show a certificate, who come from one of the networks that
    /// may read, or who are on this machine.
    #[default]
    Restricted,
    /// Everyone's who may read.
    Always,
    /// Nobody's.
    Never,
}

/// The reflector to run.
#[derive(Debug, Clone, PartialEq)]
pub struct ReflectorPlan {
    /// The address it listens on.
    pub listen: ListenAddress,
    /// Networks that may use it; empty means everyone.
    pub allowed_sources: Vec<IpNetwork>,
    /// File with the secret that probers must know.
    pub secret_file: Option<PathBuf>,
}

/// The reflector at a path's target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathReflector {
    /// Its TCP port at the target.
    pub port: u16,
    /// File with the secret it requires.
    pub secret_file: Option<PathBuf>,
}

/// One router to read.
#[derive(Debug, Clone, PartialEq)]
pub struct RouterPlan {
    /// The router.
    pub name: RouterName,
    /// Its site.
    pub site: Site,
    /// Further VTEP addresses (behind NAT).
    pub addresses: Vec<IpAddr>,
    /// Time between two scrapes.
    pub scrape_interval: Duration,
    /// Deadline of one whole scrape.
    pub scrape_timeout: Duration,
    /// How much of its output is kept.
    pub limits: ReadLimits,
    /// When it is asked to ping other VTEPs.
    pub underlay_probes: UnderlayProbes,
    /// Time between two measurements of a leg while nothing is wrong.
    pub underlay_interval: Duration,
    /// How it is reached.
    pub transport: Transport,
    /// The HTTPS API, used when the transport fails; never set beside [`Transport::Api`].
    pub api: Option<ApiPlan>,
}

/// How a router is read.
#[derive(Debug, Clone, PartialEq)]
pub enum Transport {
    /// It is the machine this exporter runs on.
    Local,
    /// Over SSH.
    Ssh(SshPlan),
    /// Over VyOS's HTTPS API alone.
    Api(ApiPlan),
}

/// How to use a router's HTTPS API.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiPlan {
    /// Its address.
    pub url: ApiUrl,
    /// File whose first line is the API key.
    pub key_file: PathBuf,
    /// What its certificate is checked against.
    pub trust: Trust,
}

/// Host and port of an HTTPS API; the paths are fixed by VyOS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiUrl {
    /// Address or DNS name, an IPv6 address without brackets.
    pub host: String,
    /// TCP port, 443 unless configured.
    pub port: u16,
}

impl fmt::Display for ApiUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        let (open, close) = if host.contains(':') { ("[", "]") } else { ("", "") };
        write!(f, "https://{open}{host}{close}")?;
        if *port == 443 { Ok(()) } else { write!(f, ":{port}") }
    }
}

/// How a certificate proves to be the router's.
#[derive(Debug, Clone, PartialEq)]
pub enum Trust {
    /// It must chain to a certificate in this PEM file, name the router's host and be within its
    /// validity.
    CaFile(PathBuf),
    /// It must be this very certificate; its name and validity do not matter.
    Fingerprint(Fingerprint),
}

/// How to log in to a router.
#[derive(Debug, Clone, PartialEq)]
pub struct SshPlan {
    /// Address or DNS name.
    pub address: String,
    /// TCP port, 22 unless configured.
    pub port: u16,
    /// Login name.
    pub username: String,
    /// The credential to log in with.
    pub credential: Credential,
    /// How the router's identity is checked; there is no trust on first use.
    pub host_trust: HostTrust,
    /// The router through which this one is reached.
    pub jump: Option<Box<JumpPlan>>,
    /// Limit for the output of one script, in bytes.
    pub max_output: u64,
}

/// A router through which another one is reached.
#[derive(Debug, Clone, PartialEq)]
pub struct JumpPlan {
    /// The jump router.
    pub router: RouterName,
    /// How to log in to it.
    pub ssh: SshPlan,
}

/// A credential, by where it is kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Credential {
    /// A key in a file.
    PrivateKey {
        /// Private key file.
        file: PathBuf,
        /// File whose first line is its passphrase.
        passphrase_file: Option<PathBuf>,
    },
    /// File whose first line is the password.
    Password(PathBuf),
    /// The keys of an SSH agent.
    Agent {
        /// Its socket; the one in the environment variable `SSH_AUTH_SOCK` if not given.
        socket: Option<PathBuf>,
    },
}

impl Credential {
    /// The files it is kept in.
    fn files(&self) -> impl Iterator<Item = &Path> {
        let (first, second) = match self {
            Self::PrivateKey { file, passphrase_file } => (Some(file), passphrase_file.as_ref()),
            Self::Password(file) => (Some(file), None),
            Self::Agent { .. } => (None, None),
        };
        first.into_iter().chain(second).map(PathBuf::as_path)
    }
}

/// How a router's host key is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostTrust {
    /// OpenSSH `known_hosts` file.
    KnownHosts(PathBuf),
    /// The fingerprint of its host key.
    Fingerprint(Fingerprint),
}

/// One path to probe.
#[derive(Debug, Clone, PartialEq)]
pub struct PathPlan {
    /// The path.
    pub name: PathName,
    /// Our site, and the node of it that probes.
    pub source: Source,
    /// The target's site.
    pub site: Site,
    /// IPv4, IPv6 or a DNS name.
    pub address: String,
    /// The IP version to use; if not given, IPv4 is preferred over IPv6.
    pub family: Option<Family>,
    /// TCP port for SYN probes.
    pub tcp_port: Option<u16>,
    /// Time between two small echoes.
    pub probe_interval: Duration,
    /// Time between two full-size sentinels.
    pub sentinel_interval: Duration,
    /// The MTU the path should have; derived where absent.
    pub expected_mtu: Option<Bytes>,
    /// Share of lost round trips of small echoes, 0..1, above which a path is lossy.
    pub loss_threshold: f64,
    /// The reflector at the target, where there is one.
    pub reflector: Option<PathReflector>,
}
