//! Logins by name and password, remembered across changes of the file.
//!
//! A password that was right for a user's hash stays right as long as that hash is in the file,
//! whatever else changes: the next scrape needs no check and does not wait. A wrong password is
//! remembered in the same way. Any other password is hashed, in the order of [`Hashing`], after the
//! wait that [`BackOff`] imposes; whether the user exists makes no difference.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, anyhow};
use hmac::{Hmac, KeyInit, Mac};
use hyper::header::HeaderValue;
use sha2::Sha256;

use super::{
    back_off::BackOff,
    hashing::{Asker, Full, Hashing},
    users::{Users, credentials},
};
use crate::{config::password_hash::PasswordHash, model::types::LoginRefusal, web::peer::ClientAddress};

/// Most wrong passwords remembered: a scraper with an old password sends the same one for days.
const MOST_WRONG: usize = 256;
/// The wait suggested to clients; checks in the queue finish about as often.
const COME_AGAIN: Duration = Duration::from_secs(2);

/// Whether a request is admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It is admitted.
    Granted,
    /// It is refused, with the wait after which another attempt may succeed; zero where it cannot.
    Refused(LoginRefusal, Duration),
}

/// A keyed digest of a password, the hash it was checked against, and whether that is the user's.
type Digest = [u8; 32];

/// Passwords that were right and wrong so far.
pub(crate) struct Logins {
    hashing: Hashing,
    /// Keyed with a random key that nobody knows.
    digest: Hmac<Sha256>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    right: BTreeMap<String, Digest>,
    wrong: VecDeque<Digest>,
    back_off: BackOff,
}

impl fmt::Debug for Logins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logins").field("hashing", &self.hashing).finish_non_exhaustive()
    }
}

impl Logins {
    /// Starts with nothing remembered.
    pub(crate) fn new(hashing: Hashing) -> anyhow::Result<Self> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|error| anyhow!("no random numbers: {error}"))?;
        let digest = Hmac::new_from_slice(&key).context("making a key")?;
        Ok(Self { hashing, digest, seen: Mutex::default() })
    }

    /// Whether a request with this `Authorization` is admitted for these users. `known` tells
    /// whether its peer was admitted recently.
    pub(crate) async fn admit(
        &self,
        users: &Users,
        peer: ClientAddress,
        known: bool,
        authorization: Option<&HeaderValue>,
    ) -> Admission {
        // For names that do not exist, another user's hash is used.
        let Some(costliest) = users.costliest() else { return Admission::Granted };
        let Some((name, password)) = authorization.and_then(credentials) else {
            return Admission::Refused(LoginRefusal::Missing, Duration::ZERO);
        };
        let of_user = users.hash(&name);
        let hash = of_user.unwrap_or(costliest).clone();
        let digest = self.digest(of_user.is_some(), &hash, &password);
        let asker = {
            let seen = self.seen();
            if of_user.is_some() && seen.was_right(&name, &digest) {
                return Admission::Granted;
            }
            if seen.was_wrong(&digest) {
                return Admission::Refused(LoginRefusal::Wrong, Duration::ZERO);
            }
            match seen.back_off.ask(peer, Instant::now()) {
                Ok(wrong) => Asker { peer, known, wrong },
                Err(wait) => return Admission::Refused(LoginRefusal::BackOff, wait),
            }
        };
        let is_right = match self.hashing.check(asker, hash, password).await {
            Ok(is_right) => is_right && of_user.is_some(),
            Err(Full::OfPeer) => return Admission::Refused(LoginRefusal::BackOff, COME_AGAIN),
            Err(Full::OfAll) => return Admission::Refused(LoginRefusal::Busy, COME_AGAIN),
        };
        self.seen().remember(users, peer, name, digest, is_right);
        if is_right { Admission::Granted } else { Admission::Refused(LoginRefusal::Wrong, Duration::ZERO) }
    }

    fn digest(&self, is_of_user: bool, hash: &PasswordHash, password: &[u8]) -> Digest {
        let hash = hash.as_bytes();
        let keyed = self.digest.clone().chain_update([u8::from(is_of_user)]);
        let keyed = keyed.chain_update(hash.len().to_be_bytes()).chain_update(hash);
        keyed.chain_update(password).finalize().into_bytes().into()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    /// Whether this password was right. The time of comparing digests reveals nothing, as nobody
    /// knows their key.
    fn was_right(&self, name: &str, digest: &Digest) -> bool {
        self.right.get(name) == Some(digest)
    }

    fn was_wrong(&self, digest: &Digest) -> bool {
        self.wrong.contains(digest)
    }

    fn remember(&mut self, users: &Users, peer: ClientAddress, name: String, digest: Digest, is_right: bool) {
        if is_right {
            self.right.retain(|name, _| users.hash(name).is_some());
            self.right.insert(name, digest);
            self.back_off.right(peer);
        } else if !self.was_wrong(&digest) {
            self.wrong.truncate(MOST_WRONG - 1);
            self.wrong.push_front(digest);
            self.back_off.wrong(peer, Instant::now());
        }
    }
}

#[cfg(test)]
mod tests;
