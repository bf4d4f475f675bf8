//! Which host keys a `known_hosts` file holds for one router. There is no trust on first use.
//!
//! The key types must be known before the handshake: with only an RSA key on file, a router that prefers
//! ed25519 would present that one, and a good router would read as "host key changed" (measured). OpenSSH
//! asks for the types on file first; so does this, and for the others after them, so that a router that has
//! none of them any more is told apart from a failed key exchange.
//!
//! libssh2 matches names (plain and hashed), line by line; what the lines mean is decided here. Lines with
//! patterns (`*.example`) match nothing, `@cert-authority` lines are passed over, a key on a `@revoked` line
//! is refused for every host.

use std::{fs, net::IpAddr, path::PathBuf};

use ssh2::{CheckResult, HashType, KnownHostFileKind, KnownHosts, Session};

use super::snapshot::ScrapeError;
use crate::{plan::SshPlan, types::FailureReason};

/// Key types as files name them, and the signature algorithms to ask for, in our order of preference.
const TYPES: [(&str, &str); 5] = [
    ("ssh-ed25519", "ssh-ed25519"),
    ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"),
    ("ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384"),
    ("ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521"),
    ("ssh-rsa", "rsa-sha2-512,rsa-sha2-256"),
];

const SSH_PORT: u16 = 22;

/// The host keys known for one router.
#[derive(Debug)]
pub struct HostKeys {
    file: PathBuf,
    /// As the file would name it: `host`, or `[host]:port`.
    name: String,
    keys: Vec<Key>,
    revoked: Vec<Key>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    line: usize,
    kind: String,
    base64: String,
}

impl HostKeys {
    /// Reads the file. `config` if it cannot be read, `hostkey_unknown` if it has no key for the router.
    pub fn read(plan: &SshPlan) -> Result<Self, ScrapeError> {
        let file = &plan.known_hosts_file;
        let text = fs::read(file).map_err(|error| {
            let message = format!(
                "cannot read known_hosts_file {}: {error}; put the router's host key there and let this user read it",
                file.display()
            );
            ScrapeError::new(FailureReason::Config, message)
        })?;
        let text = String::from_utf8_lossy(&text);
        let host =
            plan.address.parse::<IpAddr>().map_or(plan.address.to_ascii_lowercase(), |ip| ip.to_string());
        let with_port = format!("[{host}]:{}", plan.port);
        let mut name = if plan.port == SSH_PORT { host.clone() } else { with_port };
        let mut keys = keys_of(&text, &name)?;
        if keys.is_empty() && plan.port != SSH_PORT {
            // As OpenSSH: a key for the bare name counts where the port has none of its own.
            let bare = keys_of(&text, &host)?;
            if !bare.is_empty() {
                (name, keys) = (host, bare);
            }
        }
        keys.retain(|key| TYPES.iter().any(|(kind, _)| key.kind == *kind));
        let known = Self { file: file.clone(), name, keys, revoked: revoked(&text) };
        if known.keys.is_empty() {
            return Err(known.unknown("no host key", plan));
        }
        Ok(known)
    }

    /// Algorithms for the handshake, those of known keys first.
    #[must_use]
    pub fn preference(&self) -> String {
        let (mut known, others): (Vec<_>, Vec<_>) =
            TYPES.iter().partition(|(kind, _)| self.keys.iter().any(|key| key.kind == *kind));
        known.extend(others);
        known.iter().map(|(_, algorithms)| *algorithms).collect::<Vec<_>>().join(",")
    }

    /// Whether the key that the router presented in the handshake is known.
    pub fn verify(&self, session: &Session, plan: &SshPlan) -> Result<(), ScrapeError> {
        let Some((blob, _)) = session.host_key() else {
            return Err(self.unknown("no host key was presented, and none", plan));
        };
        let is = |key: &&Key| {
            // A name of our own makes the comparison one of keys only.
            let loaded = key_store(session, &format!("h {} {}", key.kind, key.base64));
            loaded.is_some_and(|store| matches!(store.check("h", blob), CheckResult::Match))
        };
        let kind = key_kind(blob);
        let seen = format!("{kind} {}", fingerprint(session));
        let (name, file) = (&self.name, self.file.display());
        if let Some(key) = self.revoked.iter().find(is) {
            let message = format!("{name} presented {seen}, which line {} of {file} revokes", key.line);
            return Err(ScrapeError::new(FailureReason::HostkeyMismatch, message));
        }
        if self.keys.iter().any(|key| is(&key)) {
            return Ok(());
        }
        match self.keys.iter().find(|key| key.kind == kind) {
            Some(key) => {
                let message = format!(
                    "the host key of {name} has changed: it presented {seen}, line {} of {file} has another; \
                     compare it on the router's console, then correct that line",
                    key.line
                );
                Err(ScrapeError::new(FailureReason::HostkeyMismatch, message))
            }
            None => Err(self.unknown(&format!("it presented {seen}, and no key of that type"), plan)),
        }
    }

    fn unknown(&self, what: &str, plan: &SshPlan) -> ScrapeError {
        let (name, file) = (&self.name, self.file.display());
        let message = format!(
            "{what} is known for {name} in {file}; print it with `ssh-keyscan -p {} {}`, compare it on the \
             router's console, then add it",
            plan.port, plan.address
        );
        ScrapeError::new(FailureReason::HostkeyUnknown, message)
    }
}

/// A store that holds this one line.
fn key_store(session: &Session, line: &str) -> Option<KnownHosts> {
    let mut store = session.known_hosts().ok()?;
    store.read_str(line, KnownHostFileKind::OpenSSH).ok()?;
    Some(store)
}

/// Keys of the lines that name exactly `name`, plain or hashed.
fn keys_of(text: &str, name: &str) -> Result<Vec<Key>, ScrapeError> {
    if name.contains('\0') {
        let message = "the router's `address` holds a NUL character; correct it in the configuration";
        return Err(ScrapeError::new(FailureReason::Config, message));
    }
    let session = Session::new().map_err(|error| {
        ScrapeError::new(FailureReason::Config, format!("libssh2 cannot be set up: {error}"))
    })?;
    // No key equals this one: "mismatch" says that the line names the host.
    let names = |line: &str| {
        let store = key_store(&session, line);
        store.is_some_and(|store| matches!(store.check(name, b"none"), CheckResult::Mismatch))
    };
    Ok(lines(text)
        .filter(|(_, line)| !line.starts_with('@') && names(line))
        .filter_map(|(number, line)| key(number, line))
        .collect())
}

fn revoked(text: &str) -> Vec<Key> {
    lines(text)
        .filter_map(|(number, line)| key(number, line.strip_prefix("@revoked")?.trim_start()))
        .collect()
}

fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().map(str::trim).enumerate().map(|(index, line)| (index + 1, line))
}

fn key(number: usize, line: &str) -> Option<Key> {
    let mut words = line.split_whitespace().skip(1);
    Some(Key { line: number, kind: words.next()?.to_owned(), base64: words.next()?.to_owned() })
}

/// The type at the start of a key blob (RFC 4253 section 6.6).
fn key_kind(blob: &[u8]) -> String {
    let kind = blob.split_first_chunk::<4>().and_then(|(length, rest)| {
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        rest.get(..length)
    });
    kind.map_or_else(|| "?".to_owned(), |kind| String::from_utf8_lossy(kind).into_owned())
}

/// As `ssh-keygen -l` prints it.
fn fingerprint(session: &Session) -> String {
    let hash = session.host_key_hash(HashType::Sha256).unwrap_or_default();
    format!("SHA256:{}", base64(hash))
}

/// Base64 without padding (RFC 4648).
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = (0..3)
            .fold(0_usize, |bits, index| bits << 8 | usize::from(chunk.get(index).copied().unwrap_or(0)));
        for digit in 0..=chunk.len() {
            text.push(char::from(ALPHABET[bits >> (18 - 6 * digit) & 63]));
        }
    }
    text
}
