//! `Authorization: Basic`: who is let in.
//!
//! Checking a password against bcrypt costs much, on purpose. So the password that was right is remembered by a keyed
//! digest, and the next scrape costs nothing; who guesses pays every time, few at a time, and whether the name
//! exists makes no difference.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context as _, anyhow};
use hmac::{Hmac, KeyInit, Mac};
use hyper::header::HeaderValue;
use openssl::base64;
use sha2::Sha256;
use tokio::{sync::Semaphore, task::spawn_blocking};

use crate::config::password_hash::PasswordHash;

/// Hashes computed at a time: guesses must not take the CPU from the probes.
const AT_A_TIME: usize = 2;

/// The users of one state of the file.
pub struct Users {
    hashes: BTreeMap<String, PasswordHash>,
    /// Digest of the password that was right.
    right: Mutex<BTreeMap<String, [u8; 32]>>,
    /// With a key that nobody knows.
    digest: Hmac<Sha256>,
    computing: Arc<Semaphore>,
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Users").field("names", &self.hashes.keys()).finish_non_exhaustive()
    }
}

impl Users {
    /// Nobody has logged in yet.
    pub fn new(hashes: BTreeMap<String, PasswordHash>) -> anyhow::Result<Self> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|error| anyhow!("no random numbers: {error}"))?;
        let digest = Hmac::new_from_slice(&key).context("making a key")?;
        Ok(Self { hashes, right: Mutex::default(), digest, computing: Arc::new(Semaphore::new(AT_A_TIME)) })
    }

    /// How many there are; none means that everyone is let in.
    #[must_use]
    pub fn count(&self) -> usize {
        self.hashes.len()
    }

    /// Whether a request with this `Authorization` is let in.
    pub async fn admit(&self, authorization: Option<&HeaderValue>) -> bool {
        // One user's hash stands in for those of names that do not exist.
        let Some(costliest) = self.hashes.values().max_by_key(|hash| hash.cost()) else { return true };
        let Some((name, password)) = authorization.and_then(credentials) else { return false };
        let known = self.hashes.get(&name);
        if known.is_some() && self.was_right(&name, &password) {
            return true;
        }
        let Ok(turn) = Arc::clone(&self.computing).acquire_owned().await else { return false };
        let hash = known.unwrap_or(costliest).clone();
        let digest = self.digest(&password).finalize().into_bytes().into();
        let is_right = spawn_blocking(move || {
            let _turn = turn;
            hash.is_of(&password)
        });
        let is_right = is_right.await.unwrap_or(false) && known.is_some();
        if is_right {
            self.right.lock().unwrap_or_else(PoisonError::into_inner).insert(name, digest);
        }
        is_right
    }

    fn was_right(&self, name: &str, password: &[u8]) -> bool {
        let right = self.right.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied();
        // In constant time.
        right.is_some_and(|right| self.digest(password).verify_slice(&right).is_ok())
    }

    fn digest(&self, password: &[u8]) -> Hmac<Sha256> {
        self.digest.clone().chain_update(password)
    }
}

/// Name and password (RFC 7617).
fn credentials(authorization: &HeaderValue) -> Option<(String, Vec<u8>)> {
    let (scheme, encoded) = authorization.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = base64::decode_block(encoded.trim()).ok()?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    let (name, password) = (decoded.get(..colon)?, decoded.get(colon + 1..)?);
    Some((String::from_utf8(name.to_vec()).ok()?, password.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(names: &[(&str, &str)]) -> Users {
        let hash = |password: &str| bcrypt::hash(password, 4).expect("hashed").parse().expect("a hash");
        let hashes = names.iter().map(|(name, password)| ((*name).to_owned(), hash(password)));
        Users::new(hashes.collect()).expect("a key")
    }

    fn basic(text: &str) -> HeaderValue {
        HeaderValue::try_from(format!("Basic {}", base64::encode_block(text.as_bytes()))).expect("a header")
    }

    #[tokio::test]
    async fn the_right_password_of_the_right_user() {
        let users = users(&[("one", "secret"), ("two", "other:one")]);
        for good in ["one:secret", "two:other:one", "one:secret", "two:other:one"] {
            assert!(users.admit(Some(&basic(good))).await, "{good}");
        }
        for bad in [
            "one:other:one",
            "two:secret",
            "three:secret",
            "one:",
            "one",
            ":",
            "",
            "one:secre",
            "one:secret ",
        ] {
            assert!(!users.admit(Some(&basic(bad))).await, "{bad}");
        }
        assert!(!users.admit(None).await);
        for header in ["Bearer secret", "Basic", "Basic !!!", "Basic Zm9v", "basic"] {
            assert!(!users.admit(Some(&HeaderValue::from_static(header))).await, "{header}");
        }
        assert!(users.admit(Some(&HeaderValue::from_static("basic b25lOnNlY3JldA=="))).await);
    }

    #[tokio::test]
    async fn without_users_everyone() {
        assert!(users(&[]).admit(None).await);
    }

    /// A right password is not hashed again, while all who may compute are busy; a wrong one waits.
    #[tokio::test]
    async fn what_was_right_needs_no_hash() {
        let users = users(&[("one", "secret")]);
        assert!(users.admit(Some(&basic("one:secret"))).await);
        let busy = users.computing.acquire_many(AT_A_TIME.try_into().expect("small")).await.expect("open");
        assert!(users.admit(Some(&basic("one:secret"))).await);
        for waits in ["one:wrong", "nobody:secret"] {
            let header = basic(waits);
            let admit = users.admit(Some(&header));
            let soon = tokio::time::timeout(std::time::Duration::from_millis(50), admit);
            assert!(soon.await.is_err(), "{waits}: it is hashed, known or not");
        }
        drop(busy);
        assert!(!users.admit(Some(&basic("one:wrong"))).await);
    }
}
