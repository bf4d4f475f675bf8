//! `/metrics`: the present state as samples. Nothing is decided here, and old data is not repeated:
//! a router's data appears only while the router can be read.

mod path;
mod router;
#[cfg(test)]
mod tests;
mod tunnel;
mod underlay;

use std::{
    fmt,
    io::Write,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::Result;
use prometheus::{core::Collector as _, process_collector::ProcessCollector};

pub use super::format::ScrapeForm;
use super::{
    counts::WebCounters,
    exposition::Exposition,
    format::{BucketCounts, ContentCoding},
};
use crate::{
    catalogue, logging,
    model::{
        observation::SizeProbes,
        state::Present,
        types::{Capability, ProbeProtocol, ProbeResult, ProbeSize, SandboxLayer},
    },
    process::{
        sandbox,
        supervise::{Supervisor, Task},
    },
    work,
};

/// Data about the exporter itself. Cheap to clone.
#[derive(Clone)]
pub struct SelfInfo {
    /// The exporter's version.
    pub version: &'static str,
    /// The commit it was built from.
    pub revision: &'static str,
    /// Counters of its web server.
    pub(super) web: Arc<WebCounters>,
    process: Arc<ProcessCollector>,
    supervisor: Supervisor,
    /// When its counters began.
    started: SystemTime,
}

impl SelfInfo {
    /// This process, with its supervisor.
    #[must_use]
    pub(crate) fn new(supervisor: Supervisor) -> Self {
        let process = Arc::new(ProcessCollector::for_self());
        let version = env!("CARGO_PKG_VERSION");
        let (revision, started) = (crate::REVISION, SystemTime::now());
        Self { version, revision, web: Arc::default(), process, supervisor, started }
    }

    /// What is wrong with its tasks; `None` while all run and make progress.
    #[must_use]
    pub(crate) fn trouble(&self) -> Option<String> {
        self.supervisor.trouble()
    }
}

impl Default for SelfInfo {
    fn default() -> Self {
        Self::new(Supervisor::default())
    }
}

impl fmt::Debug for SelfInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SelfInfo").field("version", &self.version).finish_non_exhaustive()
    }
}

/// About how much text a path has, so that a scrape's memory is taken once.
const OF_A_PATH: usize = 5 << 10;

/// Everything that is known at present, in text format 0.0.4.
pub fn render(present: &Present, self_info: &SelfInfo) -> Result<String> {
    Ok(String::from_utf8(render_as(ScrapeForm::Text, present, self_info)?)?)
}

/// Everything that is known at present.
pub fn render_as(form: ScrapeForm, present: &Present, self_info: &SelfInfo) -> Result<Vec<u8>> {
    packed((form, ContentCoding::Identity), present, self_info)
}

/// The same, compressed.
pub(super) fn packed(
    (form, coding): (ScrapeForm, ContentCoding),
    present: &Present,
    self_info: &SelfInfo,
) -> Result<Vec<u8>> {
    let expected = present.paths.len() * OF_A_PATH;
    coding.pack(|to| write(form, present, self_info, to), expected)
}

/// Writes everything that is known at present.
fn write(form: ScrapeForm, present: &Present, self_info: &SelfInfo, to: &mut dyn Write) -> Result<()> {
    let mut out = form.writer(to);
    let mut samples = samples(present, self_info);
    samples.put_foreign(&self_info.process.collect())?;
    samples.write(&mut *out);
    path::write(present, &mut *out);
    Ok(out.end()?)
}

/// All samples but those of paths and of the process.
fn samples(present: &Present, self_info: &SelfInfo) -> Exposition {
    let mut out = Exposition::since(self_info.started);
    for reading in present.own_routers() {
        router::put(&mut out, reading);
    }
    let read = present.routers.iter().filter(|reading| reading.current.is_some());
    let read = read.map(|reading| &reading.router).collect();
    for tunnel in work::each(present.own_tunnels()) {
        tunnel::put(&mut out, tunnel, &read);
    }
    put_self(&mut out, present, self_info);
    out
}

fn put_self(out: &mut Exposition, present: &Present, self_info: &SelfInfo) {
    let build = [self_info.version, self_info.revision, crate::BRANCH, crate::RUST_VERSION];
    out.put(&catalogue::BUILD_INFO, &build, 1.0);
    out.put_count(&catalogue::LOG_MESSAGES_DROPPED, &[], logging::messages_dropped());
    out.put_count(&catalogue::RECEIVE_DROPPED, &[], present.load.dropped);
    out.put_bool(&catalogue::OVERLOADED, &[], present.load.overloaded);
    let late = &present.load.late;
    let late =
        BucketCounts { bounds: &path::BOUNDS, counts: &late.counts, sum: late.sum_seconds, native: None };
    out.put_buckets(&catalogue::LATE, &[], &late);
    for task in Task::ALL {
        let count = self_info.supervisor.restarts(*task);
        out.put_count(&catalogue::TASK_RESTARTS, &[task.as_str()], count);
    }
    out.put_bool(&catalogue::CONFIG_RELOAD_SUCCESSFUL, &[], present.config.reload_error.is_none());
    let loaded_at = present.config.loaded_at.unwrap_or(UNIX_EPOCH);
    out.put(&catalogue::CONFIG_RELOAD_TIMESTAMP, &[], unix_seconds(loaded_at));
    for capability in Capability::ALL {
        let known = present.capabilities.iter().find(|state| state.capability == *capability);
        let able = known.is_some_and(|state| state.missing.is_none());
        out.put_bool(&catalogue::CAPABILITY, &[capability.as_str()], able);
    }
    put_size_probes(out, &present.size_probes);
    self_info.web.put(out);
    for layer in SandboxLayer::ALL {
        out.put_bool(&catalogue::SANDBOX, &[layer.as_str()], sandbox::is_in_force(*layer));
    }
}

fn put_size_probes(out: &mut Exposition, probes: &SizeProbes) {
    for protocol in ProbeProtocol::ALL {
        for size in ProbeSize::ALL {
            for result in ProbeResult::ALL {
                let labels = [protocol.as_str(), size.as_str(), result.as_str()];
                out.put_count(&catalogue::SIZE_PROBES, &labels, probes.get(*protocol, *size, *result));
            }
        }
    }
}

/// Seconds since 1970; 0 for a clock set before that.
fn unix_seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
