//! Compares what the prober reports, moment by moment, with the truth.
//!
//! The specification allows time after each change (docs/probing.md): what was true a moment ago
//! may still be reported. Time in which nothing gets through does not count, as nothing can be
//! learnt in it.

use std::{collections::BTreeMap, fmt, time::Duration};

use vxlan_exporter::{
    model::{
        family::Family,
        observation::Judgement,
        types::{Direction, TcpState, UnknownReason, Verdict},
    },
    path::settings::TcpProbes,
};

use super::{
    network::Network,
    play::{Case, Look, play},
    truth::Truth,
};

/// The ways in which a prober can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// A hole, or a direction of one, that does not exist.
    FalseHole,
    /// A hole that is not reported, or a direction that is not although it could be told.
    MissedHole,
    /// A wrong path MTU.
    Mtu,
    /// `unreachable` outside an outage.
    Unreachable,
    /// `unknown` for more than a minute although everything can be measured.
    Unknown,
    /// Any other wrong verdict.
    Verdict,
    /// The verdict changes although the network does not.
    Unsteady,
}

impl Wrong {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::FalseHole,
        Self::MissedHole,
        Self::Mtu,
        Self::Unreachable,
        Self::Unknown,
        Self::Verdict,
        Self::Unsteady,
    ];
}

/// Longest permitted `unknown`.
const UNKNOWN: Duration = Duration::from_mins(1);

/// In less time than this, two echoes one second apart and a burst of four seconds or more are not
/// certainly lost.
const SHORT_OUTAGE: Duration = Duration::from_secs(10);

/// A fault of the prober's own host may still be reported for this long after its end.
const OWN_ENDS: Duration = Duration::from_secs(6);

/// How soon a change was noticed.
#[derive(Debug, Clone, Copy)]
pub struct Noticed {
    /// Seconds since the change.
    pub seconds: f64,
    /// Packets sent in that time.
    pub packets: u64,
    /// The larger of both directions' mean loss.
    pub loss: f64,
}

/// The results for one network.
#[derive(Debug, Default)]
pub struct Outcome {
    /// For each kind of error its first occurrence: what, and when.
    pub wrongs: BTreeMap<Wrong, String>,
    /// Changes of the verdict while the network did not change.
    pub changes: u32,
    /// How long the network did not change and was watched for changes of the verdict.
    pub still: Duration,
    /// The longest `unknown` while everything could be measured.
    pub unknown: Duration,
    /// How soon new holes were noticed.
    pub found: Vec<Noticed>,
    /// How soon it was noticed that holes were gone.
    pub cleared: Vec<Noticed>,
    /// Every change of what was reported.
    pub history: Vec<(Duration, String)>,
}

/// A judgement without its evidence.
struct Said<'a>(&'a Judgement);

impl fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Judgement { verdict, unknown_reason, holes, mtu_forward, mtu_reverse, .. } = self.0;
        write!(f, "{verdict}")?;
        if let Some(reason) = unknown_reason {
            write!(f, " ({reason})")?;
        }
        if !holes.is_empty() {
            write!(f, " holes {holes:?}")?;
        }
        write!(f, " forward {mtu_forward:?} reverse {mtu_reverse:?}")
    }
}

/// Plays a case and judges it.
pub fn judge(case: &Case) -> Outcome {
    let mut judge = Judge::new(case);
    play(case, |look| judge.look(&look));
    judge.outcome
}

struct Judge<'a> {
    case: &'a Case,
    truths: Vec<(Duration, Truth)>,
    phase: usize,
    awaiting: Option<Awaited>,
    unknown_since: Option<Duration>,
    last: Option<(Duration, Verdict, u64)>,
    outcome: Outcome,
}

#[derive(Clone, Copy)]
struct Awaited {
    hole: bool,
    at: Duration,
    packets: u64,
}

impl<'a> Judge<'a> {
    fn new(case: &'a Case) -> Self {
        let truths: Vec<(Duration, Truth)> = case
            .phases
            .iter()
            .map(|(from, network)| (Duration::from_secs_f64(*from), Truth::of(network, &case.prober)))
            .collect();
        let awaiting =
            truths[0].1.hole_visible.then_some(Awaited { hole: true, at: Duration::ZERO, packets: 0 });
        Self {
            case,
            truths,
            phase: 0,
            awaiting,
            unknown_since: None,
            last: None,
            outcome: Outcome::default(),
        }
    }

    fn look(&mut self, look: &Look<'_>) {
        while self.truths.get(self.phase + 1).is_some_and(|(from, _)| *from <= look.now) {
            self.phase += 1;
            self.changed();
        }
        let said = look.judgement;
        let words = Said(said).to_string();
        if self.outcome.history.last().is_none_or(|(_, last)| *last != words) {
            self.outcome.history.push((look.now, words));
        }
        self.own(look);
        if self.has_own_trouble(look.now) {
            self.unknown_since = None;
            self.last = None;
        }
        self.holes(look.now, said);
        self.tcp(look.now, said);
        self.missed(look.now, said);
        self.mtu(look.now, said);
        self.verdict(look.now, said);
        self.unknown(look.now, said);
        self.noticed(look);
        self.steady(look.now, said);
        self.last = Some((look.now, said.verdict, look.packets));
    }

    fn truth(&self) -> &Truth {
        &self.truths[self.phase].1
    }

    fn worst_loss(&self) -> f64 {
        self.truths[..=self.phase].iter().map(|(_, truth)| truth.worst_way).fold(0.0, f64::max)
    }

    /// Seconds of grace by loss: none, up to 20 %, more.
    fn grace(&self, none: u64, some: u64, much: u64) -> Duration {
        let loss = self.worst_loss();
        Duration::from_secs(if loss <= 0.0 {
            none
        } else if loss <= 0.2 {
            some
        } else {
            much
        })
    }

    /// How long it may take to notice and measure a change: many round trips, and large packets in
    /// many fragments within the probe budget.
    fn search(&self) -> Duration {
        let rtt =
            self.case.phases[..=self.phase].iter().map(|(_, network)| network.rtt_ms + network.jitter_ms);
        let round_trips = Duration::from_secs_f64(rtt.fold(0.0, f64::max) * 0.1);
        let fragments = if self.case.prober.hosts > 3000 { Duration::from_secs(20) } else { Duration::ZERO };
        // Five single packets two seconds apart come before a first proof.
        let elsewhere =
            if self.case.prober.heard_elsewhere { Duration::from_secs(15) } else { Duration::ZERO };
        // A hole on some TCP flows only must be found within 45 s, or later if it takes long to see
        // that a packet is lost: one SYN is in flight per flow, so forty pairs on one flow take 40
        // x (4 + 1) round trips.
        let legs = self.case.phases[0].1.forward.leg.is_some();
        let flows = if legs { Duration::from_secs(45) + round_trips * 2 } else { Duration::ZERO };
        // Pairs whose packets were refused use up a burst, and the next burst comes after 30 s.
        let refused = Duration::from_secs(if self.case.own.is_empty() { 0 } else { 35 });
        // A port that answers is probed by connections once a minute.
        let asked = |network: &Network| network.tcp;
        let phases = &self.case.phases[..=self.phase];
        let dies = phases.iter().any(|(_, network)| asked(network) != asked(&phases[0].1));
        let by_connect = self.case.prober.tcp == TcpProbes::Small && dies;
        // Whether the port accepts a byte is also tested once a minute, and a byte takes longer.
        let bytes = phases.iter().any(|(_, network)| network.tcp.is_of_payload());
        let by_byte = match (bytes, dies) {
            (false, _) => 0,
            (true, false) => 20,
            (true, true) => 100,
        };
        let by_connect = if by_connect { 75 } else { 0 };
        let refused = refused + Duration::from_secs(by_byte.max(by_connect));
        self.grace(20, 60, 120) + refused + round_trips + fragments + elsewhere + flows + self.memory()
    }

    /// Whether `is` was true of the network at some time in the last `grace`, not counting time in
    /// which nothing gets through.
    fn lately(&self, now: Duration, grace: Duration, is: impl Fn(&Truth) -> bool) -> bool {
        let (mut left, mut until) = (grace, now);
        for (from, truth) in self.truths[..=self.phase].iter().rev() {
            if is(truth) {
                return true;
            }
            if !truth.dead {
                let lasted = until.saturating_sub(*from);
                if lasted >= left {
                    return false;
                }
                left -= lasted;
            }
            until = *from;
        }
        false
    }

    /// Whether a fault of the prober's own host is present, or was a moment ago.
    fn has_own_trouble(&self, now: Duration) -> bool {
        self.case.own.iter().any(|own| own.from() <= now && now < own.until() + OWN_ENDS)
    }

    /// A fault of the prober's own host is neither loss nor an outage, and must be reported only
    /// while it lasts.
    fn own(&mut self, look: &Look<'_>) {
        let (now, said) = (look.now, look.judgement);
        let local = matches!(said.unknown_reason, Some(UnknownReason::LocalDown | UnknownReason::LocalSend));
        if local && !self.has_own_trouble(now) {
            self.wrong(Wrong::Verdict, now, || "a trouble of our own that is not there".to_owned());
        }
        let whole = |network: &Network| {
            network.icmp && network.reverse.loss.mean() + network.forward.loss.mean() == 0.0
        };
        if self.case.own.is_empty() || !self.case.phases.iter().all(|(_, network)| whole(network)) {
            return;
        }
        if said.verdict == Verdict::Lossy {
            self.wrong(Wrong::Verdict, now, || "lossy, by our own trouble".to_owned());
        }
        if look.echo.lost > 0 {
            self.wrong(Wrong::Verdict, now, || "an echo is called lost, by our own trouble".to_owned());
        }
    }

    /// How long the truth has been the same and could be observed.
    fn held(&self, now: Duration) -> Duration {
        let seen = now.saturating_sub(self.seen_since(now));
        seen.min(self.held_in_network(now))
    }

    /// When the last fault of the prober's own host ended; now if one is present.
    fn seen_since(&self, now: Duration) -> Duration {
        let begun = self.case.own.iter().filter(|own| own.from() <= now);
        begun.map(|own| own.until().min(now)).max().unwrap_or_default()
    }

    fn held_in_network(&self, now: Duration) -> Duration {
        let (at, truth) = &self.truths[self.phase];
        let before = self.truths[..self.phase].iter().rev();
        let since = before.take_while(|(_, other)| other == truth).last().map_or(*at, |(from, _)| *from);
        now.saturating_sub(since)
    }

    fn wrong(&mut self, wrong: Wrong, now: Duration, what: impl FnOnce() -> String) {
        self.outcome
            .wrongs
            .entry(wrong)
            .or_insert_with(|| format!("at {:.3} s: {}", now.as_secs_f64(), what()));
    }

    /// Whether an IPv6 target was told to send no more, or hardly more, than a former hole let
    /// through. As long as it remembers that, the hole cannot be told from it (see the class
    /// `v6-edge`).
    fn taught(&self) -> bool {
        let edges = self.truths[..self.phase].iter().filter(|(_, truth)| truth.reverse_hole);
        let reverse = &self.case.phases[self.phase].1.reverse.bottlenecks;
        let told = reverse.iter().filter_map(|one| one.signals).min().unwrap_or(u32::MAX);
        self.case.prober.family == Family::V6
            && edges.flat_map(|(_, truth)| &truth.reverse_mtu).any(|edge| told <= edge + 8)
    }

    fn holes(&mut self, now: Duration, said: &Judgement) {
        if self.taught() {
            return;
        }
        let grace = self.grace(30, 30, 60);
        let claims_without_direction = said.verdict == Verdict::Blackhole
            && said.holes.is_empty()
            && !said.tcp.is_some_and(TcpState::is_dead);
        let false_hole =
            said.holes.iter().copied().chain(claims_without_direction.then_some(Direction::Unknown)).find(
                |hole| {
                    !self.lately(now, grace, |truth| match hole {
                        Direction::Forward => truth.forward_hole,
                        Direction::Reverse => truth.reverse_hole,
                        Direction::Unknown => truth.forward_hole || truth.reverse_hole,
                    })
                },
            );
        if let Some(direction) = false_hole {
            self.wrong(Wrong::FalseHole, now, || format!("hole {direction} claimed, there is none"));
        }
    }

    /// TCP may be reported dead, or a port filtered, only if it is so or was a moment ago.
    fn tcp(&mut self, now: Duration, said: &Judgement) {
        let grace = self.grace(30, 30, 60);
        let truly = |state| self.lately(now, grace, |truth| truth.tcp == Some(state) || truth.dead);
        match said.tcp {
            Some(dead) if dead.is_dead() && !truly(dead) => {
                self.wrong(Wrong::FalseHole, now, || format!("TCP is called {dead}, it is not"));
            }
            Some(TcpState::Filtered) if !truly(TcpState::Filtered) && !truly(TcpState::Dead) => {
                self.wrong(Wrong::Verdict, now, || "the port is called filtered, it is not".to_owned());
            }
            Some(TcpState::PayloadFiltered)
                if !truly(TcpState::PayloadFiltered) && !truly(TcpState::PayloadDead) =>
            {
                self.wrong(Wrong::Verdict, now, || "the port is called filtered, it is not".to_owned());
            }
            _ => {}
        }
        // A prober without SYNs of its own tests a port that answers once a minute.
        let rare = Duration::from_secs(if self.case.prober.tcp == TcpProbes::Small { 90 } else { 20 });
        let truth = self.truth();
        let told = truth.dead || truth.rate_limited || said.verdict == Verdict::Unreachable;
        if !told && truth.tcp.is_some() && said.tcp != truth.tcp && self.held(now) > self.search() + rare {
            let right = truth.tcp;
            self.wrong(Wrong::Verdict, now, || format!("TCP {:?}, rightly {right:?}", said.tcp));
        }
    }

    fn missed(&mut self, now: Duration, said: &Judgement) {
        let truth = self.truth();
        if !truth.hole_visible || truth.dead || self.held(now) <= self.search() {
            return;
        }
        let unnamed = truth.must_name.iter().copied().find(|direction| !said.holes.contains(direction));
        if said.verdict != Verdict::Blackhole {
            let but_tcp = if truth.tcp_escapes { " for all but TCP" } else { "" };
            self.wrong(Wrong::MissedHole, now, || format!("{} where there is a hole{but_tcp}", said.verdict));
        } else if let Some(direction) = unnamed {
            self.wrong(Wrong::MissedHole, now, || format!("hole {direction} not named"));
        }
    }

    /// Whether there were recent outages too short to be told from loss: they may be reported as
    /// loss.
    fn after_short_outage(&self) -> bool {
        self.truths[..=self.phase]
            .windows(2)
            .any(|two| two[0].1.dead && two[1].0.saturating_sub(two[0].0) < SHORT_OUTAGE)
    }

    /// How long a signal is remembered: ten minutes, or until sixty single packets stayed
    /// unanswered.
    fn memory(&self) -> Duration {
        let now = &self.case.phases[self.phase].1.forward.bottlenecks;
        let signalled = self.case.phases[..self.phase].iter().any(|(_, network)| {
            network.forward.bottlenecks != *now
                && network.forward.bottlenecks.iter().any(|one| one.signals.is_some())
        });
        Duration::from_secs(if signalled { 240 } else { 0 })
    }

    fn mtu(&mut self, now: Duration, said: &Judgement) {
        let grace = self.search();
        let truth = self.truth().clone();
        if let Some(mtu) = said.mtu_forward
            && !truth.forward_mtu.contains(&mtu)
            && self.held(now) > grace
        {
            self.wrong(Wrong::Mtu, now, || format!("forward {mtu}, truly {:?}", truth.forward_mtu));
        }
        if let Some(mtu) = said.mtu_reverse
            && !truth.reverse_mtu.contains(&mtu)
            && !self.taught()
            && self.held(now) > grace
        {
            self.wrong(Wrong::Mtu, now, || format!("reverse {mtu}, truly {:?}", truth.reverse_mtu));
        }
    }

    fn verdict(&mut self, now: Duration, said: &Judgement) {
        if said.verdict == Verdict::Unreachable {
            if !self.lately(now, Duration::from_secs(10), |truth| truth.dead) {
                self.wrong(Wrong::Unreachable, now, || "unreachable, and it is not".to_owned());
            }
            return;
        }
        let truth = self.truth();
        let right = &truth.verdicts;
        let grace = self.search();
        let by_outage = said.verdict == Verdict::Lossy && self.after_short_outage();
        let promised = !right.is_empty() && !truth.hole_visible && !truth.dead && !self.taught();
        if promised && !by_outage && !right.contains(&said.verdict) && self.held(now) > grace {
            let right = right.clone();
            self.wrong(Wrong::Verdict, now, || format!("{}, rightly {right:?}", said.verdict));
        }
    }

    fn unknown(&mut self, now: Duration, said: &Judgement) {
        // If there is a hole that no probe of this prober can meet, `unknown` is correct.
        let truth = self.truth();
        let unseen = (truth.forward_hole || truth.reverse_hole) && !truth.hole_visible && !truth.rate_limited;
        let right = unseen || truth.verdicts.contains(&Verdict::Unknown);
        if said.verdict != Verdict::Unknown || !self.truth().measurable || right || self.truth().dead {
            self.unknown_since = None;
            return;
        }
        let since = *self.unknown_since.get_or_insert(now);
        let lasts = now.saturating_sub(since);
        self.outcome.unknown = self.outcome.unknown.max(lasts);
        if lasts > UNKNOWN {
            self.wrong(Wrong::Unknown, now, || format!("unknown since {:.1} s", since.as_secs_f64()));
        }
    }

    fn changed(&mut self) {
        let (at, truth) = &self.truths[self.phase];
        let former = &self.truths[self.phase - 1].1;
        let packets = self.last.map_or(0, |(_, _, packets)| packets);
        let is = |truth: &Truth| truth.forward_hole || truth.reverse_hole;
        self.awaiting = if truth.dead || former.dead || self.memory() > Duration::ZERO {
            None
        } else if truth.hole_visible && !is(former) {
            Some(Awaited { hole: true, at: *at, packets })
        } else if former.hole_visible && !is(truth) {
            let said = self.last.is_some_and(|(_, verdict, _)| verdict == Verdict::Blackhole);
            said.then_some(Awaited { hole: false, at: *at, packets })
        } else {
            None
        };
    }

    fn noticed(&mut self, look: &Look<'_>) {
        let Some(awaited) = self.awaiting else { return };
        if (look.judgement.verdict == Verdict::Blackhole) != awaited.hole {
            return;
        }
        let noticed = Noticed {
            seconds: look.now.saturating_sub(awaited.at).as_secs_f64(),
            packets: look.packets - awaited.packets,
            loss: self.truth().worst_way,
        };
        if awaited.hole { &mut self.outcome.found } else { &mut self.outcome.cleared }.push(noticed);
        self.awaiting = None;
    }

    fn steady(&mut self, now: Duration, said: &Judgement) {
        let settle = self.grace(30, 120, 120).max(self.search());
        let from = self.truths[self.phase].0.max(self.seen_since(now)) + settle;
        let Some((before, verdict, _)) = self.last else { return };
        if now <= from || self.truth().dead {
            return;
        }
        self.outcome.still += now.saturating_sub(before.max(from));
        let by_outage = [said.verdict, verdict].contains(&Verdict::Lossy) && self.after_short_outage();
        if said.verdict != verdict && !by_outage {
            self.outcome.changes += 1;
            let near = (0.005..0.1).contains(&self.truth().loss);
            if !near {
                self.wrong(Wrong::Unsteady, now, || format!("{verdict} became {}", said.verdict));
            }
        }
    }
}

/// The kinds of [`Wrong`] that must not occur in such a network; at more loss, and with rate
/// limits, only false holes are excluded.
pub fn promised(case: &Case) -> &'static [Wrong] {
    let gentle = case.phases.iter().all(|(_, network)| {
        let truth = Truth::of(network, &case.prober);
        truth.worst_way <= 0.2 && !truth.rate_limited && network.signal_limit.is_none()
    });
    if gentle { &Wrong::ALL } else { &[Wrong::FalseHole] }
}
