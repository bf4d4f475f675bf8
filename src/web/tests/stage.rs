//! States of every kind for a browser to look at, each with a day of history.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::{
    history::History,
    model::{
        observation::{EchoStats, Judgement, PathObservation},
        picture::{FixStep, Hop, PathPicture, Tunnel, TunnelEnd, TunnelLoss},
        snapshot::RouterReading,
        state::{CapabilityState, ConfigState, Present},
        types::{Capability, Direction, TunnelState, Verdict},
    },
    overlay::fixture::{hole, path, verdict},
    report::tests::{article, healthy, slip, unread},
    web::{Pages, fixture},
};

/// Names that nobody gives, but somebody may.
const HOSTILE: [&str; 6] = [
    "<img src=x onerror=alert(1)>",
    "\"quotes' & <b>ampersands</b>",
    "אתר בעברית עם שם ארוך",
    "🌐🔥 emoji ✂️ 👩‍👩‍👧‍👦",
    "a/b?c=d%2Fe#f",
    "名前がとても長い拠点",
];

/// All states, by name.
pub(super) fn all() -> Vec<(&'static str, Present)> {
    vec![
        ("healthy", measured(healthy())),
        ("hole", measured(article())),
        ("loss", measured(lossy())),
        ("mismatch", measured(slip())),
        ("router-down", measured(unread())),
        ("empty", Present::default()),
        ("tunnels-100", measured(star(100, 4))),
        ("paths-1000", measured(star(40, 1000))),
        ("mesh", measured(mesh(12))),
        ("hostile", measured(hostile())),
        ("odd", fixture::present()),
    ]
}

/// The pages of a state that has been as it is for the last twenty minutes of a day.
pub(super) fn pages(present: Present) -> Pages {
    let history = History::default();
    let now = SystemTime::now();
    let day: u32 = 24 * 60;
    let mut former = present.clone();
    former.overlay = Arc::default();
    let calm = |path: &Arc<PathObservation>, minute: u32| {
        let mut path = PathObservation::clone(path);
        if minute + 20 < day {
            path.judgement = verdict(Verdict::Ok);
        }
        // Half a percent is lost now and then, and round trips are longer at times.
        let lost = u64::from(minute) / 7;
        let mut echo = EchoStats { replies: u64::from(minute) * 60 - lost, lost, ..EchoStats::default() };
        let slow = u64::from(minute / 97 * 20 + (minute % 97).min(20));
        echo.rtt.counts[4] = u64::from(minute) * 60 - slow * 30;
        echo.rtt.counts[6] = slow * 30;
        path.counters = echo.into();
        Arc::new(path)
    };
    // With very many paths the day would take longer than the test.
    let step = if present.paths.len() > 100 { 60 } else { 1 };
    for minute in (0..day).step_by(step) {
        let paths = present.paths.iter().map(|path| calm(path, minute)).collect();
        let overlay = if minute + 20 < day { Arc::default() } else { Arc::clone(&present.overlay) };
        let then = Present { paths, overlay, ..present.clone() };
        history.observe(&then, now - Duration::from_mins(u64::from(day - minute)));
    }
    Pages { state: fixture::state_of(present), history, ..Pages::default() }
}

/// With counts of an hour, and a configuration that was read.
fn measured(mut present: Present) -> Present {
    for path in &mut present.paths {
        let path = Arc::make_mut(path);
        let mut echo = EchoStats { requests: 3600, replies: 3590, lost: 10, ..EchoStats::default() };
        for _ in 0..100 {
            echo.rtt.observe(Duration::from_micros(2300));
        }
        path.counters = echo.into();
    }
    present.config = ConfigState { loaded_at: Some(fixture::moment()), reload_error: None };
    let able = |capability| CapabilityState { capability, missing: None };
    present.capabilities = vec![able(Capability::NetRaw), able(Capability::TcpSyn)];
    present
}

fn lossy() -> Present {
    let mut present = healthy();
    let mut sick = PathObservation::clone(&present.paths[1]);
    let evidence = vec!["loss 7.9 % of the last 600 small echoes, more than 3 %".into()];
    sick.judgement = Judgement { evidence, ..verdict(Verdict::Lossy) };
    present.paths[1] = Arc::new(sick);
    let mut overlay = (*present.overlay).clone();
    if let Some(tunnel) = overlay.tunnels.get_mut(1) {
        let (from, to) = (tunnel.ends[0].clone(), tunnel.ends[1].clone());
        tunnel.loss = vec![
            TunnelLoss { from: from.clone(), to: to.clone(), ratio: 0.079, bound: 0.001 },
            TunnelLoss { from: to, to: from, ratio: 0.0, bound: 0.001 },
        ];
    }
    present.overlay = Arc::new(overlay);
    present
}

fn end(router: &str, interface: &str) -> TunnelEnd {
    TunnelEnd { router: router.into(), interface: interface.into() }
}

fn tunnel(ends: &[TunnelEnd; 2], is_well: bool) -> Tunnel {
    let loss = TunnelLoss { from: ends[0].clone(), to: ends[1].clone(), ratio: 0.001, bound: 0.001 };
    Tunnel {
        name: format!("{}~{}", ends[0], ends[1]),
        state: TunnelState::Paired,
        ends: ends.to_vec(),
        up: Some(is_well),
        mismatches: std::collections::BTreeMap::new(),
        evidence: vec!["both ends are up".into()],
        small_ends: Vec::new(),
        loss: vec![loss],
        flows: vec![],
        legs: vec![],
        fix: Vec::<FixStep>::new(),
        transitions_up: 0,
        transitions_down: 0,
    }
}

fn reading(router: &str, site: &str, like: &Present) -> Arc<RouterReading> {
    let mut reading = RouterReading::clone(&like.routers[0]);
    (reading.router, reading.site) = (router.into(), site.into());
    Arc::new(reading)
}

/// A hub and `spokes`; `paths` to the spokes in turn. One in seventeen is sick.
pub(super) fn star(spokes: usize, paths: usize) -> Present {
    let like = healthy();
    let mut present = Present::default();
    present.routers.push(reading("hub", "site-a", &like));
    let mut overlay = crate::model::picture::Overlay::default();
    let is_well = |spoke: usize| spoke % 17 != 3;
    for spoke in 1..=spokes {
        let router = format!("spoke-{spoke:03}");
        present.routers.push(reading(&router, &format!("site-{spoke:03}"), &like));
        let ends = [end("hub", &format!("vxlan{spoke}")), end(&router, "vxlan01")];
        overlay.tunnels.push(tunnel(&ends, is_well(spoke)));
    }
    for number in 0..paths {
        let spoke = number % spokes + 1;
        let name = format!("target-{number:04}");
        let judgement = if is_well(spoke) {
            verdict(Verdict::Ok)
        } else {
            hole(&[Direction::Forward, Direction::Reverse], 1450)
        };
        present.paths.push(path(&name, &format!("site-{spoke:03}"), judgement));
        let crossed = &overlay.tunnels[spoke - 1];
        let hops = crossed.ends.iter().map(|end| Hop { tunnel: crossed.name.clone(), end: end.clone() });
        let picture =
            PathPicture { path: name.as_str().into(), hops: hops.collect(), cause: vec![], fix: vec![] };
        overlay.paths.push(picture);
    }
    present.overlay = Arc::new(overlay);
    present
}

fn mesh(sites: usize) -> Present {
    let like = healthy();
    let mut present = Present::default();
    let mut overlay = crate::model::picture::Overlay::default();
    let name = |site: usize| if site == 0 { "site-a".to_owned() } else { format!("site-{site:02}") };
    for one in 0..sites {
        present.routers.push(reading(&format!("r{one:02}"), &name(one), &like));
        for other in one + 1..sites {
            let ends = [
                end(&format!("r{one:02}"), &format!("vxlan{other}")),
                end(&format!("r{other:02}"), &format!("vxlan{one}")),
            ];
            overlay.tunnels.push(tunnel(&ends, (one, other) != (3, 7)));
        }
    }
    let judgement = hole(&[Direction::Forward], 1450);
    present.paths = vec![path("near", &name(1), verdict(Verdict::Ok)), path("far", &name(7), judgement)];
    present.overlay = Arc::new(overlay);
    present
}

/// The article's failure with names that try to break out.
pub(super) fn hostile() -> Present {
    let mut present = article();
    let like = healthy();
    for (place, name) in HOSTILE.iter().enumerate() {
        let long = if place == 5 { name.repeat(10) } else { (*name).to_owned() };
        let mut judgement = hole(&[Direction::Forward], 1450);
        judgement.evidence = vec![format!("evidence of {long}").into()];
        let mut hostile = PathObservation::clone(&path(&long, &long, judgement));
        hostile.target = "x".repeat(253);
        present.paths.push(Arc::new(hostile));
        if place != 4 {
            present.routers.push(reading(&long.replace(' ', "_").replace('/', "|"), &long, &like));
        }
    }
    let long = "W".repeat(255);
    present.paths.push(path(&long, &long, verdict(Verdict::Ok)));
    present
}
