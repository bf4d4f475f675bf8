//! Rules that involve several keys. Each is one function; the first rule that is broken is
//! reported.

use std::{collections::BTreeSet, net::IpAddr};

use super::{
    PROBE_INTERVAL, SCRAPE_INTERVAL,
    broken::{Checked, broken, broken_key},
    on_demand,
    position::Step::{self, Index, Key},
    schema::{Api, Path, Router, Schema, Ssh},
};

use crate::model::family::Family;

pub(crate) fn check(config: &Schema) -> Checked {
    unique("routers", "router", config.routers().iter().map(|router| &router.name.0))?;
    unique("paths", "path", config.paths().iter().map(|path| &path.name.0))?;
    for (index, router) in config.routers().iter().enumerate() {
        transport(index, router)?;
    }
    jumps(config)?;
    site(config)?;
    families(config)?;
    tunnels(config)?;
    reflectors(config)?;
    on_demand::check(config)?;
    times(config)
}

fn unique<'a>(list: &'static str, what: &str, names: impl Iterator<Item = &'a String>) -> Checked {
    let mut seen = BTreeSet::new();
    for (index, name) in names.enumerate() {
        if !seen.insert(name) {
            let message = format!("the name {name:?} is given to two {what}s: give each its own");
            return broken([Key(list), Index(index), Key("name")], message);
        }
    }
    Ok(())
}

fn transport(index: usize, router: &Router) -> Checked {
    let here = [Key("routers"), Index(index)];
    match (&router.ssh, &router.local, &router.api) {
        (Some(_), Some(_), _) => broken_key(here, "local", "has both `ssh` and `local`: keep one"),
        (None, None, None) => broken(
            here,
            "does not say how to read the router: add `ssh: {address: …, …}`, `api: {url: …, …}`, or \
             `local: {}` for \
             this machine"
                .into(),
        ),
        (Some(ssh), None, api) => {
            credential(index, ssh)?;
            host_key(index, ssh)?;
            trust(index, api.as_ref())
        }
        (None, _, api) => trust(index, api.as_ref()),
    }
}

fn trust(index: usize, api: Option<&Api>) -> Checked {
    let here = [Key("routers"), Index(index), Key("api")];
    match api.map(|api| (&api.ca_file, &api.certificate_fingerprint)) {
        Some((Some(_), Some(_))) => broken_key(
            here,
            "certificate_fingerprint",
            "has both `ca_file` and `certificate_fingerprint`: keep one",
        ),
        Some((None, None)) => broken(
            here,
            "has no way to check the router's certificate: add `certificate_fingerprint: SHA256:…` (VyOS's \
             own \
             is self-signed), or `ca_file`"
                .into(),
        ),
        _ => Ok(()),
    }
}

fn credential(index: usize, ssh: &Ssh) -> Checked {
    let here = [Key("routers"), Index(index), Key("ssh")];
    let agent = ssh.agent == Some(true);
    let given = [
        (ssh.private_key_file.is_some(), "private_key_file"),
        (ssh.password_file.is_some(), "password_file"),
        (agent, "agent"),
    ];
    let mut given = given.into_iter().filter_map(|(is_given, key)| is_given.then_some(key));
    let Some(first) = given.next() else {
        let message = "has nothing to log in with: add `private_key_file`, `password_file` or `agent: true`";
        return broken(here, message.into());
    };
    if let Some(second) = given.next() {
        return broken_key(here, second, format!("has both `{first}` and `{second}`: keep one"));
    }
    if ssh.passphrase_file.is_some() && ssh.private_key_file.is_none() {
        return broken_key(here, "passphrase_file", "has no `private_key_file` to unlock: remove it");
    }
    if ssh.agent_socket.is_some() && !agent {
        return broken_key(here, "agent_socket", "has no effect without an agent: add `agent: true`");
    }
    Ok(())
}

fn host_key(index: usize, ssh: &Ssh) -> Checked {
    let here = [Key("routers"), Index(index), Key("ssh")];
    match (&ssh.known_hosts_file, &ssh.host_key_fingerprint) {
        (Some(_), Some(_)) => {
            let message = "has both `known_hosts_file` and `host_key_fingerprint`: keep one";
            broken_key(here, "host_key_fingerprint", message)
        }
        (None, None) => broken(
            here,
            "does not say which host key the router has: add `known_hosts_file` (`vxlan_exporter config \
             trust ROUTER` \
             fills it) or `host_key_fingerprint: SHA256:…`"
                .into(),
        ),
        _ => Ok(()),
    }
}

/// The chain of jumps from each router must end, and lead through routers that are read over SSH.
fn jumps(config: &Schema) -> Checked {
    let jump = |router: &Router| Some(router.ssh.as_ref()?.jump.as_ref()?.0.clone());
    for (index, router) in config.routers().iter().enumerate() {
        let here = || [Key("routers"), Index(index), Key("ssh"), Key("jump")];
        let mut way = vec![router.name.0.clone()];
        let mut next = jump(router);
        while let Some(name) = next {
            let Some(on_the_way) = config.router(&name) else {
                // Reported for the router that names it.
                if way.len() > 1 {
                    break;
                }
                let message = format!("there is no router {name:?}: {}", nearest_router(config, &name));
                return broken(here(), message);
            };
            if way.contains(&name) {
                // Reported for a router that is part of the loop.
                if way[0] != name {
                    break;
                }
                way.push(name);
                return broken(
                    here(),
                    format!(
                        "`jump` forms a loop, {}: let one of these routers be reached directly",
                        way.join(" -> ")
                    ),
                );
            }
            if on_the_way.ssh.is_none() && way.len() == 1 {
                return broken(
                    here(),
                    format!("{name:?} is not read over SSH: name a router that has `ssh`"),
                );
            }
            next = jump(on_the_way);
            way.push(name);
        }
    }
    Ok(())
}

/// Suggests the router that may have been meant.
fn nearest_router(config: &Schema, wanted: &str) -> String {
    let likeness = |name: &str| strsim::jaro_winkler(wanted, name);
    let names = config.routers().iter().map(|router| router.name.0.as_str());
    match names.max_by(|a, b| likeness(a).total_cmp(&likeness(b))) {
        Some(name) if likeness(name) > 0.8 => format!("did you mean {name:?}?"),
        _ => "name one of `routers`".to_owned(),
    }
}

fn site(config: &Schema) -> Checked {
    if config.site.is_none() && !config.paths().is_empty() {
        let message =
            "paths need a source site: add `site: NAME` at top level, the site this exporter runs at";
        return broken_key([], "paths", message);
    }
    Ok(())
}

/// A numeric address already determines the family.
fn families(config: &Schema) -> Checked {
    for (index, path) in config.paths().iter().enumerate() {
        let (Some(family), Ok(address)) = (path.family, path.address.0.parse::<IpAddr>()) else { continue };
        if Family::of(address) != family.0 {
            let message = format!(
                "{address} is no IPv{} address: leave `family` out",
                if family.0 == Family::V4 { 4 } else { 6 }
            );
            return broken([Key("paths"), Index(index), Key("family")], message);
        }
    }
    Ok(())
}

fn tunnels(config: &Schema) -> Checked {
    let mut seen = BTreeSet::new();
    for (index, pair) in config.tunnels().iter().enumerate() {
        for (side, end) in pair.iter().enumerate() {
            let here = [Key("tunnels"), Index(index), Index(side)];
            let wanted = end.0.router.as_str();
            if config.router(wanted).is_none() {
                let message = format!("there is no router {wanted:?}: {}", nearest_router(config, wanted));
                return broken(here, message);
            }
            if !seen.insert(end.to_string()) {
                return broken(
                    here,
                    format!("{end} is listed in two tunnels: an interface can be an end of only one"),
                );
            }
        }
    }
    Ok(())
}

fn reflectors(config: &Schema) -> Checked {
    for (index, path) in config.paths().iter().enumerate() {
        let used = path.reflector.is_some_and(|port| port.0.is_some());
        if path.reflector_secret_file.is_some() && !used {
            let message = "has no reflector to use it for: add `reflector: true`, or its port";
            return broken_key([Key("paths"), Index(index)], "reflector_secret_file", message);
        }
    }
    Ok(())
}

/// Checks explicit values against the ones that limit them; inherited values are adapted in `plan`
/// instead.
fn times(config: &Schema) -> Checked {
    let scrape_interval = config.scrape_interval.map_or(SCRAPE_INTERVAL, |it| it.0);
    if config.scrape_timeout.is_some_and(|timeout| timeout.0 > scrape_interval) {
        return timeout_too_long(vec![], scrape_interval);
    }
    for (index, router) in config.routers().iter().enumerate() {
        let (interval, timeout) = config.scrape_times(router);
        if timeout > interval {
            return timeout_too_long(vec![Key("routers"), Index(index)], interval);
        }
    }
    let probe_interval = config.probe_interval.map_or(PROBE_INTERVAL, |it| it.0);
    if config.sentinel_interval.is_some_and(|sentinel| sentinel.0 < probe_interval) {
        return sentinel_too_dense(vec![], probe_interval);
    }
    for (index, path) in config.paths().iter().enumerate() {
        path_times(config, index, path)?;
    }
    Ok(())
}

fn path_times(config: &Schema, index: usize, path: &Path) -> Checked {
    let (probe, sentinel) = config.probe_times(path);
    if sentinel < probe {
        return sentinel_too_dense(vec![Key("paths"), Index(index)], probe);
    }
    Ok(())
}

fn timeout_too_long(mut steps: Vec<Step>, interval: std::time::Duration) -> Checked {
    steps.push(Key("scrape_timeout"));
    broken(steps, format!("longer than the scrape interval of {interval:?}: give at most that"))
}

fn sentinel_too_dense(mut steps: Vec<Step>, interval: std::time::Duration) -> Checked {
    steps.push(Key("sentinel_interval"));
    broken(steps, format!("shorter than the probe interval of {interval:?}: give at least that"))
}
