//! Which method a router is read by, and which is tried when that one fails.
//!
//! From best to poorest: iproute2's JSON, VyOS's op-mode as JSON, op-mode text, all three over one
//! session; then the HTTPS API, where one is configured. If the router does not answer one method,
//! the next is tried within the same scrape: one exec each, no second connection. If the session
//! itself fails, only the API is left. The session gets half of the time, so that a silent router
//! leaves enough for the API.
//!
//! The method that worked is remembered, and the next scrape starts with it. Once an hour, and
//! after a scrape in which nothing worked, a scrape starts with the best method again, over a new
//! session.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    time::{Duration, Instant},
};

use super::{
    bounds,
    legs::{Legs, ping::ShellWire},
    method::{api::ApiReader, ip_json, op_mode_json, op_mode_text},
    neighbours::neighbours,
    parse::neigh::Neighbour,
    script::Failed,
    shell::Shell,
    transport::{local::LocalShell, ssh::SshShell},
};
use crate::{
    model::{
        leg::{LegAsk, LegReading},
        plan::{ApiPlan, RouterPlan, Transport},
        snapshot::{RouterSnapshot, ScrapeError},
        types::{FailureReason, Method, RouterName},
    },
    vendor::Vyos,
};

/// How long a poorer method is used before the better ones are tried again.
pub(crate) const RETRY_BETTER: Duration = Duration::from_hours(1);

/// Reads one router repeatedly, by whichever method works.
pub(crate) struct Chain {
    router: RouterName,
    shell: Option<Box<dyn Shell>>,
    ip: ip_json::Reader,
    api: Option<ApiReader>,
    memory: MethodMemory,
    legs: Legs,
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chain")
            .field("router", &self.router)
            .field("memory", &self.memory)
            .finish_non_exhaustive()
    }
}

impl Chain {
    /// A chain that has not read anything yet.
    #[must_use]
    pub(crate) fn new(plan: &RouterPlan) -> Self {
        let shell: Option<Box<dyn Shell>> = match &plan.transport {
            Transport::Local => Some(Box::new(LocalShell)),
            Transport::Ssh(login) => Some(Box::new(SshShell::new(login.clone()))),
            Transport::Api(_) => None,
        };
        let api = match &plan.transport {
            Transport::Api(api) => Some(api),
            Transport::Local | Transport::Ssh(_) => plan.api.as_ref(),
        };
        Self::of(plan.name.clone(), shell, api)
    }

    /// A chain over a given shell.
    pub(super) fn of(router: RouterName, shell: Option<Box<dyn Shell>>, api: Option<&ApiPlan>) -> Self {
        let over_shell: &[Method] = if shell.is_some() { &Vyos::METHODS } else { &[] };
        let methods = over_shell.iter().copied().chain(api.map(|_| Method::Api)).collect();
        let api = api.map(|plan| ApiReader::new(plan.clone()));
        Self {
            router,
            shell,
            ip: ip_json::Reader::default(),
            api,
            memory: MethodMemory::new(methods),
            legs: Legs::default(),
        }
    }

    /// One scrape, finished before `deadline`. Blocks.
    pub(crate) fn scrape(&mut self, deadline: Instant) -> Result<RouterSnapshot, ScrapeError> {
        let now = Instant::now();
        let half = now + deadline.saturating_duration_since(now) / 2;
        let for_shell = if self.api.is_some() { half } else { deadline };
        let mut failures: Vec<(Method, ScrapeError)> = Vec::new();
        let mut way_failed = false;
        let methods = self.memory.order(now);
        if self.memory.working.is_some_and(|working| methods.first().is_some_and(|first| *first < working)) {
            self.log_in_anew();
        }
        for method in methods {
            bounds::begin();
            let outcome = match (method, self.shell.as_deref_mut(), &mut self.api) {
                (Method::Api, _, Some(api)) => api.scrape(deadline).map_err(Failed::Way),
                (Method::Ip, Some(shell), _) if !way_failed => self.ip.scrape(shell, for_shell),
                (Method::Raw, Some(shell), _) if !way_failed => op_mode_json::scrape(shell, for_shell),
                (Method::Text, Some(shell), _) if !way_failed => op_mode_text::scrape(shell, for_shell),
                _ => continue,
            };
            match outcome {
                Ok(snapshot) => {
                    if method == Method::Api {
                        self.log_in_anew();
                    }
                    self.changed_to(method, &failures);
                    self.memory.worked(method);
                    return Ok(snapshot);
                }
                Err(Failed::Method(error)) => failures.push((method, error)),
                Err(Failed::Way(error)) => {
                    way_failed = true;
                    failures.push((method, error));
                }
            }
        }
        self.log_in_anew();
        self.memory.nothing_worked();
        Err(all(failures))
    }

    /// The router's neighbours, over the session of the last scrape; none if it does not show them.
    /// Blocks.
    pub(crate) fn neighbours(&mut self, deadline: Instant) -> Vec<Neighbour> {
        let shell = self.shell.as_deref_mut();
        shell.and_then(|shell| neighbours(shell, deadline).ok()).unwrap_or_default()
    }

    /// Measures one leg of the underlay by pings of the router, until `until` at the latest;
    /// returns what is known of all legs that are asked for. Blocks.
    pub(crate) fn measure_leg(&mut self, asks: &[LegAsk], until: Instant) -> BTreeMap<IpAddr, LegReading> {
        self.legs.keep(asks);
        // A method that was not the shell's was the last resort: the session does not work.
        let works = self.memory.working.is_some_and(|working| working != Method::Api);
        if let Some(shell) = self.shell.as_deref_mut().filter(|_| works) {
            self.legs.turn(asks, &mut ShellWire(shell), until);
        }
        self.legs.readings(Instant::now())
    }

    /// Ends the session: rights that were granted on the router apply to new logins only.
    fn log_in_anew(&mut self) {
        if let Some(shell) = &mut self.shell {
            shell.hang_up();
        }
    }

    /// Logs a change of method, with the reason if the new one is poorer.
    fn changed_to(&self, method: Method, failures: &[(Method, ScrapeError)]) {
        let router = &self.router;
        match self.memory.working {
            Some(before) if before == method => {}
            Some(before) if method < before => {
                tracing::info!(%router, %method, "router read again by a better method than {before}");
            }
            before if before.is_some() || !failures.is_empty() => {
                let why = all(failures.to_vec());
                tracing::warn!(%router, %method, "router read by a poorer method, which provides less: \
                    {why}");
            }
            _ => {}
        }
    }
}

/// The failure of the best method tried, with the messages of the others.
fn all(failures: Vec<(Method, ScrapeError)>) -> ScrapeError {
    let mut failures = failures.into_iter();
    let Some((_, mut first)) = failures.next() else {
        return ScrapeError::new(
            FailureReason::Config,
            "there is no way to read the router; add `ssh`, `local` or `api` in the configuration",
        );
    };
    for (method, error) in failures {
        first.message.push(&format!("; then by {method}: {}", error.message));
    }
    first
}

/// Which method worked last, and when the best one was last tried.
#[derive(Debug, Clone, PartialEq, Eq)]
struct MethodMemory {
    /// All methods, best first.
    methods: Vec<Method>,
    working: Option<Method>,
    /// When the best method was last tried; `None` if it is to be tried next.
    tried_best: Option<Instant>,
}

impl MethodMemory {
    fn new(methods: Vec<Method>) -> Self {
        Self { methods, working: None, tried_best: None }
    }

    /// The methods to try now, in order.
    fn order(&mut self, now: Instant) -> Vec<Method> {
        let due = self.tried_best.is_none_or(|tried| now.saturating_duration_since(tried) >= RETRY_BETTER);
        if due {
            self.tried_best = Some(now);
        }
        let first = self.working.filter(|_| !due);
        self.methods.iter().copied().filter(|method| first.is_none_or(|first| *method >= first)).collect()
    }

    fn worked(&mut self, method: Method) {
        self.working = Some(method);
    }

    fn nothing_worked(&mut self) {
        self.tried_best = None;
    }
}

#[cfg(test)]
mod tests;
