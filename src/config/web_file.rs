//! The file of `--web.config.file`, in the format that Prometheus' exporter-toolkit has
//! established: which protocol to use, and whom to admit. Of that format's keys those are accepted
//! that have a meaning here.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};

use super::{
    ConfigError, bounds, error::Mistake, password_hash::PasswordHash, position::Step::Key, secret_names,
    value::FileName,
};

/// The content of the file, with its file names resolved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebFile {
    /// TLS; `None` for plain text.
    pub tls: Option<TlsFiles>,
    /// Users and their password hashes; empty means everyone is admitted.
    pub users: BTreeMap<String, PasswordHash>,
}

/// The TLS settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// Our certificate with its intermediate certificates, PEM.
    pub certificate: PathBuf,
    /// Its key, PEM.
    pub key: PathBuf,
    /// Whether clients must present a certificate, and the file of their authorities, PEM.
    pub clients: Option<(ClientCertificate, PathBuf)>,
    /// The minimum version.
    pub least: TlsVersion,
}

/// Whether a client must present a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientCertificate {
    /// A client without one is admitted; a certificate that is presented must be valid.
    Optional,
    /// It must present one.
    Required,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum TlsVersion {
    /// 1.2
    #[serde(rename = "TLS12")]
    Tls12,
    /// 1.3
    #[serde(rename = "TLS13")]
    Tls13,
}

/// Checks the text of such a file; `path` is named in errors, and relative file names refer to its
/// directory.
pub fn parse(text: &[u8], path: &Path) -> Result<WebFile, ConfigError> {
    let text =
        std::str::from_utf8(text).map_err(|error| ConfigError::not_utf8(path, text, error.valid_up_to()))?;
    let text = super::unmarked(text);
    bounds::admit(text, path)?;
    let schema = serde_yaml::from_str::<Option<WebSchema>>(text)
        .map_err(|error| ConfigError::from_yaml(&error, text, path))?
        .unwrap_or_default();
    let base = path.parent().unwrap_or(Path::new(""));
    let tls = schema.tls_server_config.map(|tls| tls.files(base)).transpose();
    Ok(WebFile {
        tls: tls.map_err(|problem| problem.at(text, path))?,
        users: schema.basic_auth_users.unwrap_or_default().0,
    })
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WebSchema {
    tls_server_config: Option<TlsServer>,
    basic_auth_users: Option<UserHashes>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsServer {
    cert_file: FileName,
    key_file: FileName,
    client_ca_file: Option<FileName>,
    client_auth_type: Option<ClientAuth>,
    min_version: Option<TlsVersion>,
}

/// The values of the format's five that accept no certificate without checking it.
#[derive(Debug, Clone, Copy, Deserialize)]
enum ClientAuth {
    NoClientCert,
    VerifyClientCertIfGiven,
    RequireAndVerifyClientCert,
}

impl ClientAuth {
    fn asked(self) -> Option<ClientCertificate> {
        match self {
            Self::NoClientCert => None,
            Self::VerifyClientCertIfGiven => Some(ClientCertificate::Optional),
            Self::RequireAndVerifyClientCert => Some(ClientCertificate::Required),
        }
    }
}

impl TlsServer {
    fn files(self, base: &Path) -> Result<TlsFiles, Mistake> {
        if !secret_names::is_place(base, Path::new(&self.key_file.0)) {
            let steps = vec![Key("tls_server_config"), Key("key_file")];
            return Err(Mistake { steps, key: None, message: secret_names::UNSEEN.to_owned() });
        }
        let clients = match (self.client_auth_type.and_then(ClientAuth::asked), self.client_ca_file) {
            (None, None) => None,
            (Some(asked), Some(file)) => Some((asked, base.join(file.0))),
            (None, Some(_)) => {
                return Err(broken(
                    "client_ca_file",
                    "has no effect without client certificates: add `client_auth_type: \
                     RequireAndVerifyClientCert`",
                ));
            }
            (Some(_), None) => {
                return Err(broken(
                    "client_auth_type",
                    "has no authority to check client certificates with: add `client_ca_file`",
                ));
            }
        };
        Ok(TlsFiles {
            certificate: base.join(self.cert_file.0),
            key: base.join(self.key_file.0),
            clients,
            least: self.min_version.unwrap_or(TlsVersion::Tls12),
        })
    }
}

fn broken(key: &'static str, message: &str) -> Mistake {
    Mistake { steps: vec![Key("tls_server_config")], key: Some(key), message: message.to_owned() }
}

/// A mapping in which a duplicate name is an error, instead of the last one winning.
#[derive(Debug, Default)]
struct UserHashes(BTreeMap<String, PasswordHash>);

impl<'de> Deserialize<'de> for UserHashes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(UsersVisitor)
    }
}

struct UsersVisitor;

impl<'de> Visitor<'de> for UsersVisitor {
    type Value = UserHashes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping of user names to bcrypt hashes")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<UserHashes, A::Error> {
        let mut users = BTreeMap::new();
        while let Some(name) = map.next_key::<String>()? {
            if name.starts_with("$2") {
                return Err(A::Error::custom("a hash is in the place of a user name: write NAME: HASH"));
            }
            if name.is_empty() || name.contains(|c: char| c == ':' || c.is_control()) {
                return Err(A::Error::custom(format!(
                    "{name:?} is not a user name: it needs at least one character and must not contain `:`"
                )));
            }
            if users.insert(name.clone(), map.next_value()?).is_some() {
                return Err(A::Error::custom(format!("the user {name:?} is given twice: keep one")));
            }
        }
        Ok(UserHashes(users))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "$2y$04$UuTkLRZZ6QofpDOlMz32Mu.Q0RxchGgVsgfueU0KqnX6uL.WE/FNe";

    fn refused(text: &str) -> String {
        parse(text.as_bytes(), Path::new("/etc/x/web.yml")).expect_err(text).to_string()
    }

    #[test]
    fn as_written() {
        assert_eq!(parse(b"", Path::new("web.yml")), Ok(WebFile::default()));
        let marked = format!("\u{feff}basic_auth_users:\r\n  a: {HASH}\r\n");
        assert_eq!(parse(marked.as_bytes(), Path::new("web.yml")).expect("good").users.len(), 1);
        let text = format!(
            "tls_server_config:\n  cert_file: tls.crt\n  key_file: /run/tls.key\n  client_ca_file: ca.crt\n  \
             client_auth_type: RequireAndVerifyClientCert\n  min_version: TLS13\nbasic_auth_users:\n  \
             prometheus: {HASH}\n  'a b': {HASH}\n"
        );
        let read = parse(text.as_bytes(), Path::new("/etc/x/web.yml")).expect("good");
        let tls = read.tls.expect("TLS");
        assert_eq!(tls.certificate, Path::new("/etc/x/tls.crt"));
        assert_eq!(tls.key, Path::new("/run/tls.key"));
        assert_eq!(tls.clients, Some((ClientCertificate::Required, "/etc/x/ca.crt".into())));
        assert_eq!(tls.least, TlsVersion::Tls13);
        assert_eq!(read.users.keys().collect::<Vec<_>>(), ["a b", "prometheus"]);
        let plain = parse(b"tls_server_config: {cert_file: c, key_file: ./k}", Path::new("web.yml"));
        let tls = plain.expect("good").tls.expect("TLS");
        assert_eq!((tls.clients, tls.least), (None, TlsVersion::Tls12));
    }

    #[test]
    fn what_is_wrong_where_and_what_to_do() {
        let tls = "tls_server_config:\n  cert_file: c\n  key_file: ./k\n";
        for (text, message) in [
            (
                "tls_server_configs: {}".to_owned(),
                "line 1 column 1: unknown key `tls_server_configs`: did you mean `tls_server_config`?",
            ),
            (
                format!("{tls}  max_version: TLS12"),
                "line 4 column 3: tls_server_config: key `max_version` of the exporter-toolkit is not \
                 supported: remove it",
            ),
            (
                "tls_server_config:\n  cert_file: c".to_owned(),
                "line 2 column 3: tls_server_config: key `key_file` is missing: add it",
            ),
            (
                format!("{tls}  min_version: TLS10"),
                "line 4 column 16: tls_server_config.min_version: unknown value `TLS10`, expected `TLS12` or `TLS13`",
            ),
            (
                format!("{tls}  client_auth_type: RequestClientCert"),
                "line 4 column 21: tls_server_config.client_auth_type: unknown value `RequestClientCert`, expected one of `NoClientCert`, `VerifyClientCertIfGiven`, `RequireAndVerifyClientCert`",
            ),
            (
                format!("{tls}  client_ca_file: ca"),
                "line 4 column 3: tls_server_config: has no effect without client certificates: add \
                 `client_auth_type: RequireAndVerifyClientCert`",
            ),
            (
                format!("{tls}  client_auth_type: VerifyClientCertIfGiven"),
                "line 4 column 3: tls_server_config: has no authority to check client certificates with: \
                 add `client_ca_file`",
            ),
            (
                "basic_auth_users:\n  me: hunter2".to_owned(),
                "line 2 column 7: basic_auth_users.me: this is not a bcrypt hash: make one with `htpasswd \
                 -nBC 10 ''` and copy the part after the colon",
            ),
            (
                format!("basic_auth_users:\n  me: {}", HASH.replace("$04$", "$31$")),
                "line 2 column 7: basic_auth_users.me: a hash of cost 31 takes too long to check: make one of cost 10 to 15",
            ),
            (
                format!("basic_auth_users:\n  me: {HASH}\n  me: {HASH}"),
                "the user \"me\" is given twice: keep one",
            ),
            (format!("basic_auth_users:\n  'a:b': {HASH}"), "\"a:b\" is not a user name"),
            (
                "basic_auth_users: [me]".to_owned(),
                "found a list, expected a mapping of user names to bcrypt hashes",
            ),
        ] {
            let said = refused(&text);
            assert!(said.starts_with("/etc/x/web.yml, line ") && said.contains(message), "{text}:\n{said}");
            assert!(!said.contains("hunter2") && !said.contains(HASH), "a secret: {said}");
        }
    }
}
