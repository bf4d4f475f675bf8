//! What our own host and this process have to do with it: packets that never left, and times at which nobody listened.

use super::{PathProber, Role, Sent, answers::entrant};
use crate::{
    overlay::path::{
        local::{Kind, Refusal},
        probe::{Lane, Moment},
        proof::Fate,
    },
    types::ProbeSize,
};

use super::IcmpProbes;

impl PathProber {
    /// The regular small echo `seq` never left our host.
    pub fn echo_not_sent(&mut self, seq: u64, refusal: Refusal, now: Moment) {
        self.now = now;
        if self.echoes.remove(&seq).is_none() {
            return;
        }
        self.stats.void += 1;
        if let Refusal::Trouble(trouble) = refusal {
            self.local.refused(Some(Kind::Small), trouble, now);
        }
    }

    /// This process was not there to listen: stopped, starved, or its buffers ran over. What is in flight counts
    /// where it is answered; its silence says nothing, nor does the time an answer takes.
    pub fn interrupted(&mut self, now: Moment) {
        self.now = now;
        for (seq, echo) in &mut self.echoes {
            echo.doubtful = true;
            if echo.expired {
                self.loss.forget(*seq, now);
            }
        }
        let late: Vec<Sent> = self.sent.range(..self.in_time).map(|(_, sent)| *sent).collect();
        for sent in self.sent.values_mut() {
            sent.doubtful = true;
        }
        for sent in late {
            if let Role::Shot(shot) = sent.role {
                self.lane_mut(sent.probe.lane).resolve(shot, Fate::Void, now);
            }
        }
    }

    /// Our own interface has just lost its carrier, or went down: no answer can come.
    pub fn interface_lost(&mut self, now: Moment) {
        self.interrupted(now);
        self.reach.calm();
    }

    /// All that had arrived by `until` has been told: what was answered after that is not known yet.
    pub fn told_until(&mut self, until: Moment) {
        self.told_until = Some(until);
    }

    /// A packet never left our host: nothing is decided by it.
    pub(super) fn not_sent(&mut self, sent: Sent, refusal: Refusal, now: Moment) {
        self.void(sent, now);
        if let Refusal::Trouble(trouble) = refusal {
            self.local.refused(self.kind(sent), trouble, now);
        }
    }

    /// Nobody will ever know what became of a packet.
    pub(super) fn void(&mut self, sent: Sent, now: Moment) {
        match sent.role {
            Role::Shot(shot) => self.lane_mut(sent.probe.lane).resolve(shot, Fate::Void, now),
            Role::Contest { round } => self.contest.not_sent(round, entrant(sent.probe)),
            Role::Small { burst: Some(serial) } => self.reach.void(serial),
            Role::Small { burst: None } | Role::Sentinel | Role::Single { .. } => {}
        }
    }

    /// A packet has left our host, whatever became of it then.
    pub(super) fn left(&mut self, sent: Sent) {
        if let Some(kind) = self.kind(sent) {
            self.local.left(kind, sent.at);
        }
    }

    /// What it says of our own host that a packet leaves or not: nothing, where another protocol decides.
    fn kind(&self, sent: Sent) -> Option<Kind> {
        let by_icmp =
            self.settings.icmp > IcmpProbes::None && (self.reach.icmp_ever() || !self.reach.tcp_ever());
        let decides = if by_icmp { Lane::Echo } else { Lane::Syn };
        let kind = if sent.probe.purpose == ProbeSize::Control { Kind::Small } else { Kind::Full };
        (sent.probe.lane == decides).then_some(kind)
    }
}
