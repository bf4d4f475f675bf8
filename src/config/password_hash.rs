//! A password of `basic_auth_users`, by its bcrypt hash.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer};

use super::value::{Scalar, scalar};

/// Highest accepted cost: each step doubles the time, and 15 is about two seconds.
const MOST_COST: u32 = 15;

/// A bcrypt hash that can be checked in acceptable time.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    text: String,
    cost: u32,
}

impl PasswordHash {
    /// The cost of a check: the logarithm to base 2 of its work.
    #[must_use]
    pub(crate) fn cost(&self) -> u32 {
        self.cost
    }

    /// Its text.
    #[must_use]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// Whether it is the hash of this password. Takes tens of milliseconds of CPU or more,
    /// depending on its cost.
    #[must_use]
    pub(crate) fn is_of(&self, password: &[u8]) -> bool {
        bcrypt::verify(password, &self.text).unwrap_or(false)
    }
}

impl FromStr for PasswordHash {
    type Err = String;

    /// Never repeats the text in an error: it may be the password.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse::<bcrypt::HashParts>().map(|parts| parts.get_cost()) {
            Ok(cost) if cost <= MOST_COST => Ok(Self { text: text.to_owned(), cost }),
            Ok(cost) => Err(format!(
                "a hash of cost {cost} takes too long to check: make one of cost 10 to {MOST_COST}"
            )),
            Err(_) => {
                Err("this is not a bcrypt hash: make one with `htpasswd -nBC 10 ''` and copy the part \
                     after the colon"
                    .to_owned())
            }
        }
    }
}

impl Scalar for PasswordHash {
    const EXPECTED: &'static str = "a bcrypt hash";

    fn read(text: &str) -> Result<Self, String> {
        text.parse()
    }
}

impl<'de> Deserialize<'de> for PasswordHash {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        scalar(from)
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash")
    }
}
