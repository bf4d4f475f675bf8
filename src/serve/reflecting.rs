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
            && Secret::of(plan.secret_file.clone()).await.is_ok_and(|now| now == *secret)
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

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn the_same_one_goes_on_another_takes_its_place() {
        let files = tempfile::tempdir().expect("a directory");
        let secret_file = files.path().join("secret");
        std::fs::write(&secret_file, "0123456789abcdef").expect("written");
        let port = web_port().await;
        let listen = format!("127.0.0.1:{port}").parse().expect("an address");
        let mut plan =
            ReflectorPlan { listen, allowed_sources: Vec::new(), secret_file: Some(secret_file.clone()) };
        let state = State::default();
        let mut reflecting = Reflecting::new(state.clone());
        let id = |reflecting: &Reflecting| reflecting.running.as_ref().map(|(_, _, task)| task.id());
        reflecting.follow(Some(&plan)).await;
        let first = id(&reflecting).expect("it runs");
        assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
        reflecting.follow(Some(&plan)).await;
        assert_eq!(id(&reflecting), Some(first));
        // Another secret in the same file, on the same port.
        std::fs::write(&secret_file, "fedcba9876543210").expect("written");
        reflecting.follow(Some(&plan)).await;
        let second = id(&reflecting).expect("it runs");
        assert_ne!(second, first);
        plan.secret_file = None;
        reflecting.follow(Some(&plan)).await;
        assert_ne!(id(&reflecting), Some(second));
        assert_eq!(state.present().capabilities[0].missing, None);
        reflecting.follow(None).await;
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "nobody listens any more");
        assert!(state.present().capabilities[0].missing.is_some());
    }

    /// A port that is free now.
    async fn web_port() -> u16 {
        let listener = crate::web::listen(&"127.0.0.1:0".parse().expect("an address")).await.expect("a port");
        listener.local_addr().expect("an address").port()
    }
}
