//! OpenSSH's `known_hosts` file (its format: sshd(8)): which keys it holds for a name.
//!
//! Names are plain, hashed (`|1|salt|hash`), patterns with `*`, `?` and `!`, or `[host]:port`. A
//! line may start with `@cert-authority` (its key signs host certificates and is never a host key
//! itself) or `@revoked`. Unreadable lines are skipped, as in OpenSSH.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    net::IpAddr,
    os::unix::fs::{MetadataExt, OpenOptionsExt, fchown},
    path::Path,
};

use openssl::{base64, error::ErrorStack, hash::MessageDigest, memcmp, pkey::PKey, sign::Signer};

use super::ssh_encoding::SshBytes;
use crate::{model::fingerprint::Fingerprint, text::visible};

/// SSH's default port.
pub(crate) const SSH_PORT: u16 = 22;

/// The marker of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marker {
    /// No marker: the host's key.
    Plain,
    /// `@cert-authority`: signs the host's certificates.
    Authority,
    /// `@revoked`: must not be trusted.
    Revoked,
}

/// One line of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Line number, from 1.
    pub line: usize,
    /// Its marker.
    pub mark: Marker,
    /// The names as written.
    pub names: String,
    /// Type of the key.
    pub kind: String,
    /// The key (RFC 4253 section 6.6).
    pub blob: Vec<u8>,
}

impl Entry {
    /// Whether the line applies to that name.
    #[must_use]
    pub(crate) fn names(&self, name: &str) -> bool {
        if self.names.starts_with('|') {
            return is_hash_of(&self.names, name);
        }
        let mut found = false;
        for pattern in self.names.split(',') {
            match pattern.strip_prefix('!') {
                Some(negated) if matches(negated, name) => return false,
                Some(_) => {}
                None => found |= matches(pattern, name),
            }
        }
        found
    }

    /// Whether the line applies to no other name.
    #[must_use]
    pub(crate) fn names_only(&self, name: &str) -> bool {
        self.names.eq_ignore_ascii_case(name) || (self.names.starts_with('|') && self.names(name))
    }
}

/// The lines of a file.
#[must_use]
pub(crate) fn parse(text: &str) -> Vec<Entry> {
    (1..).zip(text.lines()).filter_map(|(line, text)| entry(line, text)).collect()
}

fn entry(line: usize, text: &str) -> Option<Entry> {
    let mut words = text.split_whitespace();
    let mut names = words.next()?;
    let mark = match names {
        "@cert-authority" => Marker::Authority,
        "@revoked" => Marker::Revoked,
        other if other.starts_with(['@', '#']) => return None,
        _ => Marker::Plain,
    };
    if mark != Marker::Plain {
        names = words.next()?;
    }
    let kind = words.next()?.to_owned();
    let blob = base64::decode_block(words.next()?).ok()?;
    // A type that differs from the key's own is a mistake in the file, so the line is skipped.
    (key_kind(&blob) == kind).then(|| Entry { line, mark, names: names.to_owned(), kind, blob })
}

/// `host`, or `[host]:port` for a port other than 22.
#[must_use]
pub(crate) fn host_name(host: &str, port: u16) -> String {
    if port == SSH_PORT { host.to_owned() } else { format!("[{host}]:{port}") }
}

/// An address in its shortest form, a name in lower case: as in the file.
#[must_use]
pub(crate) fn normalised(address: &str) -> String {
    address.parse::<IpAddr>().map_or_else(|_| address.to_ascii_lowercase(), |ip| ip.to_string())
}

/// Whether `field` is `HMAC-SHA1(salt, name)`.
fn is_hash_of(field: &str, name: &str) -> bool {
    let hashed = || -> Option<bool> {
        let (salt, hash) = field.strip_prefix("|1|")?.split_once('|')?;
        let (salt, hash) = (base64::decode_block(salt).ok()?, base64::decode_block(hash).ok()?);
        let computed = hmac_sha1(&salt, name.as_bytes()).ok()?;
        Some(computed.len() == hash.len() && memcmp::eq(&computed, &hash))
    };
    hashed().unwrap_or(false)
}

fn hmac_sha1(key: &[u8], data: &[u8]) -> Result<Vec<u8>, ErrorStack> {
    let key = PKey::hmac(key)?;
    Signer::new(MessageDigest::sha1(), &key)?.sign_oneshot_to_vec(data)
}

/// Whether a name matches a pattern: `*` is any text, `?` any one character; case is ignored.
#[must_use]
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n) = (0, 0);
    let mut star = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == b'?' || c.eq_ignore_ascii_case(&name[n]) => {
                p += 1;
                n += 1;
            }
            // Let the last star match one character more.
            _ => match &mut star {
                Some((at, taken)) => {
                    *taken += 1;
                    (p, n) = (*at + 1, *taken);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

/// The key type at the start of a key.
#[must_use]
pub(crate) fn key_kind(blob: &[u8]) -> String {
    SshBytes(blob)
        .string()
        .map_or_else(|| "?".to_owned(), |kind| visible(&String::from_utf8_lossy(kind)).into_owned())
}

/// As `ssh-keygen -l` prints it: `SHA256:` and base64 without padding.
#[must_use]
pub(crate) fn fingerprint(blob: &[u8]) -> String {
    Fingerprint::of(blob).as_openssh()
}

/// Adds a key in a single write, so that no reader sees half a line; creates the file if needed.
pub(crate) fn add(file: &Path, name: &str, blob: &[u8]) -> io::Result<()> {
    let mut open = OpenOptions::new().read(true).append(true).create(true).mode(0o644).open(file)?;
    let ends_open = fs::read(file)?.last().is_some_and(|byte| *byte != b'\n');
    let line = line(name, blob);
    open.write_all(if ends_open { format!("\n{line}") } else { line }.as_bytes())?;
    open.sync_all()
}

/// Replaces some lines (numbered from 1) with a key. The new file is complete before it is renamed
/// over the old one, and keeps owner and mode.
pub(crate) fn replace(file: &Path, lines: &[usize], name: &str, blob: &[u8]) -> io::Result<()> {
    // A symbolic link stays one.
    let file = fs::canonicalize(file)?;
    let (text, old) = (fs::read(&file)?, fs::metadata(&file)?);
    let mut new = Vec::with_capacity(text.len());
    for (number, text) in (1..).zip(text.split_inclusive(|byte| *byte == b'\n')) {
        if !lines.contains(&number) {
            new.extend_from_slice(text);
        }
    }
    if new.last().is_some_and(|byte| *byte != b'\n') {
        new.push(b'\n');
    }
    new.extend_from_slice(line(name, blob).as_bytes());
    let mut beside = file.clone().into_os_string();
    beside.push(format!(".{}", std::process::id()));
    let written = write_new(Path::new(&beside), &old, &new).and_then(|()| fs::rename(&beside, &file));
    if written.is_err() {
        // The unfinished file is useless; the first error is the one to report.
        let _ = fs::remove_file(&beside);
    }
    written
}

fn write_new(file: &Path, like: &fs::Metadata, content: &[u8]) -> io::Result<()> {
    let mut new: File = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    new.write_all(content)?;
    fchown(&new, Some(like.uid()), Some(like.gid()))?;
    new.set_permissions(like.permissions())?;
    new.sync_all()
}

fn line(name: &str, blob: &[u8]) -> String {
    format!("{name} {} {}\n", key_kind(blob), base64::encode_block(blob))
}

#[cfg(test)]
mod tests;
