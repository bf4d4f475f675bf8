//! Reading the configuration again. One reading at a time; a configuration that cannot be used changes nothing.

use std::{path::PathBuf, time::SystemTime};

use anyhow::Context;
use tokio::{
    signal::unix::Signal,
    sync::{mpsc, oneshot, watch},
};
use tracing::{error, info};

use super::{conductor::NextPlan, warn_if_empty};
use crate::{load::load, shard::Shard, state::State, web::Wish};

/// Reads the configuration whenever it is asked to.
#[derive(Debug)]
pub struct Reloader {
    /// Where it is.
    pub file: PathBuf,
    /// Which share of it is ours.
    pub shard: Shard,
    /// Where to say how it went.
    pub state: State,
    /// Who goes over to it.
    pub plans: mpsc::Sender<NextPlan>,
}

impl Reloader {
    /// Waits for SIGHUP and for wishes over HTTP for as long as somebody may have one.
    pub async fn run(self, mut hangup: Signal, mut wishes: mpsc::Receiver<Wish>, quit: watch::Sender<()>) {
        loop {
            tokio::select! {
                // Several signals that come during one reload are one.
                Some(()) = hangup.recv() => {
                    let _ = self.reload().await;
                }
                wish = wishes.recv() => match wish {
                    Some(Wish::Reload(answer)) => {
                        let outcome = self.reload().await;
                        // Whoever asked may have gone.
                        let _ = answer.send(outcome);
                    }
                    Some(Wish::Quit) => {
                        let _ = quit.send(());
                    }
                    None => return,
                },
            }
        }
    }

    /// What is in use now, or why that could not be used; both in words.
    async fn reload(&self) -> Result<String, String> {
        match self.try_reload().await {
            Ok((routers, paths)) => {
                self.state.config_loaded(SystemTime::now());
                info!(file = %self.file.display(), routers, paths, "configuration reloaded");
                Ok(format!("{}: {routers} routers, {paths} paths: in use", self.file.display()))
            }
            Err(error) => {
                let error = format!("{error:#}");
                error!(error, "configuration not reloaded: the former one stays in use");
                self.state.config_refused(error.clone());
                Err(error)
            }
        }
    }

    async fn try_reload(&self) -> anyhow::Result<(usize, usize)> {
        let file = self.file.clone();
        let plan =
            tokio::task::spawn_blocking(move || load(&file)).await.context("reading the configuration")??;
        let plan = plan.for_shard(self.shard);
        warn_if_empty(&plan);
        let counts = (plan.routers.len(), plan.paths.len());
        let (done, told) = oneshot::channel();
        let ended = "the process is about to end";
        self.plans.send((plan, done)).await.ok().context(ended)?;
        told.await.context(ended)??;
        Ok(counts)
    }
}
