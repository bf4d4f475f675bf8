//! Counters of a path: its prober writes them, a scrape reads them where they are.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::{
    Asked, EchoStats, RttHistogram,
    native::{FineCounts, NativeBuckets},
};
use crate::model::types::{ProbeProtocol, ProbeResult, ProbeSize, SendError};

/// What is counted on one path. Written by one task; whoever reads it meanwhile may miss the packet
/// that is being counted.
#[derive(Debug, Default)]
pub struct PathCounters {
    requests: AtomicU64,
    replies: AtomicU64,
    lost: AtomicU64,
    void: AtomicU64,
    late: AtomicU64,
    /// As in [`RttHistogram::counts`].
    rtt: [AtomicU64; RttHistogram::BOUNDS.len() + 1],
    /// The same in fine buckets.
    fine_rtt: FineCounts,
    /// Sum of all round-trip times, in nanoseconds.
    rtt_sum: AtomicU64,
    /// The shortest and the longest, in nanoseconds; both 0 before the first.
    rtt_extremes: [AtomicU64; 2],
    /// By the place of the error in [`SendError::ALL`].
    send_errors: [AtomicU64; SendError::ALL.len()],
    /// When counting began.
    began: Option<SystemTime>,
    /// When the last packet was sent, in microseconds since 1970; 0 before the first.
    last_probe: AtomicU64,
    /// When the prober last ran, in milliseconds since the machine started.
    ran_at: AtomicU64,
    size_probes: Arc<SizeProbes>,
    /// What came of it when somebody last asked how the path is now.
    asked: Mutex<Option<Box<Asked>>>,
}

impl PathCounters {
    /// Counters at 0, from then on; size probes are counted together with those of other paths.
    #[must_use]
    pub(crate) fn new(size_probes: Arc<SizeProbes>, began: SystemTime) -> Self {
        Self { size_probes, began: Some(began), ..Self::default() }
    }

    /// When counting began.
    #[must_use]
    pub(crate) const fn began(&self) -> Option<SystemTime> {
        self.began
    }

    /// A small echo is sent; returns how many were sent before it.
    pub(crate) fn request(&self) -> u64 {
        self.requests.fetch_add(1, Relaxed)
    }

    /// Small echoes sent.
    #[must_use]
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Relaxed)
    }

    /// A small echo was answered, possibly later than the probe timeout.
    pub(crate) fn reply(&self, rtt: Duration, is_late: bool) {
        self.replies.fetch_add(1, Relaxed);
        self.late.fetch_add(u64::from(is_late), Relaxed);
        let nanos = u64::try_from(rtt.as_nanos()).unwrap_or(u64::MAX);
        let bucket = RttHistogram::bucket(rtt.as_secs_f64());
        self.fine_rtt.count(rtt.as_secs_f64(), 1);
        let [shortest, longest] = &self.rtt_extremes;
        if self.rtt.iter().all(|bucket| bucket.load(Relaxed) == 0) {
            shortest.store(nanos, Relaxed);
        }
        shortest.fetch_min(nanos, Relaxed);
        longest.fetch_max(nanos, Relaxed);
        self.rtt_sum.fetch_add(nanos, Relaxed);
        self.rtt[bucket].fetch_add(1, Relaxed);
    }

    /// A small echo was not answered within 5 s.
    pub(crate) fn lost(&self) {
        self.lost.fetch_add(1, Relaxed);
    }

    /// Small echoes turned out to say nothing about the network.
    pub(crate) fn void(&self, echoes: u64) {
        self.void.fetch_add(echoes, Relaxed);
    }

    /// Our own host refused to send a packet.
    pub(crate) fn refused(&self, error: SendError) {
        self.send_errors[error as usize].fetch_add(1, Relaxed);
    }

    /// How many packets our own host refused to send for that reason.
    #[must_use]
    pub(crate) fn send_errors(&self, error: SendError) -> u64 {
        self.send_errors[error as usize].load(Relaxed)
    }

    /// The result of a size probe is known.
    pub(crate) fn size_probe(&self, protocol: ProbeProtocol, size: ProbeSize, result: ProbeResult) {
        self.size_probes.count(protocol, size, result);
    }

    /// A packet is sent.
    pub(crate) fn sent_at(&self, at: SystemTime) {
        let micros = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
        self.last_probe.store(u64::try_from(micros).unwrap_or_default(), Relaxed);
    }

    /// When the last packet was sent.
    #[must_use]
    pub(crate) fn last_probe(&self) -> Option<SystemTime> {
        let micros = Some(self.last_probe.load(Relaxed)).filter(|micros| *micros > 0);
        micros.map(|micros| UNIX_EPOCH + Duration::from_micros(micros))
    }

    /// The prober has run, at that time since the machine started.
    pub(crate) fn runs(&self, at: Duration) {
        self.ran_at.store(u64::try_from(at.as_millis()).unwrap_or_default(), Relaxed);
    }

    /// When the prober last ran, as time since the machine started.
    #[must_use]
    pub(crate) fn ran_at(&self) -> Duration {
        Duration::from_millis(self.ran_at.load(Relaxed))
    }

    /// Somebody asks how the path is now.
    pub(crate) fn ask(&self, at: SystemTime) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(Asked::at(at)));
    }

    /// What came of it when somebody last asked.
    #[must_use]
    pub(crate) fn asked(&self) -> Option<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).as_deref().cloned()
    }

    /// Something becomes known of what was asked.
    pub(crate) fn change_asked(&self, change: impl FnOnce(&mut Asked)) {
        if let Some(asked) = self.asked.lock().unwrap_or_else(PoisonError::into_inner).as_deref_mut() {
            change(asked);
        }
    }

    /// Round-trip times in fine buckets, copied.
    #[must_use]
    pub(crate) fn fine_rtt(&self) -> NativeBuckets {
        self.fine_rtt.read()
    }

    /// Counts of the small echo, copied.
    #[must_use]
    pub fn echo(&self) -> EchoStats {
        let [shortest, longest] =
            self.rtt_extremes.each_ref().map(|it| Duration::from_nanos(it.load(Relaxed)));
        let rtt = RttHistogram {
            counts: self.rtt.each_ref().map(|bucket| bucket.load(Relaxed)),
            sum_seconds: Duration::from_nanos(self.rtt_sum.load(Relaxed)).as_secs_f64(),
            extremes: None,
        };
        let extremes = (rtt.count() > 0).then_some((shortest, longest));
        EchoStats {
            replies: self.replies.load(Relaxed),
            lost: self.lost.load(Relaxed),
            void: self.void.load(Relaxed),
            late: self.late.load(Relaxed),
            rtt: RttHistogram { extremes, ..rtt },
            // Last, so that no more are answered than were sent.
            requests: self.requests.load(Relaxed),
        }
    }
}

#[cfg(test)]
impl From<EchoStats> for Arc<PathCounters> {
    fn from(echo: EchoStats) -> Self {
        let (shortest, longest) = echo.rtt.extremes.unwrap_or_default();
        let nanos = |time: Duration| AtomicU64::new(time.as_nanos().try_into().expect("short"));
        // All that is known of them: no more than the bound of their bucket.
        let fine_rtt = FineCounts::default();
        for (bound, count) in RttHistogram::BOUNDS.iter().chain([&5.0]).zip(echo.rtt.counts) {
            fine_rtt.count(*bound, count.try_into().expect("few"));
        }
        Self::new(PathCounters {
            requests: echo.requests.into(),
            replies: echo.replies.into(),
            lost: echo.lost.into(),
            void: echo.void.into(),
            late: echo.late.into(),
            rtt: echo.rtt.counts.map(AtomicU64::new),
            fine_rtt,
            rtt_sum: nanos(Duration::from_secs_f64(echo.rtt.sum_seconds)),
            rtt_extremes: [nanos(shortest), nanos(longest)],
            began: Some(UNIX_EPOCH + Duration::from_millis(1_700_000_000_250)),
            ..PathCounters::default()
        })
    }
}

/// Size probes of all paths since the process started, by protocol, purpose and result.
#[derive(Debug, Default)]
pub struct SizeProbes {
    counts: [[[AtomicU64; ProbeResult::ALL.len()]; ProbeSize::ALL.len()]; ProbeProtocol::ALL.len()],
}

impl SizeProbes {
    fn count(&self, protocol: ProbeProtocol, size: ProbeSize, result: ProbeResult) {
        self.counts[protocol as usize][size as usize][result as usize].fetch_add(1, Relaxed);
    }

    /// How many there were.
    #[must_use]
    pub(crate) fn get(&self, protocol: ProbeProtocol, size: ProbeSize, result: ProbeResult) -> u64 {
        self.counts[protocol as usize][size as usize][result as usize].load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_read_again() {
        let counters = PathCounters::default();
        assert_eq!((counters.echo(), counters.last_probe()), (EchoStats::default(), None));
        assert_eq!((counters.request(), counters.request(), counters.request()), (0, 1, 2));
        let rtts = [300, 2].map(Duration::from_millis);
        counters.reply(rtts[0], true);
        counters.reply(rtts[1], false);
        counters.lost();
        counters.refused(SendError::Send);
        counters.size_probe(ProbeProtocol::Tcp, ProbeSize::Search, ProbeResult::Void);
        let mut rtt = RttHistogram::default();
        for time in rtts {
            rtt.observe(time);
        }
        let echo = EchoStats { requests: 3, replies: 2, lost: 1, late: 1, void: 0, rtt };
        assert_eq!(counters.echo(), echo);
        assert_eq!(Arc::<PathCounters>::from(echo).echo(), counters.echo());
        assert_eq!(SendError::ALL.iter().map(|it| counters.send_errors(*it)).collect::<Vec<_>>(), [0, 1]);
        let probes = &counters.size_probes;
        assert_eq!(probes.get(ProbeProtocol::Tcp, ProbeSize::Search, ProbeResult::Void), 1);
        assert_eq!(probes.get(ProbeProtocol::Icmp, ProbeSize::Search, ProbeResult::Void), 0);
    }
}
