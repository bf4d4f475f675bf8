//! Whether a router is the one that is meant: its host key against what the configuration trusts.
//! There is no trust on first use.
//!
//! The key types on file must be known before the handshake: with only an RSA key on file, a router
//! that prefers ed25519 would present that one, and a good router would be reported as "host key
//! changed" (measured). So, like OpenSSH, the handshake prefers the types on file. The other types
//! follow, so that a router that has none of the types on file is told apart from a failed key
//! exchange. Certificates are requested only if an authority is on file, so that a router with both
//! presents the key that can be checked.

use std::{
    fmt::Display,
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::{
    certificate::{Certificate, is_certificate},
    known_hosts::{self, Entry, Marker, SSH_PORT, fingerprint, key_kind},
};
use crate::{
    model::{
        fingerprint::Fingerprint,
        plan::{HostTrust, SshPlan},
        snapshot::ScrapeError,
        types::FailureReason,
    },
    process::regular_file::{self, Why},
};

/// Key types as files name them, the signature algorithms to request, and those of certificates, in
/// order of preference.
const TYPES: [(&str, &str, &str); 5] = [
    ("ssh-ed25519", "ssh-ed25519", "ssh-ed25519-cert-v01@openssh.com"),
    ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256-cert-v01@openssh.com"),
    ("ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384-cert-v01@openssh.com"),
    ("ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521-cert-v01@openssh.com"),
    (
        "ssh-rsa",
        "rsa-sha2-512,rsa-sha2-256",
        "rsa-sha2-512-cert-v01@openssh.com,rsa-sha2-256-cert-v01@openssh.com",
    ),
];

/// The keys that are trusted for one router.
#[derive(Debug)]
pub(crate) struct HostKeys {
    /// The address without port, as certificates name it.
    host: String,
    /// The name in the file: `host`, or `[host]:port`.
    pub name: String,
    trusted: Trusted,
}

#[derive(Debug)]
enum Trusted {
    Fingerprint(Fingerprint),
    File { file: PathBuf, keys: Vec<Entry>, authorities: Vec<Entry>, revoked: Vec<Entry> },
}

fn read(file: &Path) -> Result<Vec<u8>, Why> {
    regular_file::read(file, regular_file::MOST_BYTES).map_err(|error| error.why)
}

impl HostKeys {
    /// Reads what the configuration trusts. Fails with `config` if the file cannot be read, with
    /// `hostkey_unknown` if it has nothing for the router.
    pub(crate) fn read(plan: &SshPlan) -> Result<Self, ScrapeError> {
        let known = Self::read_with(plan, read)?;
        if let Trusted::File { keys, authorities, .. } = &known.trusted
            && keys.is_empty()
            && authorities.is_empty()
        {
            return Err(known.unknown("no host key"));
        }
        Ok(known)
    }

    /// Like [`HostKeys::read`], but the router need not be in the file, and the file need not
    /// exist.
    pub(crate) fn read_so_far(plan: &SshPlan) -> Result<Self, ScrapeError> {
        Self::read_with(plan, |file| match read(file) {
            Err(why) if why.is_not_found() => Ok(Vec::new()),
            read => read,
        })
    }

    fn read_with(
        plan: &SshPlan,
        read: impl FnOnce(&Path) -> Result<Vec<u8>, Why>,
    ) -> Result<Self, ScrapeError> {
        let host = known_hosts::normalised(&plan.address);
        let mut name = known_hosts::host_name(&host, plan.port);
        let file = match &plan.host_trust {
            HostTrust::Fingerprint(trusted) => {
                return Ok(Self { host, name, trusted: Trusted::Fingerprint(*trusted) });
            }
            HostTrust::KnownHosts(file) => file,
        };
        let text = read(file).map_err(|error| {
            let message = format!(
                "cannot read known_hosts_file {}: {error}; `vxlan_exporter config trust ROUTER` makes it, and \
                 this user must be able to read it",
                file.display()
            );
            ScrapeError::new(FailureReason::Config, message)
        })?;
        let entries = known_hosts::parse(&String::from_utf8_lossy(&text));
        let of = |name: &str, mark| -> Vec<Entry> {
            let named = |entry: &&Entry| entry.mark == mark && entry.names(name);
            let usable = |entry: &&Entry| TYPES.iter().any(|(kind, ..)| entry.kind == *kind);
            entries.iter().filter(usable).filter(named).cloned().collect()
        };
        let (mut keys, mut authorities) = (of(&name, Marker::Plain), of(&name, Marker::Authority));
        if keys.is_empty() && authorities.is_empty() && plan.port != SSH_PORT {
            // As in OpenSSH: entries for the bare name apply if there are none for the port.
            let bare = (of(&host, Marker::Plain), of(&host, Marker::Authority));
            if !bare.0.is_empty() || !bare.1.is_empty() {
                name.clone_from(&host);
                (keys, authorities) = bare;
            }
        }
        // A revoked key is refused whatever name it was revoked for.
        let revoked = entries.into_iter().filter(|entry| entry.mark == Marker::Revoked).collect();
        let trusted = Trusted::File { file: file.clone(), keys, authorities, revoked };
        Ok(Self { host, name, trusted })
    }

    /// The line that revokes this key.
    #[must_use]
    pub(crate) fn revoked(&self, blob: &[u8]) -> Option<&Entry> {
        match &self.trusted {
            Trusted::File { revoked, .. } => revoked.iter().find(|line| line.blob == blob),
            Trusted::Fingerprint(_) => None,
        }
    }

    /// The plain keys on file.
    #[must_use]
    pub(crate) fn keys(&self) -> &[Entry] {
        match &self.trusted {
            Trusted::File { keys, .. } => keys,
            Trusted::Fingerprint(_) => &[],
        }
    }

    /// Algorithms for the handshake, in order of preference.
    #[must_use]
    pub(crate) fn preference(&self) -> String {
        let (mut known, others): (Vec<_>, Vec<_>) =
            TYPES.iter().partition(|(kind, ..)| self.keys().iter().any(|key| key.kind == *kind));
        known.extend(others);
        let mut algorithms: Vec<_> = known.iter().map(|(_, plain, _)| *plain).collect();
        if matches!(&self.trusted, Trusted::File { authorities, .. } if !authorities.is_empty()) {
            algorithms.splice(0..0, TYPES.iter().map(|(.., certificate)| *certificate));
        }
        algorithms.join(",")
    }

    /// Whether the key that the router presented in the handshake is trusted.
    pub(crate) fn verify(&self, blob: &[u8], now: SystemTime) -> Result<(), ScrapeError> {
        let certificate = Certificate::parse(blob);
        if certificate.is_none() && is_certificate(blob) {
            return Err(
                self.unknown(&format!("it presented {}, which cannot be read, and no key", key_kind(blob)))
            );
        }
        // A certified key may also be on file as a plain key.
        let key = certificate.as_ref().map_or(blob, |certificate| &certificate.key);
        let seen = format!("{} {}", key_kind(key), fingerprint(key));
        let (keys, authorities, revoked, file) = match &self.trusted {
            Trusted::Fingerprint(trusted) => return self.verify_fingerprint(*trusted, key, &seen),
            Trusted::File { file, keys, authorities, revoked } => {
                (keys, authorities, revoked, file.display())
            }
        };
        let signed_by = certificate.as_ref().map(|certificate| certificate.authority);
        if let Some(line) = revoked.iter().find(|line| line.blob == key || Some(&*line.blob) == signed_by) {
            let message =
                format!("{} presented {seen}, which line {} of {file} revokes", self.name, line.line);
            return Err(ScrapeError::new(FailureReason::HostkeyMismatch, message));
        }
        if keys.iter().any(|known| known.blob == key) {
            return Ok(());
        }
        if let Some(certificate) = &certificate {
            let what = if authorities.iter().any(|known| known.blob == certificate.authority) {
                match certificate.check(&self.host, now) {
                    Ok(()) => return Ok(()),
                    Err(why) => format!("it presented {seen}; its certificate {why}, and no such key"),
                }
            } else {
                let authority = fingerprint(certificate.authority);
                format!("it presented {seen}, certified by {authority}, and no such authority")
            };
            return Err(self.unknown(&what));
        }
        Err(self.other_key(keys, key, &seen, &file))
    }

    /// The error for a key that is not on file.
    fn other_key(&self, keys: &[Entry], key: &[u8], seen: &str, file: &dyn Display) -> ScrapeError {
        match keys.iter().find(|known| known.kind == key_kind(key)) {
            Some(known) => {
                let message = format!(
                    "the host key of {} has changed: it presented {seen}, line {} of {file} has another; compare it \
                     on the router's console, then `vxlan_exporter config trust ROUTER` replaces that line",
                    self.name, known.line
                );
                ScrapeError::new(FailureReason::HostkeyMismatch, message)
            }
            None if keys.is_empty() => {
                self.unknown(&format!("it presented {seen} without a certificate, and no such key"))
            }
            None => self.unknown(&format!("it presented {seen}, and no key of that type")),
        }
    }

    fn verify_fingerprint(&self, trusted: Fingerprint, key: &[u8], seen: &str) -> Result<(), ScrapeError> {
        if Fingerprint::of(key) == trusted {
            return Ok(());
        }
        let message = format!(
            "{} presented {seen}, `host_key_fingerprint` is {}: the key has changed, or that is the \
             fingerprint of a key of another type (asked for are ssh-ed25519, then ecdsa, then rsa); compare it on \
             the router's console",
            self.name,
            trusted.as_openssh()
        );
        Err(ScrapeError::new(FailureReason::HostkeyMismatch, message))
    }

    fn unknown(&self, what: &str) -> ScrapeError {
        let file = match &self.trusted {
            Trusted::File { file, .. } => file.display().to_string(),
            Trusted::Fingerprint(_) => "`host_key_fingerprint`".to_owned(),
        };
        let message = format!(
            "{what} is known for {} in {file}; `vxlan_exporter config trust ROUTER` shows the router's key and adds \
             it, once you have compared it on the router's console",
            self.name
        );
        ScrapeError::new(FailureReason::HostkeyUnknown, message)
    }
}
