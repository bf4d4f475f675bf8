//! The shared secret: read from a file, never sent, never printed. Both ends prove that they know
//! it. Each proof covers both ends' random halves of the challenge, so that a recorded proof is
//! useless later. It also covers its purpose, so that one end's proof cannot be used as the
//! other's.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{
    protocol::{Nonce, SecretProof, VERSION, Welcome},
    seal::Seal,
};
use crate::process::regular_file::read_secret;

/// Shortest secret in bytes: shorter ones can be guessed.
const LEAST: usize = 16;

/// A random half of a challenge.
pub(crate) fn fresh_nonce() -> io::Result<Nonce> {
    let mut nonce = Nonce::default();
    getrandom::fill(&mut nonce).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(nonce)
}

/// A secret that both ends know.
#[derive(Clone)]
pub struct Secret(Hmac<Sha256>);

/// Compares two of our own files; nothing that a peer sent is compared here.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        let zero = NonceHalves { prober: Nonce::default(), reflector: Nonce::default() };
        self.prove(&zero) == other.prove(&zero)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// The secret in a file, if one is given; read outside the async threads.
    pub(crate) async fn of(file: Option<PathBuf>) -> anyhow::Result<Option<Self>> {
        let Some(file) = file else { return Ok(None) };
        let loaded = tokio::task::spawn_blocking(move || Self::load(&file)).await;
        loaded.context("reading a secret")?.map(Some)
    }

    /// The file's content without surrounding white space. Blocks if the file is on a network file
    /// system that does not answer.
    pub fn load(file: &Path) -> anyhow::Result<Self> {
        let bytes = read_secret(file)?;
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

    /// A prober's answer to the challenge.
    #[must_use]
    pub(crate) fn prove(&self, halves: &NonceHalves) -> SecretProof {
        self.mac(Use::ProberProof, halves).finalize().into_bytes().into()
    }

    /// Whether a prober's answer is right, in constant time.
    #[must_use]
    pub(crate) fn accepts(&self, proof: &SecretProof, halves: &NonceHalves) -> bool {
        self.mac(Use::ProberProof, halves).verify_slice(proof).is_ok()
    }

    /// A reflector's own proof, which also covers the values in its welcome.
    #[must_use]
    pub(crate) fn prove_welcome(&self, halves: &NonceHalves, welcome: &Welcome) -> SecretProof {
        self.mac(Use::ReflectorProof, halves).chain_update(welcome.bytes()).finalize().into_bytes().into()
    }

    /// Whether a reflector's proof is right, in constant time.
    #[must_use]
    pub(crate) fn accepts_welcome(
        &self,
        proof: &SecretProof,
        halves: &NonceHalves,
        welcome: &Welcome,
    ) -> bool {
        self.mac(Use::ReflectorProof, halves).chain_update(welcome.bytes()).verify_slice(proof).is_ok()
    }

    /// The tags for this session: for frames of the prober and for those of the reflector.
    #[must_use]
    pub(crate) fn seals(&self, halves: &NonceHalves) -> (Seal, Seal) {
        let seal = |of| Seal::new(&self.mac(of, halves).finalize().into_bytes().into());
        (seal(Use::ProberFrames), seal(Use::ReflectorFrames))
    }

    fn mac(&self, of: Use, halves: &NonceHalves) -> Hmac<Sha256> {
        self.0
            .clone()
            .chain_update(b"vxlan_exporter reflector")
            .chain_update([VERSION, of as u8])
            .chain_update(halves.prober)
            .chain_update(halves.reflector)
    }
}

/// Both ends' random halves of the challenge in one greeting.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NonceHalves {
    /// From the hello.
    pub prober: Nonce,
    /// From the challenge.
    pub reflector: Nonce,
}

/// The purposes of values derived from the secret: a value for one is useless for any other.
#[derive(Clone, Copy)]
enum Use {
    ProberProof = 1,
    ReflectorProof,
    ProberFrames,
    ReflectorFrames,
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
        let halves = |prober, reflector| NonceHalves { prober: [prober; 16], reflector: [reflector; 16] };
        let proof = one.prove(&halves(1, 2));
        assert!(same.accepts(&proof, &halves(1, 2)));
        assert!(!other.accepts(&proof, &halves(1, 2)));
        assert!(!same.accepts(&proof, &halves(1, 3)));
        assert!(!same.accepts(&proof, &halves(3, 2)));
        let welcome = Welcome { interface_mtu: 1500, limit: 1500, path_mtu: 1500 };
        let back = one.prove_welcome(&halves(1, 2), &welcome);
        assert!(same.accepts_welcome(&back, &halves(1, 2), &welcome));
        assert!(!other.accepts_welcome(&back, &halves(1, 2), &welcome));
        assert!(!same.accepts_welcome(&back, &halves(1, 3), &welcome));
        assert!(!same.accepts_welcome(&back, &halves(1, 2), &Welcome { limit: 1499, ..welcome }));
        assert!(!same.accepts_welcome(&proof, &halves(1, 2), &welcome), "the prober's own proof, sent back");
    }

    #[test]
    fn a_short_secret_is_refused_without_being_shown() {
        let error = format!("{:#}", secret("hunter2").expect_err("short"));
        assert!(error.contains("at least 16") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn only_a_short_regular_file_is_read() {
        let dir = tempfile::tempdir().expect("a directory");
        let fifo = dir.path().join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).expect("a FIFO");
        for file in [&fifo, Path::new("/dev/zero"), dir.path()] {
            let error = format!("{:#}", Secret::load(file).expect_err("not a file"));
            assert!(error.contains("only a regular file is read"), "{error}");
        }
        assert!(secret(&"x".repeat(2 << 20)).is_err());
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
