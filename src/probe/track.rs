//! One path's prober, with its target and its reflector.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc::UnboundedSender, watch},
    task::JoinSet,
};
use tracing::{info, warn};

use super::{
    egress::{Egress, Routes},
    target::{self, NoTarget, Target, TargetUpdate},
    wire::{Asks, Wire},
};
use crate::{
    language::{Said, say},
    model::{
        family::Family,
        observation::{Judgement, PathCounters, PathObservation},
        plan::PathPlan,
        snapshot::RouterReading,
        state::WORDS,
        types::{Site, UnknownReason},
    },
    path::{
        loss::icmp_rate::SharedRate,
        probe::Moment,
        prober::PathProber,
        reflection::Reflection,
        settings::{Counts, HostMtu, IcmpProbes, Settings, TcpProbes},
        verdict::expected_mtu::{host_mtu, route_mtu},
    },
    reflector::keep_measuring::{Measurand, ReflectorEndpoint, keep_measuring},
};

/// How often its tasks are checked.
const CHECK: Duration = Duration::from_secs(1);
/// Every path is visited at least this often, whether something is due or was answered or not:
/// a verdict that changes by the mere passing of time is published within this time.
pub(super) const VISIT: Duration = Duration::from_secs(1);
/// Shortest time between two comparisons of what is published with what is known.
const COMPARE: Duration = Duration::from_millis(200);

/// One path that is probed.
pub(crate) struct Track {
    /// Its configuration.
    pub plan: PathPlan,
    /// The prober; `None` until the target is found.
    pub prober: Option<PathProber>,
    /// The present target.
    pub target: Option<Arc<Target>>,
    /// When the path was added.
    pub began: Moment,
    /// A target that was found before the path's turn to begin, and that time.
    pub waiting: Option<(Moment, TargetUpdate)>,
    /// How often this process could not listen, as far as the prober knows.
    interruptions: u64,
    /// The observation that was last published.
    pub published: Option<Arc<PathObservation>>,
    published_at: Moment,
    /// When it was last compared with what is known.
    compared_at: Moment,
    /// How often evidence had been asked for by then.
    answered: u64,
    checked_at: Moment,
    problem: Option<NoTarget>,
    /// The path's counts, which the prober shares.
    counts: Counts,
    /// Channels to the task of the path's reflector: what to measure, and to check its secret
    /// again.
    reflector: Option<(watch::Sender<Option<Measurand>>, watch::Sender<()>)>,
    /// Tasks that look for the target and talk to the reflector; they end with the track.
    tasks: JoinSet<()>,
}

impl Track {
    /// A path whose target is not known yet; it continues these counts.
    #[must_use]
    pub(crate) fn new(plan: PathPlan, counts: Counts, now: Moment) -> Self {
        Self {
            plan,
            prober: None,
            target: None,
            began: now,
            waiting: None,
            interruptions: 0,
            published: None,
            published_at: Moment::ZERO,
            compared_at: Moment::ZERO,
            answered: 0,
            checked_at: Moment::ZERO,
            problem: None,
            counts,
            reflector: None,
            tasks: JoinSet::new(),
        }
    }

    /// The prober. If this process could not listen since it was last asked for, it is told so
    /// first.
    pub(crate) fn prober(&mut self, interruptions: u64, now: Moment) -> Option<&mut PathProber> {
        let prober = self.prober.as_mut()?;
        if self.interruptions != interruptions {
            self.interruptions = interruptions;
            prober.interrupted(now);
        }
        Some(prober)
    }

    /// Starts to look for the target; `path` is the track's number.
    pub(crate) fn look_for_target(
        &mut self,
        path: usize,
        routes: &Routes,
        news: &UnboundedSender<TargetUpdate>,
    ) {
        let Self { plan, tasks, .. } = self;
        tasks.spawn(target::watch_target(
            path,
            plan.address.clone(),
            plan.family,
            routes.clone(),
            news.clone(),
        ));
    }

    /// Starts to use the path's reflector, if it has one; if it is already used, only its secret is
    /// checked again. `path` is the track's number.
    pub(crate) fn use_reflector(&mut self, path: usize, news: &UnboundedSender<(usize, Reflection)>) {
        let Some(plan) = &self.plan.reflector else { return };
        if let Some((_, reread)) = &self.reflector {
            reread.send_replace(());
            return;
        }
        let (wanted, told) = watch::channel(None);
        let (reread, asked) = watch::channel(());
        let news = news.clone();
        let tell = move |reflection| {
            // The receiver is gone only when everything ends.
            let _ = news.send((path, reflection));
        };
        let access = ReflectorEndpoint { port: plan.port, secret_file: plan.secret_file.clone() };
        self.tasks.spawn(keep_measuring(access, told, asked, tell));
        self.reflector = Some((wanted, reread));
    }

    /// Whether one of its tasks has died: the track would never hear of another address.
    pub(crate) fn has_lost_a_task(&mut self) -> bool {
        let mut ended = std::iter::from_fn(|| self.tasks.try_join_next());
        ended.any(|ended| ended.is_err_and(|error| error.is_panic()))
    }

    /// Whether its tasks are to be checked, once a second.
    #[must_use]
    pub(crate) fn is_to_check(&mut self, now: Moment) -> bool {
        let due = now >= self.checked_at + CHECK;
        if due {
            self.checked_at = now;
        }
        due
    }

    /// Whether an observation is to be published: what it says has changed, or somebody has asked
    /// for its evidence, `asked` times by now.
    #[must_use]
    pub(crate) fn is_to_publish(&mut self, asked: u64, now: Moment) -> bool {
        let Some(published) = &self.published else { return true };
        if asked > self.answered && now >= self.published_at + WORDS {
            return true;
        }
        if now < self.compared_at + COMPARE {
            return false;
        }
        self.compared_at = now;
        !self.is_told_by(published)
    }

    /// The observation was published.
    pub(crate) fn published(&mut self, observation: Arc<PathObservation>, asked: u64, now: Moment) {
        (self.published_at, self.compared_at, self.answered) = (now, now, asked);
        self.published = Some(observation);
    }

    /// Whether an observation still says what is known now, whatever its evidence.
    fn is_told_by(&self, known: &PathObservation) -> bool {
        let target = self.target.as_ref();
        known.address == target.map(|target| target.address)
            && known.target_mac == target.and_then(|target| target.mac)
            && known.testable_mtu == target.map(|target| target.egress.mtu)
            && match &self.prober {
                Some(prober) => prober.is_told_by(known),
                None => known.expected_mtu.is_none() && known.judgement.finds_like(&self.findings()),
            }
    }

    /// The judgement without its evidence.
    fn findings(&self) -> Judgement {
        match (&self.prober, &self.problem) {
            (Some(prober), _) => prober.findings(),
            (None, Some(problem)) => {
                Judgement { unknown_reason: Some(problem.reason), settled: true, ..Judgement::default() }
            }
            (None, None) => Judgement::default(),
        }
    }

    /// Gives up the packets in flight. Returns the path's counts, for a prober or a track that takes
    /// over.
    pub(crate) fn retire(&mut self) -> Counts {
        if let Some(prober) = &mut self.prober {
            self.counts = prober.retire();
        }
        self.counts.clone()
    }

    /// What is counted on the path.
    #[must_use]
    pub(crate) fn counters(&self) -> &PathCounters {
        &self.counts.counters
    }

    /// The share of probes that the target answers, which paths to the same address share.
    #[must_use]
    pub(crate) fn rate(&self) -> Option<SharedRate> {
        self.prober.as_ref().map(PathProber::rate)
    }

    /// Tells the path's reflector task the address and the size in question, if they have changed.
    pub(crate) fn tell_reflector(&self) {
        if let (Some((reflector, _)), Some(target), Some(prober)) =
            (&self.reflector, &self.target, &self.prober)
        {
            let wanted = Measurand { address: target.address, expected: prober.asked_of_reflector() };
            reflector.send_if_modified(|known| known.replace(wanted) != Some(wanted));
        }
    }

    /// Called when the target's address or our route to it has changed, or cannot be found.
    pub(crate) fn retarget(
        &mut self,
        found: Result<Target, NoTarget>,
        wire: &dyn Wire,
        routers: &[Arc<RouterReading>],
        seed: u64,
        now: Moment,
    ) {
        let target = match found {
            Ok(target) if target.egress.is_loopback() => {
                let address = target.address;
                let words = say!("{address} is this machine's own address: no overlay is crossed", address);
                return self.note(UnknownReason::OwnAddress, words);
            }
            Ok(target) => target,
            Err(problem) => {
                let was_up = self.problem.is_none();
                if let (UnknownReason::LocalDown, true, Some(prober)) =
                    (problem.reason, was_up, &mut self.prober)
                {
                    prober.interface_lost(now);
                }
                return self.note(problem.reason, problem.words);
            }
        };
        let family = Family::of(target.address);
        let asks = wire.asks(family);
        let tcp = if port(&self.plan).is_some() { asks.tcp } else { TcpProbes::None };
        let asks = Asks { tcp, ..asks };
        let nothing = asks == (Asks { icmp: IcmpProbes::None, tcp: TcpProbes::None });
        if nothing && self.plan.reflector.is_none() {
            let why = wire.missing().icmp_socket.unwrap_or_else(|| "no IPv6 sockets on this host".to_owned());
            return self.note(UnknownReason::NoProof, say!("nothing can be sent to it: {why}", why));
        }
        self.problem = None;
        let egress = &target.egress;
        let hosts = hosts(egress, &self.plan.source.site, routers);
        let lost = |known: &Target| known.egress.carries && !egress.carries;
        if let Some(prober) = self.prober.as_mut().filter(|_| self.target.as_deref().is_some_and(lost)) {
            info!(path = %self.plan.name, interface = %egress.interface, "our own interface has no carrier");
            prober.interface_lost(now);
        }
        let same_address = self.target.as_ref().is_some_and(|known| known.address == target.address);
        match &mut self.prober {
            Some(prober) if same_address => prober.set_hosts(hosts, now),
            _ => {
                info!(path = %self.plan.name, address = %target.address, interface = %egress.interface, "probing");
                let former = self.retire();
                let mut prober = PathProber::new(settings(&self.plan, family, asks), hosts, seed, now);
                prober.take_over(former);
                if self.reflector.is_some() {
                    prober.reflected(Reflection::Awaited, now);
                }
                self.prober = Some(prober);
            }
        }
        self.target = Some(Arc::new(target));
    }

    /// Called when a router was read: the MTU of hosts at our site may have changed.
    pub(crate) fn see_routers(&mut self, routers: &[Arc<RouterReading>], now: Moment) {
        if let (Some(prober), Some(target)) = (&mut self.prober, &self.target) {
            let egress = &target.egress;
            prober.set_hosts(hosts(egress, &self.plan.source.site, routers), now);
        }
    }

    fn note(&mut self, reason: UnknownReason, words: Said) {
        let problem = NoTarget { reason, words };
        if self.problem.as_ref() != Some(&problem) {
            warn!(path = %self.plan.name, problem = %problem.words, "target");
        }
        self.problem = Some(problem);
    }

    /// Everything that is known of the path.
    #[must_use]
    pub(crate) fn observation(&self) -> PathObservation {
        let prober = self.prober.as_ref();
        let (judgement, expected_mtu, sizes) = match (prober, &self.problem) {
            (Some(prober), _) => {
                let (judgement, expected, sizes) = prober.judgement_mtu_and_sizes();
                (judgement, Some(expected), sizes)
            }
            (None, Some(problem)) => {
                let evidence = vec![problem.words.clone()];
                (Judgement { evidence, ..self.findings() }, None, Box::default())
            }
            (None, None) => (self.findings(), None, Box::default()),
        };
        PathObservation {
            path: self.plan.name.clone(),
            interval: Some(self.plan.probe_interval),
            source: self.plan.source.clone(),
            target_site: self.plan.site.clone(),
            target: self.plan.address.clone(),
            address: self.target.as_ref().map(|target| target.address),
            target_mac: self.target.as_ref().and_then(|target| target.mac),
            tcp_port: self.plan.tcp_port,
            reflector: prober.and_then(PathProber::reflector_use),
            awaits_reflector: prober.is_some_and(PathProber::awaits_reflector),
            counters: Arc::clone(&self.counts.counters),
            expected_mtu,
            testable_mtu: self.target.as_ref().map(|target| target.egress.mtu),
            judgement,
            sizes,
        }
    }
}

fn hosts(egress: &Egress, site: &Site, routers: &[Arc<RouterReading>]) -> HostMtu {
    if egress.mtu < egress.interface_mtu {
        route_mtu(&egress.interface, egress.mtu, egress.interface_mtu)
    } else {
        host_mtu(&egress.interface, egress.mtu, site, routers)
    }
}

fn settings(plan: &PathPlan, family: Family, asks: Asks) -> Settings {
    Settings {
        probe_interval: plan.probe_interval,
        sentinel_interval: plan.sentinel_interval,
        expected_mtu: plan.expected_mtu,
        loss_threshold: plan.loss_threshold,
        family,
        icmp: asks.icmp,
        tcp: asks.tcp,
        tcp_port: port(plan).unwrap_or_default(),
        borrows_port: plan.tcp_port.is_none(),
    }
}

/// The port for SYNs: the path's own, else its reflector's.
fn port(plan: &PathPlan) -> Option<u16> {
    plan.tcp_port.or(plan.reflector.as_ref().map(|reflector| reflector.port))
}
