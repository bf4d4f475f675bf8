//! The file of `--web.config.file`, in the format that Prometheus' exporter-toolkit has
//! established: which protocol to use, and whom to admit. What has no effect here is taken and said,
//! so that a file made for another exporter works unchanged.

mod pem;
mod toolkit;

use std::{collections::BTreeMap, fmt, path::Path, time::Duration};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};

use super::{
    ConfigError, bounds,
    error::Mistake,
    password_hash::PasswordHash,
    position::Step::Key,
    secret_names,
    value::{FileName, RateInterval},
};
pub use pem::Pem;
pub use toolkit::Curve;
use toolkit::{Headers, OTHER_SUITES, SUITES, Version};
use zeroize::Zeroizing;

/// The content of the file, with its file names resolved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebFile {
    /// TLS; `None` for plain text.
    pub tls: Option<TlsFiles>,
    /// Users and their password hashes; empty means everyone is admitted.
    pub users: BTreeMap<String, PasswordHash>,
    /// Headers of every response, by their names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// How often requests are answered.
    pub rate: Option<Rate>,
    /// What was written and has no effect here, in words.
    pub without_effect: Vec<String>,
}

/// A bound on requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// One more may come after this time.
    pub interval: Duration,
    /// As many may come at once.
    pub burst: u32,
}

/// The TLS settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// Our certificate with its intermediate certificates, PEM.
    pub certificate: Pem,
    /// Its key, PEM.
    pub key: Pem,
    /// Whether clients must present a certificate, and their authorities, PEM.
    pub clients: Option<(ClientCertificate, Pem)>,
    /// If not empty, a client's certificate must have one of these names.
    pub client_names: Vec<String>,
    /// The minimum version.
    pub least: TlsVersion,
    /// The maximum version.
    pub most: TlsVersion,
    /// The suites of TLS 1.2; all of them if empty.
    pub suites: Vec<String>,
    /// The curves in order of preference; the library's own if empty.
    pub curves: Vec<Curve>,
    /// Whether our order of suites counts, not the client's.
    pub our_order: bool,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// 1.2
    Tls12,
    /// 1.3
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
    schema.meaning(base).map_err(|problem| problem.at(text, path))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WebSchema {
    tls_server_config: Option<TlsServer>,
    http_server_config: Option<HttpServer>,
    basic_auth_users: Option<UserHashes>,
    rate_limit: Option<RateLimit>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsServer {
    cert_file: Option<FileName>,
    cert: Option<Zeroizing<String>>,
    key_file: Option<FileName>,
    key: Option<Zeroizing<String>>,
    client_ca_file: Option<FileName>,
    client_ca: Option<Zeroizing<String>>,
    client_auth_type: Option<ClientAuth>,
    #[serde(default, deserialize_with = "super::schema::with_a_value")]
    client_allowed_sans: Option<Vec<String>>,
    min_version: Option<Version>,
    max_version: Option<Version>,
    cipher_suites: Option<Vec<String>>,
    curve_preferences: Option<Vec<Curve>>,
    prefer_server_cipher_suites: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpServer {
    http2: Option<bool>,
    headers: Option<Headers>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RateLimit {
    interval: Option<RateInterval>,
    burst: Option<u32>,
}

impl WebSchema {
    fn meaning(self, base: &Path) -> Result<WebFile, Mistake> {
        let mut without_effect = Vec::new();
        let http = self.http_server_config.unwrap_or_default();
        if http.http2 == Some(true) {
            without_effect.push("http_server_config.http2: only HTTP/1.1 is offered".to_owned());
        }
        let headers: Vec<_> = http.headers.map(Headers::given).into_iter().flatten().collect();
        if let Some((name, _)) =
            headers.iter().find(|(_, value)| !value.bytes().all(|b| (b' '..=b'~').contains(&b)))
        {
            return Err(Mistake {
                steps: vec![Key("http_server_config"), Key("headers")],
                key: None,
                message: format!(
                    "the value of {name} has characters that a header cannot have: write ASCII text"
                ),
            });
        }
        let tls = self.tls_server_config.map(|tls| tls.files(base, &mut without_effect)).transpose()?;
        Ok(WebFile {
            tls,
            users: self.basic_auth_users.unwrap_or_default().0,
            headers,
            rate: self.rate_limit.map(RateLimit::meaning).transpose()?.flatten(),
            without_effect,
        })
    }
}

impl RateLimit {
    fn meaning(self) -> Result<Option<Rate>, Mistake> {
        match (self.interval, self.burst) {
            // As in the exporter-toolkit: no limit.
            (None, _) => Ok(None),
            (Some(interval), Some(burst)) if burst > 0 => Ok(Some(Rate { interval: interval.0, burst })),
            _ => Err(Mistake {
                steps: vec![Key("rate_limit")],
                key: None,
                message: "has no `burst`, so every request would be refused: add e.g. `burst: 20`".to_owned(),
            }),
        }
    }
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
    fn files(self, base: &Path, without_effect: &mut Vec<String>) -> Result<TlsFiles, Mistake> {
        if self.key_file.as_ref().is_some_and(|file| !secret_names::is_place(base, Path::new(&file.0))) {
            let steps = vec![Key("tls_server_config"), Key("key_file")];
            return Err(Mistake { steps, key: None, message: secret_names::UNSEEN.to_owned() });
        }
        let certificate = needed(pem(base, self.cert_file, self.cert, "cert")?, "cert_file")?;
        let key = needed(pem(base, self.key_file, self.key, "key")?, "key_file")?;
        let authorities = pem(base, self.client_ca_file, self.client_ca, "client_ca")?;
        let authorities_key =
            if matches!(authorities, Some(Pem::Here(_))) { "client_ca" } else { "client_ca_file" };
        let clients = match (self.client_auth_type.and_then(ClientAuth::asked), authorities) {
            (None, None) => None,
            (Some(asked), Some(authorities)) => Some((asked, authorities)),
            (None, Some(_)) => {
                return Err(broken(
                    authorities_key,
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
        let client_names = self.client_allowed_sans.unwrap_or_default();
        if !client_names.is_empty() && clients.is_none() {
            return Err(broken(
                "client_allowed_sans",
                "has no effect without client certificates: add `client_auth_type: \
                 RequireAndVerifyClientCert` and `client_ca_file`",
            ));
        }
        let [least, most] = versions(self.min_version, self.max_version, without_effect)?;
        let suites = suites(self.cipher_suites.as_deref().unwrap_or_default(), most, without_effect)?;
        let curves = curves(self.curve_preferences.unwrap_or_default(), without_effect)?;
        let our_order = self.prefer_server_cipher_suites == Some(true);
        Ok(TlsFiles { certificate, key, clients, client_names, least, most, suites, curves, our_order })
    }
}

/// What is given as a file or as text in place, under `key`.
fn pem(
    base: &Path,
    file: Option<FileName>,
    here: Option<Zeroizing<String>>,
    key: &'static str,
) -> Result<Option<Pem>, Mistake> {
    match (file, here) {
        (Some(_), Some(_)) => Err(broken(key, &format!("`{key}_file` is given too: keep one"))),
        (Some(file), None) => Ok(Some(Pem::File(base.join(file.0)))),
        (None, here) => Ok(here.map(Pem::Here)),
    }
}

fn needed(pem: Option<Pem>, key: &str) -> Result<Pem, Mistake> {
    let missing = || Mistake {
        steps: vec![Key("tls_server_config")],
        key: None,
        message: format!("key `{key}` is missing: add it"),
    };
    pem.ok_or_else(missing)
}

fn versions(
    least: Option<Version>,
    most: Option<Version>,
    without_effect: &mut Vec<String>,
) -> Result<[TlsVersion; 2], Mistake> {
    let ours = |version| if version == Version::Tls13 { TlsVersion::Tls13 } else { TlsVersion::Tls12 };
    if most.is_some_and(|most| most < Version::Tls12) {
        return Err(broken(
            "max_version",
            "is older than every version that is offered: write TLS12 or TLS13",
        ));
    }
    if least.is_some_and(|least| least < Version::Tls12) {
        without_effect
            .push("tls_server_config.min_version: TLS 1.2 is the oldest that is offered".to_owned());
    }
    let [least, most] = [least.map_or(TlsVersion::Tls12, ours), most.map_or(TlsVersion::Tls13, ours)];
    if least > most {
        return Err(broken("max_version", "is older than `min_version`: no version is left"));
    }
    Ok([least, most])
}

fn suites(
    written: &[String],
    most: TlsVersion,
    without_effect: &mut Vec<String>,
) -> Result<Vec<String>, Mistake> {
    for name in written {
        if OTHER_SUITES.contains(&name.as_str()) {
            let why =
                if name.contains("_WITH_") { "is not offered" } else { "is always offered with TLS 1.3" };
            without_effect.push(format!("tls_server_config.cipher_suites: {name} {why}"));
        } else if !SUITES.contains(&name.as_str()) {
            let message = format!("{name:?} is none of the suites: write {}", SUITES.join(", "));
            return Err(broken("cipher_suites", &message));
        }
    }
    let chosen: Vec<String> =
        written.iter().filter(|name| SUITES.contains(&name.as_str())).cloned().collect();
    if chosen.is_empty() && !written.is_empty() && most == TlsVersion::Tls12 {
        let message = format!("none of these is offered, so no client could connect: add {}", SUITES[3]);
        return Err(broken("cipher_suites", &message));
    }
    // Only suites of TLS 1.3 were chosen: those of 1.2 are not taken for chosen too.
    if chosen.is_empty() && !written.is_empty() {
        without_effect.push(
            "tls_server_config.cipher_suites: no suite of TLS 1.2 is left, so all are offered".to_owned(),
        );
    }
    Ok(chosen)
}

fn curves(written: Vec<Curve>, without_effect: &mut Vec<String>) -> Result<Vec<Curve>, Mistake> {
    let (offered, others): (Vec<_>, Vec<_>) = written.into_iter().partition(|curve| curve.is_offered());
    if offered.is_empty() && !others.is_empty() {
        return Err(broken(
            "curve_preferences",
            "none of these is offered: write X25519, CurveP256 or CurveP384",
        ));
    }
    let told = |curve| format!("tls_server_config.curve_preferences: {curve:?} is not offered");
    without_effect.extend(others.into_iter().map(told));
    Ok(offered)
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
mod tests;
