//! The users of one state of the file, and the credentials of a request (`Authorization: Basic`).

use std::{collections::BTreeMap, fmt};

use hyper::header::HeaderValue;
use openssl::base64;
use zeroize::Zeroizing;

use crate::config::password_hash::PasswordHash;

/// The users of one state of the file.
pub(crate) struct Users {
    hashes: BTreeMap<String, PasswordHash>,
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Users").field("names", &self.hashes.keys()).finish_non_exhaustive()
    }
}

impl Users {
    /// The users of the file.
    #[must_use]
    pub(crate) fn new(hashes: BTreeMap<String, PasswordHash>) -> Self {
        Self { hashes }
    }

    /// How many there are; without users everyone is admitted.
    #[must_use]
    pub(crate) fn count(&self) -> usize {
        self.hashes.len()
    }

    /// The hash of a user.
    #[must_use]
    pub(crate) fn hash(&self, name: &str) -> Option<&PasswordHash> {
        self.hashes.get(name)
    }

    /// The hash that costs the most work to check.
    #[must_use]
    pub(crate) fn costliest(&self) -> Option<&PasswordHash> {
        self.hashes.values().max_by_key(|hash| hash.cost())
    }
}

/// Name and password of a request (RFC 7617).
#[must_use]
pub(crate) fn credentials(authorization: &HeaderValue) -> Option<(String, Zeroizing<Vec<u8>>)> {
    let (scheme, encoded) = authorization.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = Zeroizing::new(base64::decode_block(encoded.trim()).ok()?);
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    let (name, password) = (decoded.get(..colon)?, decoded.get(colon + 1..)?);
    Some((String::from_utf8(name.to_vec()).ok()?, Zeroizing::new(password.to_vec())))
}
