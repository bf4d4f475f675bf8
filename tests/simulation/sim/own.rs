//! Troubles of the prober's own host and process, which are no truth about the network.

use std::time::Duration;

use fastrand::Rng;
use serde::Deserialize;
use vxlan_exporter::path::refusal::{Refusal, Trouble};

/// A trouble that lasts for some seconds.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Own {
    /// From this second on.
    pub from_second: f64,
    /// For so long.
    pub seconds: f64,
    /// What it is.
    pub what: What,
}

/// Kinds of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The process does not run; what arrives waits for it.
    Stopped,
    /// The interface is set down: every send is refused.
    Down,
    /// The cable is out: sends succeed and vanish until it is noticed.
    Unplugged,
    /// A firewall of the host refuses every send.
    Firewall,
    /// A queue of the host is full every other time.
    Full,
}

/// So soon the kernel's news of an interface is heard.
const NOTICED: Duration = Duration::from_millis(20);

/// What becomes of a packet that the prober sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Send {
    /// It leaves.
    Leaves,
    /// It seems to leave.
    Vanishes,
    /// It is refused.
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

    /// Whether it is under way.
    pub fn is_on(&self, now: Duration) -> bool {
        (self.from()..self.until()).contains(&now)
    }

    /// When the loss of an interface is noticed.
    pub fn noticed_at(&self) -> Option<Duration> {
        matches!(self.what, What::Down | What::Unplugged).then(|| self.from() + NOTICED)
    }

    /// Whether an answer that comes now finds a way in.
    pub fn lets_in(&self, now: Duration) -> bool {
        !(self.is_on(now) && matches!(self.what, What::Down | What::Unplugged))
    }

    /// What becomes of a packet sent now.
    pub fn send(&self, now: Duration, rng: &mut Rng) -> Send {
        let refused = |trouble| Send::Refused(Refusal::Trouble(trouble));
        match self.what {
            _ if !self.is_on(now) => Send::Leaves,
            What::Down => refused(Trouble::NoWay(libc::ENETUNREACH)),
            What::Unplugged if now < self.from() + NOTICED => Send::Vanishes,
            What::Unplugged => refused(Trouble::NoCarrier),
            What::Firewall => refused(Trouble::Refused(libc::EPERM)),
            What::Full if rng.bool() => refused(Trouble::Refused(libc::ENOBUFS)),
            What::Stopped | What::Full => Send::Leaves,
        }
    }
}
