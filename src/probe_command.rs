//! `probe`: one path, without a configuration, as easy as ping. It uses the engine of `serve` and `check`
//! and decides nothing itself.

pub mod progress;
pub mod target;

use std::{
    ops::ControlFlow,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};

use crate::{
    config::{LOSS_THRESHOLD, PROBE_BUDGET_PPS},
    logging,
    look::Look,
    overlay::{observation::PathObservation, path::probe::Family},
    plan::PathPlan,
    probe::Engine,
    state::{Present, State},
    types::{Bytes, Capability, PathName, Site, Source, UnknownReason},
};
use progress::Progress;
use target::ProbeTarget;

const SENTINEL_EVERY: Duration = Duration::from_secs(1);

/// What to probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeRequest {
    /// The target.
    pub target: ProbeTarget,
    /// IPv4 or IPv6; whatever the name has where absent.
    pub family: Option<Family>,
    /// The MTU the path should have, bytes of IP packet.
    pub expected_mtu: Option<Bytes>,
    /// Small echoes after which it may end.
    pub count: u32,
}

/// Probes until enough is known, or Ctrl-C, and hands over what is known then. Tells on stderr what happens.
///
/// # Errors
/// A name without an address, a target without a route, a process that may open no ICMP socket.
pub async fn look(request: &ProbeRequest) -> anyhow::Result<Present> {
    let look = Look::new(1, request.count, PROBE_BUDGET_PPS);
    let path = plan(request, &look);
    logging::say(&format!("probing {}: {look}; Ctrl-C ends it early\n", request.target));
    let state = State::default();
    let engine = Engine::new(vec![path], PROBE_BUDGET_PPS, state.clone()).context("starting to probe")?;
    must_have_a_socket(&state.present())?;
    let engine = tokio::spawn(engine.run());
    let mut progress = Progress::on_stderr();
    let seen_enough = look.watch(&state, Instant::now(), |present, since| {
        let Some(path) = present.paths.first() else { return ControlFlow::Continue(()) };
        progress.show(path, since);
        let enough = path.echo.requests >= u64::from(request.count) || no_target(path).is_some();
        if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    tokio::select! {
        () = seen_enough => {}
        interrupted = tokio::signal::ctrl_c() => interrupted.context("listening for Ctrl-C")?,
    }
    engine.abort();
    drop(progress);
    let present = state.present();
    if let Some(problem) = present.paths.first().and_then(|path| no_target(path)) {
        bail!("{problem}");
    }
    Ok(present)
}

fn plan(request: &ProbeRequest, look: &Look) -> PathPlan {
    let mut path = PathPlan {
        name: PathName(request.target.to_string()),
        // Without routers nothing is looked up by site.
        source: Source::from("here"),
        site: Site::from("there"),
        address: request.target.host.clone(),
        family: request.family,
        tcp_port: request.target.port,
        reflector: None,
        probe_interval: look.every,
        sentinel_interval: SENTINEL_EVERY,
        expected_mtu: request.expected_mtu,
        loss_threshold: LOSS_THRESHOLD,
    };
    look.pace(&mut path);
    path
}

fn must_have_a_socket(present: &Present) -> anyhow::Result<()> {
    let missing = |wanted| {
        let mut known = present.capabilities.iter();
        known.find(|known| known.capability == wanted)?.missing.as_deref()
    };
    if let (Some(icmp), Some(raw)) = (missing(Capability::IcmpSocket), missing(Capability::NetRaw)) {
        bail!(
            "may open no socket to probe with ({icmp}; {raw}): run it as root, or once `{}`, or let everybody ping \
             with `sysctl -w net.ipv4.ping_group_range='0 2147483647'`",
            crate::report::one_path::setcap()
        );
    }
    Ok(())
}

/// Why there is nothing to probe: no address for the name, or no route.
fn no_target(path: &PathObservation) -> Option<&str> {
    let no_way = |reason: &UnknownReason| match reason {
        UnknownReason::Dns => true,
        UnknownReason::LocalDown => path.echo.requests == 0,
        _ => false,
    };
    let reason = path.judgement.unknown_reason.filter(no_way);
    reason.and(path.judgement.evidence.first()).map(String::as_str)
}
