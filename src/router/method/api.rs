//! The last method: VyOS's HTTPS API, on 1.3 and later.
//!
//! Its `/show` runs the op-mode command of [`op_mode_text`], with the same cost and the same
//! counters. The tunnel settings that this text lacks come from the configuration, which
//! `/retrieve` returns without defaults. Neither shows forwarding entries, routes, uptime or the
//! kernel's index of a device.
//!
//! Five requests on one connection. A request that only adds detail may be refused.

pub(crate) mod join_links;
mod reply;

use std::{collections::BTreeMap, time::Instant};

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::op_mode_text;
use crate::{
    model::{
        plan::{ApiPlan, Trust},
        snapshot::{RouterSnapshot, ScrapeError},
        types::{FailureReason, InterfaceName, Method},
    },
    process::regular_file,
    router::{
        parse::{self, api_config::VxlanConfig, api_reply, show_summary::Summary, terminal},
        script::{System, misread},
        transport::https::{Client, tls},
    },
    text::Text,
};
use join_links::Answered;

/// VyOS's error for a part of the configuration that is empty.
const NOTHING_CONFIGURED: &str = "Configuration under specified path is empty";

/// Whether the files that an API needs can be read.
pub(crate) fn check_files(plan: &ApiPlan) -> Result<(), ScrapeError> {
    read_key(plan)?;
    match &plan.trust {
        Trust::CaFile(file) => tls::authorities(file).map(drop),
        Trust::Fingerprint(_) => Ok(()),
    }
}

/// The first line of the key file. It is read at each scrape, so that a new key needs no restart.
fn read_key(plan: &ApiPlan) -> Result<Zeroizing<String>, ScrapeError> {
    let file = plan.key_file.display();
    let bad = |why: &dyn std::fmt::Display| {
        let message =
            format!("cannot use key_file {file}: {why}; put the API key there and let this user read it");
        ScrapeError::new(FailureReason::Config, message)
    };
    let text = regular_file::read_secret_text(&plan.key_file).map_err(|error| bad(&error.why))?;
    match text.lines().next().map(str::trim) {
        Some(key) if !key.is_empty() => Ok(Zeroizing::new(key.to_owned())),
        _ => Err(bad(&"its first line is empty")),
    }
}

/// Reads one router repeatedly over its API.
#[derive(Debug)]
pub(crate) struct ApiReader {
    plan: ApiPlan,
    client: Client,
    /// The answer of `/show version`, which costs the router a third of a second, and the number of
    /// the connection it came on.
    version: Option<(u64, Option<Text>)>,
}

impl ApiReader {
    /// A reader that connects at its first scrape.
    #[must_use]
    pub(crate) fn new(plan: ApiPlan) -> Self {
        Self { client: Client::new(plan.clone()), plan, version: None }
    }

    /// One scrape, finished before `deadline`. Blocks; never retries.
    pub(crate) fn scrape(&mut self, deadline: Instant) -> Result<RouterSnapshot, ScrapeError> {
        let key = read_key(&self.plan)?;
        let mut asking = Questions { plan: &self.plan, client: &mut self.client, key: &key, deadline };
        let version = asking.version(&mut self.version)?;
        let shown = asking.post("/show", "show", &["interfaces", "vxlan", "detail"])?;
        let vxlans = parse::api_show::links(&shown)
            .and_then(op_mode_text::whole)
            .map_err(|error| asking.of_us(&error))?;
        let mut configured = asking.configured()?;
        for config in configured.values_mut() {
            config.fill_defaults(version.as_deref().unwrap_or_default());
        }
        let told = Answered { vxlans, configured, all: asking.summary()?, bridges: asking.bridges()? };
        let system = System { version, boot_id: None, uptime: None };
        Ok(system.with_links(Method::Api, join_links::links(told)))
    }
}

/// The requests of one scrape.
struct Questions<'a> {
    plan: &'a ApiPlan,
    client: &'a mut Client,
    key: &'a str,
    deadline: Instant,
}

impl Questions<'_> {
    /// The version. `/info` exists since 1.5, needs no key and costs nothing.
    fn version(&mut self, known: &mut Option<(u64, Option<Text>)>) -> Result<Option<Text>, ScrapeError> {
        let reply = self.client.ask("/info", None, self.deadline)?;
        let info = api_reply::data(&reply.body).ok();
        if let Some(version) = info.as_ref().and_then(|info| info.get("version")?.as_str()) {
            return Ok(parse::system::version(&format!("Version: {version}"), "", ""));
        }
        // An upgrade restarts the router, so the version cannot change within a connection.
        let connection = self.client.connections();
        if let Some((then, version)) = known
            && *then == connection
        {
            return Ok(version.clone());
        }
        let version = match optional(self.post("/show", "show", &["version"]))? {
            Some(body) => parse::system::version(&text_of(&body), "", ""),
            None => None,
        };
        *known = Some((connection, version.clone()));
        Ok(version)
    }

    fn configured(&mut self) -> Result<BTreeMap<InterfaceName, VxlanConfig>, ScrapeError> {
        match self.post("/retrieve", "showConfig", &["interfaces", "vxlan"]) {
            Ok(body) => parse::api_config::interfaces(&body).map_err(|error| self.of_us(&error)),
            Err(error) if error.message.contains(NOTHING_CONFIGURED) => Ok(BTreeMap::new()),
            Err(error) => Err(error),
        }
    }

    /// All interfaces: they hold the router's own addresses and the other ports of its bridges.
    fn summary(&mut self) -> Result<Vec<Summary>, ScrapeError> {
        match optional(self.post("/show", "show", &["interfaces"]))? {
            Some(body) => {
                let read = parse::show_summary::interfaces(&text_of(&body));
                Ok(read.map_err(|error| self.of_us(&misread(&error)))?.interfaces)
            }
            None => Ok(Vec::new()),
        }
    }

    fn bridges(&mut self) -> Result<Value, ScrapeError> {
        let body = optional(self.post("/retrieve", "showConfig", &["interfaces", "bridge"]))?;
        Ok(body.and_then(|body| api_reply::data(&body).ok()).unwrap_or_default())
    }

    /// Sends one request and returns the body of the answer.
    fn post(&mut self, endpoint: &str, op: &str, path: &[&str]) -> Result<String, ScrapeError> {
        let data = json!({"op": op, "path": path}).to_string();
        let form =
            Zeroizing::new(format!("data={}&key={}", escape(&data).as_str(), escape(self.key).as_str()));
        let reply = self.client.ask(endpoint, Some(&form), self.deadline)?;
        reply::body(self.plan, endpoint, reply, self.key)
    }

    /// A parser's error with the API's name added and its key removed.
    fn of_us(&self, error: &ScrapeError) -> ScrapeError {
        let words = error.message.replace(self.key, "***");
        ScrapeError::new(error.reason, format!("{}: {words}", self.plan.url))
    }
}

/// `None` where the API refuses only this request.
fn optional<T>(outcome: Result<T, ScrapeError>) -> Result<Option<T>, ScrapeError> {
    match outcome {
        Ok(answer) => Ok(Some(answer)),
        Err(ScrapeError { reason: FailureReason::Api | FailureReason::Command, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The text that an op-mode command printed.
fn text_of(body: &str) -> String {
    let data = api_reply::data(body).ok();
    terminal::clean(data.as_ref().and_then(Value::as_str).unwrap_or_default())
}

/// Encodes a value of a form (`application/x-www-form-urlencoded`).
fn escape(text: &str) -> Zeroizing<String> {
    use std::fmt::Write as _;
    // Capacity for the whole text: a growing string would leave copies of the key in memory
    // unwiped.
    text.bytes().fold(Zeroizing::new(String::with_capacity(text.len() * 3)), |mut form, byte| {
        if byte.is_ascii_alphanumeric() {
            form.push(char::from(byte));
        } else {
            let _ = write!(form, "%{byte:02X}");
        }
        form
    })
}
