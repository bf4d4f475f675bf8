//! What to type on a VyOS that does not let itself be read; each ends a sentence.

use std::fmt::Display;

use super::Vyos;

impl Vyos {
    /// Where a login by password is refused.
    pub const LET_PASSWORDS_IN: &'static str = "on VyOS delete `service ssh disable-password-authentication`";
    /// Where nothing in common can be agreed on with its SSH server.
    pub const SHOW_SSH_ALGORITHMS: &'static str = "on VyOS see `show configuration commands | match 'service ssh'` for \
                                                   key-exchange, hostkey-algorithm, ciphers and mac";
    /// Where its login banner is too long.
    pub const SET_BANNER: &'static str = "on VyOS `set system login banner pre-login …`";

    /// Where a key is refused.
    #[must_use]
    pub fn add_public_key(user: &str) -> String {
        format!("add its public key there: `set system login user {user} authentication public-keys …`")
    }

    /// Where its API answers with a status that is an error.
    #[must_use]
    pub fn api(status: u16, key_file: &dyn Display) -> String {
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
