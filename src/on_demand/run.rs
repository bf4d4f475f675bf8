//! One probe, from the name to the result.

use std::{
    net::{IpAddr, SocketAddr},
    ops::ControlFlow,
    time::{Duration, Instant},
};

use tokio::{net::TcpStream, task::JoinSet, time::timeout};
use tracing::{
    instrument::WithSubscriber as _,
    subscriber::{NoSubscriber, with_default},
};

use super::{NotProbed, ProbeResult, allowed};
use crate::{
    config::PROBE_BUDGET_PPS,
    look::{LookPlan, one_path, target::ProbeTarget},
    model::{
        observation::PathObservation,
        on_demand::{ModulePlan, OnDemandPlan, Prober},
        state::{Present, State},
        types::{Capability, Verdict},
    },
    probe::{EchoMethod, Engine, target::resolve},
};

/// Small echoes of `path_mtu` after which it may end.
const ECHOES: u32 = 20;
/// How often it is seen whether an echo was answered.
const TURN: Duration = Duration::from_millis(10);

/// What was done, and when.
struct Log {
    began: Instant,
    lines: Vec<(Duration, String)>,
}

impl Log {
    fn say(&mut self, words: String) {
        self.lines.push((self.began.elapsed(), words));
    }
}

/// Looks the name up, checks that the target is allowed, and probes it until its deadline.
pub(super) async fn run(
    plan: &OnDemandPlan,
    target: ProbeTarget,
    module: ModulePlan,
    within: Duration,
) -> Result<ProbeResult, NotProbed> {
    let began = Instant::now();
    let mut log = Log { began, lines: Vec::new() };
    let found = timeout(within, resolve(&target.host, module.family, None)).await;
    let lookup = began.elapsed();
    let address = match found {
        Ok(Ok(address)) => Some(address),
        Ok(Err(why)) => {
            log.say(why.localized());
            None
        }
        Err(_) => {
            log.say(format!("no answer from the resolver within {within:?}"));
            None
        }
    };
    let (mut is_success, mut present) = (false, None);
    if let Some(address) = address {
        if let Some(why) = allowed::refusal(plan, &target.host, address) {
            return Err(NotProbed::NotAllowed(why));
        }
        log.say(format!("probing {target} at {address} with {}, at most {within:?}", module.prober.as_str()));
        let left = within.saturating_sub(began.elapsed());
        (is_success, present) = match module.prober {
            Prober::Tcp => (connects(address, target.port.unwrap_or_default(), left, &mut log).await, None),
            Prober::Icmp | Prober::PathMtu => packets(&target, address, &module, left, &mut log).await,
        };
    }
    Ok(ProbeResult {
        module,
        is_success,
        duration: began.elapsed(),
        lookup,
        address,
        present,
        log: log.lines,
    })
}

/// One TCP connection, closed at once.
async fn connects(address: IpAddr, port: u16, within: Duration, log: &mut Log) -> bool {
    let outcome = timeout(within, TcpStream::connect(SocketAddr::new(address, port))).await;
    let (is_success, words) = match outcome {
        Ok(Ok(_)) => (true, "connected".to_owned()),
        Ok(Err(error)) => (false, format!("cannot connect: {error}")),
        Err(_) => (false, "no answer to the SYN".to_owned()),
    };
    log.say(words);
    is_success
}

/// Echoes, and for `path_mtu` everything else that the engine sends.
async fn packets(
    target: &ProbeTarget,
    address: IpAddr,
    module: &ModulePlan,
    within: Duration,
    log: &mut Log,
) -> (bool, Option<Present>) {
    let began = Instant::now();
    let look = LookPlan { at_most: within, ..LookPlan::new(1, ECHOES, PROBE_BUDGET_PPS) };
    let path = one_path::plan(target, address.to_string(), None, module.expected_mtu, &look);
    let state = State::default();
    // Its log would repeat at every scrape what the answer says.
    let engine = with_default(NoSubscriber::new(), || {
        Engine::new(vec![path], PROBE_BUDGET_PPS, state.clone(), EchoMethod::Batched)
    });
    let engine = match engine {
        Ok(engine) => engine,
        Err(error) => {
            log.say(format!("cannot start to probe: {error:#}"));
            return (false, None);
        }
    };
    // It ends when this is dropped, also if nobody waits for the result any more.
    let mut running = JoinSet::new();
    running.spawn(engine.run().with_subscriber(NoSubscriber::new()));
    let watching = async {
        if module.prober == Prober::Icmp {
            until_answered(&state, began).await;
        } else {
            until_decided(&state, &look, began, log).await;
        }
    };
    // The deadline itself is no error: what is known by then is the result.
    let _ = timeout(within, watching).await;
    state.ask_for_words();
    let present = state.present();
    let Some(path) = present.paths.first() else { return (false, None) };
    if let Some(why) = path.stays_at_home(began.elapsed()) {
        log.say(why.localized());
    }
    let echo = path.echo();
    log.say(format!("{} small echoes sent, {} answered, {} lost", echo.requests, echo.replies, echo.lost));
    let is_success = match module.prober {
        Prober::Icmp => echo.replies > 0,
        _ => matches!(path.judgement.verdict, Verdict::Ok | Verdict::Reduced),
    };
    (is_success, Some(present))
}

/// Waits until an echo was answered, or none can be sent.
async fn until_answered(state: &State, began: Instant) {
    loop {
        let ends =
            |path: &PathObservation| path.echo().replies > 0 || path.stays_at_home(began.elapsed()).is_some();
        if !may_ping(&state.present()) || state.present().paths.first().is_some_and(|path| ends(path)) {
            return;
        }
        tokio::time::sleep(TURN).await;
    }
}

/// Waits until the verdict is certain.
async fn until_decided(state: &State, look: &LookPlan, began: Instant, log: &mut Log) {
    let mut told = None;
    look.watch(state, began, |present, since| {
        let Some(path) = present.paths.first() else { return ControlFlow::Continue(()) };
        let verdict = path.judgement.verdict;
        if told.replace(verdict) != Some(verdict) {
            log.say(format!("verdict: {verdict}"));
        }
        let asked = if may_ping(present) {
            path.counters.requests() >= u64::from(ECHOES)
        } else {
            since >= look.about
        };
        if asked || path.stays_at_home(since).is_some() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })
    .await;
}

/// Whether a socket for echoes could be opened.
fn may_ping(present: &Present) -> bool {
    [Capability::IcmpSocket, Capability::NetRaw].iter().any(|wanted| present.missing(*wanted).is_none())
}
