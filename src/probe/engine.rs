//! The wheel: read, ask, send, publish.
//!
//! Before any prober is asked what to send, everything that has arrived is read, so that a process that
//! had to wait for its turn never takes an answer in its buffer for a loss.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use tokio::sync::mpsc::{self, UnboundedReceiver};
use tracing::{debug, warn};

use super::{
    capability,
    echo::{EchoReply, Echoes},
    egress::Routes,
    flights::Flights,
    news,
    random::random,
    target::{self, Target, TargetUpdate},
    track::Track,
    wire::{self, Wire},
};
use crate::{
    overlay::path::{
        asking::Urgency,
        budget::Budget,
        probe::{Answer, Moment, Probe, Send},
        prober::PathProber,
        reflection::Reflection,
    },
    plan::PathPlan,
    router::snapshot::RouterReading,
    state::State,
};

/// While bursts are under way the probers are asked this often; pairs are 20 ms apart.
const TICK: Duration = Duration::from_millis(4);
const PUBLISH: Duration = Duration::from_millis(200);

/// Probes all paths for as long as it is polled.
pub struct Engine {
    tracks: Vec<Track>,
    state: State,
    /// The readings that the paths' expected MTUs were last made of.
    routers: Vec<Arc<RouterReading>>,
    echoes: Option<Echoes>,
    wire: Box<dyn Wire>,
    flights: Flights,
    budget: Budget,
    began: Instant,
    replies: UnboundedReceiver<EchoReply>,
    targets: UnboundedReceiver<TargetUpdate>,
    reflections: UnboundedReceiver<(usize, Reflection)>,
}

impl Engine {
    /// Opens the sockets this process is allowed to open, notes what is missing in `state`, and begins
    /// to resolve the targets.
    pub fn new(paths: Vec<PathPlan>, budget_pps: u32, state: State) -> io::Result<Self> {
        let (reply_sender, replies) = mpsc::unbounded_channel();
        let (target_sender, targets) = mpsc::unbounded_channel();
        let wire = wire::open();
        let identifier = wire.identifier();
        let echoes = Echoes::open(identifier.wrapping_add(1), reply_sender);
        let missing = wire.missing();
        capability::warn_of(&missing);
        state.put_capabilities(capability::states(missing));
        let routes = Routes::open()?;
        for (path, plan) in paths.iter().enumerate() {
            target::follow(path, plan.address.clone(), plan.family, routes.clone(), target_sender.clone());
        }
        let (reflection_sender, reflections) = mpsc::unbounded_channel();
        let mut tracks = paths.into_iter().map(Track::new).collect::<Vec<_>>();
        for (path, track) in tracks.iter_mut().enumerate() {
            track.use_reflector(path, &reflection_sender)?;
            state.put_path(track.observation());
        }
        Ok(Self {
            tracks,
            state,
            routers: Vec::new(),
            echoes: echoes.ok(),
            wire,
            flights: Flights::new(identifier),
            budget: Budget::new(budget_pps),
            began: Instant::now(),
            replies,
            targets,
            reflections,
        })
    }

    /// Probes forever.
    pub async fn run(mut self) {
        if let Err(error) = self.wire.writable().await {
            warn!(%error, "the sockets take no packets");
        }
        loop {
            self.wait().await;
            let now = self.now();
            self.read(now);
            self.ask_and_send(now);
            self.publish(now);
        }
    }

    fn now(&self) -> Moment {
        self.began.elapsed()
    }

    /// Waits for an arrival, news of a target, or the next turn.
    async fn wait(&mut self) {
        let now = self.now();
        let next =
            self.tracks.iter().filter_map(|track| track.prober.as_ref().map(PathProber::next_at)).min();
        let wait = next.map_or(PUBLISH, |next| next.saturating_sub(now)).clamp(TICK, PUBLISH);
        let reply = tokio::select! {
            ready = self.wire.readable() => {
                if let Err(error) = ready {
                    debug!(%error, "waiting for packets");
                }
                None
            }
            Some(reply) = self.replies.recv() => Some(reply),
            Some((path, reflection)) = self.reflections.recv() => {
                if let Some(prober) = self.tracks[path].prober.as_mut() {
                    prober.reflected(reflection, self.began.elapsed());
                }
                None
            }
            Some(update) = self.targets.recv() => {
                self.retarget(update);
                None
            }
            () = tokio::time::sleep(wait) => None,
        };
        if let Some(reply) = reply {
            self.take_reply(reply);
        }
    }

    fn read(&mut self, now: Moment) {
        while let Ok(reply) = self.replies.try_recv() {
            self.take_reply(reply);
        }
        let (flights, tracks) = (&mut self.flights, &mut self.tracks);
        let mut signalled = Vec::new();
        self.wire.drain(&mut |incoming| {
            if let Some((path, id, answer)) = flights.claim(&incoming)
                && let Some(prober) = tracks[path].prober.as_mut()
            {
                prober.answer(id, answer, now);
                if matches!(answer, Answer::TooBig { .. }) {
                    signalled.push(path);
                }
            }
        });
        for path in signalled {
            for (other, track) in tracks.iter_mut().enumerate() {
                if let Some(prober) = track.prober.as_mut().filter(|_| other != path) {
                    prober.heard_elsewhere(now);
                }
            }
        }
        self.flights.forget_old(now);
    }

    fn take_reply(&mut self, reply: EchoReply) {
        let now = self.now();
        if let Some(prober) = self.tracks[reply.path].prober.as_mut() {
            prober.echo_reply(reply.seq, reply.rtt, now);
        }
    }

    fn ask_and_send(&mut self, now: Moment) {
        self.budget.fill(now);
        let mut out = Vec::new();
        for path in 0..self.tracks.len() {
            if let Some(prober) = &mut self.tracks[path].prober {
                prober.regular(now, &mut out);
            }
            self.send_all(path, &mut out, now);
        }
        for urgency in Urgency::ALL {
            for turn in 0..self.tracks.len() {
                // Another path begins each time, so that a small budget is shared fairly.
                let path = (turn + self.flights.count()) % self.tracks.len();
                if let Some(prober) = &mut self.tracks[path].prober {
                    prober.burst(urgency, now, &mut self.budget, &mut out);
                }
                self.send_all(path, &mut out, now);
            }
        }
    }

    fn send_all(&mut self, path: usize, out: &mut Vec<Send>, now: Moment) {
        let Some(target) = self.tracks[path].target.clone() else { return };
        if !out.is_empty() {
            self.tracks[path].last_probe = Some(SystemTime::now());
        }
        for send in out.drain(..) {
            match send {
                Send::Echo { seq } => {
                    if let Some(echoes) = &self.echoes {
                        echoes.send(path, target.address, seq);
                    }
                }
                Send::Probe(probe) => self.send_probe(path, &target, probe, now),
            }
        }
    }

    fn send_probe(&mut self, path: usize, target: &Target, probe: Probe, now: Moment) {
        let track = &mut self.tracks[path];
        let port = track.plan.tcp_port.unwrap_or(0);
        if let Err(error) = self.flights.launch(&*self.wire, path, target, port, probe, now) {
            debug!(path = %track.plan.name, %error, ?probe, "not sent");
            if let Some(prober) = track.prober.as_mut() {
                prober.answer(probe.id, Answer::NotSent, now);
            }
        }
    }

    fn retarget(&mut self, update: TargetUpdate) {
        let now = self.now();
        let routers = self.state.present().routers;
        self.tracks[update.path].retarget(update.found, &*self.wire, &routers, random(), now);
    }

    /// Routers are read every half a minute; in between nothing new can come of them.
    fn see_routers(&mut self, now: Moment) {
        let routers = self.state.present().routers;
        let known = &self.routers;
        if routers.len() == known.len() && routers.iter().zip(known).all(|(new, old)| Arc::ptr_eq(new, old)) {
            return;
        }
        for track in &mut self.tracks {
            track.see_routers(&routers, now);
        }
        self.routers = routers;
    }

    fn publish(&mut self, now: Moment) {
        self.see_routers(now);
        for track in &mut self.tracks {
            let due = track.published_at.is_none_or(|at| now.saturating_sub(at) >= PUBLISH);
            if due {
                track.published_at = Some(now);
                track.tell_reflector();
                let observation = track.observation();
                news::tell(track.judged.as_ref(), &observation);
                track.judged = Some(observation.judgement.clone());
                self.state.put_path(observation);
            }
        }
    }
}
