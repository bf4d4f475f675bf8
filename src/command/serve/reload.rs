//! Reading the configuration again. One reading at a time; a configuration that cannot be used
//! changes nothing.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use anyhow::Context;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::{Mutex, mpsc, oneshot, watch},
    time::{MissedTickBehavior, interval},
};
use tracing::{error, info};

use super::{
    conductor::NextPlan,
    config_watch::{ConfigWatch, LOOK},
    warn_of,
};
use crate::{
    command::load::ConfigSource,
    model::state::State,
    process::{
        notify,
        supervise::{Kept, Pulse, Supervisor, Task, fault},
    },
    web::Wish,
};

/// A refused configuration is tried again after this long: a key file that it names may have been
/// created meanwhile.
const RETRY: Duration = Duration::from_secs(30);

/// Longest time of a reload: reading the configuration and switching to it.
const RELOAD: Duration = Duration::from_mins(2);

/// Keeps a reloader running: if one dies, the next still handles SIGHUP, requests over HTTP and
/// changes of the file.
pub fn keep(
    supervisor: &Supervisor,
    reloader: Reloader,
    hangup: Signal,
    wishes: mpsc::Receiver<Wish>,
    quit: watch::Sender<()>,
) -> Kept {
    let again = (reloader.wanted.clone(), reloader.state.clone(), reloader.plans.clone());
    let mut first = Some((reloader, hangup));
    let (wishes, quit) = (Arc::new(Mutex::new(wishes)), Arc::new(quit));
    supervisor.keep(Task::Reloader, "", move |pulse| {
        let (first, wishes, quit) = (first.take(), Arc::clone(&wishes), Arc::clone(&quit));
        let again = again.clone();
        async move {
            let (reloader, hangup) = match first {
                Some(first) => first,
                None => match Reloader::again(again, &pulse).await {
                    Ok(again) => again,
                    Err(error) => return error!(%error, "cannot listen for SIGHUP again"),
                },
            };
            reloader.run(hangup, &mut *wishes.lock().await, &quit, &pulse).await;
        }
    })
}

/// Reads the configuration on request, and when the file changes.
#[derive(Debug)]
pub struct Reloader {
    wanted: ConfigSource,
    state: State,
    plans: mpsc::Sender<NextPlan>,
    watch: ConfigWatch,
    /// The last refused reading: when and why.
    refused: Option<(Instant, String)>,
}

impl Reloader {
    /// Reports results in `state` and sends plans to `plans`. `watch` is the one from the first
    /// reading.
    #[must_use]
    pub fn new(
        wanted: ConfigSource,
        watch: ConfigWatch,
        state: State,
        plans: mpsc::Sender<NextPlan>,
    ) -> Self {
        Self { wanted, state, plans, watch, refused: None }
    }

    /// Replaces a reloader that died, and does what that one left undone.
    async fn again(
        (wanted, state, plans): (ConfigSource, State, mpsc::Sender<NextPlan>),
        pulse: &Pulse,
    ) -> std::io::Result<(Self, Signal)> {
        let hangup = signal(SignalKind::hangup())?;
        pulse.promise(RELOAD);
        let watch = ConfigWatch::new(wanted.file.clone(), wanted.most_bytes).await;
        let mut reloader = Self::new(wanted, watch, state, plans);
        let _ = reloader.reload().await;
        Ok((reloader, hangup))
    }

    /// Waits for SIGHUP, requests over HTTP and changes of the file, as long as a request is
    /// possible.
    pub async fn run(
        mut self,
        mut hangup: Signal,
        wishes: &mut mpsc::Receiver<Wish>,
        quit: &watch::Sender<()>,
        pulse: &Pulse,
    ) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            pulse.promise(LOOK);
            fault::point(Task::Reloader).await;
            tokio::select! {
                // Several signals during one reload count as one.
                Some(()) = hangup.recv() => {
                    let _ = pulse.within(RELOAD, self.reload()).await;
                }
                wish = wishes.recv() => match wish {
                    Some(Wish::Reload(answer)) => {
                        let outcome = pulse.within(RELOAD, self.reload()).await;
                        // The requester may be gone.
                        let _ = answer.send(outcome);
                    }
                    Some(Wish::Quit) => {
                        let _ = quit.send(());
                    }
                    None => return,
                },
                _ = looks.tick() => pulse.within(RELOAD, self.look()).await,
            }
        }
    }

    async fn look(&mut self) {
        let is_due = self.refused.as_ref().is_some_and(|(when, _)| when.elapsed() > RETRY);
        if self.watch.is_changed().await {
            info!(file = %self.wanted.file.display(), "the configuration has changed");
            let _ = self.reload().await;
        } else if is_due {
            let _ = self.reload().await;
        }
    }

    /// What is in use now, or why the configuration could not be used; both in words.
    async fn reload(&mut self) -> Result<String, String> {
        notify::reloading();
        let outcome = self.try_reload().await;
        // A refused configuration too: the former one is in use.
        notify::ready();
        let file = self.wanted.file.display();
        match outcome {
            Ok((routers, paths)) => {
                self.refused = None;
                self.state.config_loaded(SystemTime::now());
                info!(%file, routers, paths, "configuration reloaded");
                Ok(format!("{file}: {routers} routers, {paths} paths: in use"))
            }
            Err(error) => {
                let error = crate::text::visible_lines(&format!("{error:#}")).into_owned();
                let is_new = self.refused.as_ref().is_none_or(|(_, told)| *told != error);
                if is_new {
                    error!(error, "configuration not reloaded: the previous one stays in use");
                }
                self.refused = Some((Instant::now(), error.clone()));
                self.state.config_refused(error.clone());
                Err(error)
            }
        }
    }

    async fn try_reload(&mut self) -> anyhow::Result<(usize, usize)> {
        self.watch.begin().await;
        let wanted = self.wanted.clone();
        let plan = tokio::task::spawn_blocking(move || wanted.load())
            .await
            .context("reading the configuration")??;
        warn_of(&plan);
        let counts = (plan.routers.len(), plan.paths.len());
        let (done, told) = oneshot::channel();
        let ended = "the process is about to end";
        self.plans.send((plan, done)).await.ok().context(ended)?;
        told.await.context(ended)??;
        Ok(counts)
    }
}
