//! `config trust`: a person compares a router's host key with what its console shows, then the key
//! is written to the `known_hosts` file. There is no other way by which this program comes to trust
//! a key.
//!
//! It makes one connection without a login: OpenSSH 9.8 and later counts such connections against
//! the source address, and locks it out after a dozen or so in a row (`PerSourcePenalties`).

use std::{
    fmt::Write as _,
    io,
    path::Path,
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context, bail, ensure};

use crate::{
    logging,
    model::{
        plan::{HostTrust, Plan, RouterPlan, SshPlan, Transport},
        types::RouterName,
    },
    router::{
        transport::ssh,
        trust::{
            certificate::is_certificate,
            host_key::HostKeys,
            known_hosts::{self, Entry, fingerprint, key_kind},
        },
    },
};

/// A person waits longer than a scrape does.
pub(super) const TIMEOUT: Duration = Duration::from_secs(20);

/// Which router to trust, and how it is confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The router's name in the configuration.
    pub router: String,
    /// The fingerprint that the key must have.
    pub fingerprint: Option<String>,
    /// Whether to skip the question.
    pub yes: bool,
    /// Whether there is a terminal to ask on.
    pub terminal: bool,
}

/// Connects, shows the key, asks, writes. Returns the final message, or why the key is not trusted.
pub fn trust(plan: &Plan, request: &Request) -> anyhow::Result<String> {
    let (router, login) = chosen(plan, &request.router)?;
    request.can_be_confirmed()?;
    let known = HostKeys::read_so_far(login)?;
    let key = ssh::presented_key(login, &known, Instant::now() + TIMEOUT)?;
    request.expects(router, &key)?;
    let HostTrust::KnownHosts(file) = &login.host_trust else {
        return compare(router, &known, &key);
    };
    if is_trusted(router, &known, &key, file)? {
        let (kind, seen) = (key_kind(&key), fingerprint(&key));
        return Ok(format!(
            "router {}: {kind} {seen} is trusted already, by {}\n",
            router.name,
            file.display()
        ));
    }
    let old: Vec<&Entry> = known.keys().iter().filter(|old| old.kind == key_kind(&key)).collect();
    logging::say(&shown(&router.name, login, file, &key, &old));
    if !request.yes {
        typed_yes()?;
    }
    write(login, file, &known, &key, &old)?;
    Ok(format!("router {}: written to {}\n", router.name, file.display()))
}

/// The router of that name, and its login.
fn chosen<'p>(plan: &'p Plan, name: &str) -> anyhow::Result<(&'p RouterPlan, &'p SshPlan)> {
    let router = plan.routers.iter().find(|router| router.name.as_str() == name);
    let router = router.with_context(|| {
        let names: Vec<_> = plan.routers.iter().map(|router| router.name.as_str()).collect();
        format!("there is no router {name:?} in the configuration: it has {}", names.join(", "))
    })?;
    let Transport::Ssh(login) = &router.transport else {
        bail!("router {} is not read over SSH: it has no host key to trust", router.name);
    };
    Ok((router, login))
}

impl Request {
    /// Whether the key can be confirmed: by a person at a terminal, or by a fingerprint and
    /// `--yes`.
    fn can_be_confirmed(&self) -> anyhow::Result<()> {
        if !self.terminal {
            ensure!(
                self.fingerprint.is_some(),
                "no terminal, so nobody can compare the host key: give --fingerprint SHA256:… as the router's console \
                 shows it, and --yes"
            );
            ensure!(self.yes, "no terminal, so nobody can be asked: add --yes");
        }
        Ok(())
    }

    /// Whether the key has the fingerprint of the command line, if one is given.
    fn expects(&self, router: &RouterPlan, key: &[u8]) -> anyhow::Result<()> {
        let Some(wanted) = &self.fingerprint else { return Ok(()) };
        let (seen, wanted) = (fingerprint(key), wanted.trim_end_matches('='));
        ensure!(
            seen == wanted,
            "router {} presented {} {seen}, not {wanted}: nothing is written; either that is the \
             fingerprint of a key of another type, or somebody intercepts the connection",
            router.name,
            key_kind(key)
        );
        Ok(())
    }
}

/// Whether the file trusts the key already; an error if the key must not be added.
fn is_trusted(router: &RouterPlan, known: &HostKeys, key: &[u8], file: &Path) -> anyhow::Result<bool> {
    if let Some(line) = known.revoked(key) {
        bail!(
            "router {} presented {}, which line {} of {} revokes",
            router.name,
            fingerprint(key),
            line.line,
            file.display()
        );
    }
    match known.verify(key, SystemTime::now()) {
        Ok(()) => Ok(true),
        // The file trusts an authority; a plain key beside it would make the certificate pointless.
        Err(error) if is_certificate(key) => bail!(error),
        Err(_) => Ok(false),
    }
}

/// If the configuration itself contains the fingerprint there is nothing to write.
fn compare(router: &RouterPlan, known: &HostKeys, key: &[u8]) -> anyhow::Result<String> {
    let seen = format!("{} {}", key_kind(key), fingerprint(key));
    known.verify(key, SystemTime::now()).with_context(|| {
        format!(
            "if {seen} is the key of router {}, write `host_key_fingerprint: {}` in the configuration",
            router.name,
            fingerprint(key)
        )
    })?;
    Ok(format!("router {}: {seen} is trusted already, by `host_key_fingerprint`\n", router.name))
}

/// An error unless somebody types yes.
pub(super) fn typed_yes() -> anyhow::Result<()> {
    logging::say("Type yes to trust this key: ");
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    ensure!(answer.trim() == "yes", "not a yes: nothing is written");
    Ok(())
}

/// The key that a router presented, beside those of its type on file.
pub(super) fn shown(router: &RouterName, login: &SshPlan, file: &Path, key: &[u8], old: &[&Entry]) -> String {
    let kind = key_kind(key);
    let mut text = format!("router {router}, {}:{}\n", login.address, login.port);
    // Writing to a `String` cannot fail.
    let _ = writeln!(text, "  presented  {kind} {}", fingerprint(key));
    for old in old {
        let (print, line) = (fingerprint(&old.blob), old.line);
        let _ = writeln!(text, "  CHANGED    {kind} {print} is what line {line} of {} has", file.display());
    }
    let short = if kind.starts_with("ecdsa") { "ecdsa" } else { kind.trim_start_matches("ssh-") };
    let _ = writeln!(
        text,
        "Compare it with what the router's own console shows: ssh-keygen -lf /etc/ssh/ssh_host_{short}_key.pub"
    );
    text
}

fn write(login: &SshPlan, file: &Path, known: &HostKeys, key: &[u8], old: &[&Entry]) -> anyhow::Result<()> {
    let name = known_hosts::host_name(&known_hosts::normalised(&login.address), login.port);
    // Entries for the bare name apply to its other ports too, so they are not replaced; entries for
    // this port take precedence.
    let old = if known.name == name { old } else { &[] };
    if let Some(shared) = old.iter().find(|old| !old.names_only(&name)) {
        bail!(
            "line {} of {} has another key for {}: correct it by hand, nothing is written",
            shared.line,
            file.display(),
            shared.names
        );
    }
    let lines: Vec<usize> = old.iter().map(|old| old.line).collect();
    let written = if lines.is_empty() {
        known_hosts::add(file, &name, key)
    } else {
        known_hosts::replace(file, &lines, &name, key)
    };
    written.with_context(|| format!("writing {}", file.display()))
}
