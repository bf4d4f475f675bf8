//! The main loop of probing: read, ask, send, publish.
//!
//! Everything that has arrived is read before any prober is asked what to send. So a process that
//! had to wait for the CPU never counts an answer in its buffer as lost.

mod handle;
mod listening;
mod load;
mod publish;
mod renewal;
mod sending;
#[cfg(test)]
mod tests;
mod wheel;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tracing::warn;

pub(crate) use handle::EngineHandle;
use handle::Order;
use load::Load;
use renewal::Renewal;
use wheel::Wheel;

use super::{
    capability,
    echo::{EchoMethod, EchoNews, Echoes},
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
        probe::{Moment, Send},
        prober::PathProber,
        reflection::Reflection,
        settings::Counts,
    },
    process::supervise::{Pulse, Task, fault},
};

/// Shortest time between two turns: what arrives and what is due meanwhile shares system calls.
const TICK: Duration = Duration::from_millis(2);
/// Most paths visited in a turn, so that a packet is sent soon after its prober was asked, and that
/// answers are read meanwhile.
const PATHS_PER_TURN: usize = 256;
/// Up to this many paths begin at once; more spread over their interval.
const FEW: usize = 16;
/// Longest time over which the beginnings spread.
const SPREAD: Duration = Duration::from_secs(5);

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
    /// If surge-ping sends the regular echoes.
    echoes: Option<Echoes>,
    wire: Box<dyn Wire>,
    routes: Routes,
    flights: Flights,
    peers: Peers,
    budget: Budget,
    began: Instant,
    punctual: Punctual,
    load: Load,
    /// How often this process could not listen.
    interruptions: u64,
    /// When the present turn began.
    turned_at: Moment,
    /// Whether more paths were due in the last turn than it could visit.
    is_behind: bool,
    /// Paths visited in the present turn.
    due: Vec<usize>,
    /// Those of them whose bursts may need packets.
    bursting: Vec<usize>,
    /// What the prober that was asked last wants to send.
    out: Vec<Send>,
    /// Paths answered in the present turn.
    answered: Vec<(usize, ProbeProtocol)>,
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
    pub(crate) fn new(
        paths: Vec<PathPlan>,
        budget_pps: u32,
        state: State,
        by: EchoMethod,
    ) -> anyhow::Result<Self> {
        let wire = level::open();
        Self::with_wire(wire, paths, budget_pps, state, by)
    }

    /// Probes over these sockets.
    fn with_wire(
        wire: Box<dyn Wire>,
        paths: Vec<PathPlan>,
        budget_pps: u32,
        state: State,
        by: EchoMethod,
    ) -> anyhow::Result<Self> {
        let (tell, echo_news) = mpsc::unbounded_channel();
        let identifier = wire.identifier();
        let surge_ping = || Echoes::open(identifier.wrapping_add(1), tell).ok();
        let echoes = if by == EchoMethod::SurgePing { surge_ping() } else { None };
        let missing = wire.missing();
        capability::warn_of(&missing);
        state.put_capabilities(capability::states(missing));
        let load = Load::told(state.present().load);
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
            echoes,
            wire,
            routes: Routes::open()?,
            flights: Flights::new(),
            peers: Peers::default(),
            budget: Budget::new(budget_pps),
            began: Instant::now(),
            punctual: Punctual::new(),
            load,
            interruptions: 0,
            turned_at: Moment::ZERO,
            is_behind: false,
            due: Vec::new(),
            bursting: Vec::new(),
            out: Vec::new(),
            answered: Vec::new(),
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
        let rate: f64 = self.tracks.values().map(|track| packets_per_second(&track.plan)).sum();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturates, is positive"
        )]
        self.wire.expect(rate as usize);
    }

    /// Adds a path; returns its number.
    fn begin(&mut self, path: PathPlan) -> usize {
        let number = self.next_track;
        self.next_track += 1;
        let former = self.retired.remove(&path.name);
        let counts = former.unwrap_or_else(|| Counts::with(self.state.new_counters()));
        let mut track = Track::new(path, counts, self.now());
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
            self.turn(now);
            self.load.worked(self.began.elapsed().saturating_sub(self.turned_at));
            if let Some(load) = self.load.decide(now) {
                self.state.put_load(load);
            }
        }
    }

    /// Reads what has arrived and visits the paths that are due; returns how many.
    fn turn(&mut self, now: Moment) -> usize {
        self.read(now);
        self.renew_slowly(now);
        self.see_routers(now);
        self.see_wanted(now);
        let mut due = std::mem::take(&mut self.due);
        self.wheel.take_due(now, PATHS_PER_TURN, &mut due);
        self.is_behind = due.len() == PATHS_PER_TURN;
        self.ask_and_send(&due, now);
        self.publish(&due, now);
        self.plan_next(&due, now);
        let visited = due.len();
        self.due = due;
        visited
    }

    fn retarget(&mut self, update: TargetUpdate, now: Moment) {
        let many = self.tracks.len() > FEW;
        let Some(track) = self.tracks.get_mut(&update.path) else { return };
        let begins = if many { track.began + phase(update.path, &track.plan) } else { now };
        let first = track.prober.is_none() && update.found.is_ok();
        track.waiting = (first && now < begins).then_some((begins, update.clone()));
        if track.waiting.is_some() {
            self.wheel.plan(update.path, begins);
            return;
        }
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

    /// Somebody wants some paths probed now.
    fn see_wanted(&mut self, now: Moment) {
        for name in self.state.take_wanted() {
            let found = self.tracks.iter_mut().find(|(_, track)| track.plan.name == name);
            let Some((number, track)) = found else { continue };
            match track.prober(self.interruptions, now) {
                Some(prober) => prober.ask(now),
                // No target is known: nothing can be sent, and the verdict says why.
                None => track.counters().change_asked(|asked| asked.is_over = true),
            }
            self.wheel.touch(*number);
        }
    }

    fn plan_next(&mut self, visited: &[usize], now: Moment) {
        for path in visited {
            let Some(track) = self.tracks.get(path) else { continue };
            let prober = track.prober.as_ref().map(PathProber::next_at);
            let begins = track.waiting.as_ref().map(|(at, _)| *at);
            let next = prober.into_iter().chain(begins).fold(now + VISIT, Moment::min);
            self.wheel.plan(*path, next);
        }
    }
}

/// The prober of a path that is still probed. If this process could not listen since it was last
/// asked for, it is told so first.
fn prober(
    tracks: &mut BTreeMap<usize, Track>,
    path: usize,
    interruptions: u64,
    now: Moment,
) -> Option<&mut PathProber> {
    tracks.get_mut(&path)?.prober(interruptions, now)
}

/// Regular packets per second of a path.
fn packets_per_second(plan: &PathPlan) -> f64 {
    plan.probe_interval.as_secs_f64().recip() + plan.sentinel_interval.as_secs_f64().recip()
}

/// How long after the others a path begins, so that the regular packets of many paths are spread
/// over their interval: multiples of the golden ratio, whose fractions keep apart from each other
/// whatever their number.
fn phase(path: usize, plan: &PathPlan) -> Duration {
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    let fraction = u32::try_from((path as u64).wrapping_mul(GOLDEN) >> 40).unwrap_or_default();
    plan.probe_interval.min(SPREAD) * fraction / (1 << 24)
}
