//! The built-in reflector: at most one runs, according to the plan in use.

use std::time::Duration;

use tokio::time::sleep;
use tracing::warn;

use crate::{
    model::{
        plan::ReflectorPlan,
        state::{CapabilityState, State},
        types::Capability,
    },
    process::supervise::{Kept, Pulse, Supervisor, Task, fault},
    reflector::{secret::Secret, server::ReflectorServer},
};

/// Pause before another attempt to start a reflector that failed to start.
const TRY_AGAIN: Duration = Duration::from_secs(10);

/// Runs the reflector of a plan, and follows changes of the plan.
#[derive(Debug)]
pub struct Reflecting {
    state: State,
    supervisor: Supervisor,
    running: Option<(ReflectorPlan, Option<Secret>, Kept)>,
}

impl Reflecting {
    /// Starts without a reflector.
    #[must_use]
    pub fn new(state: State, supervisor: Supervisor) -> Self {
        Self { state, supervisor, running: None }
    }

    /// Runs this reflector, or none. A reflector with the same settings and secret continues
    /// undisturbed. One that cannot listen does not stop the rest: the capability says why.
    pub async fn follow(&mut self, plan: Option<&ReflectorPlan>) {
        if let (Some(plan), Some((running, secret, _))) = (plan, &self.running)
            && plan == running
            && Secret::of(plan.secret_file.clone()).await.is_ok_and(|now| now == *secret)
        {
            return;
        }
        if let Some((_, _, task)) = self.running.take() {
            // Its socket is closed then, and its port is free again.
            task.stop().await;
        }
        match plan {
            None => put(&self.state, Some("no `reflector` is configured".to_owned())),
            Some(plan) => self.start(plan).await,
        }
    }

    async fn start(&mut self, plan: &ReflectorPlan) {
        let Some(reflector) = open(&self.state, plan).await else { return };
        let secret = reflector.secret().cloned();
        let mut first = Some(reflector);
        let (state, again) = (self.state.clone(), plan.clone());
        let kept = self
            .supervisor
            .keep(Task::Reflector, "", move |pulse| run(first.take(), state.clone(), again.clone(), pulse));
        self.running = Some((plan.clone(), secret, kept));
    }
}

async fn run(mut reflector: Option<ReflectorServer>, state: State, plan: ReflectorPlan, pulse: Pulse) {
    let reflector = loop {
        if let Some(reflector) = reflector.take() {
            break reflector;
        }
        reflector = open(&state, &plan).await;
        if reflector.is_none() {
            pulse.during(sleep(TRY_AGAIN)).await;
        }
    };
    pulse
        .during(async {
            tokio::select! {
                () = reflector.run() => {}
                () = fault::points(Task::Reflector) => {}
            }
        })
        .await;
}

/// `None` if it cannot listen: the capability says why.
async fn open(state: &State, plan: &ReflectorPlan) -> Option<ReflectorServer> {
    match ReflectorServer::open(plan).await {
        Ok(reflector) => {
            put(state, None);
            Some(reflector)
        }
        Err(error) => {
            warn!("{error:#}");
            put(state, Some(format!("{error:#}")));
            None
        }
    }
}

fn put(state: &State, missing: Option<String>) {
    state.put_capability(CapabilityState { capability: Capability::Reflector, missing });
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
        let mut reflecting = Reflecting::new(state.clone(), Supervisor::default());
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

    /// A port that is free at present.
    async fn web_port() -> u16 {
        let listener =
            crate::web::listen(&["127.0.0.1:0".parse().expect("an address")]).await.expect("a port");
        listener[0].local_addr().expect("an address").port()
    }
}
