//! Changes the paths of a running engine.

use anyhow::Context as _;
use tokio::sync::{mpsc::UnboundedSender, oneshot};

use crate::model::plan::PathPlan;

/// The new paths, and a channel to report that they are in use.
pub(super) struct Order {
    pub paths: Vec<PathPlan>,
    pub budget_pps: u32,
    pub done: oneshot::Sender<()>,
}

/// Controls a running engine.
#[derive(Debug, Clone)]
pub(crate) struct EngineHandle(UnboundedSender<Order>);

impl EngineHandle {
    pub(super) fn new(orders: UnboundedSender<Order>) -> Self {
        Self(orders)
    }

    /// Probes these paths from now on. A path with an unchanged entry continues undisturbed; one
    /// with a changed entry starts again but keeps its counts.
    pub(crate) async fn follow(&self, paths: Vec<PathPlan>, budget_pps: u32) -> anyhow::Result<()> {
        let (done, told) = oneshot::channel();
        let sent = self.0.send(Order { paths, budget_pps, done }).is_ok();
        let outcome = if sent { told.await.ok() } else { None };
        outcome.context("the probe engine has ended; this is a bug, please report it with the log")
    }
}
