//! The main loop of probing: read, ask, send, publish.
//!
//! Everything that has arrived is read before any prober is asked what to send. So a process that
//! had to wait for the CPU never counts an answer in its buffer as lost.

mod handle;
mod publish;
mod renewal;
mod sending;
#[cfg(test)]
mod steady;
mod wheel;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tracing::{debug, warn};

pub(crate) use handle::EngineHandle;
use handle::Order;
use renewal::Renewal;
use wheel::Wheel;

use super::{
    capability,
    echo::{EchoNews, Echoes},
    egress::Routes,
    flights::Flights,
    level,
    peers::Peers,
    punctual::Punctual,
    random::random,
    target::TargetUpdate,
    track::{Track, VISIT},
    wire::Wire,
};
use crate::{
    model::{
        plan::PathPlan,
        snapshot::RouterReading,
        state::State,
        types::{PathName, ProbeProtocol},
    },
    path::{
        budget::Budget,
        probe::{Answer, Moment},
        prober::PathProber,
        reflection::Reflection,
        settings::Counts,
    },
    process::supervise::{Pulse, Task, fault},
};

/// How often probers are polled while bursts are in progress; pairs are 20 ms apart.
const TICK: Duration = Duration::from_millis(4);
/// Longest wait for input that could not be read.
const UNREAD: Duration = Duration::from_secs(1);
/// Shortest time between two warnings that this process runs too late.
const WARN_AGAIN: Duration = Duration::from_mins(1);

/// Probes all paths for as long as it is polled.
pub(crate) struct Engine {
    /// By a number that is never reused: late messages for a removed path must not reach another
    /// one.
    tracks: BTreeMap<usize, Track>,
    wheel: Wheel,
    next_track: usize,
    /// Counts of removed paths, which continue if the path returns.
    retired: BTreeMap<PathName, Counts>,
    state: State,
    /// The readings from which the paths' expected MTUs were last derived.
    routers: Vec<Arc<RouterReading>>,
    saw_routers_at: Option<Moment>,
    echoes: Option<Echoes>,
    wire: Box<dyn Wire>,
    routes: Routes,
    flights: Flights,
    peers: Peers,
    budget: Budget,
    began: Instant,
    punctual: Punctual,
    /// When the last warning about running too late was logged.
    warned_at: Option<Moment>,
    /// Everything that had arrived by this time has been read.
    read_until: Moment,
    echo_news: UnboundedReceiver<EchoNews>,
    targets: Channel<TargetUpdate>,
    reflections: Channel<(usize, Reflection)>,
    orders: Channel<Order>,
    pulse: Pulse,
    renewal: Renewal,
}

/// A channel; its sending end is kept for senders that are created later.
type Channel<T> = (UnboundedSender<T>, UnboundedReceiver<T>);

impl Engine {
    /// Opens the sockets that this process may open, records missing capabilities in `state`, and
    /// starts to resolve the targets.
    pub(crate) fn new(paths: Vec<PathPlan>, budget_pps: u32, state: State) -> anyhow::Result<Self> {
        let (tell, echo_news) = mpsc::unbounded_channel();
        let wire = level::open();
        let identifier = wire.identifier();
        let echoes = Echoes::open(identifier.wrapping_add(1), tell);
        let missing = wire.missing();
        capability::warn_of(&missing);
        state.put_capabilities(capability::states(missing));
        let mut engine = Self {
            tracks: BTreeMap::new(),
            wheel: Wheel::default(),
            next_track: 0,
            // An engine that replaces a dead one continues the published counts.
            retired: state
                .present()
                .paths
                .iter()
                .map(|path| (path.path.clone(), Counts::with(Arc::clone(&path.counters))))
                .collect(),
            state,
            routers: Vec::new(),
            saw_routers_at: None,
            echoes: echoes.ok(),
            wire,
            routes: Routes::open()?,
            flights: Flights::new(),
            peers: Peers::default(),
            budget: Budget::new(budget_pps),
            began: Instant::now(),
            punctual: Punctual::new(),
            warned_at: None,
            read_until: Moment::ZERO,
            echo_news,
            targets: mpsc::unbounded_channel(),
            reflections: mpsc::unbounded_channel(),
            orders: mpsc::unbounded_channel(),
            pulse: Pulse::default(),
            renewal: Renewal::default(),
        };
        engine.follow(paths);
        Ok(engine)
    }

    /// Reports each turn of the loop to `pulse`.
    #[must_use]
    pub(crate) fn with_pulse(self, pulse: Pulse) -> Self {
        Self { pulse, ..self }
    }

    /// A handle that changes the paths while the engine runs.
    #[must_use]
    pub(crate) fn handle(&self) -> EngineHandle {
        EngineHandle::new(self.orders.0.clone())
    }

    /// Replaces the paths to probe.
    fn follow(&mut self, paths: Vec<PathPlan>) {
        let entries: BTreeMap<_, _> = paths.iter().map(|path| (&path.name, path)).collect();
        let gone = self.tracks.extract_if(.., |_, track| entries.get(&track.plan.name) != Some(&&track.plan));
        self.retired.extend(gone.map(|(_, mut track)| (track.plan.name.clone(), track.retire())));
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
        self.wheel.keep(|number| self.tracks.contains_key(&number));
        self.state.keep_paths(order.iter());
        self.peers.keep(&self.tracks);
    }

    /// Adds a path; returns its number.
    fn begin(&mut self, path: PathPlan) -> usize {
        let number = self.next_track;
        self.next_track += 1;
        let former = self.retired.remove(&path.name);
        let counts = former.unwrap_or_else(|| Counts::with(self.state.new_counters()));
        let mut track = Track::new(path, counts);
        track.look_for_target(number, &self.routes, &self.targets.0);
        self.state.put_path(track.observation());
        self.tracks.insert(number, track);
        self.wheel.touch(number);
        number
    }

    /// Probes forever.
    pub(crate) async fn run(mut self) {
        if let Err(error) = self.wire.writable().await {
            warn!(%error, "the sockets take no packets");
        }
        self.punctual = Punctual::new();
        loop {
            self.pulse.beat();
            fault::point(Task::Probes).await;
            self.wait().await;
            let now = self.look();
            self.read(now);
            self.renew_slowly(now);
            self.see_routers(now);
            let due = self.wheel.take_due(now);
            self.ask_and_send(&due, now);
            self.publish(&due, now);
            self.plan_next(&due, now);
        }
    }

    fn now(&self) -> Moment {
        self.began.elapsed()
    }

    /// The present time. If this process is late, everything in flight becomes void unless it is
    /// answered.
    fn look(&mut self) -> Moment {
        let now = self.now();
        if let Some(late) = self.punctual.look() {
            if self.warned_at.is_none_or(|at| now.saturating_sub(at) >= WARN_AGAIN) {
                self.warned_at = Some(now);
                warn!(
                    ?late,
                    "this process was stopped or starved: packets in flight count only if they are answered"
                );
            }
            self.interrupted(now);
        }
        now
    }

    /// Called when answers may have arrived that this process did not receive.
    fn interrupted(&mut self, now: Moment) {
        for track in self.tracks.values_mut() {
            if let Some(prober) = &mut track.prober {
                prober.interrupted(now);
            }
        }
    }

    /// Waits for a packet, a change of a target, or the next turn.
    async fn wait(&mut self) {
        let now = self.now();
        let wait = self.wheel.next_at().map_or(VISIT, |next| next.saturating_sub(now)).clamp(TICK, VISIT);
        self.punctual.sleep(wait);
        let news = tokio::select! {
            ready = self.wire.readable() => {
                if let Err(error) = ready {
                    debug!(%error, "waiting for packets");
                }
                None
            }
            Some(news) = self.echo_news.recv() => Some(news),
            Some((path, reflection)) = self.reflections.1.recv() => {
                if let Some(prober) = prober(&mut self.tracks, path) {
                    prober.reflected(reflection, self.began.elapsed());
                    self.wheel.touch(path);
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
                // The sender may have stopped waiting.
                let _ = order.done.send(());
                None
            }
            () = tokio::time::sleep(wait) => None,
        };
        if let Some(news) = news {
            self.hear(news);
        }
    }

    fn read(&mut self, now: Moment) {
        while let Ok(news) = self.echo_news.try_recv() {
            self.hear(news);
        }
        let (flights, tracks, wheel) = (&mut self.flights, &mut self.tracks, &mut self.wheel);
        let (mut signalled, mut answered) = (BTreeSet::new(), Vec::new());
        let drained = self.wire.drain(&mut |incoming| {
            if let Some((path, id, fate)) = flights.claim_byte(&incoming)
                && let Some(prober) = prober(tracks, path)
            {
                prober.byte_told(id, fate, now);
                wheel.touch(path);
            } else if let Some((path, id, answer)) = flights.claim(&incoming)
                && let Some(prober) = prober(tracks, path)
            {
                prober.answer(id, answer, now);
                wheel.touch(path);
                match answer {
                    Answer::TooBig { .. } => {
                        signalled.insert(path);
                    }
                    Answer::Passed(_) => answered.push((path, incoming.protocol())),
                    Answer::NotSent(_) => {}
                }
            }
        });
        for (path, protocol) in answered {
            self.note_heard(path, now);
            self.peers.tell(&mut self.tracks, path, protocol, now);
        }
        let tracks = &mut self.tracks;
        for path in signalled {
            for (other, track) in &mut *tracks {
                if let Some(prober) = track.prober.as_mut().filter(|_| *other != path) {
                    prober.heard_elsewhere(now);
                }
            }
        }
        if drained.overrun || (!drained.all && now.saturating_sub(self.read_until) >= UNREAD) {
            self.interrupted(now);
        }
        if drained.all || now.saturating_sub(self.read_until) >= UNREAD {
            self.read_until = now;
        }
        self.flights.forget_old(self.read_until);
    }

    fn hear(&mut self, news: EchoNews) {
        let now = self.look();
        if let Some(prober) = prober(&mut self.tracks, news.path) {
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

    fn retarget(&mut self, update: TargetUpdate) {
        let now = self.now();
        let Some(track) = self.tracks.get_mut(&update.path) else { return };
        let routers = self.state.routers();
        track.retarget(update.found, &*self.wire, &routers, random(), now);
        self.peers.join(&mut self.tracks, update.path);
        self.wheel.touch(update.path);
    }

    /// Routers are read every half minute, so checking more often would find nothing new.
    fn see_routers(&mut self, now: Moment) {
        if self.saw_routers_at.is_some_and(|at| now.saturating_sub(at) < VISIT) {
            return;
        }
        self.saw_routers_at = Some(now);
        let routers = self.state.routers();
        let known = &self.routers;
        if routers.len() == known.len() && routers.iter().zip(known).all(|(new, old)| Arc::ptr_eq(new, old)) {
            return;
        }
        for track in self.tracks.values_mut() {
            track.see_routers(&routers, now);
        }
        self.routers = routers;
    }

    fn plan_next(&mut self, visited: &[usize], now: Moment) {
        for path in visited {
            let Some(track) = self.tracks.get(path) else { continue };
            let next = track.prober.as_ref().map(PathProber::next_at);
            self.wheel.plan(*path, next.map_or(now + VISIT, |next| next.min(now + VISIT)));
        }
    }
}

/// The prober of a path that is still probed.
fn prober(tracks: &mut BTreeMap<usize, Track>, path: usize) -> Option<&mut PathProber> {
    tracks.get_mut(&path)?.prober.as_mut()
}
