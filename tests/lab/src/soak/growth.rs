//! Resources of the process over time: memory, and what it holds by name.

use std::{fs, time::Duration};

use anyhow::{Context as _, Result};

use super::held::{self, Counts};

/// One sample.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Time since the start.
    pub at: Duration,
    /// Resident memory not backed by files, in bytes (`RssAnon` of proc(5)).
    pub memory: f64,
    /// Threads, by name.
    pub threads: Counts,
    /// Open files, by kind.
    pub files: Counts,
    /// How long its threads have waited for a CPU so far.
    pub waited: Duration,
}

impl Sample {
    /// Takes a sample of a process.
    pub fn take(pid: u32, at: Duration) -> Result<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let number = |key: &str| -> Result<f64> {
            let line = status.lines().find_map(|line| line.strip_prefix(key)).context("no such line")?;
            Ok(line.trim().trim_end_matches(" kB").parse()?)
        };
        Ok(Self {
            at,
            memory: number("RssAnon:")? * 1024.0,
            threads: held::threads(pid)?,
            files: held::files(pid)?,
            waited: held::waited(pid)?,
        })
    }
}

/// How long it waited for a CPU within the last `window` of the samples.
pub fn waited_lately(samples: &[Sample], window: Duration) -> Duration {
    let Some(last) = samples.last() else { return Duration::ZERO };
    let before = samples.iter().rev().find(|sample| sample.at + window <= last.at);
    last.waited.saturating_sub(before.map_or(Duration::ZERO, |sample| sample.waited))
}

/// Samples between two times.
pub fn between(samples: &[Sample], from: Duration, to: Duration) -> Vec<&Sample> {
    samples.iter().filter(|sample| (from..=to).contains(&sample.at)).collect()
}

/// The minimum of each number over time: what is held permanently.
pub fn least(samples: &[&Sample], of: fn(&Sample) -> &Counts) -> Counts {
    let Some(first) = samples.first() else { return Counts::new() };
    let in_all = |name: &String| samples.iter().filter_map(|sample| of(sample).get(name)).min().copied();
    let everywhere = |name: &String| samples.iter().all(|sample| of(sample).contains_key(name));
    let names = of(first).keys().filter(|name| everywhere(name));
    names.filter_map(|name| Some((name.clone(), in_all(name)?))).collect()
}

/// Growth in bytes per second, by least squares.
pub fn slope(samples: &[&Sample]) -> f64 {
    let count = f64::from(u32::try_from(samples.len()).unwrap_or(u32::MAX)).max(1.0);
    let mean = |of: &dyn Fn(&Sample) -> f64| samples.iter().map(|sample| of(sample)).sum::<f64>() / count;
    let time = |sample: &Sample| sample.at.as_secs_f64();
    let (middle, level) = (mean(&time), mean(&|sample| sample.memory));
    let above: f64 = samples.iter().map(|sample| (time(sample) - middle) * (sample.memory - level)).sum();
    let below: f64 = samples.iter().map(|sample| (time(sample) - middle).powi(2)).sum();
    if below > 0.0 { above / below } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(second: u32) -> Sample {
        let file = |name: &str, count: u32| (name.to_owned(), count as usize);
        Sample {
            at: Duration::from_secs(second.into()),
            memory: 1000.0 + 3.0 * f64::from(second),
            threads: Counts::new(),
            files: [file("kept", 9 + second % 2), file("passing", second % 2)]
                .into_iter()
                .filter(|(_, count)| *count > 0)
                .collect(),
            waited: Duration::from_millis(u64::from(second) * 10),
        }
    }

    #[test]
    fn what_it_waited_is_that_of_the_window() {
        let samples: Vec<Sample> = (0..100).map(sample).collect();
        assert_eq!(waited_lately(&samples, Duration::from_secs(10)), Duration::from_millis(100));
    }

    #[test]
    fn a_line_has_its_slope() {
        let samples: Vec<Sample> = (0..100).map(sample).collect();
        let all: Vec<&Sample> = samples.iter().collect();
        assert!((slope(&all) - 3.0).abs() < 1e-9);
        assert!(slope(&[]).abs() < 1e-9);
    }

    #[test]
    fn what_is_not_held_throughout_only_passes() {
        let samples: Vec<Sample> = (0..100).map(sample).collect();
        let least = least(&between(&samples, Duration::from_secs(5), Duration::from_secs(6)), |s| &s.files);
        assert_eq!(least, Counts::from([("kept".to_owned(), 9)]));
    }
}
