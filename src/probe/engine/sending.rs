//! Sends what the probers ask for; tells them if a packet could not be sent.

use std::{io, time::SystemTime};

use tracing::debug;

use super::{
    super::{refusal, target::Target},
    Engine, prober,
};
use crate::path::{
    hole::detect::Urgency,
    probe::{Answer, ByteFate, Moment, Probe, Send},
    refusal::{Refusal, Trouble},
};

impl Engine {
    /// Sends what the probers of `paths` have due.
    pub(super) fn ask_and_send(&mut self, paths: &[usize], now: Moment) {
        self.budget.fill(now);
        let mut out = Vec::new();
        for path in paths {
            // A long turn of the loop must not be taken for a stopped process.
            self.look();
            if let Some(prober) = prober(&mut self.tracks, *path) {
                prober.told_until(self.read_until);
                prober.regular(now, &mut out);
            }
            self.send_all(*path, &mut out, now);
        }
        for urgency in Urgency::ALL {
            for turn in 0..paths.len() {
                // Each turn starts with another path, so that a small budget is shared fairly.
                let path = paths[(turn + self.flights.count()) % paths.len()];
                if let Some(prober) = prober(&mut self.tracks, path) {
                    prober.burst(urgency, now, &mut self.budget, &mut out);
                }
                self.send_all(path, &mut out, now);
            }
        }
    }

    fn send_all(&mut self, path: usize, out: &mut Vec<Send>, now: Moment) {
        if out.is_empty() {
            return;
        }
        let Some(track) = self.tracks.get_mut(&path) else { return };
        let Some(target) = track.target.clone() else { return };
        track.counters().sent_at(SystemTime::now());
        for send in out.drain(..) {
            match (send, &self.echoes) {
                (Send::Renew, _) => self.renew(now),
                (_, _) if !target.egress.carries => {
                    self.not_sent(path, send, Refusal::Trouble(Trouble::NoCarrier), now);
                }
                (Send::Echo { seq }, Some(echoes)) => {
                    let door = self.flights.door(target.address, now);
                    echoes.send(path, target.address, seq, door);
                }
                (Send::Echo { .. }, None) => self.not_sent(path, send, Refusal::Unable, now),
                (Send::Byte { id, port }, _) => {
                    let byte = (path, id, port);
                    if let Err(error) = self.flights.launch_byte(&mut *self.wire, target.address, byte, now) {
                        debug!(%error, port, "no connection");
                        if error.kind() != io::ErrorKind::ResourceBusy {
                            self.not_sent(path, send, refusal::of(&error), now);
                        } else if let Some(prober) = prober(&mut self.tracks, path) {
                            prober.byte_told(id, ByteFate::Crowded, now);
                        }
                    }
                }
                (Send::Probe(probe), _) => self.send_probe(path, &target, probe, now),
            }
        }
    }

    fn not_sent(&mut self, path: usize, send: Send, refusal: Refusal, now: Moment) {
        let Some(prober) = prober(&mut self.tracks, path) else { return };
        match send {
            Send::Echo { seq } => prober.echo_not_sent(seq, refusal, now),
            Send::Probe(probe) => prober.answer(probe.id, Answer::NotSent(refusal), now),
            Send::Byte { id, .. } => prober.byte_told(id, ByteFate::NotSent(refusal), now),
            Send::Renew => {}
        }
    }

    fn send_probe(&mut self, path: usize, target: &Target, probe: Probe, now: Moment) {
        let Some(track) = self.tracks.get_mut(&path) else { return };
        if let Err(error) = self.flights.launch(&mut *self.wire, path, target, probe, now) {
            debug!(path = %track.plan.name, %error, ?probe, "not sent");
            self.not_sent(path, Send::Probe(probe), refusal::of(&error), now);
        }
    }
}
