//! Packets: one task sends what the pure probers ask for and tells them what came back.
//!
//! It decides nothing. Before any prober is asked what to send, everything that has arrived is read, so
//! that a process that had to wait for its turn never takes an answer in its buffer for a loss.

pub mod echo;
pub mod egress;
pub mod flights;
pub mod packet;
pub mod target;
pub mod wire;

use std::{
    io,
    net::IpAddr,
    time::{Duration, Instant, SystemTime},
};

use tokio::sync::{
    mpsc::{self, UnboundedReceiver},
    watch,
};
use tracing::{debug, info, warn};

use crate::{
    overlay::{
        observation::{Judgement, PathObservation},
        path::{
            asking::Urgency,
            budget::Budget,
            expected::host_mtu,
            probe::{Answer, Family, Lane, Moment, Probe, Reply, Send},
            prober::{IcmpProbes, PathProber, Settings, TcpProbes},
            reflection::Reflection,
        },
    },
    plan::PathPlan,
    reflector::{
        follow::{Access, Wanted, follow},
        secret::Secret,
    },
    state::{CapabilityState, State},
    types::{Capability, UnknownReason},
};
use echo::{EchoReply, Echoes};
use egress::Routes;
use flights::{Flights, random};
use target::{Target, TargetUpdate};
use wire::Wire;

/// While bursts are under way the probers are asked this often; pairs are 20 ms apart.
const TICK: Duration = Duration::from_millis(4);
const PUBLISH: Duration = Duration::from_millis(200);

/// Probes all paths for as long as it is polled.
pub struct Engine {
    tracks: Vec<Track>,
    state: State,
    echoes: Option<Echoes>,
    wire: Option<Wire>,
    flights: Flights,
    budget: Budget,
    began: Instant,
    replies: UnboundedReceiver<EchoReply>,
    targets: UnboundedReceiver<TargetUpdate>,
    reflections: UnboundedReceiver<(usize, Reflection)>,
}

/// One path's prober and what it needs of the world.
struct Track {
    plan: PathPlan,
    prober: Option<PathProber>,
    target: Option<Target>,
    problem: Option<String>,
    last_probe: Option<SystemTime>,
    /// Tells the path's reflector what to measure.
    reflector: Option<watch::Sender<Option<Wanted>>>,
    published_at: Option<Moment>,
}

impl Engine {
    /// Opens the sockets this process is allowed to open, notes what is missing in `state`, and begins
    /// to resolve the targets.
    pub fn new(paths: Vec<PathPlan>, budget_pps: u32, state: State) -> io::Result<Self> {
        let identifier = random::<u16>();
        let (reply_sender, replies) = mpsc::unbounded_channel();
        let (target_sender, targets) = mpsc::unbounded_channel();
        let echoes = Echoes::open(identifier.wrapping_add(1), reply_sender);
        let wire = Wire::open(identifier);
        state.put_capabilities(capabilities(echoes.as_ref().err(), wire.as_ref().err()));
        if let Err(error) = &wire {
            warn!(
                %error,
                "no raw sockets (CAP_NET_RAW): small echoes and loss go on, sizes and black holes are not tested; \
                 run as root, or `setcap cap_net_raw+ep` on the binary"
            );
        }
        if let Err(error) = &echoes {
            warn!(%error, "no ICMP socket at all: nothing can be probed; see net.ipv4.ping_group_range");
        }
        let routes = Routes::open()?;
        for (path, plan) in paths.iter().enumerate() {
            target::follow(path, plan.address.clone(), routes.clone(), target_sender.clone());
        }
        let (reflection_sender, reflections) = mpsc::unbounded_channel();
        let mut tracks = Vec::new();
        for (path, plan) in paths.into_iter().enumerate() {
            let mut track = Track::new(plan);
            track.use_reflector(path, &reflection_sender)?;
            tracks.push(track);
        }
        for track in &tracks {
            state.put_path(track.observation());
        }
        Ok(Self {
            tracks,
            state,
            echoes: echoes.ok(),
            wire: wire.ok(),
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
        if let Some(wire) = &self.wire
            && let Err(error) = wire.writable().await
        {
            warn!(%error, "the raw sockets take no packets");
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
        let readable = async {
            match &self.wire {
                Some(wire) => wire.readable().await,
                None => std::future::pending().await,
            }
        };
        let reply = tokio::select! {
            ready = readable => {
                if let Err(error) = ready {
                    debug!(%error, "waiting for packets");
                }
                None
            }
            Some(reply) = self.replies.recv() => Some(reply),
            Some((path, reflection)) = self.reflections.recv() => {
                self.take_reflection(path, reflection);
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
        if let Some(wire) = &mut self.wire {
            let (flights, tracks) = (&mut self.flights, &mut self.tracks);
            let mut signalled = Vec::new();
            wire.drain(|incoming| {
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
        }
        self.flights.forget_old(now);
    }

    fn take_reply(&mut self, reply: EchoReply) {
        let now = self.now();
        let Some(prober) = self.tracks[reply.path].prober.as_mut() else { return };
        match reply.probe {
            None => prober.echo_reply(reply.seq, reply.rtt, now),
            Some(id) => prober.answer(id, Answer::Passed(Reply::default()), now),
        }
    }

    fn take_reflection(&mut self, path: usize, reflection: Reflection) {
        let now = self.now();
        if let Some(prober) = self.tracks[path].prober.as_mut() {
            prober.reflected(reflection, now);
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
                        echoes.send(path, IpAddr::V4(target.address), seq, None);
                    }
                }
                Send::Probe(probe) => self.send_probe(path, &target, probe, now),
            }
        }
    }

    fn send_probe(&mut self, path: usize, target: &Target, probe: Probe, now: Moment) {
        let sent = match (&self.wire, &self.echoes) {
            (Some(wire), _) => {
                let port = self.tracks[path].plan.tcp_port.unwrap_or(0);
                self.flights.launch(wire, path, target, port, probe, now)
            }
            (None, Some(echoes)) if probe.bare && probe.lane == Lane::Echo => {
                // Without raw sockets a small probe of our own is one more small echo.
                echoes.send(path, IpAddr::V4(target.address), probe.id.0 | 1 << 15, Some(probe.id));
                Ok(())
            }
            (None, _) => Err(io::ErrorKind::PermissionDenied.into()),
        };
        if let Err(error) = sent {
            debug!(path = %self.tracks[path].plan.name, %error, ?probe, "not sent");
            if let Some(prober) = self.tracks[path].prober.as_mut() {
                prober.answer(probe.id, Answer::NotSent, now);
            }
        }
    }

    /// The target's address, or our way to it, has changed.
    fn retarget(&mut self, update: TargetUpdate) {
        let now = self.now();
        let present = self.state.present();
        let raw = self.wire.is_some();
        let track = &mut self.tracks[update.path];
        let target = match update.found {
            Ok(target) => target,
            Err(problem) => {
                if track.problem.as_ref() != Some(&problem) {
                    warn!(path = %track.plan.name, problem, "target");
                }
                track.problem = Some(problem);
                return;
            }
        };
        track.problem = None;
        let egress = &target.egress;
        let hosts = host_mtu(&egress.interface, egress.mtu, &track.plan.source, &present.routers);
        let same_address = track.target.as_ref().is_some_and(|known| known.address == target.address);
        match &mut track.prober {
            Some(prober) if same_address => prober.set_hosts(hosts, now),
            former => {
                info!(path = %track.plan.name, address = %target.address, interface = %egress.interface, "probing");
                let mut prober = PathProber::new(settings(&track.plan, raw), hosts, random::<u64>(), now);
                if let Some(former) = former {
                    prober.take_over(former);
                }
                track.prober = Some(prober);
            }
        }
        track.target = Some(target);
    }

    fn publish(&mut self, now: Moment) {
        for track in &mut self.tracks {
            let due = track.published_at.is_none_or(|at| now.saturating_sub(at) >= PUBLISH);
            if due {
                track.published_at = Some(now);
                track.tell_reflector();
                let observation = track.observation();
                self.state.put_path(observation);
            }
        }
    }
}

impl Track {
    fn new(plan: PathPlan) -> Self {
        Self {
            plan,
            prober: None,
            target: None,
            problem: None,
            last_probe: None,
            reflector: None,
            published_at: None,
        }
    }

    /// Begins to follow the path's reflector, where it has one.
    fn use_reflector(
        &mut self,
        path: usize,
        news: &mpsc::UnboundedSender<(usize, Reflection)>,
    ) -> io::Result<()> {
        let Some(plan) = &self.plan.reflector else { return Ok(()) };
        let secret = plan.secret_file.as_deref().map(Secret::load).transpose();
        let secret = secret.map_err(|error| io::Error::other(format!("{error:#}")))?;
        let (wanted, told) = watch::channel(None);
        let news = news.clone();
        let tell = move |reflection| {
            // Nobody listens any more only when everything ends.
            let _ = news.send((path, reflection));
        };
        tokio::spawn(follow(Access { port: plan.port, secret }, told, tell));
        self.reflector = Some(wanted);
        Ok(())
    }

    fn tell_reflector(&self) {
        if let (Some(reflector), Some(target), Some(prober)) = (&self.reflector, &self.target, &self.prober) {
            let wanted = Wanted { address: target.address.into(), expected: prober.expected().bytes };
            reflector.send_if_modified(|known| known.replace(wanted) != Some(wanted));
        }
    }

    fn observation(&self) -> PathObservation {
        let prober = self.prober.as_ref();
        let judgement = match (prober, &self.problem) {
            (Some(prober), _) => prober.judgement(),
            (None, Some(problem)) => Judgement {
                unknown_reason: Some(UnknownReason::Dns),
                evidence: vec![problem.clone()],
                settled: true,
                ..Judgement::default()
            },
            (None, None) => Judgement::default(),
        };
        PathObservation {
            path: self.plan.name.clone(),
            source: self.plan.source.clone(),
            target_site: self.plan.site.clone(),
            target: self.plan.address.clone(),
            address: self.target.as_ref().map(|target| IpAddr::V4(target.address)),
            tcp_port: self.plan.tcp_port,
            reflector: prober.and_then(PathProber::reflector_use),
            echo: prober.map(|prober| prober.echo_stats().clone()).unwrap_or_default(),
            size_probes: prober.map(|prober| prober.size_probes().clone()).unwrap_or_default(),
            last_probe: self.last_probe,
            expected_mtu: prober.map(PathProber::expected),
            testable_mtu: self.target.as_ref().map(|target| target.egress.mtu),
            judgement,
        }
    }
}

fn settings(plan: &PathPlan, raw: bool) -> Settings {
    Settings {
        probe_interval: plan.probe_interval,
        sentinel_interval: plan.sentinel_interval,
        expected_mtu: plan.expected_mtu,
        loss_threshold: plan.loss_threshold,
        family: Family::V4,
        icmp: if raw { IcmpProbes::Fragments } else { IcmpProbes::Small },
        tcp: if raw && plan.tcp_port.is_some() { TcpProbes::Sized } else { TcpProbes::None },
    }
}

fn capabilities(echoes: Option<&io::Error>, wire: Option<&io::Error>) -> Vec<CapabilityState> {
    let raw = wire.map(|error| format!("raw sockets: {error} (CAP_NET_RAW)"));
    let state = |capability, missing| CapabilityState { capability, missing };
    vec![
        state(Capability::IcmpSocket, echoes.map(|error| format!("ICMP socket: {error}"))),
        state(Capability::NetRaw, raw.clone()),
        state(Capability::TcpSyn, raw.clone()),
        state(Capability::Fragments, raw),
        state(Capability::Reflector, Some("no `reflector` is configured".to_owned())),
    ]
}
