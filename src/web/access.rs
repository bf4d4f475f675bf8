//! Who is admitted, and over which protocol: networks from the configuration, TLS and users from
//! the file of `--web.config.file`.
//!
//! That file and those it names are read again whenever a client connects, so a renewed certificate
//! or a removed user takes effect from the next connection and request on. A file that cannot be
//! used changes nothing. Neither does one that lacks the TLS or users there were before: an empty
//! file is as often half written as it is intended.

mod back_off;
mod bucket;
mod hashing;
mod logins;
mod tls;
mod users;

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use hyper::header::{HeaderName, HeaderValue};
use pnet::ipnetwork::IpNetwork;
use sha2::{Digest, Sha256};
use tokio::{sync::watch, time::timeout};
use tokio_rustls::rustls::ServerConfig;
use tracing::{error, info, warn};
use zeroize::Zeroizing;

use crate::{
    config::web_file::{self, ClientCertificate, Pem, WebFile},
    listen,
    process::{
        regular_file::{self, MOST_BYTES},
        secret_files::warn_of_public,
    },
    web::{answer::PageResponse, coalesce::Coalesced, places::Place},
};
use bucket::RequestBucket;
use hashing::Hashing;
pub(crate) use logins::Admission;
use logins::Logins;
use users::Users;

/// A disk that does not answer must not hold up all clients.
const READ_TIMEOUT: Duration = Duration::from_secs(2);

/// The rules of admission. Cheap to clone; by default everyone is admitted, in plain text.
#[derive(Debug, Clone)]
pub struct Access {
    sources: watch::Receiver<Vec<IpNetwork>>,
    gate: Option<Arc<Gate>>,
}

impl Access {
    /// Uses the networks of the present configuration, and a web configuration file.
    #[must_use]
    pub fn new(sources: watch::Receiver<Vec<IpNetwork>>, gate: Option<Gate>) -> Self {
        Self { sources, gate: gate.map(Arc::new) }
    }

    /// Whether a connection from this address is accepted at all.
    #[must_use]
    pub(crate) fn is_open_to(&self, peer: IpAddr) -> bool {
        listen::is_among(&self.sources.borrow(), peer)
    }

    /// The present TLS configuration; `None` for plain text.
    pub(crate) async fn tls(&self) -> Option<Arc<ServerConfig>> {
        match &self.gate {
            Some(gate) => Gate::rules(gate).await.tls.clone(),
            None => None,
        }
    }

    /// The rules for one request.
    pub(crate) async fn rules(&self) -> RequestRules {
        RequestRules {
            gate: self.gate.clone(),
            rules: match &self.gate {
                Some(gate) => Some(Gate::rules(gate).await),
                None => None,
            },
        }
    }
}

/// The rules for one request, from the file as it was when the request came.
pub(crate) struct RequestRules {
    gate: Option<Arc<Gate>>,
    rules: Option<Arc<AccessRules>>,
}

impl RequestRules {
    /// Whether this request is within the rate, and counts.
    pub(crate) fn may_come(&self) -> bool {
        self.rules.as_ref().and_then(|rules| rules.rate.as_ref()).is_none_or(RequestBucket::take)
    }

    /// Puts the configured headers on a response, in place of ours.
    pub(crate) fn dress(&self, response: &mut PageResponse) {
        for (name, value) in self.rules.iter().flat_map(|rules| &rules.headers) {
            response.headers_mut().insert(name, value.clone());
        }
    }

    /// Whether a request with this `Authorization` is admitted.
    pub(crate) async fn admits(&self, place: &Place, authorization: Option<&HeaderValue>) -> Admission {
        let (Some(gate), Some(rules)) = (&self.gate, &self.rules) else { return Admission::Granted };
        let admission = gate.logins.admit(&rules.users, place.peer, place.is_known(), authorization).await;
        if rules.users.count() > 0 && admission == Admission::Granted {
            place.greet();
        }
        admission
    }
}

impl Access {
    /// Whether a peer that was admitted had to be somebody: it logged in, showed a certificate, is on
    /// one of some networks, or on this machine.
    #[must_use]
    pub(crate) fn restricts(&self, place: &Place) -> bool {
        let by_network = !self.sources.borrow().is_empty() || place.peer.is_this_machine();
        by_network || self.gate.as_ref().is_some_and(|gate| gate.now().rules.restricts())
    }
}

/// The file of `--web.config.file`.
#[derive(Debug)]
pub struct Gate {
    file: PathBuf,
    now: Mutex<Now>,
    readings: Coalesced<Arc<AccessRules>>,
    logins: Logins,
}

#[derive(Debug)]
struct Now {
    rules: Arc<AccessRules>,
    /// Why the present file is not in use, if it is not.
    refused: Option<String>,
}

impl Now {
    /// Logs the reason once.
    fn refuse(&mut self, why: String) {
        if self.refused.as_ref() != Some(&why) {
            error!(error = why, "web configuration not reloaded: the previous one stays in use");
            self.refused = Some(why);
        }
    }
}

/// The rules from one state of the file and those it names.
#[derive(Debug)]
struct AccessRules {
    /// Digest of the content of all these files.
    digest: [u8; 32],
    tls: Option<Arc<ServerConfig>>,
    /// The file with the key of its certificate.
    key: Option<PathBuf>,
    users: Users,
    headers: Vec<(HeaderName, HeaderValue)>,
    rate: Option<RequestBucket>,
    /// What the file says without effect.
    without_effect: Vec<String>,
    /// Whether each client must show a certificate.
    knows_clients: bool,
}

impl AccessRules {
    fn restricts(&self) -> bool {
        self.users.count() > 0 || self.knows_clients
    }

    fn tell_what_has_no_effect(&self) {
        for what in &self.without_effect {
            warn!("web configuration: {what}");
        }
    }
}

impl Gate {
    /// Reads the file and those it names.
    pub(crate) fn open(file: &Path) -> anyhow::Result<Self> {
        let rules = WebFileContents::read(file).and_then(WebFileContents::rules)?;
        warn_of_public(rules.key.iter().map(PathBuf::as_path));
        let (tls, users) = (rules.tls.is_some(), rules.users.count());
        info!(file = %file.display(), tls, users, "web configuration read");
        rules.tell_what_has_no_effect();
        let now = Mutex::new(Now { rules: Arc::new(rules), refused: None });
        let logins = Logins::new(Hashing::start()?)?;
        Ok(Self { file: file.to_owned(), now, readings: Coalesced::default(), logins })
    }

    /// The rules in force: the file is read once for all who connect at the same time.
    async fn rules(gate: &Arc<Self>) -> Arc<AccessRules> {
        let reading = Arc::clone(gate);
        let read = gate.readings.get("", move || reading.read_again());
        match timeout(READ_TIMEOUT, read).await {
            Ok(Some(rules)) => rules,
            failed => {
                let why = if failed.is_err() { "it takes too long" } else { "reading it has failed" };
                let mut now = gate.now();
                now.refuse(why.to_owned());
                Arc::clone(&now.rules)
            }
        }
    }

    fn read_again(&self) -> Arc<AccessRules> {
        let digest = self.now().rules.digest;
        let read = match WebFileContents::read(&self.file) {
            Ok(contents) if contents.digest == digest => Ok(None),
            contents => {
                contents.and_then(WebFileContents::rules).and_then(|rules| self.protects(rules)).map(Some)
            }
        };
        let mut now = self.now();
        match read {
            Ok(None) => now.refused = None,
            Ok(Some(rules)) => {
                info!(file = %self.file.display(), users = rules.users.count(), "web configuration read again");
                rules.tell_what_has_no_effect();
                *now = Now { rules: Arc::new(rules), refused: None };
            }
            Err(why) => now.refuse(format!("{why:#}")),
        }
        Arc::clone(&now.rules)
    }

    /// Refuses rules without the TLS or users there were before: an empty file does not end them,
    /// only a restart does.
    fn protects(&self, rules: AccessRules) -> anyhow::Result<AccessRules> {
        let (now, file) = (Arc::clone(&self.now().rules), self.file.display());
        ensure!(
            rules.tls.is_some() || now.tls.is_none(),
            "{file} has no `tls_server_config` any more: restart to go on without TLS"
        );
        ensure!(
            rules.users.count() > 0 || now.users.count() == 0,
            "{file} has no `basic_auth_users` any more: restart to go on without users"
        );
        Ok(rules)
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Content of the file and those it names.
struct WebFileContents {
    web: WebFile,
    tls: Option<tls::TlsContents>,
    digest: [u8; 32],
}

impl WebFileContents {
    fn read(file: &Path) -> anyhow::Result<Self> {
        let text =
            regular_file::read(file, MOST_BYTES).context("the file of --web.config.file cannot be used")?;
        let web = web_file::parse(&text, file)?;
        let read = |key: &str, pem: &Pem| match pem {
            Pem::File(named) => {
                regular_file::read(named, MOST_BYTES).with_context(|| format!("{}: {key}", file.display()))
            }
            Pem::Here(text) => Ok(text.as_bytes().to_vec()),
        };
        let tls = match &web.tls {
            Some(files) => Some(tls::TlsContents {
                certificate: read("cert_file", &files.certificate)?,
                key: match &files.key {
                    Pem::File(key) => regular_file::read_secret(key)
                        .with_context(|| format!("{}: key_file", file.display()))?,
                    Pem::Here(text) => Zeroizing::new(text.as_bytes().to_vec()),
                },
                authorities: match &files.clients {
                    Some((_, authorities)) => Some(read("client_ca_file", authorities)?),
                    None => None,
                },
            }),
            None => None,
        };
        let mut digest = Sha256::new();
        let of_tls =
            tls.iter().flat_map(|tls| [Some(&tls.certificate), Some(&*tls.key), tls.authorities.as_ref()]);
        for content in [Some(&text)].into_iter().chain(of_tls).flatten() {
            digest.update(content.len().to_be_bytes());
            digest.update(content);
        }
        Ok(Self { web, tls, digest: digest.finalize().into() })
    }

    fn rules(self) -> anyhow::Result<AccessRules> {
        let tls = match (&self.web.tls, &self.tls) {
            (Some(files), Some(contents)) => Some(Arc::new(tls::config(files, contents)?)),
            _ => None,
        };
        let asked = self.web.tls.as_ref().and_then(|files| files.clients.as_ref());
        let knows_clients = asked.is_some_and(|(asked, _)| *asked == ClientCertificate::Required);
        let key = self.web.tls.and_then(|files| match files.key {
            Pem::File(key) => Some(key),
            Pem::Here(_) => None,
        });
        let header = |(name, value): (&'static str, String)| {
            Some((HeaderName::from_static(name), HeaderValue::from_str(&value).ok()?))
        };
        Ok(AccessRules {
            digest: self.digest,
            tls,
            key,
            users: Users::new(self.web.users),
            headers: self.web.headers.into_iter().filter_map(header).collect(),
            rate: self.web.rate.map(RequestBucket::new),
            without_effect: self.web.without_effect,
            knows_clients,
        })
    }
}
