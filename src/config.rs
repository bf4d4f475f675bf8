//! The configuration file: YAML in, [`Plan`] out, or an error that says where the mistake is and
//! what to type instead.
//!
//! A typing error in a monitoring configuration must never go unnoticed: a misspelt key would leave
//! a path unwatched. So unknown keys are errors, and every value has a type that checks itself
//! while the parser still knows the position (`value`). Rules that involve several keys look the
//! position up afterwards (`position`). Only the first error is reported; it names file, line,
//! column and key.

mod bounds;
mod broken;
mod check;
mod error;
mod on_demand;
pub(crate) mod password_hash;
pub(crate) mod path_files;
mod position;
mod schema;
pub mod secret_names;
mod shown;
#[cfg(test)]
mod tests;
mod value;
pub mod web_file;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

pub(crate) use error::ConfigError;
use pnet::ipnetwork::IpNetwork;

use crate::{
    model::{
        plan::{
            ApiPlan, Credential, HostTrust, JumpPlan, MAX_OUTPUT_BYTES, PathPlan, PathReflector, Plan,
            ReadLimits, ReflectorPlan, RouterPlan, SshPlan, Transport, Trust,
        },
        shard::Shard,
        types::{PathName, RouterName, Site, Source},
    },
    process::regular_file,
};
use error::Mistake;
use path_files::Written;
use schema::Schema;
use value::Scalar as _;

const SCRAPE_INTERVAL: Duration = Duration::from_secs(30);
const SCRAPE_TIMEOUT: Duration = Duration::from_secs(10);
/// Default time between two measurements of a leg of the underlay while nothing is wrong.
const UNDERLAY_INTERVAL: Duration = Duration::from_mins(5);
const PROBE_INTERVAL: Duration = Duration::from_secs(1);
/// Default share of lost round trips of small echoes above which a path is lossy.
pub(crate) const LOSS_THRESHOLD: f64 = 0.03;
pub(crate) const PROBE_BUDGET_PPS: u32 = 200;
/// Default number of threads: a hundred dead routers, each with a 10 s deadline, then hold up the
/// others for half a minute.
const ROUTER_WORKERS: usize = 32;

/// A configuration in which every key and every rule between keys has been checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    schema: Schema,
    /// The directory of the configuration file, which relative file names refer to.
    base: PathBuf,
    /// The path files that it names, and how many paths each holds.
    path_files: Vec<(PathBuf, usize)>,
    /// Itself as text, without secrets.
    shown: Arc<str>,
}

/// Reads and checks a configuration file and the path files that it names, of at most `most` bytes
/// together. Relative file names refer to the directory of the configuration file.
pub fn load(path: &Path, most: u64) -> Result<Config, ConfigError> {
    let bytes = regular_file::read(path, most).map_err(|error| ConfigError::unreadable(path, &error.why))?;
    let text = String::from_utf8(bytes)
        .map_err(|error| ConfigError::not_utf8(path, error.as_bytes(), error.utf8_error().valid_up_to()))?;
    let text = unmarked(&text);
    let mut schema = schema(text, path)?;
    let mut written = Written::alone(path, text, schema.paths().len());
    let base = base(path);
    written.read_path_files(&mut schema, &base, most)?;
    let placed = |problem: Mistake| written.placed(problem);
    check::check(&schema).map_err(placed)?;
    secret_names::check(&schema, &base).map_err(placed)?;
    let path_files = written.into_counts();
    Ok(Config { schema, base, path_files, shown: shown::without_secrets(text).into() })
}

/// Checks the text of a configuration; `path` is named in errors, and relative file names refer to
/// its directory. Path files are not read. An empty text is a valid, empty configuration.
pub fn parse(text: &str, path: &Path) -> Result<Config, ConfigError> {
    let text = unmarked(text);
    let schema = schema(text, path)?;
    check::check(&schema).map_err(|problem| problem.at(text, path))?;
    let shown = shown::without_secrets(text).into();
    Ok(Config { schema, base: base(path), path_files: Vec::new(), shown })
}

/// The keys of a text, before the rules between them are checked.
fn schema(text: &str, path: &Path) -> Result<Schema, ConfigError> {
    bounds::admit(text, path)?;
    let parsed = serde_yaml::from_str::<Option<Schema>>(text);
    Ok(parsed.map_err(|error| ConfigError::from_yaml(&error, text, path))?.unwrap_or_default())
}

/// The directory that relative file names refer to.
fn base(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).to_owned()
}

/// The text without the byte order mark that some editors put first: directly before a key, the
/// parser would take it for a document of its own.
fn unmarked(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// A host as an address of the configuration, or what is wrong with it.
pub(crate) fn host(text: &str) -> Result<String, String> {
    value::Host::read(text).map(|host| host.0)
}

/// A router's name, or what is wrong with it.
pub(crate) fn router_name(text: &str) -> Result<String, String> {
    value::RouterId::read(text).map(|name| name.0)
}

/// The name of a site or a user, or what is wrong with it.
pub(crate) fn name(text: &str) -> Result<String, String> {
    value::Name::read(text).map(|name| name.0)
}

/// A commented configuration that works once its names and addresses are replaced.
#[must_use]
pub fn example() -> &'static str {
    include_str!("config/example.yml")
}

/// The keys of a configuration file as a JSON schema, for editors. What a schema cannot express,
/// [`load`] checks.
#[must_use]
pub fn json_schema() -> serde_json::Value {
    schemars::schema_for!(Schema).to_value()
}

impl Config {
    /// The path files that were read, and how many paths each holds.
    #[must_use]
    pub fn path_files(&self) -> &[(PathBuf, usize)] {
        &self.path_files
    }

    /// The patterns of `path_files` that no file matches.
    pub fn idle_patterns(&self) -> impl Iterator<Item = &str> {
        let matches = |pattern: &&str| path_files::found(&self.base, pattern).is_ok_and(|it| it.is_empty());
        self.schema.path_files().iter().map(|pattern| pattern.0.as_str()).filter(matches)
    }

    /// The plan, with every default filled in.
    #[must_use]
    pub fn plan(&self) -> Plan {
        let top = &self.schema;
        Plan {
            site: top.site.as_ref().map(|site| Site(site.0.clone())),
            shard: Shard::default(),
            router_workers: top.router_workers.map_or(ROUTER_WORKERS, |workers| workers.0),
            routers: top.routers().iter().map(|router| self.router(router)).collect(),
            paths: top.paths().iter().filter_map(|path| self.path(path)).collect(),
            sites_probed_elsewhere: BTreeSet::new(),
            tunnels: top.tunnels().iter().map(|pair| pair.each_ref().map(ToString::to_string)).collect(),
            probe_budget_pps: top.probe_budget_pps.map_or(PROBE_BUDGET_PPS, |budget| budget.0),
            reflector: top.reflector.as_ref().map(|reflector| self.reflector(reflector)),
            web_sources: top.web.as_ref().map_or_else(Vec::new, |web| networks(web.allowed_sources.as_ref())),
            probe_now: top
                .web
                .as_ref()
                .and_then(|web| web.probe_now)
                .map_or_else(Default::default, |it| it.0),
            on_demand: on_demand::plan(top),
            shown: Arc::clone(&self.shown),
        }
    }

    fn router(&self, router: &schema::Router) -> RouterPlan {
        let top = &self.schema;
        let (scrape_interval, scrape_timeout) = top.scrape_times(router);
        let api = router.api.as_ref().map(|api| self.api(api));
        let (transport, api) = match (&router.ssh, &router.local, api) {
            (Some(ssh), _, api) => (Transport::Ssh(self.ssh(ssh)), api),
            (None, None, Some(api)) => (Transport::Api(api), None),
            (None, _, api) => (Transport::Local, api),
        };
        RouterPlan {
            name: RouterName(router.name.0.clone()),
            site: Site(router.site.0.clone()),
            addresses: router.addresses.iter().flatten().map(|address| address.0).collect(),
            scrape_interval,
            scrape_timeout,
            limits: top.limits(router),
            underlay_probes: router
                .underlay_probes
                .or(top.underlay_probes)
                .map_or_else(Default::default, |it| it.0),
            underlay_interval: router
                .underlay_interval
                .or(top.underlay_interval)
                .map_or(UNDERLAY_INTERVAL, |it| it.0),
            transport,
            api,
        }
    }

    fn api(&self, api: &schema::Api) -> ApiPlan {
        let trust = match (&api.certificate_fingerprint, &api.ca_file) {
            (Some(pin), _) => Trust::Fingerprint(pin.0),
            // `check` ensures that exactly one is given.
            (None, file) => Trust::CaFile(file.as_ref().map(|file| self.file(file)).unwrap_or_default()),
        };
        ApiPlan { url: api.url.0.clone(), key_file: self.file(&api.key_file), trust }
    }

    fn ssh(&self, ssh: &schema::Ssh) -> SshPlan {
        let optional = |file: &Option<value::FileName>| file.as_ref().map(|file| self.file(file));
        // `check` ensures that exactly one of each pair is given.
        let credential = match (&ssh.private_key_file, &ssh.password_file) {
            (Some(file), _) => Credential::PrivateKey {
                file: self.file(file),
                passphrase_file: optional(&ssh.passphrase_file),
            },
            (None, Some(file)) => Credential::Password(self.file(file)),
            (None, None) => Credential::Agent { socket: optional(&ssh.agent_socket) },
        };
        let host_trust = match &ssh.host_key_fingerprint {
            Some(fingerprint) => HostTrust::Fingerprint(fingerprint.0),
            None => HostTrust::KnownHosts(optional(&ssh.known_hosts_file).unwrap_or_default()),
        };
        SshPlan {
            address: ssh.address.0.clone(),
            port: ssh.port.map_or(22, |port| port.0),
            username: ssh.username.0.clone(),
            credential,
            host_trust,
            // `check` ensures that the chain of jumps ends.
            jump: ssh.jump.as_ref().and_then(|name| self.jump(&name.0)).map(Box::new),
            max_output: ssh.max_output.map_or(MAX_OUTPUT_BYTES, |limit| limit.0),
        }
    }

    fn jump(&self, name: &str) -> Option<JumpPlan> {
        let router = self.schema.router(name)?;
        Some(JumpPlan { router: RouterName(router.name.0.clone()), ssh: self.ssh(router.ssh.as_ref()?) })
    }

    fn reflector(&self, reflector: &schema::Reflector) -> ReflectorPlan {
        ReflectorPlan {
            listen: reflector.listen.0.clone(),
            allowed_sources: networks(reflector.allowed_sources.as_ref()),
            secret_file: reflector.secret_file.as_ref().map(|file| self.file(file)),
        }
    }

    fn file(&self, file: &value::FileName) -> PathBuf {
        self.base.join(&file.0)
    }

    /// `None` only without a site, which `check` refuses.
    fn path(&self, path: &schema::Path) -> Option<PathPlan> {
        let top = &self.schema;
        let (probe_interval, sentinel_interval) = top.probe_times(path);
        Some(PathPlan {
            name: PathName(path.name.0.clone()),
            source: Source { site: Site(top.site.as_ref()?.0.clone()), node: None },
            site: Site(path.site.0.clone()),
            address: path.address.0.clone(),
            family: path.family.map(|family| family.0),
            tcp_port: path.tcp_port.map(|port| port.0),
            probe_interval,
            sentinel_interval,
            expected_mtu: path.expected_mtu.or(top.expected_mtu).map(|mtu| mtu.0),
            loss_threshold: path
                .loss_threshold
                .or(top.loss_threshold)
                .map_or(LOSS_THRESHOLD, |share| share.0),
            reflector: path.reflector.and_then(|port| port.0).map(|port| PathReflector {
                port,
                secret_file: path.reflector_secret_file.as_ref().map(|file| self.file(file)),
            }),
        })
    }
}

fn networks(written: Option<&Vec<value::Network>>) -> Vec<IpNetwork> {
    written.into_iter().flatten().map(|network| network.0).collect()
}

impl Schema {
    /// Scrape interval and timeout of a router; an inherited timeout is reduced to the router's
    /// interval.
    fn scrape_times(&self, router: &schema::Router) -> (Duration, Duration) {
        let interval = router.scrape_interval.or(self.scrape_interval).map_or(SCRAPE_INTERVAL, |it| it.0);
        let inherited = self.scrape_timeout.map_or(SCRAPE_TIMEOUT, |it| it.0).min(interval);
        (interval, router.scrape_timeout.map_or(inherited, |it| it.0))
    }

    /// How much of a router's output is kept.
    fn limits(&self, router: &schema::Router) -> ReadLimits {
        let standard = ReadLimits::default();
        ReadLimits {
            max_interfaces: router
                .max_interfaces
                .or(self.max_interfaces)
                .map_or(standard.max_interfaces, |most| most.0),
            max_fdb_entries: router
                .max_fdb_entries
                .or(self.max_fdb_entries)
                .map_or(standard.max_fdb_entries, |most| most.0),
        }
    }

    /// Probe and sentinel interval of a path; an inherited sentinel interval is never shorter than
    /// the path's probe interval.
    fn probe_times(&self, path: &schema::Path) -> (Duration, Duration) {
        let probe = path.probe_interval.or(self.probe_interval).map_or(PROBE_INTERVAL, |it| it.0);
        let inherited = self.sentinel_interval.map_or(probe, |it| it.0.max(probe));
        (probe, path.sentinel_interval.map_or(inherited, |it| it.0))
    }
}
