//! When a target is unreachable, and when it is reachable again.
//!
//! Two consecutive losses of the regular small probe are only a suspicion: at 30 % loss each way
//! that happens every few seconds. The proof is a burst of thirty small probes over at least four
//! seconds, half of them TCP if a port is set, all unanswered (0.51^30 < 2e-9 at 30 % loss each
//! way). Any answer of any size, or a signal, ends the burst.
//!
//! The thirty probes are independent only if each leaves the host separately. Two hosts on one
//! segment that have lost each other's MAC address send an ARP request once a second, and all
//! packets wait for the reply (Linux: net/core/neighbour.c). At 20 % loss each way three requests
//! in a row are lost once in twenty times, and a burst of one second called such a target
//! unreachable (seen in the lab, then in the simulation). So a burst lasts long enough that the
//! chance of losing one ARP request per second throughout is 10^-9, given the loss measured so far:
//! four seconds on a quiet path, twenty before the first answer.

#[cfg(test)]
mod tests;

use std::{collections::VecDeque, time::Duration};

use super::echo_loss::LossCount;
use crate::{
    language::{Said, say},
    model::types::ProbeProtocol,
    path::probe::Moment,
};

const BURST: usize = 30;
const BURST_GAPS: f64 = 29.0;

/// Minimum length of a burst: longer than the kernel tries to resolve a MAC address before giving
/// up.
const SPAN: Duration = Duration::from_secs(4);
const LONGEST_SPAN: Duration = Duration::from_secs(20);
/// Minimum length if ICMP is rate-limited.
const SPAN_IF_LIMITED: Duration = Duration::from_secs(10);
/// The chance that a reachable target loses a whole burst.
const FALSE_ALARM: f64 = 1e-9;

/// Interval of small probes while the target is unreachable; shorter after an answer.
const WHILE_DOWN: Duration = Duration::from_millis(500);
const AFTER_ANSWER: Duration = Duration::from_millis(100);
/// For this long after an answer, an unreachable target may be coming back.
const COMING_BACK: Duration = Duration::from_secs(5);
const REMEMBERED: Duration = Duration::from_mins(10);

/// A small probe that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SmallProbe {
    /// The serial number of its burst; `None` for the regular probe while unreachable.
    pub burst: Option<u32>,
    /// ICMP or TCP.
    pub protocol: ProbeProtocol,
    /// Uses a new flow: a middlebox may remember the old flows as dead.
    pub fresh: bool,
    /// Checks whether an unreachable target is back that has not answered lately.
    pub blind: bool,
}

/// Whether the target is reachable.
#[derive(Debug, Clone)]
pub(crate) struct Reach {
    has_icmp: bool,
    has_port: bool,
    /// If ICMP cannot be sent at all, TCP alone decides, and the reverse.
    icmp_answered: Option<Moment>,
    tcp_answered: Option<Moment>,
    lost_in_a_row: u32,
    burst: Option<SmallBurst>,
    serial: u32,
    down: Option<Down>,
    limited: bool,
    span: Duration,
}

#[derive(Debug, Clone)]
struct SmallBurst {
    serial: u32,
    sent: usize,
    lost: usize,
    began: Moment,
    next_at: Moment,
}

#[derive(Debug, Clone)]
struct Down {
    since: Moment,
    took: Duration,
    never: bool,
    last_small: VecDeque<bool>,
    next_at: Moment,
    turn: usize,
}

impl Reach {
    /// `has_icmp` and `has_port`: whether ICMP and TCP probes can be sent.
    #[must_use]
    pub(crate) fn new(has_icmp: bool, has_port: bool) -> Self {
        Self {
            has_icmp,
            has_port,
            icmp_answered: None,
            tcp_answered: None,
            lost_in_a_row: 0,
            burst: None,
            serial: 0,
            down: None,
            limited: false,
            span: LONGEST_SPAN,
        }
    }

    /// Sets what is known about the target's answers: whether ICMP is rate-limited, and the recent
    /// loss.
    pub(crate) fn set_loss(&mut self, limited: bool, loss: LossCount) {
        self.limited = limited;
        let measured = if self.never() { LONGEST_SPAN } else { span(loss) };
        self.span = measured.max(if limited { SPAN_IF_LIMITED } else { SPAN });
    }

    /// Whether the target is unreachable.
    #[must_use]
    pub(crate) fn is_down(&self) -> bool {
        self.down.is_some()
    }

    /// Whether a burst is under way.
    #[must_use]
    pub(crate) fn is_suspicious(&self) -> bool {
        self.burst.is_some()
    }

    /// Whether ICMP has ever been answered.
    #[must_use]
    pub(crate) fn icmp_ever(&self) -> bool {
        self.icmp_answered.is_some()
    }

    /// Whether TCP has ever been answered.
    #[must_use]
    pub(crate) fn tcp_ever(&self) -> bool {
        self.tcp_answered.is_some()
    }

    /// When TCP was last answered.
    #[must_use]
    pub(crate) fn tcp_answered(&self) -> Option<Moment> {
        self.tcp_answered
    }

    /// A regular small probe was lost.
    pub(crate) fn small_lost(&mut self, protocol: ProbeProtocol, now: Moment) {
        let answered = match protocol {
            ProbeProtocol::Icmp => self.icmp_answered,
            ProbeProtocol::Tcp => self.tcp_answered,
        };
        let lately = answered.is_some_and(|at| now.saturating_sub(at) < REMEMBERED);
        if self.down.is_some() || !(lately || self.never()) {
            return;
        }
        self.lost_in_a_row += 1;
        if self.lost_in_a_row >= 2 && self.burst.is_none() {
            self.serial += 1;
            self.burst = Some(SmallBurst { serial: self.serial, sent: 0, lost: 0, began: now, next_at: now });
        }
    }

    /// A signal quoted one of our packets: something on the path is alive, even if the target is
    /// not.
    pub(crate) fn signalled(&mut self) {
        self.lost_in_a_row = 0;
        self.burst = None;
    }

    /// The target answered any probe.
    pub(crate) fn heard(&mut self, protocol: ProbeProtocol, now: Moment) {
        match protocol {
            ProbeProtocol::Icmp => self.icmp_answered = Some(now),
            ProbeProtocol::Tcp => self.tcp_answered = Some(now),
        }
        self.signalled();
    }

    /// The result of a small probe sent while unreachable. True if the target is back.
    pub(crate) fn own_small(&mut self, answered: bool, now: Moment) -> bool {
        let Some(down) = &mut self.down else { return false };
        down.last_small.push_back(answered);
        if down.last_small.len() > 5 {
            down.last_small.pop_front();
        }
        if answered {
            down.next_at = down.next_at.min(now + AFTER_ANSWER);
        }
        let back = down.last_small.iter().filter(|answered| **answered).count() >= 3;
        if back {
            self.down = None;
        }
        back
    }

    /// A probe of burst `serial` was lost. True if the target is unreachable now.
    pub(crate) fn burst_lost(&mut self, serial: u32, now: Moment) -> bool {
        let Some(burst) = self.burst.as_mut().filter(|burst| burst.serial == serial) else { return false };
        burst.lost += 1;
        if burst.lost < BURST {
            return false;
        }
        self.down = Some(Down {
            since: now,
            took: now.saturating_sub(burst.began),
            never: self.never(),
            last_small: VecDeque::new(),
            next_at: now,
            turn: 0,
        });
        self.burst = None;
        self.lost_in_a_row = 0;
        true
    }

    /// A probe of burst `serial` has no meaningful result and is sent again.
    pub(crate) fn void(&mut self, serial: u32) {
        if let Some(burst) = self.burst.as_mut().filter(|burst| burst.serial == serial) {
            burst.sent = burst.sent.saturating_sub(1);
        }
    }

    /// Our own host may have caused the recent losses.
    pub(crate) fn calm(&mut self) {
        self.lost_in_a_row = 0;
        self.burst = None;
    }

    /// The small probe that is due now, if any. Call again after it was sent.
    #[must_use]
    pub(crate) fn due(&self, now: Moment) -> Option<SmallProbe> {
        if let Some(burst) = &self.burst {
            return (burst.sent < BURST && now >= burst.next_at).then(|| SmallProbe {
                burst: Some(burst.serial),
                protocol: self.turn(burst.sent),
                fresh: self.is_fresh(burst.sent),
                blind: false,
            });
        }
        let down = self.down.as_ref()?;
        let answered = self.icmp_answered.max(self.tcp_answered).filter(|at| *at >= down.since);
        let blind = answered.is_none_or(|at| now.saturating_sub(at) >= COMING_BACK);
        (now >= down.next_at).then(|| SmallProbe {
            burst: None,
            protocol: self.turn(down.turn),
            fresh: self.is_fresh(down.turn),
            blind,
        })
    }

    /// The probe returned by [`Reach::due`] was sent.
    pub(crate) fn sent(&mut self, now: Moment) {
        if let Some(burst) = &mut self.burst {
            burst.sent += 1;
            burst.next_at = now + self.span.div_f64(BURST_GAPS);
        } else if let Some(down) = &mut self.down {
            down.turn += 1;
            down.next_at = now + WHILE_DOWN;
        }
    }

    /// When [`Reach::due`] may next return a probe.
    #[must_use]
    pub(crate) fn next_at(&self) -> Option<Moment> {
        match (&self.burst, &self.down) {
            (Some(burst), _) if burst.sent < BURST => Some(burst.next_at),
            (None, Some(down)) => Some(down.next_at),
            _ => None,
        }
    }

    /// Evidence: why the target counts as unreachable, and since when.
    #[must_use]
    pub(crate) fn evidence(&self, now: Moment) -> Option<Said> {
        let down = self.down.as_ref()?;
        let half = BURST / 2;
        let mix = match (self.has_icmp, self.has_port) {
            (true, true) => say!("{half} ICMP, {half} TCP", half),
            (true, false) => say!("ICMP"),
            (false, _) => say!("TCP"),
        };
        let silent = say!(
            "{burst} small probes ({mix}, half on new ids or ports) within {took} s all unanswered",
            burst = BURST,
            mix => mix,
            took = format_args!("{:.1}", down.took.as_secs_f64())
        );
        let silent = if down.never {
            say!("{silent}, and it has never answered since start", silent => silent)
        } else {
            silent
        };
        let silent = if self.limited {
            say!("{silent}; ICMP rate-limited before that", silent => silent)
        } else {
            silent
        };
        let seconds = now.saturating_sub(down.since).as_secs();
        Some(say!("{silent}; unreachable for {seconds} s", silent => silent, seconds))
    }

    /// Half of each protocol's probes use a new flow.
    fn is_fresh(&self, number: usize) -> bool {
        let protocols = usize::from(self.has_icmp) + usize::from(self.has_port);
        number / protocols.max(1) % 2 == 1
    }

    fn never(&self) -> bool {
        self.icmp_answered.is_none() && self.tcp_answered.is_none()
    }

    fn turn(&self, number: usize) -> ProbeProtocol {
        let tcp = self.has_port && (number % 2 == 1 || !self.has_icmp);
        if tcp { ProbeProtocol::Tcp } else { ProbeProtocol::Icmp }
    }
}

/// How many seconds in a row a request sent once a second would have to be lost for the chance to
/// fall to [`FALSE_ALARM`]. Twenty answered echoes of a typical quiet path are added to the counts,
/// because small counts are unreliable.
#[expect(clippy::cast_precision_loss, reason = "counts of one window, far below 2^52")]
fn span(loss: LossCount) -> Duration {
    let mean = (loss.lost as f64 + 0.5) / (loss.sent as f64 + 20.0);
    let seconds = FALSE_ALARM.ln() / mean.ln();
    Duration::try_from_secs_f64(seconds).map_or(LONGEST_SPAN, |span| span.min(LONGEST_SPAN))
}
