//! What to type on a VyOS that cannot be read; each text ends a sentence.

use std::fmt::Display;

use super::Vyos;

impl Vyos {
    /// If login by password is refused.
    pub(crate) const LET_PASSWORDS_IN: &'static str =
        "on VyOS delete `service ssh disable-password-authentication`";
    /// If there is no common algorithm with its SSH server.
    pub(crate) const SHOW_SSH_ALGORITHMS: &'static str = "on VyOS see `show configuration commands | match 'service ssh'` for \
                                                   key-exchange, hostkey-algorithm, ciphers and mac";
    /// If its login banner is too long.
    pub(crate) const SET_BANNER: &'static str = "on VyOS `set system login banner pre-login …`";

    /// If a key is refused.
    #[must_use]
    pub(crate) fn add_public_key(user: &str) -> String {
        format!("add its public key there: `set system login user {user} authentication public-keys …`")
    }

    /// If its API answers with an error status.
    #[must_use]
    pub(crate) fn api(status: u16, key_file: &dyn Display) -> String {
        match status {
            401 => format!(
                "compare the key in {key_file} with `show configuration commands | match \"https api keys\"`"
            ),
            403 => "let this machine in: `set service https allow-client address …`".to_owned(),
            404 | 502 | 503 => {
                "is the API on? `set service https api keys id … key …`, on VyOS 1.5 `set service https api rest` too"
                    .to_owned()
            }
            _ => "the router's own log says more: `journalctl -u vyos-http-api`".to_owned(),
        }
    }
}
