//! The built-in reflector: at most one runs, by the plan in use.

use tokio::task::JoinHandle;
use tracing::warn;

use crate::{
    plan::ReflectorPlan,
    reflector::{secret::Secret, server::Reflector},
    state::{CapabilityState, State},
    types::Capability,
};

/// Runs the reflector of a plan, and of the next plan.
#[derive(Debug)]
pub struct Reflecting {
    state: State,
    running: Option<(ReflectorPlan, Option<Secret>, JoinHandle<()>)>,
}

impl Reflecting {
    /// None runs yet.
    #[must_use]
    pub fn new(state: State) -> Self {
        Self { state, running: None }
    }

    /// Runs that reflector, or none. The same one, with the same secret, goes on undisturbed. One that cannot
    /// listen does not stop the rest: the capability says why.
    pub async fn follow(&mut self, plan: Option<&ReflectorPlan>) {
        if let (Some(plan), Some((running, secret, _))) = (plan, &self.running)
            && plan == running
            && plan.secret_file.as_deref().map(Secret::load).transpose().is_ok_and(|now| now == *secret)
        {
            return;
        }
        if let Some((_, _, task)) = self.running.take() {
            task.abort();
            // Its socket is closed then, and its port can be taken anew. An error says that it was aborted.
            let _ = task.await;
        }
        let missing = match plan {
            None => Some("no `reflector` is configured".to_owned()),
            Some(plan) => self.start(plan).await.err().map(|error| {
                warn!("{error:#}");
                format!("{error:#}")
            }),
        };
        self.state.put_capability(CapabilityState { capability: Capability::Reflector, missing });
    }

    async fn start(&mut self, plan: &ReflectorPlan) -> anyhow::Result<()> {
        let reflector = Reflector::open(plan).await?;
        let secret = reflector.secret().cloned();
        self.running = Some((plan.clone(), secret, tokio::spawn(reflector.run())));
        Ok(())
    }
}
