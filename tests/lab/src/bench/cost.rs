//! What a process costs, seen from outside.

use std::{
    fs,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use nix::{
    time::{clock_getcpuclockid, clock_gettime},
    unistd::Pid,
};
use serde::{Deserialize, Serialize};

use super::pair::Pair;

/// CPU time that a process has used, including its threads that have ended.
pub fn cpu(pid: Pid) -> Result<Duration> {
    Ok(clock_gettime(clock_getcpuclockid(pid)?)?.into())
}

/// Resident memory of a process in bytes.
pub fn memory(pid: Pid) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}

/// CPU and packets of a time.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Cost {
    /// Share of one core.
    pub share: f64,
    /// Packets a second that arrived.
    pub rate: f64,
    /// CPU a packet in microseconds.
    pub micros: f64,
}

/// Watches a process that sends echo requests.
pub fn watch(pair: &Pair, pid: Pid, window: Duration) -> Result<Cost> {
    let (began, before, sent) = (Instant::now(), cpu(pid)?, pair.arrived()?);
    thread::sleep(window);
    let (took, used) = (began.elapsed(), cpu(pid)?.saturating_sub(before));
    let packets = float(usize::try_from(pair.arrived()? - sent)?);
    Ok(Cost {
        share: used.as_secs_f64() / took.as_secs_f64(),
        rate: packets / took.as_secs_f64(),
        micros: used.as_secs_f64() * 1e6 / packets,
    })
}

/// CPU time that all programs and the kernel have used since the machine started, in ticks of 10 ms,
/// and idle time.
pub fn machine_ticks() -> (f64, f64) {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let first = text.lines().next().unwrap_or_default();
    let ticks: Vec<f64> = first.split_whitespace().skip(1).filter_map(|word| word.parse().ok()).collect();
    // The fourth is idle, the fifth waits for a disk; those of guests are in the first already.
    let idle = ticks.iter().skip(3).take(2).sum::<f64>();
    (ticks.iter().take(8).sum::<f64>() - idle, idle)
}

/// The machine, in a line: cores, processor, kernel, load.
pub fn machine() -> String {
    let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
    let processors = read("/proc/cpuinfo");
    let model = processors.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    let cores = thread::available_parallelism().map_or(0, usize::from);
    format!(
        "{cores} cores of {}, Linux {}, load {} before the run",
        model.unwrap_or("an unnamed processor"),
        read("/proc/sys/kernel/osrelease").trim(),
        read("/proc/loadavg").split(' ').next().unwrap_or_default(),
    )
}

/// The first line of the exporter's `--version`.
pub fn version(exporter: &Path) -> String {
    let output = Command::new(exporter).arg("--version").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.unwrap_or_default().lines().next().unwrap_or_default().to_owned()
}

/// Bytes as millions of bytes.
#[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
pub fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// A count as a number to compute with.
#[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
pub fn float(count: usize) -> f64 {
    count as f64
}
