//! Waits for what comes next, and reads what has arrived.

use std::{collections::BTreeSet, time::Instant};

use tracing::{debug, warn};

use super::{
    super::{echo::EchoNews, flights::Claim, track::VISIT},
    Engine, TICK, prober,
};
use crate::{
    model::types::ProbeProtocol,
    path::probe::{Answer, Moment},
};

/// Longest wait for input that could not be read.
const UNREAD: Moment = Moment::from_secs(1);
/// Shortest time between two warnings that this process runs too late.
const WARN_AGAIN: Moment = Moment::from_mins(1);

impl Engine {
    pub(super) fn now(&self) -> Moment {
        self.began.elapsed()
    }

    /// The present time. If this process is late, everything in flight becomes void.
    pub(super) fn look(&mut self) -> Moment {
        let now = self.now();
        if let Some(late) = self.punctual.look() {
            self.was_late(late, now);
        }
        now
    }

    /// This process was stopped or starved: answers may have come too late, or too early to be
    /// expected.
    pub(super) fn was_late(&mut self, late: Moment, now: Moment) {
        if self.warned_at.is_none_or(|at| now.saturating_sub(at) >= WARN_AGAIN) {
            self.warned_at = Some(now);
            warn!(
                ?late,
                "this process was stopped or starved: packets in flight count only if they are answered"
            );
        }
        self.load.missed(0, now);
        self.interrupted();
    }

    /// Answers may have arrived that this process did not receive. Each prober is told before it
    /// decides anything else, as telling all of them takes as long as there are paths.
    pub(super) fn interrupted(&mut self) {
        self.interruptions += 1;
    }

    /// Waits for a packet, a change of a target, or the next turn.
    pub(super) async fn wait(&mut self) {
        let now = self.now();
        let wait = if self.is_behind {
            Moment::ZERO
        } else {
            self.wheel.next_at().map_or(VISIT, |next| next.saturating_sub(now)).clamp(TICK, VISIT)
        };
        self.punctual.sleep(wait + TICK);
        let woken = tokio::select! {
            biased;
            Some(news) = self.echo_news.recv() => {
                self.hear(news);
                true
            }
            Some((path, reflection)) = self.reflections.1.recv() => {
                self.reflected(path, reflection);
                true
            }
            Some(update) = self.targets.1.recv() => {
                self.retarget(update, self.began.elapsed());
                true
            }
            Some(order) = self.orders.1.recv() => {
                self.follow(order.paths);
                self.budget.set_rate(order.budget_pps);
                // The sender may have stopped waiting.
                let _ = order.done.send(());
                true
            }
            ready = self.wire.readable(), if !self.is_behind => {
                if let Err(error) = ready {
                    debug!(%error, "waiting for packets");
                }
                true
            }
            () = tokio::task::yield_now(), if self.is_behind => false,
            () = tokio::time::sleep(wait), if !self.is_behind => false,
        };
        self.take_in();
        let since = self.began.elapsed().saturating_sub(self.turned_at);
        if woken && !self.is_behind && since < TICK {
            // What arrives until then is read together.
            tokio::time::sleep(TICK.saturating_sub(since)).await;
        }
        self.turned_at = self.began.elapsed();
    }

    /// Takes in what the channels hold.
    fn take_in(&mut self) {
        while let Ok(update) = self.targets.1.try_recv() {
            self.retarget(update, self.began.elapsed());
        }
        while let Ok((path, reflection)) = self.reflections.1.try_recv() {
            self.reflected(path, reflection);
        }
    }

    fn reflected(&mut self, path: usize, reflection: crate::path::reflection::Reflection) {
        let now = self.now();
        if let Some(prober) = prober(&mut self.tracks, path, self.interruptions, now) {
            prober.reflected(reflection, now);
            self.wheel.touch(path);
        }
    }

    /// Reads what has arrived.
    pub(super) fn read(&mut self, now: Moment) {
        while let Ok(news) = self.echo_news.try_recv() {
            self.hear(news);
        }
        let (flights, tracks, wheel) = (&mut self.flights, &mut self.tracks, &mut self.wheel);
        let interruptions = self.interruptions;
        let (mut signalled, answered) = (BTreeSet::new(), &mut self.answered);
        let drained = self.wire.drain(&mut |incoming, received: Instant| {
            if let Some((path, id, fate)) = flights.claim_byte(&incoming) {
                if let Some(prober) = prober(tracks, path, interruptions, now) {
                    prober.byte_told(id, fate, now);
                    wheel.touch(path);
                }
                return;
            }
            let Some((path, claim)) = flights.claim(&incoming, received) else { return };
            let Some(prober) = prober(tracks, path, interruptions, now) else { return };
            wheel.touch(path);
            match claim {
                Claim::Echo(number, rtt) => prober.echo_reply(number, rtt, now),
                Claim::Probe(id, answer) => {
                    prober.answer(id, answer, now);
                    if matches!(answer, Answer::TooBig { .. }) {
                        signalled.insert(path);
                        return;
                    }
                }
            }
            answered.push((path, incoming.protocol()));
        });
        let mut answered = std::mem::take(&mut self.answered);
        for (path, protocol) in answered.drain(..) {
            self.note_heard(path, now);
            self.peers.tell(&mut self.tracks, path, protocol, now);
        }
        self.answered = answered;
        self.tell_of_signals(&signalled, now);
        let unread = now.saturating_sub(self.read_until) >= UNREAD;
        if drained.dropped > 0 || (!drained.all && unread) {
            self.load.missed(drained.dropped, now);
            self.interrupted();
        }
        if drained.all || unread {
            self.read_until = now;
        }
        self.flights.forget_old(self.read_until);
    }

    /// Tells all other paths that some were answered by Packet Too Big.
    fn tell_of_signals(&mut self, signalled: &BTreeSet<usize>, now: Moment) {
        let Some(path) = signalled.first() else { return };
        let alone = signalled.len() == 1;
        for (other, track) in &mut self.tracks {
            if let Some(prober) = track.prober.as_mut().filter(|_| !alone || other != path) {
                prober.heard_elsewhere(now);
            }
        }
    }

    /// An echo of surge-ping has a result.
    fn hear(&mut self, news: EchoNews) {
        let now = self.look();
        if let Some(prober) = prober(&mut self.tracks, news.path, self.interruptions, now) {
            self.wheel.touch(news.path);
            match news.fate {
                Ok(rtt) => {
                    prober.echo_reply(news.seq, rtt, now);
                    self.note_heard(news.path, now);
                    self.peers.tell(&mut self.tracks, news.path, ProbeProtocol::Icmp, now);
                }
                Err(refusal) => prober.echo_not_sent(news.seq, refusal, now),
            }
        }
    }

    /// Records that a target answers, so that it is probed over the sockets for such targets.
    fn note_heard(&mut self, path: usize, now: Moment) {
        if let Some(target) = self.tracks.get(&path).and_then(|track| track.target.as_ref()) {
            self.flights.hear(target.address, now);
        }
    }
}
