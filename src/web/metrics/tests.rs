//! The whole text of a scrape, checked word by word and by `promtool`.

use std::{
    collections::BTreeSet,
    io::Write as _,
    process::{Command, Stdio},
};

use super::{ContentCoding, ScrapeForm, SelfInfo, packed, path, render, render_as, samples};
use crate::{
    catalogue,
    model::{
        observation::{EchoStats, ExpectedMtu, PathObservation},
        snapshot::{Counters, Route, index::Index, route_query::RouteQuery},
        state::Present,
        types::Method,
    },
    web::fixture::{moment, present},
};

fn self_info() -> SelfInfo {
    SelfInfo { version: "0.0.0", ..SelfInfo::default() }
}

fn promtool_accepts(text: &str) {
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool must be installed (Debian package `prometheus`)");
    promtool.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("written");
    let output = promtool.wait_with_output().expect("promtool ends");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.trim().is_empty(), "promtool check metrics: {said}");
}

#[test]
fn promtool_has_nothing_to_say() {
    promtool_accepts(&render(&present(), &self_info()).expect("text"));
    promtool_accepts(&render(&Present::default(), &self_info()).expect("text"));
}

/// `/metrics` for a router that is read by `method`, with or without its vxlan settings.
fn read_by(method: Method, tells_settings: bool) -> String {
    let mut present = present();
    present.routers.truncate(1);
    let reading = std::sync::Arc::make_mut(&mut present.routers[0]);
    let snapshot = std::sync::Arc::make_mut(reading.current.as_mut().unwrap());
    snapshot.method = method;
    snapshot.fdb.clear();
    snapshot.routes.clear();
    let link = snapshot.links.iter_mut().find(|link| link.vxlan.is_some()).unwrap();
    link.ifindex = None;
    link.counters = Counters::default();
    link.vxlan = link.vxlan.take().filter(|_| tells_settings);
    let text = render(&present, &self_info()).unwrap();
    text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_a_method_cannot_know_is_absent() {
    for (method, tells_settings, settings) in [
        (Method::Text, false, r#"vni="",remote="",local="",port="",bridge="br01",df="""#),
        (Method::Api, true, r#"vni="2",remote="10.10.10.254",local="",port="8472",bridge="br01",df="unset""#),
    ] {
        let text = read_by(method, tells_settings);
        assert!(text.contains(&format!(r#"method="{method}""#)), "{text}");
        assert!(
            text.contains("vxlan_interface_mtu_bytes{") && text.contains("vxlan_interface_up{"),
            "{text}"
        );
        let info = text.lines().find(|line| line.starts_with("vxlan_interface_info")).unwrap();
        for part in settings.split(',') {
            assert!(info.contains(part), "{info}");
        }
        for absent in [
            "vxlan_fdb_entries{",
            "recreations_total{",
            "vxlan_interface_underlay_mtu",
            "interface_receive",
            "interface_transmit",
        ] {
            assert!(!text.contains(absent), "{method}: {absent}");
        }
    }
}

/// A device that EVPN configures has no remote of its own: its flood list counts, and of several
/// routes the smallest MTU.
#[test]
fn the_underlay_of_a_flood_list() {
    let mut present = present();
    present.routers.truncate(1);
    let reading = std::sync::Arc::make_mut(&mut present.routers[0]);
    let snapshot = std::sync::Arc::make_mut(reading.current.as_mut().unwrap());
    let place = snapshot.links.iter().position(|link| link.vxlan.is_some()).unwrap();
    snapshot.links[place].vxlan.as_mut().unwrap().remote = None;
    let mut further = snapshot.fdb[0].clone();
    further.dst = Some("10.10.77.254".parse().unwrap());
    snapshot.fdb.push(further);
    snapshot.index = Index::default();
    let link = snapshot.links[place].clone();
    let query =
        RouteQuery::new(snapshot, &link, link.vxlan.as_ref().unwrap(), "10.10.77.254".parse().unwrap());
    let narrow = Route { dev: "eth0".into(), gateway: None, mtu: Some(1380), source: None, expires: None };
    snapshot.routes.insert(query.unwrap(), narrow);
    let text = render(&present, &self_info()).unwrap();
    let said = text.lines().find(|line| line.starts_with("vxlan_interface_underlay_mtu_bytes{")).unwrap();
    assert!(said.ends_with(" 1380"), "{said}");
}

#[test]
fn what_is_compressed_is_the_same_text() {
    use std::io::Read as _;
    let present = present();
    let paths = |text: &str| {
        text.lines().filter(|line| line.starts_with("vxlan_")).map(str::to_owned).collect::<Vec<_>>()
    };
    let plain = render(&present, &self_info()).expect("text");
    let pack = |coding| packed((ScrapeForm::Text, coding), &present, &self_info()).expect("packed");
    let (gzip, zstd) = (pack(ContentCoding::Gzip), pack(ContentCoding::Zstd));
    let mut text = String::new();
    flate2::read::GzDecoder::new(&gzip[..]).read_to_string(&mut text).expect("text");
    assert_eq!(paths(&text), paths(&plain));
    text.clear();
    let mut decoder = ruzstd::decoding::StreamingDecoder::new(&zstd[..]).expect("zstd");
    decoder.read_to_string(&mut text).expect("text");
    assert_eq!(paths(&text), paths(&plain));
    for packed in [gzip, zstd] {
        assert!(packed.len() * 3 < text.len(), "{} of {}", packed.len(), text.len());
    }
}

/// All but what the process families say, whose values change.
fn every_sample(form: ScrapeForm) -> Vec<u8> {
    let mut bytes = Vec::new();
    let info = SelfInfo { started: moment(), ..self_info() };
    let mut out = form.writer(&mut bytes);
    samples(&present(), &info).write(&mut *out);
    path::write(&present(), &mut *out);
    out.end().expect("written");
    drop(out);
    bytes
}

#[test]
fn every_word() {
    for (form, name) in [(ScrapeForm::Text, "metrics"), (ScrapeForm::OpenMetrics, "openmetrics")] {
        insta::assert_snapshot!(name, String::from_utf8(every_sample(form)).expect("text"));
    }
}

/// Prometheus' own client for Python, which is stricter than Prometheus itself.
#[test]
fn a_foreign_parser_reads_open_metrics() {
    const ROOT: &str = env!("CARGO_MANIFEST_DIR");
    let mut python = Command::new(format!("{ROOT}/target/tools/python/bin/python3"));
    let mut python = python
        .arg(format!("{ROOT}/tests/openmetrics.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("scripts/chart-tools.sh installs it");
    let said = render_as(ScrapeForm::OpenMetrics, &present(), &self_info()).expect("text");
    python.stdin.take().expect("a pipe").write_all(&said).expect("written");
    let output = python.wait_with_output().expect("python ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(said).expect("text");
    let samples = said.lines().filter(|line| !line.starts_with('#')).count();
    let kinds = String::from_utf8(output.stdout).expect("text");
    let read = kinds.split(|char: char| !char.is_ascii_digit()).filter_map(|word| word.parse::<usize>().ok());
    assert_eq!(read.sum::<usize>(), samples, "{kinds}");
    for kind in ["counter", "gauge", "histogram", "info"] {
        assert!(kinds.contains(kind), "{kinds}");
    }
}

#[test]
fn help_type_and_labels_are_the_catalogues() {
    let text = render(&present(), &self_info()).expect("text");
    let mut named = BTreeSet::new();
    let mut comments = text.lines().filter_map(|line| line.strip_prefix("# "));
    while let Some(help) = comments.next() {
        let mut words = help.splitn(3, ' ').skip(1);
        let (name, help) = (words.next().expect("a name"), words.next().expect("a help"));
        let family = catalogue::find(name).unwrap_or_else(|| panic!("{name} is not in the catalogue"));
        assert_eq!(help, family.help());
        assert_eq!(comments.next(), Some(format!("TYPE {name} {}", family.kind().as_str()).as_str()));
        named.insert(name);
    }
    let missing: Vec<_> =
        catalogue::ALL.iter().map(|family| family.name()).filter(|name| !named.contains(name)).collect();
    assert!(missing.is_empty(), "in the catalogue, but never exported: {missing:?}");
}

#[test]
fn shards_together_say_each_thing_once() {
    let everything = render(&present(), &self_info()).expect("text");
    let series = |text: &str| {
        let lines =
            text.lines().filter(|line| line.starts_with("vxlan_") && !line.starts_with("vxlan_exporter"));
        lines.filter(|line| !line.starts_with("vxlan_path")).map(str::to_owned).collect::<Vec<_>>()
    };
    let mut together = Vec::new();
    for index in 0..3 {
        let shard = format!("{index}/3").parse().expect("a shard");
        let text = render(&Present { shard, ..present() }, &self_info()).expect("text");
        together.extend(series(&text));
    }
    together.sort();
    let mut alone = series(&everything);
    alone.sort();
    assert_eq!(together, alone);
}

#[test]
fn all_values_of_a_set_are_there_from_the_first_scrape() {
    use crate::model::{snapshot::RouterReading, types::Verdict};
    use std::sync::Arc;

    let mut fresh = present();
    fresh.routers = vec![Arc::new(RouterReading::new("dc".into(), "dc".into(), vec![]))];
    fresh.paths.truncate(1);
    let text = render(&fresh, &self_info()).expect("text");
    let count = |start: &str| text.lines().filter(|line| line.starts_with(start)).count();
    assert_eq!(count("vxlan_router_scrape_failures_total{"), 14);
    assert_eq!(count("vxlan_exporter_size_probes_total{"), 2 * 4 * 5);
    assert_eq!(count("vxlan_path_verdict{"), Verdict::ALL.len());
    assert_eq!(count("vxlan_path_blackhole{"), 3);
    assert_eq!(count("vxlan_exporter_capability{"), 5);
    assert_eq!(count("vxlan_exporter_sandbox{"), 4);
    // Without a reading there is nothing from the router, and no statement on whether the ends
    // agree.
    for family in [
        "vxlan_router_up",
        "vxlan_router_info",
        "vxlan_interface_",
        "vxlan_bridge_",
        "vxlan_tunnel_mismatch{",
    ] {
        assert_eq!(count(family), 0, "{family}");
    }
}

/// As docs/metrics.md says, family by family.
#[test]
fn a_healthy_path_has_forty_series() {
    let mut present = present();
    present.paths.truncate(2);
    let mut healthy = PathObservation::clone(&present.paths.remove(1));
    healthy.judgement.mtu_forward = Some(1500);
    healthy.judgement.mtu_reverse = Some(1500);
    healthy.expected_mtu = Some(ExpectedMtu { bytes: 1500, rule: "configured".into() });
    healthy.testable_mtu = Some(1500);
    healthy.counters = EchoStats::default().into();
    healthy.counters.sent_at(moment());
    present.paths = vec![healthy.into()];
    let text = render(&present, &self_info()).expect("text");
    let of = |name: &str| {
        let name_of = |line: &str| line.split(['{', ' ']).next().unwrap_or_default().to_owned();
        let is_of = |line: &&str| {
            ["", "_bucket", "_sum", "_count"].map(|end| name.to_owned() + end).contains(&name_of(line))
        };
        text.lines().filter(is_of).count()
    };
    for (family, series) in catalogue::manual::OF_A_HEALTHY_PATH {
        assert_eq!(of(family.name()), *series, "{}", family.name());
    }
    let of_paths = |text: &str| text.lines().filter(|line| line.starts_with("vxlan_path_")).count();
    assert_eq!(of_paths(&text), 40, "{text}");
    let more = render_as(ScrapeForm::OpenMetrics, &present, &self_info()).expect("OpenMetrics");
    let more = String::from_utf8(more).expect("text");
    assert_eq!(of_paths(&more), 40 + catalogue::manual::created_of_a_path(), "{more}");
}

#[test]
fn a_counter_that_a_router_does_not_tell_is_left_out() {
    use std::sync::Arc;

    let mut present = present();
    let mut reading = (*present.routers[0]).clone();
    let mut snapshot = (**reading.current.as_ref().expect("it was read")).clone();
    for link in &mut snapshot.links {
        link.counters.rx_bytes = None;
    }
    reading.current = Some(Arc::new(snapshot));
    present.routers = vec![Arc::new(reading)];
    let text = render(&present, &self_info()).expect("text");
    let count = |start: &str| text.lines().filter(|line| line.starts_with(start)).count();
    assert_eq!(count("vxlan_interface_receive_bytes_total{"), 0);
    assert_ne!(count("vxlan_interface_receive_packets_total{"), 0);
}
