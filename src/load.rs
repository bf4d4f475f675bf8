//! From a configuration file to a plan that can be followed.

use std::path::Path;

use anyhow::Context;

use crate::{
    config,
    plan::{Plan, Transport},
    reflector::secret::Secret,
    router::{snapshot::ScrapeError, ssh},
    types::FailureReason,
};

/// Reads the configuration and sees that the files it names can be read.
pub fn load(file: &Path) -> anyhow::Result<Plan> {
    let plan = config::load(file)?.plan();
    for router in &plan.routers {
        if let Transport::Ssh(login) = &router.transport
            && let Err(error) = ssh::check_files(login)
            && is_ours_to_mend(&error)
        {
            return Err(error).with_context(|| format!("{}: router {}", file.display(), router.name));
        }
    }
    let reflectors = plan.paths.iter().filter_map(|path| path.reflector.as_ref()?.secret_file.as_ref());
    for secret in plan.reflector.iter().filter_map(|it| it.secret_file.as_ref()).chain(reflectors) {
        Secret::load(secret).with_context(|| format!("{}", file.display()))?;
    }
    Ok(plan)
}

/// A missing or unreadable file is; a router whose key is not in `known_hosts` is one router's trouble.
fn is_ours_to_mend(error: &ScrapeError) -> bool {
    error.reason == FailureReason::Config
}
