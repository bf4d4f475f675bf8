//! What the process takes: memory, threads, open files.

use std::{fs, time::Duration};

use anyhow::{Context as _, Result};

/// One look.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// Since the start.
    pub at: Duration,
    /// Resident memory that is no file's, in bytes (`RssAnon` of proc(5)).
    pub memory: f64,
    /// Threads.
    pub threads: usize,
    /// Open files.
    pub files: usize,
}

impl Sample {
    /// Looks at a process.
    pub fn take(pid: u32, at: Duration) -> Result<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let number = |key: &str| -> Result<f64> {
            let line = status.lines().find_map(|line| line.strip_prefix(key)).context("no such line")?;
            Ok(line.trim().trim_end_matches(" kB").parse()?)
        };
        let entries =
            |what: &str| Ok::<_, std::io::Error>(fs::read_dir(format!("/proc/{pid}/{what}"))?.count());
        Ok(Self {
            at,
            memory: number("RssAnon:")? * 1024.0,
            threads: entries("task")?,
            files: entries("fd")?,
        })
    }
}

/// Samples between two times.
pub fn between(samples: &[Sample], from: Duration, to: Duration) -> Vec<Sample> {
    samples.iter().copied().filter(|sample| (from..=to).contains(&sample.at)).collect()
}

/// The least of a number: what is held when nothing passing is added to it.
pub fn least(samples: &[Sample], of: impl Fn(&Sample) -> usize) -> usize {
    samples.iter().map(of).min().unwrap_or_default()
}

/// Bytes per second, by least squares.
pub fn slope(samples: &[Sample]) -> f64 {
    let count = f64::from(u32::try_from(samples.len()).unwrap_or(u32::MAX)).max(1.0);
    let mean = |of: &dyn Fn(&Sample) -> f64| samples.iter().map(of).sum::<f64>() / count;
    let time = |sample: &Sample| sample.at.as_secs_f64();
    let (middle, level) = (mean(&time), mean(&|sample| sample.memory));
    let above: f64 = samples.iter().map(|sample| (time(sample) - middle) * (sample.memory - level)).sum();
    let below: f64 = samples.iter().map(|sample| (time(sample) - middle).powi(2)).sum();
    if below > 0.0 { above / below } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_slope() {
        let sample = |second: u32| Sample {
            at: Duration::from_secs(second.into()),
            memory: 1000.0 + 3.0 * f64::from(second),
            threads: 7,
            files: 9,
        };
        let samples: Vec<Sample> = (0..100).map(sample).collect();
        assert!((slope(&samples) - 3.0).abs() < 1e-9);
        assert_eq!(least(&between(&samples, Duration::from_secs(5), Duration::from_secs(6)), |s| s.files), 9);
        assert!(slope(&[]).abs() < 1e-9);
    }
}
