//! Sends what the probers ask for, together at the end of a turn; tells them if a packet could not be sent.

use std::{
    io,
    time::{Duration, SystemTime},
};

use tracing::debug;

use super::{
    super::{flights::Errand, refusal, target::Target},
    Engine, prober,
};
use crate::path::{
    hole::detect::Urgency,
    probe::{Answer, ByteFate, Moment, Send},
    refusal::{Refusal, Trouble},
};

/// If sending takes longer than this after the probers were asked, they take packets for older than
/// they are by too much: half of the shortest timeout of a probe.
const SLOW: Duration = Duration::from_millis(100);

impl Engine {
    /// Sends what the probers of `paths` have due.
    pub(super) fn ask_and_send(&mut self, paths: &[usize], now: Moment) {
        self.budget.fill(now);
        let mut out = std::mem::take(&mut self.out);
        let mut bursting = std::mem::take(&mut self.bursting);
        let pace = self.load.pace();
        for path in paths {
            // A long turn of the loop must not be taken for a stopped process.
            self.look();
            self.begin_if_due(*path, now);
            let mut due = now;
            if let Some(prober) = prober(&mut self.tracks, *path, self.interruptions, now) {
                prober.set_pace(pace);
                due = prober.echo_due();
                prober.reported_until(self.read_until);
                prober.regular(now, &mut out);
                if prober.may_burst(now) {
                    bursting.push(*path);
                }
            }
            self.queue_all(*path, &mut out, due, now);
        }
        for urgency in Urgency::ALL {
            for turn in 0..bursting.len() {
                // Each turn starts with another path, so that a small budget is shared fairly.
                let path = bursting[(turn + self.flights.count()) % bursting.len()];
                if let Some(prober) = prober(&mut self.tracks, path, self.interruptions, now) {
                    prober.burst(urgency, now, &mut self.budget, &mut out);
                }
                self.queue_all(path, &mut out, now, now);
            }
        }
        bursting.clear();
        (self.out, self.bursting) = (out, bursting);
        self.flush(now);
    }

    /// Begins with a path whose target was found before its turn.
    fn begin_if_due(&mut self, path: usize, now: Moment) {
        let Some(track) = self.tracks.get_mut(&path) else { return };
        if let Some((_, update)) = track.waiting.take_if(|(at, _)| *at <= now) {
            self.retarget(update, now);
        }
    }

    /// Queues what a prober wants to send; `due` is when its regular echo was due.
    fn queue_all(&mut self, path: usize, out: &mut Vec<Send>, due: Moment, now: Moment) {
        if out.is_empty() {
            return;
        }
        let Some(track) = self.tracks.get_mut(&path) else { return };
        let Some(target) = track.target.clone() else { return };
        track.counters().sent_at(SystemTime::now());
        for send in out.drain(..) {
            if send == Send::Renew {
                self.renew(now);
            } else if !target.egress.carries {
                self.not_sent(path, send, Refusal::Trouble(Trouble::NoCarrier), now);
            } else if let Err(error) = self.queue(path, &target, send, due, now) {
                debug!(%path, %error, ?send, "not sent");
                self.not_sent(path, send, refusal::of(&error), now);
            }
        }
    }

    fn queue(
        &mut self,
        path: usize,
        target: &Target,
        send: Send,
        due: Moment,
        now: Moment,
    ) -> io::Result<()> {
        let (flights, wire) = (&mut self.flights, &mut *self.wire);
        match send {
            Send::Echo { seq } => match &self.echoes {
                Some(echoes) => {
                    echoes.send(path, target.address, seq, flights.door(target.address, now));
                    Ok(())
                }
                None => flights.launch_regular(wire, path, target, (seq, due), now),
            },
            Send::Probe(probe) => flights.launch(wire, path, target, probe, now),
            Send::Byte { id, port } => {
                match flights.launch_byte(wire, target.address, (path, id, port), now) {
                    Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                        if let Some(prober) = prober(&mut self.tracks, path, self.interruptions, now) {
                            prober.byte_told(id, ByteFate::Crowded, now);
                        }
                        Ok(())
                    }
                    launched => launched,
                }
            }
            Send::Renew => Ok(()),
        }
    }

    /// Sends what is queued.
    fn flush(&mut self, now: Moment) {
        let Self { flights, wire, tracks, began, interruptions, load, .. } = self;
        flights.flush(&mut **wire, &mut |launched| {
            let path = launched.path;
            match launched.fate {
                Ok(left) => {
                    if matches!(launched.errand, Errand::Echo(_)) {
                        load.left(left.saturating_duration_since(*began).saturating_sub(launched.due));
                    }
                }
                Err(error) => {
                    debug!(%path, %error, errand = ?launched.errand, "not sent");
                    let refusal = refusal::of(&error);
                    let Some(prober) = prober(tracks, path, *interruptions, now) else { return };
                    match launched.errand {
                        Errand::Echo(seq) => prober.echo_not_sent(seq, refusal, now),
                        Errand::Probe(id) => prober.answer(id, Answer::NotSent(refusal), now),
                    }
                }
            }
        });
        let took = self.now().saturating_sub(now);
        if took > SLOW {
            self.was_late(took, now);
        }
    }

    fn not_sent(&mut self, path: usize, send: Send, refusal: Refusal, now: Moment) {
        let Some(prober) = prober(&mut self.tracks, path, self.interruptions, now) else { return };
        match send {
            Send::Echo { seq } => prober.echo_not_sent(seq, refusal, now),
            Send::Probe(probe) => prober.answer(probe.id, Answer::NotSent(refusal), now),
            Send::Byte { id, .. } => prober.byte_told(id, ByteFate::NotSent(refusal), now),
            Send::Renew => {}
        }
    }
}
