//! The last method: VyOS's HTTPS API, on 1.3 and later.
//!
//! Its `/show` runs the op-mode command of [`text`](super::text), with the same cost and the same counters;
//! what that text does not tell of a tunnel stands in the configuration, which `/retrieve` tells without its
//! defaults. Neither tells forwarding entries, routes, uptime or the kernel's index of a device.
//!
//! Five requests on one connection. What only completes the picture may be refused.

mod client;
mod defaults;
mod reply;
mod tls;

use std::{fs, time::Instant};

use hyper::StatusCode;
use serde_json::{Value, json};

use super::{
    parse,
    script::misread,
    snapshot::{RouterSnapshot, ScrapeError},
};
use crate::{
    plan::{ApiPlan, Trust},
    types::FailureReason,
};
use client::Client;

/// What VyOS answers where a part of the configuration has nothing in it.
const NOTHING_CONFIGURED: &str = "Configuration under specified path is empty";

/// Whether the files of an API are there.
pub fn check_files(plan: &ApiPlan) -> Result<(), ScrapeError> {
    read_key(plan)?;
    match &plan.trust {
        Trust::CaFile(file) => tls::authorities(file).map(drop),
        Trust::Fingerprint(_) => Ok(()),
    }
}

/// The first line of the key file, read at each scrape: a new key needs no restart.
fn read_key(plan: &ApiPlan) -> Result<String, ScrapeError> {
    let file = plan.key_file.display();
    let bad = |why: &dyn std::fmt::Display| {
        let message = format!("cannot use key_file {file}: {why}; put the API key there and let this user read it");
        ScrapeError::new(FailureReason::Config, message)
    };
    let text = fs::read_to_string(&plan.key_file).map_err(|error| bad(&error))?;
    match text.lines().next().map(str::trim) {
        Some(key) if !key.is_empty() => Ok(key.to_owned()),
        _ => Err(bad(&"its first line is empty")),
    }
}

/// Reads one router again and again by its API.
#[derive(Debug)]
pub struct ApiReader {
    plan: ApiPlan,
    client: Client,
    /// From `/show version`, which costs the router a third of a second; and on which connection.
    version: Option<(u64, Option<String>)>,
}

impl ApiReader {
    /// Connects at the first scrape.
    #[must_use]
    pub fn new(plan: ApiPlan) -> Self {
        Self { client: Client::new(plan.clone()), plan, version: None }
    }

    /// One scrape, over before `deadline`. Blocks; never retries.
    pub fn scrape(&mut self, deadline: Instant) -> Result<RouterSnapshot, ScrapeError> {
        let key = read_key(&self.plan)?;
        let mut asking = Asking { plan: &self.plan, client: &mut self.client, key: &key, deadline };
        let version = asking.version(&mut self.version)?;
        todo!()
    }
}

/// One scrape's questions.
struct Asking<'a> {
    plan: &'a ApiPlan,
    client: &'a mut Client,
    key: &'a str,
    deadline: Instant,
}

impl Asking<'_> {
    /// `/info` is there since 1.5 and costs nothing.
    fn version(&mut self, known: &mut Option<(u64, Option<String>)>) -> Result<Option<String>, ScrapeError> {
        let reply = self.client.ask("/info", None, self.deadline)?;
        if reply.status == StatusCode::OK
            && let Ok(data) = reply::data(self.plan, "/info", &reply, self.key)
            && let Some(version) = data.get("version").and_then(Value::as_str)
        {
            return Ok(parse::system::version(&format!("Version: {version}"), "", ""));
        }
        // A router that was upgraded has restarted.
        let connection = self.client.connections();
        if let Some((then, version)) = known
            && *then == connection
        {
            return Ok(version.clone());
        }
        let shown = optional(self.show(&["version"]))?.unwrap_or_default();
        let version = parse::system::version(&shown, "", "");
        *known = Some((connection, version.clone()));
        Ok(version)
    }

    /// What an op-mode command prints.
    fn show(&mut self, path: &[&str]) -> Result<String, ScrapeError> {
        match self.post("/show", "show", path)? {
            Value::String(text) => Ok(text),
            Value::Null => Ok(String::new()),
            other => {
                let seen = parse::excerpt(&other.to_string());
                let message =
                    format!("{}/show answered for `{}` no text but `{seen}`", self.plan.url, path.join(" "));
                Err(ScrapeError::new(FailureReason::Parse, message))
            }
        }
    }

    /// A part of the configuration; null where there is nothing in it.
    fn config(&mut self, path: &[&str]) -> Result<Value, ScrapeError> {
        self.post("/retrieve", "showConfig", path).or_else(|error| {
            let nothing = error.reason == FailureReason::Api && error.message.contains(NOTHING_CONFIGURED);
            if nothing { Ok(Value::Null) } else { Err(error) }
        })
    }

    fn post(&mut self, endpoint: &str, op: &str, path: &[&str]) -> Result<Value, ScrapeError> {
        let data = json!({"op": op, "path": path}).to_string();
        let form = format!("data={}&key={}", escape(&data), escape(self.key));
        let reply = self.client.ask(endpoint, Some(&form), self.deadline)?;
        reply::data(self.plan, endpoint, &reply, self.key)
    }
}

/// Nothing where the API refuses only this question.
fn optional<T>(outcome: Result<T, ScrapeError>) -> Result<Option<T>, ScrapeError> {
    match outcome {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.reason == FailureReason::Api => Ok(None),
        Err(error) => Err(error),
    }
}

/// A value of a form (`application/x-www-form-urlencoded`).
fn escape(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut form, byte| {
        if byte.is_ascii_alphanumeric() {
            form.push(char::from(byte));
        } else {
            let _ = write!(form, "%{byte:02X}");
        }
        form
    })
}
