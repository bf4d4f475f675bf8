//! The wheel: read, ask, send, publish.
//!
//! Before any prober is asked what to send, everything that has arrived is read, so that a process that
//! had to wait for its turn never takes an answer in its buffer for a loss.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use anyhow::Context as _;
use tokio::sync::{
    mpsc::{self, UnboundedReceiver, UnboundedSender},
    oneshot,
};
use tracing::{debug, warn};

use super::{
    capability,
    echo::{EchoReply, Echoes},
    egress::Routes,
    flights::Flights,
    news,
    random::random,
    target::{Target, TargetUpdate},
    track::Track,
    wire::{self, Wire},
};
use crate::{
    overlay::path::{
        asking::Urgency,
        budget::Budget,
        probe::{Answer, Moment, Probe, Send},
        prober::{Counts, PathProber},
        reflection::Reflection,
    },
    plan::PathPlan,
    router::snapshot::RouterReading,
    state::State,
    types::PathName,
};

/// While bursts are under way the probers are asked this often; pairs are 20 ms apart.
const TICK: Duration = Duration::from_millis(4);
const PUBLISH: Duration = Duration::from_millis(200);

/// Probes all paths for as long as it is polled.
pub struct Engine {
    /// By a number that is never given twice: late news of a path that is gone must reach no other.
    tracks: BTreeMap<usize, Track>,
    next_track: usize,
    /// What paths that are gone had counted; it goes on if they come back.
    retired: BTreeMap<PathName, Counts>,
    state: State,
    /// The readings that the paths' expected MTUs were last made of.
    routers: Vec<Arc<RouterReading>>,
    echoes: Option<Echoes>,
    wire: Box<dyn Wire>,
    routes: Routes,
    flights: Flights,
    budget: Budget,
    began: Instant,
    replies: UnboundedReceiver<EchoReply>,
    targets: Channel<TargetUpdate>,
    reflections: Channel<(usize, Reflection)>,
    orders: Channel<Order>,
}

/// The sending end is kept for those who come later.
type Channel<T> = (UnboundedSender<T>, UnboundedReceiver<T>);

/// Other paths to probe, and where to say that it is done.
struct Order {
    paths: Vec<PathPlan>,
    budget_pps: u32,
    done: oneshot::Sender<()>,
}

/// Steers an engine that runs.
#[derive(Debug, Clone)]
pub struct Helm(UnboundedSender<Order>);

impl Helm {
    /// Probes these paths from now on. One whose entry is the same as before goes on undisturbed; one that
    /// changed begins anew and counts on.
    pub async fn follow(&self, paths: Vec<PathPlan>, budget_pps: u32) -> anyhow::Result<()> {
        let (done, told) = oneshot::channel();
        let sent = self.0.send(Order { paths, budget_pps, done }).is_ok();
        let outcome = if sent { told.await.ok() } else { None };
        outcome.context("the probe engine has ended; this is a bug, please report it with the log")
    }
}

impl Engine {
    /// Opens the sockets this process is allowed to open, notes what is missing in `state`, and begins
    /// to resolve the targets.
    pub fn new(paths: Vec<PathPlan>, budget_pps: u32, state: State) -> anyhow::Result<Self> {
        let (reply_sender, replies) = mpsc::unbounded_channel();
        let wire = wire::open();
        let identifier = wire.identifier();
        let echoes = Echoes::open(identifier.wrapping_add(1), reply_sender);
        let missing = wire.missing();
        capability::warn_of(&missing);
        state.put_capabilities(capability::states(missing));
        let mut engine = Self {
            tracks: BTreeMap::new(),
            next_track: 0,
            retired: BTreeMap::new(),
            state,
            routers: Vec::new(),
            echoes: echoes.ok(),
            wire,
            routes: Routes::open()?,
            flights: Flights::new(identifier),
            budget: Budget::new(budget_pps),
            began: Instant::now(),
            replies,
            targets: mpsc::unbounded_channel(),
            reflections: mpsc::unbounded_channel(),
            orders: mpsc::unbounded_channel(),
        };
        engine.follow(paths);
        Ok(engine)
    }

    /// Steers it while it runs.
    #[must_use]
    pub fn helm(&self) -> Helm {
        Helm(self.orders.0.clone())
    }

    /// Probes these paths.
    fn follow(&mut self, paths: Vec<PathPlan>) {
        let entries: BTreeMap<_, _> = paths.iter().map(|path| (&path.name, path)).collect();
        let gone = self.tracks.extract_if(.., |_, track| entries.get(&track.plan.name) != Some(&&track.plan));
        self.retired.extend(gone.map(|(_, track)| (track.plan.name.clone(), track.counts())));
        let numbers: BTreeMap<_, _> =
            self.tracks.iter().map(|(number, track)| (track.plan.name.clone(), *number)).collect();
        let order: Vec<_> = paths.iter().map(|path| path.name.clone()).collect();
        for path in paths {
            let known = numbers.get(&path.name).copied();
            let number = known.unwrap_or_else(|| self.begin(path));
            if let Some(track) = self.tracks.get_mut(&number) {
                track.use_reflector(number, &self.reflections.0);
            }
        }
        self.state.keep_paths(order.iter());
    }

    /// Begins a track; returns its number.
    fn begin(&mut self, path: PathPlan) -> usize {
        let number = self.next_track;
        self.next_track += 1;
        let former = self.retired.remove(&path.name).unwrap_or_default();
        let mut track = Track::new(path, former);
        track.look_for_target(number, &self.routes, &self.targets.0);
        self.state.put_path(track.observation());
        self.tracks.insert(number, track);
        number
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
            self.tracks.values().filter_map(|track| track.prober.as_ref().map(PathProber::next_at)).min();
        let wait = next.map_or(PUBLISH, |next| next.saturating_sub(now)).clamp(TICK, PUBLISH);
        let reply = tokio::select! {
            ready = self.wire.readable() => {
                if let Err(error) = ready {
                    debug!(%error, "waiting for packets");
                }
                None
            }
            Some(reply) = self.replies.recv() => Some(reply),
            Some((path, reflection)) = self.reflections.1.recv() => {
                if let Some(prober) = prober(&mut self.tracks, path) {
                    prober.reflected(reflection, self.began.elapsed());
                }
                None
            }
            Some(update) = self.targets.1.recv() => {
                self.retarget(update);
                None
            }
            Some(order) = self.orders.1.recv() => {
                self.follow(order.paths);
                self.budget.set_rate(order.budget_pps);
                // Nobody has to wait for it.
                let _ = order.done.send(());
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
                && let Some(prober) = prober(tracks, path)
            {
                prober.answer(id, answer, now);
                if matches!(answer, Answer::TooBig { .. }) {
                    signalled.push(path);
                }
            }
        });
        for path in signalled {
            for (other, track) in &mut *tracks {
                if let Some(prober) = track.prober.as_mut().filter(|_| *other != path) {
                    prober.heard_elsewhere(now);
                }
            }
        }
        self.flights.forget_old(now);
    }

    fn take_reply(&mut self, reply: EchoReply) {
        let now = self.now();
        if let Some(prober) = prober(&mut self.tracks, reply.path) {
            prober.echo_reply(reply.seq, reply.rtt, now);
        }
    }

    fn ask_and_send(&mut self, now: Moment) {
        self.budget.fill(now);
        let mut out = Vec::new();
        let paths: Vec<usize> = self.tracks.keys().copied().collect();
        for path in &paths {
            if let Some(prober) = prober(&mut self.tracks, *path) {
                prober.regular(now, &mut out);
            }
            self.send_all(*path, &mut out, now);
        }
        for urgency in Urgency::ALL {
            for turn in 0..paths.len() {
                // Another path begins each time, so that a small budget is shared fairly.
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
        track.last_probe = Some(SystemTime::now());
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
        let Some(track) = self.tracks.get_mut(&path) else { return };
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
        let Some(track) = self.tracks.get_mut(&update.path) else { return };
        let routers = self.state.present().routers;
        track.retarget(update.found, &*self.wire, &routers, random(), now);
    }

    /// Routers are read every half a minute; in between nothing new can come of them.
    fn see_routers(&mut self, now: Moment) {
        let routers = self.state.present().routers;
        let known = &self.routers;
        if routers.len() == known.len() && routers.iter().zip(known).all(|(new, old)| Arc::ptr_eq(new, old)) {
            return;
        }
        for track in self.tracks.values_mut() {
            track.see_routers(&routers, now);
        }
        self.routers = routers;
    }

    fn publish(&mut self, now: Moment) {
        self.see_routers(now);
        for track in self.tracks.values_mut() {
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

/// The machine of a path that is still probed.
fn prober(tracks: &mut BTreeMap<usize, Track>, path: usize) -> Option<&mut PathProber> {
    tracks.get_mut(&path)?.prober.as_mut()
}
