//! Echoes above the MTU of a route of our own host. They do not change the verdict, which is about
//! this host, but the evidence reports them.

use std::time::Duration;

use super::{PathProber, Role, beat::next_turn, sending::RARE};
use crate::{
    language::{Said, say},
    model::types::{Bytes, ProbeSize},
    path::{
        hole::detect::Detect,
        probe::{Moment, ProbeMethod, Send},
    },
};

/// Echoes unanswered in a row, while the size of the route passes, after which the evidence reports
/// it (at 20 % loss each way chance does that with probability 0.36^10 = 4e-5).
const TOLD: u32 = 10;

/// The time between two of these echoes until then.
const SOON: Duration = Duration::from_secs(1);

/// When the next of these echoes is due, and how many in a row were not answered.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Above {
    at: Moment,
    unanswered: u32,
}

impl PathProber {
    /// The time between two of these echoes; none if none are sent.
    pub(super) fn above_every(&self) -> Option<Duration> {
        let asked = self.hosts.above.is_some() && self.icmp_usable() && !self.reach.is_down();
        asked.then_some(if self.above.unanswered < TOLD { SOON } else { RARE })
    }

    /// When the next of these echoes is due.
    pub(super) fn above_at(&self) -> Moment {
        self.above.at
    }

    pub(super) fn look_above(&mut self, now: Moment, out: &mut Vec<Send>) {
        let (Some(every), Some(size)) = (self.above_every(), self.hosts.above) else { return };
        self.above.at = self.above.at.min(now + every);
        if now >= self.above.at {
            self.above.at = next_turn(self.above.at, every, now);
            self.send(ProbeMethod::Echo, 0, size, ProbeSize::Full, Role::Above, now, out);
        }
    }

    /// An echo above the route's MTU was answered by the target or by Packet Too Big.
    pub(super) fn above_answered(&mut self) {
        self.above.unanswered = 0;
    }

    pub(super) fn above_lost(&mut self) {
        if self.echo.passing().is_some() {
            self.above.unanswered = self.above.unanswered.saturating_add(1);
        }
    }

    /// What happens to hosts without that route, as evidence.
    pub(super) fn above_in_words(&self) -> Option<Said> {
        let (size, unanswered): (Bytes, u32) = (self.hosts.above?, self.above.unanswered);
        (unanswered >= TOLD).then(|| {
            say!(
                "packets of {size} bytes, which fit our interface but not our route, were not answered \
                 {unanswered} times in a row: hosts without that route would hang",
                size,
                unanswered
            )
        })
    }
}
