//! From a configuration file to a plan that can be executed.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use anyhow::Context;

use crate::{
    config::{self, Config},
    model::{
        plan::{Plan, Transport},
        shard::Shard,
        types::FailureReason,
    },
    process::secret_files::warn_of_public,
    reflector::secret::Secret,
    router::{method::api, transport::ssh},
};

/// Which configuration a process follows, and its own role in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigSource {
    /// The file.
    pub file: PathBuf,
    /// Longest file that is read, in bytes.
    pub most_bytes: u64,
    /// `SITE/NODE`, if the site alone does not identify this exporter.
    pub source: Option<String>,
    /// The share of all names that it owns.
    pub shard: Shard,
}

impl ConfigSource {
    /// Loads the configuration; returns this process's part of the plan.
    pub fn load(&self) -> anyhow::Result<Plan> {
        let plan = load(&self.file, self.most_bytes)?;
        let plan = match &self.source {
            Some(source) => plan.probed_from(source)?,
            None => plan,
        };
        Ok(plan.for_shard(self.shard))
    }
}

/// Reads the configuration and checks that the files it names can be used.
pub fn load(file: &Path, most_bytes: u64) -> anyhow::Result<Plan> {
    let config = config::load(file, most_bytes)?;
    usable(&config, file)
}

/// The plan of a configuration, if the files that it names can be used.
pub fn usable(config: &Config, file: &Path) -> anyhow::Result<Plan> {
    let plan = config.plan();
    // A key that many routers use is opened only once: a passphrase costs a third of a second.
    let mut usable = BTreeSet::new();
    for router in &plan.routers {
        let context = || format!("{}: router {}", file.display(), router.name);
        let api = match &router.transport {
            Transport::Api(api) => Some(api),
            Transport::Ssh(_) | Transport::Local => router.api.as_ref(),
        };
        if let Some(api) = api {
            api::check_files(api).with_context(context)?;
        }
        let Transport::Ssh(login) = &router.transport else { continue };
        if usable.insert(&login.credential) {
            ssh::check_credential(&login.credential).with_context(context)?;
        }
        // An unknown host key is a problem of that router; a file that cannot be read is one of the
        // configuration.
        ssh::check_host_key(login)
            .or_else(|error| if error.reason == FailureReason::Config { Err(error) } else { Ok(()) })
            .with_context(context)?;
    }
    for secret in plan.reflector_secrets() {
        Secret::load(secret).with_context(|| format!("{}", file.display()))?;
    }
    warn_of_public(plan.secret_files());
    Ok(plan)
}
