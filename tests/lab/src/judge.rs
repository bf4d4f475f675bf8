//! Compares what the exporter reports with what a fault file expects. It waits until everything is
//! true at once, then it must stay true; and what is forbidden must not be reported at any time.

use std::{
    fmt::Write as _,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

use super::{
    Family, Lab,
    exporter::{Exporter, SCRAPE_INTERVAL, path_name},
    fault::{Expect, ExpectPath, ExpectTunnel, Target},
    metrics::Metrics,
    numbers::{End, Numbers, Place, Tunnel},
};

/// How often /metrics is read.
const LOOK: Duration = Duration::from_millis(250);

/// How long the state must hold: three intervals of the slowest data involved. Routers are read
/// every 2 s, paths are probed every second.
const HOLD: Duration = Duration::from_secs(3 * SCRAPE_INTERVAL.as_secs());

/// Waits for the expected state, requires it to hold, and returns how long it took to appear.
pub fn watch(lab: &Lab, exporter: &mut Exporter, expect: &Expect) -> Result<Duration> {
    watch_all(lab, exporter, &[(Family::V4, expect.clone())])
}

/// Like [`watch`], for paths over several families at once.
pub fn watch_all(lab: &Lab, exporter: &mut Exporter, expected: &[(Family, Expect)]) -> Result<Duration> {
    let begin = Instant::now();
    let bound = expected.iter().map(|(_, expect)| expect.within_seconds).max().unwrap_or_default();
    let hold = expected.iter().filter_map(|(_, expect)| expect.hold_seconds).max();
    let (bound, hold) = (Duration::from_secs(bound), hold.map_or(HOLD, Duration::from_secs));
    let mut good_since = None;
    let mut routers_read = false;
    loop {
        exporter.must_run()?;
        let metrics = exporter.metrics()?;
        routers_read = routers_read || all_routers_read(&metrics);
        let mut forbidden = forbidden(&lab.numbers, expected, &metrics, routers_read);
        let (unsaid, wrongly_said) = words(&lab.numbers, expected, exporter);
        forbidden.extend(wrongly_said);
        if !forbidden.is_empty() {
            bail!(
                "{}",
                story("seen although it must never be", &forbidden, lab, expected, &metrics, exporter)
            );
        }
        let mut unmet = unmet(&lab.numbers, expected, &metrics);
        unmet.extend(unsaid);
        let now = Instant::now();
        match (unmet.is_empty(), good_since) {
            (true, None) => good_since = Some(now),
            (true, Some(since)) if now - since >= hold => return Ok(since - begin),
            (false, Some(_)) => {
                bail!("{}", story("it did not last", &unmet, lab, expected, &metrics, exporter))
            }
            (false, None) if now - begin > bound => {
                let what = format!("not seen within {} s", bound.as_secs());
                bail!("{}", story(&what, &unmet, lab, expected, &metrics, exporter));
            }
            (true, Some(_)) | (false, None) => {}
        }
        thread::sleep(LOOK);
    }
}

/// Words that are missing from what is said about paths and tunnels, and words that must not be in
/// it.
fn words(
    numbers: &Numbers,
    expected: &[(Family, Expect)],
    exporter: &Exporter,
) -> (Vec<String>, Vec<String>) {
    let of_paths = paths(numbers, expected)
        .map(|(path, wanted)| (format!("/api/v1/paths/{path}"), &wanted.says, &wanted.never_says));
    let of_tunnels = tunnels(expected).map(|(tunnel, wanted)| {
        let page = format!("/api/v1/tunnels/{}", numbers.tunnel_name(tunnel));
        (page, &wanted.says, &wanted.never_says)
    });
    let (mut unsaid, mut wrongly_said) = (Vec::new(), Vec::new());
    for (page, says, never_says) in of_paths.chain(of_tunnels) {
        if says.is_empty() && never_says.is_empty() {
            continue;
        }
        // A tunnel is not there before its routers are read.
        let said = exporter.get(&page).unwrap_or_default().replace("\\\"", "\"");
        unsaid.extend(
            says.iter()
                .filter(|words| !said.contains(*words))
                .map(|words| format!("{page} does not say {words:?}: {said}")),
        );
        wrongly_said.extend(
            never_says
                .iter()
                .filter(|words| said.contains(*words))
                .map(|words| format!("{page} says {words:?}: {said}")),
        );
    }
    (unsaid, wrongly_said)
}

/// The present verdict of a path.
pub fn verdict(metrics: &Metrics, path: &str) -> String {
    metrics.set("vxlan_path_verdict", &[("path", path)], "verdict").join("+")
}

/// Whether every router has been read since all its vxlan interfaces were set to this MTU. A probe
/// is quicker than the next reading of a router, and routers are read one by one: until then old
/// and new data are mixed.
pub fn routers_say(metrics: &Metrics, mtu: u32) -> bool {
    metrics
        .all("vxlan_interface_mtu_bytes", &[])
        .all(|interface| interface.value.to_bits() == f64::from(mtu).to_bits())
}

/// Waits until [`routers_say`] this MTU, at most 30 s.
pub fn wait_for_routers(exporter: &Exporter, mtu: u32) -> Result<()> {
    let begin = Instant::now();
    while !routers_say(&exporter.metrics()?, mtu) {
        if begin.elapsed() > Duration::from_secs(30) {
            bail!("30 s on, the routers' interfaces are not all read with MTU {mtu}:\n{}", exporter.log());
        }
        thread::sleep(LOOK);
    }
    Ok(())
}

/// What is expected but not reported.
fn unmet(numbers: &Numbers, expected: &[(Family, Expect)], metrics: &Metrics) -> Vec<String> {
    let paths =
        paths(numbers, expected).flat_map(|(path, wanted)| unmet_path(numbers, &path, wanted, metrics));
    let tunnels = tunnels(expected).map(|(tunnel, wanted)| unmet_tunnel(numbers, tunnel, wanted, metrics));
    let interfaces =
        expected.iter().take(1).flat_map(|(_, expect)| unmet_underlays(numbers, expect, metrics));
    paths.chain(tunnels.flatten()).chain(interfaces).collect()
}

fn unmet_underlays(numbers: &Numbers, expect: &Expect, metrics: &Metrics) -> Vec<String> {
    let said = |end: End| {
        let labels = [("router", numbers.site(end.place()).router), ("interface", numbers.interface(end))];
        metrics.value("vxlan_interface_underlay_mtu_bytes", &labels)
    };
    let differs = |(end, wanted): (&End, &u32)| {
        let (wanted, said) = (Some(f64::from(*wanted)), said(*end));
        (wanted != said).then(|| format!("{end:?}: underlay MTU: expected {wanted:?}, said {said:?}"))
    };
    expect.underlay_mtu_at.iter().filter_map(differs).collect()
}

/// All paths with their names.
fn paths<'e>(
    numbers: &Numbers,
    expected: &'e [(Family, Expect)],
) -> impl Iterator<Item = (String, &'e ExpectPath)> {
    let name = |target: Target, family| path_name(numbers.site(target.place()).host, family);
    let of = move |(family, expect): &'e (Family, Expect)| {
        expect.paths.iter().map(move |(target, wanted)| (name(*target, *family), wanted))
    };
    expected.iter().flat_map(of)
}

/// The tunnels; they are the same for all families.
fn tunnels(expected: &[(Family, Expect)]) -> impl Iterator<Item = (Tunnel, &ExpectTunnel)> {
    expected.iter().take(1).flat_map(|(_, expect)| &expect.tunnels).map(|(tunnel, wanted)| (*tunnel, wanted))
}

fn unmet_path(numbers: &Numbers, path: &str, wanted: &ExpectPath, metrics: &Metrics) -> Vec<String> {
    let mut unmet = Vec::new();
    let mut differs = |what: &str, wanted: String, said: String| {
        if wanted != said {
            unmet.push(format!("path {path}: {what}: expected {wanted}, said {said}"));
        }
    };
    differs("verdict", wanted.verdict.clone(), verdict(metrics, path));
    if let Some(reason) = &wanted.unknown_reason {
        let said = metrics.set("vxlan_path_unknown_reason", &[("path", path)], "reason");
        differs("unknown reason", reason.clone(), said.join("+"));
    }
    if let Some(reasons) = &wanted.reasons {
        let said = metrics.set("vxlan_path_blackhole_reason", &[("path", path)], "reason");
        differs("blackhole by", format!("{reasons:?}"), format!("{said:?}"));
    }
    let mut holes = wanted.holes.clone();
    holes.sort();
    let mut said = metrics.set("vxlan_path_blackhole", &[("path", path)], "direction");
    said.retain(|direction| !wanted.holes_too.contains(direction));
    differs("directions with a hole", format!("{holes:?}"), format!("{said:?}"));
    for (interface, mtu) in &wanted.fix_mtu {
        let router = numbers.site(interface.place()).router;
        let command = format!("set interfaces vxlan {} mtu {mtu}", numbers.interface(*interface));
        let said = metrics.set("vxlan_path_fix_info", &[("path", path), ("router", router)], "command");
        if !said.contains(&command) {
            differs(&format!("fix on {router}"), command, format!("{said:?}"));
        }
    }
    let number = |name: &str, labels: &[(&str, &str)]| {
        let mut labels = labels.to_vec();
        labels.push(("path", path));
        metrics.value(name, &labels)
    };
    let exact = |mtu: Option<u32>| mtu.map(|mtu| (mtu, mtu));
    let forward = number("vxlan_path_mtu_bytes", &[("direction", "forward")]);
    if wanted.forward_mtu.is_none() && forward.is_some() {
        differs("forward path MTU", "no series".to_owned(), format!("{forward:?}"));
    }
    for (what, range, said) in [
        ("forward path MTU", wanted.forward_mtu, forward),
        ("reverse path MTU", wanted.reverse_mtu, number("vxlan_path_mtu_bytes", &[("direction", "reverse")])),
        ("expected MTU", exact(wanted.expected_mtu), number("vxlan_path_expected_mtu_bytes", &[])),
        ("testable MTU", exact(wanted.testable_mtu), number("vxlan_path_testable_mtu_bytes", &[])),
    ] {
        let Some((low, high)) = range else { continue };
        if !said.is_some_and(|said| (f64::from(low)..=f64::from(high)).contains(&said)) {
            differs(what, format!("{low} to {high}"), format!("{said:?}"));
        }
    }
    unmet
}

fn unmet_tunnel(numbers: &Numbers, tunnel: Tunnel, wanted: &ExpectTunnel, metrics: &Metrics) -> Vec<String> {
    let name = numbers.tunnel_name(tunnel);
    let labels = [("tunnel", name.as_str())];
    let mut unmet = Vec::new();
    let mut differs = |what: &str, wanted: String, said: String| {
        if wanted != said {
            unmet.push(format!("tunnel {name}: {what}: expected {wanted}, said {said}"));
        }
    };
    let states: Vec<_> =
        metrics.all("vxlan_tunnel_info", &labels).filter_map(|info| info.labels.get("state")).collect();
    differs("state", format!("{:?}", ["paired"]), format!("{states:?}"));
    let up = metrics.value("vxlan_tunnel_up", &labels);
    differs("up", format!("{:?}", Some(f64::from(u8::from(wanted.up)))), format!("{up:?}"));
    let mut fields = wanted.mismatch.clone();
    fields.sort();
    let said = metrics.set("vxlan_tunnel_mismatch", &labels, "field");
    differs("fields that differ", format!("{fields:?}"), format!("{said:?}"));
    let exact = wanted.underlay_mtu.map(|mtu| (f64::from(mtu), f64::from(mtu)));
    for (family, range) in [
        ("vxlan_tunnel_underlay_mtu_bytes", exact),
        ("vxlan_tunnel_underlay_loss_ratio", wanted.underlay_loss),
    ] {
        let Some((low, high)) = range else { continue };
        let said: Vec<_> = metrics.all(family, &labels).map(|leg| leg.value).collect();
        if said.len() != 2 || !said.iter().all(|said| (low..=high).contains(said)) {
            differs(family, format!("{low} to {high} from both ends"), format!("{said:?}"));
        }
    }
    unmet
}

/// Whether every router has been read. On a busy machine the first scrape may miss its deadline,
/// which is at most its interval.
fn all_routers_read(metrics: &Metrics) -> bool {
    let up: Vec<f64> = metrics.all("vxlan_router_up", &[]).map(|router| router.value).collect();
    up.len() == Place::ALL.len() && up.iter().all(|up| *up > 0.5)
}

/// What is reported but forbidden. Before `routers_read` a path may be `ok`: what is expected of it
/// is then only what our own interface takes.
fn forbidden(
    numbers: &Numbers,
    expected: &[(Family, Expect)],
    metrics: &Metrics,
    routers_read: bool,
) -> Vec<String> {
    let mut seen = Vec::new();
    for (path, wanted) in paths(numbers, expected) {
        let path = path.as_str();
        let said = verdict(metrics, path);
        if wanted.never.contains(&said) && (routers_read || said != "ok") {
            seen.push(format!("path {path}: verdict {said}"));
        }
        let holes = metrics.set("vxlan_path_blackhole", &[("path", path)], "direction");
        if wanted.never.iter().any(|never| never == "blackhole") && !holes.is_empty() {
            seen.push(format!("path {path}: vxlan_path_blackhole is 1 for {holes:?}"));
        }
    }
    seen
}

/// What a person needs to find the reason: the differences, the samples concerned, the exporter's
/// log.
fn story(
    what: &str,
    differences: &[String],
    lab: &Lab,
    expected: &[(Family, Expect)],
    metrics: &Metrics,
    exporter: &Exporter,
) -> String {
    let mut text = format!("{what}:\n");
    for difference in differences {
        let _ = writeln!(text, "  - {difference}");
    }
    for (path, _) in paths(&lab.numbers, expected) {
        let _ = write!(text, "  /metrics on path {path}:\n{}\n", metrics.about("path", &path));
    }
    for (tunnel, _) in tunnels(expected) {
        let name = lab.numbers.tunnel_name(tunnel);
        let _ = write!(text, "  /metrics on tunnel {name}:\n{}\n", metrics.about("tunnel", &name));
    }
    let _ = write!(text, "  the exporter's log:\n{}", exporter.log());
    text
}
