//! `probe`: one path without a configuration, as easy as ping. It uses the engine of `serve` and
//! `check` and decides nothing itself.

pub(crate) mod progress;

use std::{
    ops::ControlFlow,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};

use crate::{
    config::PROBE_BUDGET_PPS,
    language::say,
    logging,
    look::{LookPlan, one_path, target::ProbeTarget},
    model::{
        family::Family,
        state::{Present, State},
        types::{Bytes, Capability},
    },
    probe::{EchoMethod, Engine},
};
use progress::Progress;

/// Longer than a working resolver takes.
const PATIENCE: Duration = Duration::from_secs(1);

/// What to probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeRequest {
    /// The target.
    pub target: ProbeTarget,
    /// IP version; either if absent.
    pub family: Option<Family>,
    /// The MTU the path should have, bytes of IP packet.
    pub expected_mtu: Option<Bytes>,
    /// Small echoes after which it may end.
    pub count: u32,
}

/// Probes until enough is known, or Ctrl-C, and returns what is known then. Reports progress on
/// stderr.
///
/// # Errors
/// A name without an address, a target without a route, or a process that may not open any ICMP
/// socket.
pub async fn look(request: &ProbeRequest) -> anyhow::Result<Present> {
    let look = LookPlan::new(1, request.count, PROBE_BUDGET_PPS);
    let host = request.target.host.clone();
    let path = one_path::plan(&request.target, host, request.family, request.expected_mtu, &look);
    let opening =
        say!("probing {target}: {look}; Ctrl-C ends it early", target = request.target, look => look.said());
    let state = State::default();
    let engine = Engine::new(vec![path], PROBE_BUDGET_PPS, state.clone(), EchoMethod::SurgePing)
        .context("starting to probe")?;
    let pings = may_ping(&state.present(), request)?;
    let engine = tokio::spawn(engine.run());
    let began = Instant::now();
    let mut announced = false;
    let mut progress = Progress::on_stderr();
    let seen_enough = look.watch(&state, began, |present, since| {
        let Some(path) = present.paths.first() else { return ControlFlow::Continue(()) };
        // A target that cannot be probed is not announced; a slow resolver is.
        if !announced && (path.expected_mtu.is_some() || since >= PATIENCE) {
            announced = true;
            logging::say(&format!("{}\n", opening.localized()));
        }
        if announced {
            progress.show(path, since);
        }
        let asked =
            if pings { path.counters.requests() >= u64::from(request.count) } else { since >= look.about };
        let enough = asked || path.stays_at_home(since).is_some();
        if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    tokio::select! {
        () = seen_enough => {}
        interrupted = tokio::signal::ctrl_c() => interrupted.context("listening for Ctrl-C")?,
    }
    engine.abort();
    drop(progress);
    let present = state.present();
    if let Some(problem) = present.paths.first().and_then(|path| path.stays_at_home(began.elapsed())) {
        bail!("{}", problem.localized());
    }
    Ok(present)
}

/// Whether a socket for echoes could be opened. Fails if nothing else can be probed either: TCP
/// connections need no privilege, but they need a port.
fn may_ping(present: &Present, request: &ProbeRequest) -> anyhow::Result<bool> {
    let missing = [Capability::IcmpSocket, Capability::NetRaw].map(|wanted| present.missing(wanted));
    let [Some(icmp), Some(raw)] = missing else { return Ok(true) };
    if request.target.port.is_none() {
        bail!(
            "cannot open a socket for ping ({icmp}; {raw}): run it as root, or run once `{}`, or let \
             everybody ping with `sysctl -w net.ipv4.ping_group_range='0 2147483647'`; HOST:PORT at least \
             tests TCP",
            crate::report::one_path::setcap()
        );
    }
    Ok(false)
}
