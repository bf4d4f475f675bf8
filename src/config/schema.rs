//! The keys of the configuration file as they may be written. Everything optional is an `Option`,
//! so that "not written" and "written with the default value" can be told apart; a key without a
//! value counts as not written, except where it restricts who is let in or trusted: that would be
//! no restriction.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error as _};

use super::value::{
    Address, Allowed, AtOnce, Budget, End, ExpectedMtu, FileName, FilePattern, Host, HostKey, IpFamily,
    Listen, MaxFdbEntries, MaxInterfaces, Name, Network, OutputLimit, Pin, Port, ProbeInterval,
    ProbeOnRequest, ProbeTimeout, ProberName, ReflectorPort, RouterId, ScrapeInterval, ScrapeTimeout, Share,
    Underlay, UnderlayInterval, Url, Workers,
};

/// The whole file.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Schema {
    pub site: Option<Name>,
    pub routers: Option<Vec<Router>>,
    pub paths: Option<Vec<Path>>,
    pub path_files: Option<Vec<FilePattern>>,
    pub tunnels: Option<Vec<[End; 2]>>,
    pub scrape_interval: Option<ScrapeInterval>,
    pub scrape_timeout: Option<ScrapeTimeout>,
    pub max_interfaces: Option<MaxInterfaces>,
    pub max_fdb_entries: Option<MaxFdbEntries>,
    pub probe_interval: Option<ProbeInterval>,
    pub sentinel_interval: Option<ProbeInterval>,
    pub expected_mtu: Option<ExpectedMtu>,
    pub loss_threshold: Option<Share>,
    pub probe_budget_pps: Option<Budget>,
    pub router_workers: Option<Workers>,
    pub underlay_probes: Option<Underlay>,
    pub underlay_interval: Option<UnderlayInterval>,
    pub reflector: Option<Reflector>,
    pub web: Option<Web>,
    pub probe: Option<OnDemandSection>,
}

impl Schema {
    pub(crate) fn routers(&self) -> &[Router] {
        self.routers.as_deref().unwrap_or_default()
    }

    pub(crate) fn router(&self, name: &str) -> Option<&Router> {
        self.routers().iter().find(|router| router.name.0 == name)
    }

    pub(crate) fn paths(&self) -> &[Path] {
        self.paths.as_deref().unwrap_or_default()
    }

    pub(crate) fn path_files(&self) -> &[FilePattern] {
        self.path_files.as_deref().unwrap_or_default()
    }

    pub(crate) fn tunnels(&self) -> &[[End; 2]] {
        self.tunnels.as_deref().unwrap_or_default()
    }
}

#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Router {
    pub name: RouterId,
    pub site: Name,
    pub addresses: Option<Vec<Address>>,
    pub ssh: Option<Ssh>,
    pub local: Option<Local>,
    pub api: Option<Api>,
    pub scrape_interval: Option<ScrapeInterval>,
    pub scrape_timeout: Option<ScrapeTimeout>,
    pub max_interfaces: Option<MaxInterfaces>,
    pub max_fdb_entries: Option<MaxFdbEntries>,
    pub underlay_probes: Option<Underlay>,
    pub underlay_interval: Option<UnderlayInterval>,
}

#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ssh {
    pub address: Host,
    pub port: Option<Port>,
    pub username: Name,
    pub private_key_file: Option<FileName>,
    pub passphrase_file: Option<FileName>,
    pub password_file: Option<FileName>,
    pub agent: Option<bool>,
    pub agent_socket: Option<FileName>,
    #[serde(default, deserialize_with = "with_a_value")]
    pub known_hosts_file: Option<FileName>,
    #[serde(default, deserialize_with = "with_a_value")]
    pub host_key_fingerprint: Option<HostKey>,
    pub jump: Option<RouterId>,
    pub max_output: Option<OutputLimit>,
}

#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Api {
    pub url: Url,
    pub key_file: FileName,
    #[serde(default, deserialize_with = "with_a_value")]
    pub ca_file: Option<FileName>,
    #[serde(default, deserialize_with = "with_a_value")]
    pub certificate_fingerprint: Option<Pin>,
}

/// The built-in reflector.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reflector {
    pub listen: Listen,
    #[serde(default, deserialize_with = "some_networks")]
    pub allowed_sources: Option<Vec<Network>>,
    #[serde(default, deserialize_with = "with_a_value")]
    pub secret_file: Option<FileName>,
}

/// `/metrics` and the pages.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Web {
    #[serde(default, deserialize_with = "some_networks")]
    pub allowed_sources: Option<Vec<Network>>,
    pub probe_now: Option<ProbeOnRequest>,
}

/// `/probe`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OnDemandSection {
    #[serde(default, deserialize_with = "with_a_value")]
    pub allowed_targets: Option<Vec<Allowed>>,
    pub at_once: Option<AtOnce>,
    pub modules: Option<Vec<Module>>,
}

impl OnDemandSection {
    pub(crate) fn modules(&self) -> &[Module] {
        self.modules.as_deref().unwrap_or_default()
    }
}

/// One way to probe a target.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Module {
    pub name: Name,
    pub prober: ProberName,
    pub timeout: Option<ProbeTimeout>,
    pub family: Option<IpFamily>,
    pub expected_mtu: Option<ExpectedMtu>,
}

/// `local: {}`
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Local {}

#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Path {
    pub name: Name,
    pub site: Name,
    pub address: Host,
    pub family: Option<IpFamily>,
    pub tcp_port: Option<Port>,
    pub probe_interval: Option<ProbeInterval>,
    pub sentinel_interval: Option<ProbeInterval>,
    pub expected_mtu: Option<ExpectedMtu>,
    pub loss_threshold: Option<Share>,
    pub reflector: Option<ReflectorPort>,
    #[serde(default, deserialize_with = "with_a_value")]
    pub reflector_secret_file: Option<FileName>,
}

/// A key that must have a value if it is written.
pub(super) fn with_a_value<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    value: D,
) -> Result<Option<T>, D::Error> {
    let given = Option::deserialize(value)?;
    given.map(Some).ok_or_else(|| D::Error::custom("no value: give one, or leave the key out"))
}

/// Networks, at least one: an empty list could be meant to admit nobody.
fn some_networks<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Vec<Network>>, D::Error> {
    let given: Option<Vec<Network>> = with_a_value(value)?;
    if given.as_ref().is_some_and(Vec::is_empty) {
        return Err(D::Error::custom("no networks: list some, or leave the key out to admit everyone"));
    }
    Ok(given)
}
