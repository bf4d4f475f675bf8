//! Other paths for an engine that runs.

use anyhow::Context as _;
use tokio::sync::{mpsc::UnboundedSender, oneshot};

use crate::model::plan::PathPlan;

/// Other paths to probe, and where to say that it is done.
pub(super) struct Order {
    pub paths: Vec<PathPlan>,
    pub budget_pps: u32,
    pub done: oneshot::Sender<()>,
}

/// Steers an engine that runs.
#[derive(Debug, Clone)]
pub struct EngineHandle(UnboundedSender<Order>);

impl EngineHandle {
    pub(super) fn new(orders: UnboundedSender<Order>) -> Self {
        Self(orders)
    }

    /// Probes these paths from now on. One whose entry is the same as before goes on undisturbed; one that
    /// changed begins anew and counts on.
    pub async fn follow(&self, paths: Vec<PathPlan>, budget_pps: u32) -> anyhow::Result<()> {
        let (done, told) = oneshot::channel();
        let sent = self.0.send(Order { paths, budget_pps, done }).is_ok();
        let outcome = if sent { told.await.ok() } else { None };
        outcome.context("the probe engine has ended; this is a bug, please report it with the log")
    }
}
