//! `/probe` in the lab, as Prometheus and as a person with curl ask for it.

use std::{
    fs,
    process::Output,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use lab::{
    Family, Lab,
    exporter::{self, Exporter, LISTEN},
    fault::Fault,
    metrics::Metrics,
    numbers::{Numbers, Place},
};

fn raise(fault: &str, more: &str) -> Result<(Lab, Exporter)> {
    let fault = Fault::load(fault)?;
    let lab = Lab::raise(&Numbers::article(), &fault)?;
    exporter::write_config(&lab, &fault, &[Family::V4])?;
    let file = exporter::config(&lab);
    fs::write(&file, fs::read_to_string(&file)? + more)?;
    let exporter = Exporter::start(&lab, crate::binary())?;
    Ok((lab, exporter))
}

/// What curl gets, with the scrape timeout that Prometheus has by default: the status and the body.
fn ask(lab: &Lab, query: &str) -> Result<(u32, String)> {
    let url = format!("http://{LISTEN}/probe?{query}");
    let header = "X-Prometheus-Scrape-Timeout-Seconds: 10";
    let words = ["--silent", "--max-time", "60", "--write-out", "\n%{http_code}", "--header", header, &url];
    let Output { stdout, .. } = lab.vantage().output("curl", &words)?;
    let text = String::from_utf8(stdout)?;
    let (body, status) = text.rsplit_once('\n').context("a status")?;
    Ok((status.parse()?, body.to_owned()))
}

fn metrics(lab: &Lab, query: &str) -> Result<Metrics> {
    let (status, body) = ask(lab, query)?;
    ensure!(status == 200, "{query}: {status} {body}");
    Ok(Metrics::parse(&body))
}

fn is(found: &Metrics, name: &str, labels: &[(&str, &str)], wanted: f64) -> Result<()> {
    let value = found.value(name, labels);
    ensure!(value == Some(wanted), "{name} {labels:?}: {value:?}, expected {wanted}: {found:?}");
    Ok(())
}

/// What a module of that kind finds in the article's failure.
#[test]
fn each_module_finds_what_it_asks_for() -> Result<()> {
    let (lab, _exporter) = raise("default-mtu", "")?;
    let site = lab.numbers.site(Place::Dc);
    let (host, port) = (site.host_address, site.https_port);
    let silent = "192.168.100.77";

    for (query, success) in [
        (format!("target={host}&module=icmp"), 1.0),
        (format!("target={silent}&module=icmp"), 0.0),
        (format!("target={host}:{port}&module=tcp"), 1.0),
        (format!("target={host}:1&module=tcp"), 0.0),
    ] {
        let found = metrics(&lab, &query)?;
        is(&found, "probe_success", &[], success).context(query)?;
        is(&found, "probe_ip_protocol", &[], 4.0)?;
        let seconds = found.value("probe_duration_seconds", &[]).context("a duration")?;
        let lookup = found.value("probe_dns_lookup_time_seconds", &[]).context("a look-up")?;
        ensure!(0.0 < seconds && lookup <= seconds && seconds < 10.0, "{found:?}");
        ensure!(found.value("vxlan_probe_verdict", &[("verdict", "ok")]).is_none(), "{found:?}");
    }

    let found = metrics(&lab, &format!("target={host}:{port}&module=path_mtu"))?;
    is(&found, "probe_success", &[], 0.0)?;
    is(&found, "vxlan_probe_verdict", &[("verdict", "blackhole")], 1.0)?;
    is(&found, "vxlan_probe_mtu_bytes", &[("direction", "forward")], 1454.0)?;
    is(&found, "vxlan_probe_expected_mtu_bytes", &[], 1500.0)?;
    ensure!(found.value("probe_duration_seconds", &[]).is_some_and(|seconds| seconds < 10.0), "{found:?}");

    let (status, text) = ask(&lab, &format!("target={host}:{port}&module=path_mtu&debug=true"))?;
    ensure!(status == 200, "{status} {text}");
    for words in [
        "Logs for the probe:",
        "verdict: blackhole",
        "small echoes sent",
        "PROBLEM: HTTPS will hang",
        "forward, padded TCP SYN: 1500 bytes vanish",
        "Metrics that would have been returned:\n# HELP probe_dns_lookup_time_seconds ",
        "Module configuration:\nname: path_mtu\n",
    ] {
        ensure!(text.contains(words), "no {words:?} in:\n{text}");
    }

    // As anybody who reaches the port may try.
    for (query, status, words) in [
        ("target=203.0.113.9&module=icmp", 403, "203.0.113.9 is not one of probe.allowed_targets"),
        ("target=224.0.0.1&module=icmp", 403, "not the address of one host"),
        ("target=127.0.0.1:22&module=tcp", 403, "127.0.0.1 is not one of"),
        ("target=192.168.100.102&module=http_2xx", 400, "the modules are icmp, path_mtu, tcp"),
        ("target=192.168.100.102&module=tcp", 400, "write target=HOST:PORT"),
        ("target=192.168.100.102:443&module=icmp", 400, "leave out :443"),
        ("target=192.168.100.102", 400, "module is missing"),
    ] {
        let (got, body) = ask(&lab, query)?;
        ensure!(got == status && body.contains(words), "{query}: {got} {body}");
    }
    let found = metrics(&lab, "target=no-such-host.invalid&module=icmp")?;
    is(&found, "probe_success", &[], 0.0)?;
    ensure!(found.value("probe_ip_protocol", &[]).is_none(), "{found:?}");
    Ok(())
}

/// Two that ask for the same get the same run; where one may run, another one has to come again.
#[test]
fn equal_ones_share_a_run_and_the_next_one_is_turned_away() -> Result<()> {
    let more = "probe:\n  at_once: 1\n  allowed_targets: [192.168.100.77]\n  modules:\n    - {name: long, \
                prober: icmp, timeout: 8s}\n";
    let (lab, exporter) = raise("healthy", more)?;
    // Nobody answers, so the probe lasts until its deadline.
    let query = "target=192.168.100.77&module=long";
    let answers: Vec<_> = thread::scope(|scope| {
        let same: Vec<_> = (0..3).map(|_| scope.spawn(|| ask(&lab, query))).collect();
        same.into_iter().map(|same| same.join().expect("no panic")).collect::<Result<_>>()
    })?;
    ensure!(answers.iter().all(|answer| *answer == answers[0] && answer.0 == 200), "{answers:?}");
    let host = lab.numbers.site(Place::Dc).host_address;
    let other = format!("target={host}&module=icmp");
    let (busy, _) = thread::scope(|scope| {
        let running = scope.spawn(|| ask(&lab, query));
        // It is not allowed, which is found out at once, and not while the first one runs.
        let busy = loop {
            let (status, body) = ask(&lab, &other)?;
            if status == 429 || running.is_finished() {
                break (status, body);
            }
        };
        Ok::<_, anyhow::Error>((busy, running.join().expect("no panic")?))
    })?;
    ensure!(busy.0 == 429 && busy.1.contains("1 probes are running, which is probe.at_once"), "{busy:?}");
    let (status, body) = ask(&lab, &other)?;
    ensure!(status == 403 && body.contains("they are listed in the configuration"), "{status} {body}");

    // A reload brings other targets.
    let file = exporter::config(&lab);
    let text = fs::read_to_string(&file)?.replace("[192.168.100.77]", "[192.168.100.0/24]");
    fs::write(&file, text)?;
    let end = Instant::now() + Duration::from_mins(1);
    while ask(&lab, &other)?.0 != 200 {
        ensure!(Instant::now() < end, "not reloaded: {}", exporter.log());
        thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}
