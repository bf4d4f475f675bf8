//! OpenSSH host certificates (OpenSSH's PROTOCOL.certkeys), for `@cert-authority` lines.
//!
//! libssh2 checks only that the router holds the certified key. Who signed the certificate, for
//! which host and for how long, is checked here; OpenSSL checks the signatures.

use std::time::{Duration, SystemTime};

use openssl::{
    bn::{BigNum, BigNumContext},
    ec::{EcGroup, EcKey, EcPoint},
    ecdsa::EcdsaSig,
    error::ErrorStack,
    hash::MessageDigest,
    nid::Nid,
    pkey::{Id, PKey, Public},
    rsa::Rsa,
    sign::Verifier,
};

use super::{known_hosts, ssh_encoding::SshBytes};

const SUFFIX: &str = "-cert-v01@openssh.com";
/// `SSH2_CERT_TYPE_HOST`
const HOST: u32 = 2;

/// A host certificate that has not been verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Certificate<'a> {
    /// The certified key, as a plain host key.
    pub key: Vec<u8>,
    /// The public key of the authority that signed it.
    pub authority: &'a [u8],
    kind: u32,
    principals: Vec<&'a [u8]>,
    /// Validity in seconds since 1970: the first second at which it is valid, and the first at
    /// which it no longer is.
    valid: (u64, u64),
    critical: bool,
    signed: &'a [u8],
    signature: &'a [u8],
}

/// Whether a presented host key is a certificate.
#[must_use]
pub(crate) fn is_certificate(blob: &[u8]) -> bool {
    known_hosts::key_kind(blob).ends_with(SUFFIX)
}

impl<'a> Certificate<'a> {
    /// Parses a certificate; `None` if it is none, or of an unknown key type.
    #[must_use]
    pub(crate) fn parse(blob: &'a [u8]) -> Option<Self> {
        let mut wire = SshBytes(blob);
        let kind = std::str::from_utf8(wire.string()?).ok()?.strip_suffix(SUFFIX)?;
        let _nonce = wire.string()?;
        let key_fields = match kind {
            "ssh-ed25519" => 1,
            "ssh-rsa" | "ecdsa-sha2-nistp256" | "ecdsa-sha2-nistp384" | "ecdsa-sha2-nistp521" => 2,
            _ => return None,
        };
        let mut key = Vec::new();
        push_string(&mut key, kind.as_bytes());
        for _ in 0..key_fields {
            push_string(&mut key, wire.string()?);
        }
        let _serial = wire.u64()?;
        let kind = wire.u32()?;
        let _key_id = wire.string()?;
        let principals = SshBytes(wire.string()?).strings()?;
        let valid = (wire.u64()?, wire.u64()?);
        let critical = !wire.string()?.is_empty();
        let _extensions = wire.string()?;
        let _reserved = wire.string()?;
        let authority = wire.string()?;
        let signed = &blob[..blob.len() - wire.0.len()];
        let signature = wire.string()?;
        wire.0.is_empty().then_some(Self {
            key,
            authority,
            kind,
            principals,
            valid,
            critical,
            signed,
            signature,
        })
    }

    /// Whether its authority signed it for this host and it is valid now. Whether the authority is
    /// trusted is for the caller to check. The error ends a sentence that starts with "its
    /// certificate".
    pub(crate) fn check(&self, host: &str, now: SystemTime) -> Result<(), String> {
        // A clock before 1970 is before every certificate's validity.
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
        if !verify(self.authority, self.signed, self.signature).unwrap_or(false) {
            return Err("is not signed by the authority that it names".to_owned());
        }
        if self.kind != HOST {
            return Err("is a user's, not a host's".to_owned());
        }
        if self.critical {
            return Err("has critical options that this exporter does not know".to_owned());
        }
        if now < self.valid.0 {
            return Err(format!("is not valid yet, only in {} s; are the clocks right?", self.valid.0 - now));
        }
        if now >= self.valid.1 {
            return Err(format!("has expired {} s ago; renew it on the router", now - self.valid.1));
        }
        // A certificate without principals is valid for every host (PROTOCOL.certkeys).
        let names = || self.principals.iter().map(|name| String::from_utf8_lossy(name));
        if !self.principals.is_empty() && !names().any(|name| known_hosts::matches(&name, host)) {
            let names: Vec<_> = names().collect();
            return Err(format!("is for {}, not for {host}", names.join(", ")));
        }
        Ok(())
    }
}

fn push_string(to: &mut Vec<u8>, string: &[u8]) {
    // A string read from a blob is shorter than 4 GiB.
    to.extend(u32::try_from(string.len()).unwrap_or(u32::MAX).to_be_bytes());
    to.extend_from_slice(string);
}

/// Whether `signature` is the key's signature of the data. `None` if the key or the signature is of
/// an unknown type (known: RFC 8709, 5656, 8332; SHA-1 signatures are not accepted).
fn verify(key: &[u8], data: &[u8], signature: &[u8]) -> Option<bool> {
    let mut wire = SshBytes(signature);
    let (algorithm, signature) = (std::str::from_utf8(wire.string()?).ok()?, wire.string()?);
    let mut wire = SshBytes(key);
    let kind = std::str::from_utf8(wire.string()?).ok()?;
    let (first, second) = (wire.string()?, wire.string());
    let verified = match (kind, algorithm) {
        ("ssh-ed25519", "ssh-ed25519") => ed25519(first, data, signature),
        ("ssh-rsa", "rsa-sha2-256") => rsa(first, second?, MessageDigest::sha256(), data, signature),
        ("ssh-rsa", "rsa-sha2-512") => rsa(first, second?, MessageDigest::sha512(), data, signature),
        (kind, algorithm) if kind == algorithm => {
            let (curve, digest) = match kind {
                "ecdsa-sha2-nistp256" => (Nid::X9_62_PRIME256V1, MessageDigest::sha256()),
                "ecdsa-sha2-nistp384" => (Nid::SECP384R1, MessageDigest::sha384()),
                "ecdsa-sha2-nistp521" => (Nid::SECP521R1, MessageDigest::sha512()),
                _ => return None,
            };
            let mut wire = SshBytes(signature);
            ecdsa(curve, second?, digest, data, (wire.string()?, wire.string()?))
        }
        _ => return None,
    };
    verified.ok()
}

fn ed25519(key: &[u8], data: &[u8], signature: &[u8]) -> Result<bool, ErrorStack> {
    let key = PKey::public_key_from_raw_bytes(key, Id::ED25519)?;
    Verifier::new_without_digest(&key)?.verify_oneshot(signature, data)
}

fn rsa(e: &[u8], n: &[u8], digest: MessageDigest, data: &[u8], signature: &[u8]) -> Result<bool, ErrorStack> {
    let key = Rsa::from_public_components(BigNum::from_slice(n)?, BigNum::from_slice(e)?)?;
    with_digest(&PKey::from_rsa(key)?, digest, data, signature)
}

fn ecdsa(
    curve: Nid,
    point: &[u8],
    digest: MessageDigest,
    data: &[u8],
    (r, s): (&[u8], &[u8]),
) -> Result<bool, ErrorStack> {
    let group = EcGroup::from_curve_name(curve)?;
    let point = EcPoint::from_bytes(&group, point, &mut *BigNumContext::new()?)?;
    let key = PKey::from_ec_key(EcKey::from_public_key(&group, &point)?)?;
    let signature =
        EcdsaSig::from_private_components(BigNum::from_slice(r)?, BigNum::from_slice(s)?)?.to_der()?;
    with_digest(&key, digest, data, &signature)
}

fn with_digest(
    key: &PKey<Public>,
    digest: MessageDigest,
    data: &[u8],
    signature: &[u8],
) -> Result<bool, ErrorStack> {
    Verifier::new(digest, key)?.verify_oneshot(signature, data)
}

#[cfg(test)]
mod tests;
