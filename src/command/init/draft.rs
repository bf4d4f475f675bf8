//! The text of the configuration, pure. Everything in it that somebody else chose was checked
//! before: names, addresses and names of interfaces.

use std::{
    fmt::Write as _,
    net::IpAddr,
    path::{Path, PathBuf},
};

use super::{
    ask::NamedRouter,
    places::{FarEnd, ReadRouter},
};
use crate::look::knock::{KnockAnswers, PORTS};

/// Ports by which a path is probed, the likeliest to matter first.
const PREFERRED: [u16; PORTS.len()] = [443, 6443, 9345, 80, 22];
/// Further hosts of a site that are listed as comments.
const MOST_FURTHER: usize = 8;

/// A host, and what it answered.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub site: String,
    pub address: IpAddr,
    pub answers: KnockAnswers,
}

/// What the configuration is made of.
#[derive(Debug)]
pub(super) struct Draft<'d> {
    pub site: &'d str,
    pub routers: &'d [(NamedRouter, ReadRouter)],
    /// The `known_hosts` file as the configuration names it.
    pub known_hosts: String,
    /// The private key, as the configuration names it; else the agent's.
    pub key: Option<String>,
    /// All sites but our own.
    pub sites: Vec<String>,
    pub candidates: Vec<Candidate>,
    pub far_ends: Vec<FarEnd>,
}

impl Candidate {
    /// The port to probe: an open one, else one that refuses.
    fn port(&self) -> Option<u16> {
        let among = |ports: &[u16]| PREFERRED.into_iter().find(|port| ports.contains(port));
        among(&self.answers.open).or_else(|| among(&self.answers.closed))
    }

    /// The better a candidate the smaller.
    fn rank(&self) -> (bool, bool, usize, IpAddr) {
        let place = |port| PREFERRED.iter().position(|preferred| *preferred == port);
        let port = self.port().and_then(place).unwrap_or(PREFERRED.len());
        (self.answers.echoes == 0, self.answers.open.is_empty(), port, self.address)
    }

    fn answers_at_all(&self) -> bool {
        self.answers.echoes > 0 || self.port().is_some()
    }

    /// `site-a-192.168.100.10`
    fn plain_name(&self) -> String {
        format!("{}-{}", self.site, self.address)
    }

    /// What it answered, in words.
    fn said(&self) -> String {
        let ports = |all: &[u16]| all.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
        let mut said = vec![match self.answers.echoes {
            0 => "no answer to ping".to_owned(),
            echoes => format!("{echoes} pings answered"),
        }];
        if !self.answers.open.is_empty() {
            said.push(format!("open: {}", ports(&self.answers.open)));
        }
        if !self.answers.closed.is_empty() {
            said.push(format!("closed: {}", ports(&self.answers.closed)));
        }
        said.extend(self.answers.name.clone());
        said.join("; ")
    }
}

/// The candidates of a site, the best first.
pub(super) fn ranked<'c>(candidates: &'c [Candidate], site: &str) -> Vec<&'c Candidate> {
    let mut of_site: Vec<_> = candidates.iter().filter(|candidate| candidate.site == site).collect();
    of_site.sort_by_key(|candidate| candidate.rank());
    of_site
}

/// The file's text.
pub(super) fn text(draft: &Draft<'_>) -> String {
    let mut text = format!(
        "# Made by `vxlan_exporter init`. `vxlan_exporter config example` prints what else there is; docs/configuration.md \
         explains it.\n# File names are relative to the directory of this file.\n\nsite: {}  # where this exporter \
         runs\n\nrouters:\n",
        yaml(draft.site)
    );
    for (named, read) in draft.routers {
        put_router(&mut text, draft, named, read);
    }
    // Writing to a `String` cannot fail, here and below.
    for far in &draft.far_ends {
        let _ = writeln!(
            text,
            "  # {}/{} sends to {}: add its router here.",
            far.router, far.interface, far.remote
        );
    }
    text.push_str("\n# One path to each other site. A path is best to a host that matters, on a port that it serves.\npaths:\n");
    let mut names: Vec<String> = Vec::new();
    let mut are_paths = false;
    for site in &draft.sites {
        are_paths |= put_paths(&mut text, &ranked(&draft.candidates, site), site, &mut names);
    }
    if are_paths { text } else { text.replace("\npaths:\n", "\npaths: []\n") }
}

fn put_router(text: &mut String, draft: &Draft<'_>, named: &NamedRouter, read: &ReadRouter) {
    let remotes = read.remotes();
    let tunnels: Vec<_> = remotes.iter().take(4).map(|(remote, at)| format!("{at} to {remote}")).collect();
    let tunnels = if tunnels.is_empty() { "no tunnel seen".to_owned() } else { tunnels.join(", ") };
    let (name, host) = (yaml(&named.name), yaml(&named.host));
    let _ =
        write!(text, "  - name: {name}  # {tunnels}\n    site: {name}\n    ssh:\n      address: {host}\n");
    if named.port != 22 {
        let _ = writeln!(text, "      port: {}", named.port);
    }
    let _ = writeln!(text, "      username: {}", yaml(&named.username));
    let _ = match &draft.key {
        Some(key) => writeln!(text, "      private_key_file: {}", yaml(key)),
        None => {
            writeln!(text, "      agent: true  # of whoever starts this; a service needs `private_key_file`")
        }
    };
    let _ = writeln!(text, "      known_hosts_file: {}", yaml(&draft.known_hosts));
    if !read.addresses.is_empty() {
        let addresses: Vec<_> = read.addresses.iter().map(|address| yaml(&address.to_string())).collect();
        let _ = writeln!(
            text,
            "    addresses: [{}]  # VTEP addresses that it does not show",
            addresses.join(", ")
        );
    }
}

/// The path to a site, and its other hosts as comments; whether there is a path.
fn put_paths(text: &mut String, ranked: &[&Candidate], site: &str, names: &mut Vec<String>) -> bool {
    let best = ranked.first().filter(|candidate| candidate.answers_at_all());
    if let Some(best) = best {
        let name = path_name(best, names);
        let _ = write!(
            text,
            "  - name: {}  # {}\n    site: {}\n    address: {}\n",
            yaml(&name),
            best.said(),
            yaml(site),
            yaml(&best.address.to_string())
        );
        if let Some(port) = best.port() {
            let _ = writeln!(text, "    tcp_port: {port}");
        }
        names.push(name);
    } else {
        let why = if ranked.is_empty() { "no host seen behind it" } else { "no host seen there answers" };
        let site_value = yaml(site);
        let _ =
            writeln!(text, "  # {site}: {why}. Add one by hand: {{name: …, site: {site_value}, address: …}}");
    }
    for further in ranked.iter().skip(usize::from(best.is_some())).take(MOST_FURTHER) {
        let port = further.port().map(|port| format!(", tcp_port: {port}")).unwrap_or_default();
        let (name, address) = (yaml(&further.plain_name()), yaml(&further.address.to_string()));
        let _ = writeln!(
            text,
            "  # - {{name: {name}, site: {}, address: {address}{port}}}  # {}",
            yaml(site),
            further.said()
        );
    }
    best.is_some()
}

/// The first word of its name, or its site and address.
fn path_name(best: &Candidate, names: &[String]) -> String {
    let word = best.answers.name.as_ref().and_then(|name| name.split('.').next()).map(str::to_owned);
    word.filter(|word| !names.contains(word)).unwrap_or_else(|| best.plain_name())
}

/// A text as a value of YAML: quoted unless it can be nothing else.
fn yaml(text: &str) -> String {
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c))
        && !["true", "false", "yes", "no", "on", "off", "null", "y", "n"]
            .contains(&text.to_ascii_lowercase().as_str());
    let is_address = text.parse::<std::net::Ipv4Addr>().is_ok();
    // JSON's strings are YAML's too.
    if is_plain || is_address { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

/// How a file in `directory` names `file`: by its name if it is beside it, else by its whole path.
pub(super) fn beside(directory: &Path, file: &Path) -> String {
    let whole = |path: &Path| if path.as_os_str().is_empty() { PathBuf::from(".") } else { path.to_owned() };
    let of_file = whole(file.parent().unwrap_or(Path::new("")));
    let same = match (of_file.canonicalize(), whole(directory).canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    };
    match file.file_name().filter(|_| same) {
        Some(name) => name.to_string_lossy().into_owned(),
        None => std::path::absolute(file).unwrap_or_else(|_| file.to_owned()).display().to_string(),
    }
}

#[cfg(test)]
mod tests;
