//! The failure of the article in about a minute: HTTPS hangs, the exporter says where and why, its
//! commands are typed, HTTPS works. Every step must be observed, or the demo fails.

use std::{
    path::Path,
    process::Output,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

use lab::{
    Lab,
    exporter::{self, Exporter},
    fault::Fault,
    https, judge,
    metrics::Metrics,
    numbers::{Numbers, Place},
    relay,
};

/// Families whose samples are shown before and after.
const SHOWN: &[&str] =
    &["vxlan_path_verdict", "vxlan_path_blackhole", "vxlan_path_mtu_bytes", "vxlan_interface_mtu_bytes"];

/// How long the exporter may take to notice the hole and its end.
const PATIENCE: Duration = Duration::from_mins(1);

/// Tells the story, then stays up: for `seconds`, or until Ctrl-C.
pub fn run(binary: &Path, seconds: Option<u64>) -> Result<()> {
    title("1. Three sites, joined by VXLAN");
    let fault = Fault::load("default-mtu")?;
    let lab = Lab::raise(&Numbers::article(), &fault)?;
    say("A data centre with Rancher, two sites with a Kubernetes node each.");
    say("Each has a router that bridges its LAN with a VXLAN tunnel; all hosts share one network.");
    say("The hosts' MTU is 1500, the tunnels' is 1450. Nobody has noticed yet.");
    say(&format!("(Network namespaces vxl-{}-…, your own network is not touched.)", lab.id));
    let mut exporter = Exporter::start(&lab, binary)?;
    let address = relay::start(exporter::LISTEN.port(), lab.host(Place::SiteA).clone(), exporter::LISTEN)?;
    println!();
    say(&format!("Watch it in a browser: http://{address}/ shows the black hole come, and go again."));

    title("2. What a user sees");
    ping(&lab)?;
    downloads(&lab, false)?;
    say("Ping works, small requests work, anything of size hangs. No router says why:");
    say("full-size frames die silently in the bridge, and no error counter moves.");

    title("3. What vxlan_exporter says");
    say("The exporter runs on site A's node. It reads the three routers over SSH and probes two paths.");
    let before = wait_for(
        &lab,
        &mut exporter,
        &["blackhole"],
        "both directions of both paths and a fix for all three routers",
        fix_is_complete,
    )?;
    show_check(&exporter::check(&lab, binary, &[])?, 1)?;

    title("4. The commands, typed");
    let commands = type_commands(&lab, &before)?;
    ensure!(commands > 0, "the exporter named no command that mends it");

    title("5. What it says now");
    let after =
        wait_for(&lab, &mut exporter, &["ok", "reduced"], "the new MTUs read from the routers", |metrics| {
            judge::routers_say(metrics, 1500)
        })?;
    say("The metric lines that changed:");
    for (series, before, after) in Metrics::changes(&before, &after, SHOWN) {
        say(&format!("{series}  {} -> {}", value(before), value(after)));
    }
    println!();
    downloads(&lab, true)?;
    println!();
    show_check(&exporter::check(&lab, binary, &[])?, 0)?;

    stay_up(&mut exporter, &format!("http://{address}"), seconds)
}

fn title(text: &str) {
    println!("\n== {text} ==");
}

fn say(text: &str) {
    println!("   {text}");
}

fn value(value: Option<f64>) -> String {
    value.map_or_else(|| "(no series)".to_owned(), |value| value.to_string())
}

/// An ordinary ping, which finds nothing.
fn ping(lab: &Lab) -> Result<()> {
    let address = lab.numbers.dc.host_address.to_string();
    say(&format!("$ ping -c 1 {address}"));
    let done = lab.host(Place::SiteA).output("ping", &["-c", "1", "-W", "2", &address])?;
    let said = String::from_utf8_lossy(&done.stdout);
    let answer = said.lines().find(|line| line.contains("bytes from")).context("ping had no answer")?;
    say(&format!("  {answer}"));
    Ok(())
}

/// Shows a small and a large download; the small one must always work.
fn downloads(lab: &Lab, large_works: bool) -> Result<()> {
    for (path, bytes, works) in [("/", https::SMALL_BYTES, true), ("/big", https::BIG_BYTES, large_works)] {
        let done = https::fetch(lab, Place::Dc, path, 3)?;
        say(&format!("$ curl --max-time 3 {}", https::url(lab, Place::Dc, path)));
        let complete = done.exit == 0 && done.status == 200 && done.bytes == bytes;
        if complete {
            say(&format!("  {} bytes in {:.0} ms", done.bytes, done.seconds * 1000.0));
        } else {
            say(&format!("  {} of {bytes} bytes after {:.1} s: it hangs", done.bytes, done.seconds));
        }
        let hung = done.exit == 28 && done.bytes == 0;
        ensure!(
            if works { complete } else { hung },
            "{path} should have {}",
            if works { "come" } else { "hung" }
        );
    }
    Ok(())
}

/// Waits until every path has one of these verdicts and something more is true.
fn wait_for(
    lab: &Lab,
    exporter: &mut Exporter,
    verdicts: &[&str],
    and: &str,
    more: impl Fn(&Metrics) -> bool,
) -> Result<Metrics> {
    let begin = Instant::now();
    let mut told = [Place::Dc, Place::SiteB].map(|place| (lab.numbers.site(place).host, String::new()));
    loop {
        exporter.must_run()?;
        let metrics = exporter.metrics()?;
        for (path, last) in &mut told {
            let verdict = judge::verdict(&metrics, path);
            if *last != verdict {
                say(&format!("after {:>4.1} s: path {path} is {verdict}", begin.elapsed().as_secs_f64()));
                *last = verdict;
            }
        }
        if told.iter().all(|(_, verdict)| verdicts.contains(&verdict.as_str())) && more(&metrics) {
            println!();
            return Ok(metrics);
        }
        if begin.elapsed() > PATIENCE {
            bail!(
                "not seen within {} s: {verdicts:?} and {and}; the exporter said:\n{}",
                PATIENCE.as_secs(),
                exporter.log()
            );
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// Whether the fix is complete: after the verdict follow the exact edge, the directions and the
/// routers' data.
pub fn fix_is_complete(metrics: &Metrics) -> bool {
    let directions = metrics.all("vxlan_path_blackhole", &[]).filter(|series| {
        let direction = series.labels.get("direction").map(String::as_str);
        series.value > 0.0 && matches!(direction, Some("forward" | "reverse"))
    });
    let mut routers = metrics.set("vxlan_path_fix_info", &[], "router");
    routers.dedup();
    directions.count() == 4 && routers.len() == 3
}

fn show_check(done: &Output, code: i32) -> Result<()> {
    say("$ vxlan_exporter check --config.file=config.yml");
    for line in String::from_utf8_lossy(&done.stdout).lines() {
        say(&format!("  {line}"));
    }
    say(&format!("  (exit code {})", done.status.code().unwrap_or(-1)));
    let errors = String::from_utf8_lossy(&done.stderr);
    ensure!(
        done.status.code() == Some(code),
        "check should have ended with {code}: {}; {errors}",
        done.status
    );
    Ok(())
}

/// Types every command of the exporter's fix, once, in its order.
pub fn type_commands(lab: &Lab, metrics: &Metrics) -> Result<usize> {
    let mut steps: Vec<(u32, &str, &str)> = Vec::new();
    for fix in metrics.all("vxlan_path_fix_info", &[]) {
        let label = |name: &str| {
            fix.labels
                .get(name)
                .map(String::as_str)
                .with_context(|| format!("{} has no label {name}", fix.key))
        };
        steps.push((label("step")?.parse().context("label step")?, label("router")?, label("command")?));
    }
    steps.sort_unstable();
    let mut typed: Vec<(&str, &str)> = Vec::new();
    let mut applied = 0;
    for (_, router, command) in steps {
        if typed.contains(&(router, command)) {
            continue;
        }
        typed.push((router, command));
        match lab.apply_fix(router, command)? {
            Some(equivalent) => {
                applied += 1;
                say(&format!("{router:<8} {command}      (on this lab's Linux router: {equivalent})"));
            }
            None => say(&format!("{router:<8} {command}")),
        }
    }
    Ok(applied)
}

fn stay_up(exporter: &mut Exporter, url: &str, seconds: Option<u64>) -> Result<()> {
    title("The exporter is up");
    if seconds == Some(0) {
        say(&format!("It answered at {url}/metrics; the demo ends here and cleans up."));
        return Ok(());
    }
    say(&format!("{url}/         the overlay"));
    say(&format!("{url}/metrics  for Prometheus"));
    match seconds {
        Some(seconds) => say(&format!("It stays for {seconds} s, or until Ctrl-C; then it cleans up.")),
        None => say("Ctrl-C ends it and cleans up."),
    }
    let begin = Instant::now();
    while seconds.is_none_or(|seconds| begin.elapsed() < Duration::from_secs(seconds)) {
        exporter.must_run()?;
        thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}
