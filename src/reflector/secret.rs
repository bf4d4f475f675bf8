//! The shared secret: read from a file, never sent, never printed. Both ends' random halves of the
//! challenge go into the proof, so that a recorded one proves nothing later.

use std::{fmt, io, path::Path};

use anyhow::{Context, bail};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::protocol::{Nonce, Proof};

/// Fewer bytes are guessed.
const LEAST: usize = 16;

/// A random half of a challenge.
pub fn fresh_nonce() -> io::Result<Nonce> {
    let mut nonce = Nonce::default();
    getrandom::fill(&mut nonce).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(nonce)
}

/// A secret both ends know.
#[derive(Clone)]
pub struct Secret(Hmac<Sha256>);

/// Of two of our own files; nothing that a peer said is compared here.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        let zero = Nonce::default();
        self.prove(&zero, &zero) == other.prove(&zero, &zero)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// The file's content without white space around it.
    pub fn load(file: &Path) -> anyhow::Result<Self> {
        let bytes = std::fs::read(file).with_context(|| format!("reading the secret {}", file.display()))?;
        let secret = bytes.trim_ascii();
        if secret.len() < LEAST {
            bail!(
                "{}: a secret needs at least {LEAST} characters: make one with `openssl rand -hex 32`",
                file.display()
            );
        }
        let Ok(mac) = Hmac::new_from_slice(secret) else { bail!("{}: no key", file.display()) };
        Ok(Self(mac))
    }

    /// What a prober answers to the challenge.
    #[must_use]
    pub fn prove(&self, prober: &Nonce, reflector: &Nonce) -> Proof {
        self.mac(prober, reflector).finalize().into_bytes().into()
    }

    /// Whether the answer is right, in constant time.
    #[must_use]
    pub fn accepts(&self, proof: &Proof, prober: &Nonce, reflector: &Nonce) -> bool {
        self.mac(prober, reflector).verify_slice(proof).is_ok()
    }

    fn mac(&self, prober: &Nonce, reflector: &Nonce) -> Hmac<Sha256> {
        self.0
            .clone()
            .chain_update(b"vxlan_exporter reflector 1")
            .chain_update(prober)
            .chain_update(reflector)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> anyhow::Result<Secret> {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("secret");
        std::fs::write(&file, text).expect("written");
        Secret::load(&file)
    }

    #[test]
    fn only_the_same_secret_and_both_halves_prove() {
        let (one, same, other) = (
            secret("0123456789abcdef\n").expect("long enough"),
            secret("0123456789abcdef").expect("long enough"),
            secret("0123456789abcdeF").expect("long enough"),
        );
        let proof = one.prove(&[1; 16], &[2; 16]);
        assert!(same.accepts(&proof, &[1; 16], &[2; 16]));
        assert!(!other.accepts(&proof, &[1; 16], &[2; 16]));
        assert!(!same.accepts(&proof, &[1; 16], &[3; 16]));
        assert!(!same.accepts(&proof, &[3; 16], &[2; 16]));
    }

    #[test]
    fn a_short_secret_is_refused_without_being_shown() {
        let error = format!("{:#}", secret("hunter2").expect_err("short"));
        assert!(error.contains("at least 16") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn the_same_secret_is_equal() {
        let secret = |text| secret(text).expect("long enough");
        assert!(secret("0123456789abcdef") == secret("0123456789abcdef\n"));
        assert!(secret("0123456789abcdef") != secret("0123456789abcdeF"));
    }

    #[test]
    fn a_secret_is_not_printed() {
        assert_eq!(format!("{:?}", secret("0123456789abcdef").expect("long enough")), "Secret");
    }
}
