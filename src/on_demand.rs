//! `/probe`: one target is probed because somebody asks, as `blackbox_exporter` does.
//!
//! - `allowed`: which targets may be probed
//! - `running`: equal requests share one run, and only so many run at the same time
//! - `run`: what a module sends, until when, and what is success

mod allowed;
mod run;
mod running;

use std::{net::IpAddr, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use tokio::sync::watch;

use crate::{
    look::target::ProbeTarget,
    model::{
        on_demand::{ModulePlan, OnDemandPlan, Prober},
        state::Present,
    },
};
use running::Running;

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ask {
    pub target: ProbeTarget,
    /// The module's name.
    pub module: String,
    /// How long the answer may take.
    pub within: Option<Duration>,
}

/// What was found.
#[derive(Debug)]
pub(crate) struct ProbeResult {
    pub module: ModulePlan,
    pub is_success: bool,
    pub duration: Duration,
    /// How long the look-up of the name took.
    pub lookup: Duration,
    /// The address that was probed; absent if the name has none.
    pub address: Option<IpAddr>,
    /// What the packets found; absent if no echo was to be sent.
    pub present: Option<Present>,
    /// What was done, and when.
    pub log: Vec<(Duration, String)>,
}

/// Why nothing was probed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotProbed {
    /// The request cannot be fulfilled as it is.
    Wrong(String),
    /// The target is not among `allowed_targets`.
    NotAllowed(String),
    /// Too many probes are running.
    Busy(usize),
}

/// Probes on demand, as the plan in use allows. Cheap to clone; by default it allows nothing.
#[derive(Debug, Clone, Default)]
pub struct OnDemand {
    plan: Option<watch::Receiver<OnDemandPlan>>,
    running: Running,
}

impl OnDemand {
    /// Follows the plan in use.
    #[must_use]
    pub(crate) fn new(plan: watch::Receiver<OnDemandPlan>) -> Self {
        Self { plan: Some(plan), running: Running::default() }
    }

    /// Probes, or waits for an equal probe that is running.
    pub(crate) async fn probe(&self, ask: &Ask) -> Arc<Result<ProbeResult, NotProbed>> {
        let plan = self.plan.as_ref().map(|plan| plan.borrow().clone()).unwrap_or_default();
        let module = match module(&plan, ask) {
            Ok(module) => module,
            Err(why) => return Arc::new(Err(NotProbed::Wrong(why))),
        };
        let within = ask.within.map_or(module.timeout, |within| within.min(module.timeout));
        // The module too: a reload may have changed what its name means.
        let name = format!("{} {module:?} {within:?}", ask.target);
        let at_once = plan.at_once;
        let target = ask.target.clone();
        let start = || async move { Arc::new(run::run(&plan, target, module, within).await) }.boxed();
        match self.running.join(name, at_once, start) {
            Some(run) => run.await,
            None => Arc::new(Err(NotProbed::Busy(at_once))),
        }
    }
}

/// The module, if it fits the target.
fn module(plan: &OnDemandPlan, ask: &Ask) -> Result<ModulePlan, String> {
    let Some(module) = plan.modules.get(&ask.module) else {
        let known: Vec<_> = plan.modules.keys().map(String::as_str).collect();
        return Err(format!("there is no module {:?}: the modules are {}", ask.module, known.join(", ")));
    };
    match (module.prober, ask.target.port) {
        (Prober::Tcp, None) => Err(format!(
            "module {} connects to a TCP port: write target=HOST:PORT, e.g. target=192.168.100.102:443",
            ask.module
        )),
        (Prober::Icmp, Some(port)) => {
            Err(format!("module {} sends echoes, which have no port: leave out :{port}", ask.module))
        }
        _ => Ok(module.clone()),
    }
}
