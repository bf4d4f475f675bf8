//! When a target is unreachable, and when it is reachable again.
//!
//! Two regular small probes lost in a row are a suspicion, no more: at 30 % loss each way that
//! happens every few seconds. Thirty small probes over four seconds, half of them TCP where a
//! port is set, all unanswered, are the proof (0.51^30 < 2e-9 at 30 % loss each way). Any answer of any
//! size, or a signal, ends the burst.
//!
//! They are thirty chances only if each leaves by itself. Two hosts on one segment that have lost each
//! other's MAC ask for it once a second, and all packets wait for that answer (Linux:
//! net/core/neighbour.c): at 20 % loss each way three questions in a row are lost once in twenty times,
//! and a burst of one second called such a target unreachable (seen in the lab, then in the simulation).
//! So a burst spans as many seconds as questions would be lost in a row with a chance of 10^-9, by the
//! loss measured so far: four on a quiet path, twenty where nothing was answered yet.

#[cfg(test)]
mod tests;

use std::{collections::VecDeque, time::Duration};

use super::echo_loss::LossCount;
use crate::{model::types::ProbeProtocol, path::probe::Moment};

const BURST: usize = 30;
const BURST_GAPS: f64 = 29.0;

/// A burst spans no less than this, longer than the kernel asks for a MAC before it gives up.
const SPAN: Duration = Duration::from_secs(4);
const LONGEST_SPAN: Duration = Duration::from_secs(20);
/// At least so long where answers to ICMP are limited.
const SPAN_IF_LIMITED: Duration = Duration::from_secs(10);
/// The chance, at most, that all of a burst is lost by a target that is there.
const FALSE_ALARM: f64 = 1e-9;

/// While unreachable, a small probe of our own this often; after an answer sooner.
const WHILE_DOWN: Duration = Duration::from_millis(500);
const AFTER_ANSWER: Duration = Duration::from_millis(100);
/// So long after an answer an unreachable target may be coming back.
const COMING_BACK: Duration = Duration::from_secs(5);
const REMEMBERED: Duration = Duration::from_mins(10);

/// The small probe of our own that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SmallProbe {
    /// Names the burst; `None` for the regular look while unreachable.
    pub burst: Option<u32>,
    /// ICMP or TCP.
    pub protocol: ProbeProtocol,
    /// On a flow never used before: a box on the way may remember the old ones as dead.
    pub fresh: bool,
    /// Looks for whether a target is back of which nothing is heard.
    pub blind: bool,
}

/// Whether the target can be reached at all.
#[derive(Debug, Clone)]
pub(crate) struct Reach {
    has_icmp: bool,
    has_port: bool,
    /// Where ICMP cannot be sent at all, TCP alone decides, and the other way round.
    icmp_answered: Option<Moment>,
    tcp_answered: Option<Moment>,
    lost_in_a_row: u32,
    burst: Option<Burst>,
    serial: u32,
    down: Option<Down>,
    limited: bool,
    span: Duration,
}

#[derive(Debug, Clone)]
struct Burst {
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
    /// Which probes can be sent.
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

    /// What is known of the target's answers: whether those to ICMP are limited, and the loss of late.
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

    /// A burst is under way.
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
            self.burst = Some(Burst { serial: self.serial, sent: 0, lost: 0, began: now, next_at: now });
        }
    }

    /// A signal quoted one of our packets: something is alive on the way, if not the target.
    pub(crate) fn signalled(&mut self) {
        self.lost_in_a_row = 0;
        self.burst = None;
    }

    /// Anything came back from the target.
    pub(crate) fn heard(&mut self, protocol: ProbeProtocol, now: Moment) {
        match protocol {
            ProbeProtocol::Icmp => self.icmp_answered = Some(now),
            ProbeProtocol::Tcp => self.tcp_answered = Some(now),
        }
        self.signalled();
    }

    /// A small probe of our own (while unreachable) was decided. True if the target is back.
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

    /// A probe of burst `serial` was lost. True if that makes the target unreachable.
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

    /// A probe of burst `serial` says nothing: another takes its place.
    pub(crate) fn void(&mut self, serial: u32) {
        if let Some(burst) = self.burst.as_mut().filter(|burst| burst.serial == serial) {
            burst.sent = burst.sent.saturating_sub(1);
        }
    }

    /// The losses of late may be of our own making.
    pub(crate) fn calm(&mut self) {
        self.lost_in_a_row = 0;
        self.burst = None;
    }

    /// The small probe of our own that is due now, if any; call again after it was sent.
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

    /// The probe named by [`Reach::due`] was sent.
    pub(crate) fn sent(&mut self, now: Moment) {
        if let Some(burst) = &mut self.burst {
            burst.sent += 1;
            burst.next_at = now + self.span.div_f64(BURST_GAPS);
        } else if let Some(down) = &mut self.down {
            down.turn += 1;
            down.next_at = now + WHILE_DOWN;
        }
    }

    /// When [`Reach::due`] may next have something.
    #[must_use]
    pub(crate) fn next_at(&self) -> Option<Moment> {
        match (&self.burst, &self.down) {
            (Some(burst), _) if burst.sent < BURST => Some(burst.next_at),
            (None, Some(down)) => Some(down.next_at),
            _ => None,
        }
    }

    /// Why the target counts as unreachable, and when that was found.
    #[must_use]
    pub(crate) fn evidence(&self, now: Moment) -> Option<String> {
        let down = self.down.as_ref()?;
        let half = BURST / 2;
        let mix = match (self.has_icmp, self.has_port) {
            (true, true) => format!("{half} ICMP, {half} TCP"),
            (true, false) => "ICMP".to_owned(),
            (false, _) => "TCP".to_owned(),
        };
        let never = if down.never { ", and it has never answered since start" } else { "" };
        let limited = if self.limited { "; ICMP rate-limited before that" } else { "" };
        Some(format!(
            "{BURST} small probes ({mix}, half on new ids or ports) within {:.1} s all unanswered{never}{limited}; unreachable for {} s",
            down.took.as_secs_f64(),
            now.saturating_sub(down.since).as_secs()
        ))
    }

    /// Half of each protocol's.
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

/// So many seconds as questions asked once a second are lost in a row with the chance of a false alarm.
/// To the counts are added twenty echoes of a quiet path, as most are: few counts say little.
#[expect(clippy::cast_precision_loss, reason = "counts of one window, far below 2^52")]
fn span(loss: LossCount) -> Duration {
    let mean = (loss.lost as f64 + 0.5) / (loss.sent as f64 + 20.0);
    let seconds = FALSE_ALARM.ln() / mean.ln();
    Duration::try_from_secs_f64(seconds).map_or(LONGEST_SPAN, |span| span.min(LONGEST_SPAN))
}
