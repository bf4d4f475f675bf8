//! Rules that join several keys. Each is one function; the first that is broken is reported.

use std::{collections::BTreeSet, net::IpAddr};

use super::{PROBE_INTERVAL, SCRAPE_INTERVAL};
use super::{
    error::Problem,
    position::Step::{self, Index, Key},
    schema::{Api, Path, Router, Schema, Ssh},
};

use crate::overlay::path::probe::Family;

type Checked = Result<(), Problem>;

pub fn check(config: &Schema) -> Checked {
    unique("routers", "router", config.routers().iter().map(|router| &router.name.0))?;
    unique("paths", "path", config.paths().iter().map(|path| &path.name.0))?;
    for (index, router) in config.routers().iter().enumerate() {
        transport(index, router)?;
    }
    site(config)?;
    families(config)?;
    tunnels(config)?;
    reflectors(config)?;
    times(config)
}

fn broken<T>(steps: impl Into<Vec<Step>>, message: String) -> Result<T, Problem> {
    Err(Problem { steps: steps.into(), key: None, message })
}

fn broken_key<T>(
    steps: impl Into<Vec<Step>>,
    key: &'static str,
    message: impl Into<String>,
) -> Result<T, Problem> {
    Err(Problem { steps: steps.into(), key: Some(key), message: message.into() })
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
            "says not how to read the router: add `ssh: {address: …, …}`, `api: {url: …, …}`, or `local: {}` for \
             this machine"
                .into(),
        ),
        (Some(ssh), None, api) => credential(index, ssh).and_then(|()| trust(index, api.as_ref())),
        (None, _, api) => trust(index, api.as_ref()),
    }
}

fn trust(index: usize, api: Option<&Api>) -> Checked {
    let here = [Key("routers"), Index(index), Key("api")];
    match api.map(|api| (&api.ca_file, &api.certificate_fingerprint)) {
        Some((Some(_), Some(_))) => {
            broken_key(here, "certificate_fingerprint", "has both `ca_file` and `certificate_fingerprint`: keep one")
        }
        Some((None, None)) => broken(
            here,
            "has nothing to hold the router's certificate against: add `certificate_fingerprint: SHA256:…` (VyOS's own \
             is self-signed), or `ca_file`"
                .into(),
        ),
        _ => Ok(()),
    }
}

fn credential(index: usize, ssh: &Ssh) -> Checked {
    let here = [Key("routers"), Index(index), Key("ssh")];
    match (&ssh.private_key_file, &ssh.password_file) {
        (Some(_), Some(_)) => {
            broken_key(here, "password_file", "has both `private_key_file` and `password_file`: keep one")
        }
        (None, None) => {
            broken(here, "has nothing to log in with: add `private_key_file` or `password_file`".into())
        }
        _ => Ok(()),
    }
}

fn site(config: &Schema) -> Checked {
    if config.site.is_none() && !config.paths().is_empty() {
        let message = "paths need to know where they start: add `site: NAME` at top level, the site this exporter runs at";
        return broken_key([], "paths", message);
    }
    Ok(())
}

/// An address written as a number is of one family already.
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
    let routers = || config.routers().iter().map(|router| router.name.0.as_str());
    let mut seen = BTreeSet::new();
    for (index, pair) in config.tunnels().iter().enumerate() {
        for (side, end) in pair.iter().enumerate() {
            let here = [Key("tunnels"), Index(index), Index(side)];
            let wanted = end.0.router.as_str();
            if !routers().any(|name| name == wanted) {
                let nearest = routers().max_by(|a, b| {
                    strsim::jaro_winkler(wanted, a).total_cmp(&strsim::jaro_winkler(wanted, b))
                });
                let remedy = match nearest {
                    Some(name) if strsim::jaro_winkler(wanted, name) > 0.8 => {
                        format!("did you mean {name:?}?")
                    }
                    _ => "name one of `routers`".to_owned(),
                };
                return broken(here, format!("there is no router {wanted:?}: {remedy}"));
            }
            if !seen.insert(end.to_string()) {
                return broken(here, format!("{end} is an end of two tunnels here: an interface has one"));
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

/// A value against the one it must stay within; inherited ones are adapted in `plan` instead.
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
