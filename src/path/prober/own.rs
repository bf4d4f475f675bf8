//! Faults of our own: packets that never left this host, and times at which this process could not
//! listen.

use std::time::Duration;

use super::{PathProber, Role, Sent, answers::entrant};
use crate::{
    model::types::ProbeSize,
    path::{
        loss::own_host::SizeClass,
        pairs::Fate,
        probe::{Moment, ProbeMethod},
        refusal::{Refusal, Trouble},
        settings::IcmpProbes,
    },
};

/// Results count for so many intervals, and no less than this, while this process is too late to get
/// others.
const FEW: u32 = 3;
const PATIENCE: Duration = Duration::from_secs(10);

impl PathProber {
    /// The regular small echo `seq` never left our host.
    pub fn echo_not_sent(&mut self, seq: u64, refusal: Refusal, now: Moment) {
        self.now = now;
        if !self.in_flight.echo_not_sent(seq) {
            return;
        }
        self.counters.void(1);
        if let Refusal::Trouble(trouble) = refusal {
            self.refused(Some(SizeClass::Small), trouble, now);
        }
    }

    /// This process could not listen: it was stopped or starved, or its buffers overflowed. A
    /// packet in flight counts if it is answered, but its silence says nothing, nor does its
    /// round-trip time.
    pub fn interrupted(&mut self, now: Moment) {
        self.now = now;
        let (late, late_echoes) = self.in_flight.doubt_all();
        for seq in late_echoes {
            self.loss.forget(seq, now);
        }
        for sent in late {
            self.half_decided(sent, Fate::Void, now);
        }
        self.payload.interrupted();
    }

    /// Our own interface has just lost its carrier, or went down: no answer can come.
    pub fn interface_lost(&mut self, now: Moment) {
        self.interrupted(now);
        self.reach.calm();
        self.tcp.calm();
        self.payload.calm();
        self.pinned.calm();
    }

    /// Everything that arrived until `until` has been reported. Later answers may be unread still.
    pub(crate) fn reported_until(&mut self, until: Moment) {
        self.reported_until = Some(until);
    }

    /// A packet never left our host, so it decides nothing.
    pub(super) fn not_sent(&mut self, sent: Sent, refusal: Refusal, now: Moment) {
        self.void(sent, now);
        if sent.role == Role::Beyond && refusal == Refusal::Unable {
            self.target.looked(false, self.settings.family);
        }
        if let Refusal::Trouble(trouble) = refusal {
            self.refused(self.kind(sent), trouble, now);
        }
    }

    /// Our own host refused a packet. `kind` is none for one that does not count towards a trouble.
    pub(super) fn refused(&mut self, kind: Option<SizeClass>, trouble: Trouble, now: Moment) {
        self.counters.refused(trouble.error());
        if let Some(kind) = kind {
            self.local.refused(kind, trouble, now);
        }
    }

    /// A packet was not answered, but this process could not listen.
    pub(super) fn unheard(&mut self, sent: Sent, now: Moment) {
        match self.kind(sent) {
            Some(SizeClass::Full) => self.local.unheard(SizeClass::Full, now),
            _ if matches!(sent.role, Role::Small { .. }) => self.local.unheard(SizeClass::Small, now),
            _ => {}
        }
        self.void(sent, now);
    }

    /// The fate of a packet will never be known.
    pub(super) fn void(&mut self, sent: Sent, now: Moment) {
        match sent.role {
            Role::Shot(_) | Role::TcpPair { .. } | Role::OldOrNew { .. } | Role::BesideBytes { .. } => {
                self.half_decided(sent, Fate::Void, now);
            }
            Role::Contest { round } => self.contest.not_sent(round, entrant(sent.probe)),
            Role::Small { burst: Some(serial), .. } => self.reach.void(serial),
            Role::Asked { large } => self.asked_void(large),
            Role::Small { burst: None, .. }
            | Role::Elsewhere { .. }
            | Role::Sentinel
            | Role::Single { .. }
            | Role::Beyond
            | Role::Above => {}
        }
    }

    /// A packet has left our host, whatever its fate after that.
    pub(super) fn left(&mut self, sent: Sent) {
        if let Some(kind) = self.kind(sent) {
            self.local.left(kind, sent.at);
        }
    }

    /// How long results about packets that are sent so often count while this process is too late to
    /// get others. One that sends less because it is overloaded gets no more time.
    pub(super) fn patience(every: Duration) -> Duration {
        (every * FEW).max(PATIENCE)
    }

    /// The kind of packet whose refusals this one counts among; none where another protocol
    /// decides.
    pub(super) fn kind(&self, sent: Sent) -> Option<SizeClass> {
        let by_icmp =
            self.settings.icmp > IcmpProbes::None && (self.reach.icmp_ever() || !self.reach.tcp_ever());
        let decides = if by_icmp { ProbeMethod::Echo } else { ProbeMethod::Syn };
        let kind = if sent.probe.purpose == ProbeSize::Control { SizeClass::Small } else { SizeClass::Full };
        (sent.probe.method == decides).then_some(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::types::{UnknownReason, Verdict},
        path::{
            probe::{Answer, Probe, Reply, Send},
            prober::fixture::{Host, echoing},
            settings::Pace,
        },
    };

    const STEP: Duration = Duration::from_millis(50);

    fn prober() -> PathProber {
        echoing(Duration::from_hours(1), 7)
    }

    /// Plays so many seconds in which every echo is answered at once, or none is. If `late`, the
    /// process could not listen.
    fn play(prober: &mut PathProber, now: &mut Moment, seconds: u32, answered: bool, late: bool) {
        let mut out = Vec::new();
        for _ in 0..seconds * 20 {
            *now += STEP;
            if late {
                prober.interrupted(*now);
            }
            prober.regular(*now, &mut out);
            for send in out.drain(..) {
                if let Send::Echo { seq } = send
                    && answered
                {
                    prober.echo_reply(seq, Duration::from_millis(1), *now);
                }
            }
        }
    }

    #[test]
    fn what_nobody_heard_is_neither_lost_nor_known() {
        let (mut prober, mut now) = (prober(), Duration::ZERO);
        play(&mut prober, &mut now, 30, true, false);
        play(&mut prober, &mut now, 3, false, true);
        assert_ne!(prober.judgement().unknown_reason, Some(UnknownReason::LocalSend), "a short stop");
        play(&mut prober, &mut now, 12, false, true);
        let said = prober.judgement();
        assert_eq!((said.verdict, said.unknown_reason), (Verdict::Unknown, Some(UnknownReason::LocalSend)));
        assert!(said.evidence[0].contains("too late"), "{:?}", said.evidence);
        let stats = prober.echo_stats();
        assert_eq!(stats.lost, 0);
        assert!(stats.requests - stats.replies - stats.void <= 5, "{stats:?}");
        play(&mut prober, &mut now, 2, true, false);
        assert_ne!(prober.judgement().unknown_reason, Some(UnknownReason::LocalSend));
    }

    #[test]
    fn full_size_packets_that_nobody_heard_leave_nothing_ok() {
        let mut host = Host::from(echoing(Duration::from_secs(1), 7));
        let whole = |_| Some(Answer::Passed(Reply::default()));
        let only_small =
            |probe: Probe| (probe.purpose == ProbeSize::Control).then(|| Answer::Passed(Reply::default()));
        host.play(30, whole);
        assert_eq!(host.prober.judgement().verdict, Verdict::Ok);
        let late = |host: &mut Host, seconds: u32| {
            for _ in 0..seconds * 100 {
                host.step(only_small);
                host.prober.interrupted(host.now);
            }
        };
        late(&mut host, 5);
        assert_eq!(host.prober.judgement().verdict, Verdict::Ok, "a short stop");
        late(&mut host, 15);
        let said = host.prober.judgement();
        assert_eq!((said.verdict, said.unknown_reason), (Verdict::Unknown, Some(UnknownReason::LocalSend)));
        assert!(said.evidence[0].contains("too late to hear"), "{:?}", said.evidence);
        assert_eq!(said.mtu_forward, None);
        late(&mut host, 60);
        assert_eq!(host.prober.judgement().unknown_reason, Some(UnknownReason::LocalSend));
        host.play(5, whole);
        assert_eq!(host.prober.judgement().verdict, Verdict::Ok);
    }

    #[test]
    fn one_that_sends_rarely_as_it_is_overloaded_gets_no_more_time() {
        let (mut prober, mut now) = (prober(), Duration::ZERO);
        play(&mut prober, &mut now, 30, true, false);
        prober.set_pace(Pace { sentinel: 16, echo: 8 });
        play(&mut prober, &mut now, 30, false, true);
        assert_eq!(prober.judgement().unknown_reason, Some(UnknownReason::LocalSend));
    }

    #[test]
    fn what_was_refused_is_void() {
        let (mut prober, mut now, mut out) = (prober(), Duration::ZERO, Vec::new());
        play(&mut prober, &mut now, 30, true, false);
        for _ in 0..12 * 20 {
            now += STEP;
            prober.regular(now, &mut out);
            for send in out.drain(..) {
                if let Send::Echo { seq } = send {
                    let refused = Trouble::CannotLeave(libc::ENETDOWN);
                    prober.echo_not_sent(seq, Refusal::Trouble(refused), now);
                }
            }
        }
        let said = prober.judgement();
        assert_eq!((said.verdict, said.unknown_reason), (Verdict::Unknown, Some(UnknownReason::LocalDown)));
        let stats = prober.echo_stats();
        assert_eq!((stats.lost, stats.void), (0, 12));
    }
}
