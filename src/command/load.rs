//! From a configuration file to a plan that can be followed.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use anyhow::Context;

use crate::{
    config,
    model::{
        plan::{Plan, Transport},
        shard::Shard,
        types::FailureReason,
    },
    process::secret_files::warn_of_public,
    reflector::secret::Secret,
    router::{method::api, transport::ssh},
};

/// Which configuration a process follows, and what it is in there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Where it is.
    pub file: PathBuf,
    /// It is not read where it is longer, bytes.
    pub most_bytes: u64,
    /// `SITE/NODE`, where the site alone does not tell who measures.
    pub source: Option<String>,
    /// Which share of all names is ours.
    pub shard: Shard,
}

impl Wanted {
    /// Our part of what [`load`] reads.
    pub fn load(&self) -> anyhow::Result<Plan> {
        let plan = load(&self.file, self.most_bytes)?;
        let plan = match &self.source {
            Some(source) => plan.from_source(source)?,
            None => plan,
        };
        Ok(plan.for_shard(self.shard))
    }
}

/// Reads the configuration and sees that the files it names can be used.
pub fn load(file: &Path, most_bytes: u64) -> anyhow::Result<Plan> {
    let plan = config::load(file, most_bytes)?.plan();
    // One key of many routers is opened once: a passphrase costs a third of a second.
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
        // A router whose key is not known is that router's trouble; a file that cannot be read is ours.
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
