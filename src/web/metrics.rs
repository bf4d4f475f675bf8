//! `/metrics`: the present as samples. Nothing is decided here, and nothing old is repeated: what a
//! router said appears only while the router can be read.

mod path;
mod router;
#[cfg(test)]
mod tests;
mod tunnel;

use std::{
    fmt,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::Result;
use prometheus::{core::Collector as _, process_collector::ProcessCollector};

use super::exposition::Exposition;
use crate::{catalogue, state::Present, types::Capability};

/// What the exporter says of itself. Cheap to clone.
#[derive(Clone)]
pub struct SelfInfo {
    /// The exporter's version.
    pub version: &'static str,
    /// Whether the configuration was read successfully the last time.
    pub config_reload_successful: bool,
    /// When the configuration in use was read.
    pub config_loaded: SystemTime,
    process: Arc<ProcessCollector>,
}

impl SelfInfo {
    /// This process, with a configuration read at `config_loaded`.
    #[must_use]
    pub fn new(config_loaded: SystemTime) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            config_reload_successful: true,
            config_loaded,
            process: Arc::new(ProcessCollector::for_self()),
        }
    }
}

impl fmt::Debug for SelfInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SelfInfo").field("version", &self.version).finish_non_exhaustive()
    }
}

/// The text format 0.0.4 of everything that is known now.
pub fn render(present: &Present, self_info: &SelfInfo) -> Result<String> {
    samples(present, self_info).encode(self_info.process.collect())
}

fn samples(present: &Present, self_info: &SelfInfo) -> Exposition {
    let mut out = Exposition::default();
    for reading in &present.routers {
        router::put(&mut out, reading);
    }
    for tunnel in &present.overlay.tunnels {
        tunnel::put(&mut out, tunnel, present);
    }
    for observation in &present.paths {
        let picture = present.overlay.paths.iter().find(|picture| picture.path == observation.path);
        path::put(&mut out, observation, picture);
    }
    put_self(&mut out, present, self_info);
    out
}

fn put_self(out: &mut Exposition, present: &Present, self_info: &SelfInfo) {
    out.put(&catalogue::BUILD_INFO, &[self_info.version], 1.0);
    out.put_bool(&catalogue::CONFIG_RELOAD_SUCCESSFUL, &[], self_info.config_reload_successful);
    out.put(&catalogue::CONFIG_RELOAD_TIMESTAMP, &[], unix_seconds(self_info.config_loaded));
    for capability in Capability::ALL {
        let known = present.capabilities.iter().find(|state| state.capability == *capability);
        let able = known.is_some_and(|state| state.missing.is_none());
        out.put_bool(&catalogue::CAPABILITY, &[capability.as_str()], able);
    }
}

/// Seconds since 1970; 0 for a clock set before that.
fn unix_seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
