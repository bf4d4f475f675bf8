//! Faults of the prober's own host and process, which say nothing about the network.

use std::time::Duration;

use fastrand::Rng;
use serde::Deserialize;
use vxlan_exporter::path::refusal::{Refusal, Trouble};

/// A fault that lasts for some seconds.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Own {
    /// Its start, in seconds.
    pub from_second: f64,
    /// Its length, in seconds.
    pub seconds: f64,
    /// Its kind.
    pub what: What,
}

/// Kinds of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The process does not run; packets that arrive wait for it.
    Stopped,
    /// The process gets a CPU only for a moment every now and then.
    Starved,
    /// The interface is set down: every send is refused.
    Down,
    /// The cable is unplugged: sends succeed but the packets are lost, until it is noticed.
    Unplugged,
    /// The host's firewall refuses every send.
    Firewall,
    /// A queue of the host is full for every other send.
    Full,
}

/// For how long a starved process does not run, and after how long that begins again.
const STARVED: (f64, f64) = (0.25, 0.3);

/// How soon the kernel's report on an interface is received.
const NOTICED: Duration = Duration::from_millis(20);

/// What happens to a packet that the prober sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Send {
    Leaves,
    /// It is lost although the send succeeds.
    Vanishes,
    Refused(Refusal),
}

impl Own {
    /// When it begins.
    pub fn from(&self) -> Duration {
        Duration::from_secs_f64(self.from_second)
    }

    /// When it is over.
    pub fn until(&self) -> Duration {
        Duration::from_secs_f64(self.from_second + self.seconds)
    }

    /// Whether it is present.
    pub fn is_on(&self, now: Duration) -> bool {
        (self.from()..self.until()).contains(&now)
    }

    /// The times at which the process does not run.
    pub fn stops(&self) -> Vec<Self> {
        let (seconds, again) = STARVED;
        match self.what {
            What::Stopped => vec![*self],
            What::Starved => {
                let mut stops = Vec::new();
                let mut stop = Self { seconds, what: What::Stopped, ..*self };
                while stop.from_second < self.from_second + self.seconds {
                    stops.push(stop);
                    stop.from_second += again;
                }
                stops
            }
            _ => Vec::new(),
        }
    }

    /// When the loss of an interface is noticed.
    pub fn noticed_at(&self) -> Option<Duration> {
        matches!(self.what, What::Down | What::Unplugged).then(|| self.from() + NOTICED)
    }

    /// Whether an answer that arrives now is received.
    pub fn lets_in(&self, now: Duration) -> bool {
        !(self.is_on(now) && matches!(self.what, What::Down | What::Unplugged))
    }

    /// What happens to a packet sent now.
    pub fn send(&self, now: Duration, rng: &mut Rng) -> Send {
        let refused = |trouble| Send::Refused(Refusal::Trouble(trouble));
        match self.what {
            _ if !self.is_on(now) => Send::Leaves,
            What::Down => refused(Trouble::CannotLeave(libc::ENETUNREACH)),
            What::Unplugged if now < self.from() + NOTICED => Send::Vanishes,
            What::Unplugged => refused(Trouble::NoCarrier),
            What::Firewall => refused(Trouble::Refused(libc::EPERM)),
            What::Full if rng.bool() => refused(Trouble::Refused(libc::ENOBUFS)),
            What::Stopped | What::Starved | What::Full => Send::Leaves,
        }
    }
}
