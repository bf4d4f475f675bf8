//! `probe` as a new user runs it on A's host, without a configuration, in several faults of the
//! lab: its output and exit code.

use std::{
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader, Read},
    process::{Output, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};

use lab::{
    Lab, exporter,
    fault::Fault,
    numbers::{Numbers, Place},
    readme,
};

fn raise(fault: &str) -> Result<Lab> {
    Lab::raise(&Numbers::article(), &Fault::load(fault)?)
}

/// Rancher's address, with its port.
fn rancher(lab: &Lab) -> String {
    let site = lab.numbers.site(Place::Dc);
    format!("{}:{}", site.host_address, site.https_port)
}

/// Runs it; its exit code and these words of its output, with line breaks replaced by spaces, must
/// match.
fn says(lab: &Lab, arguments: &[&str], code: i32, words: &[&str]) -> Result<String> {
    let output = exporter::probe(lab, crate::binary(), arguments)?;
    holds(&output, code, words).with_context(|| format!("probe {}", arguments.join(" ")))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn holds(output: &Output, code: i32, words: &[&str]) -> Result<()> {
    let [said, errors] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    ensure!(output.status.code() == Some(code), "{}, expected {code}:\n{said}\n{errors}", output.status);
    let flat = said.split_whitespace().chain(errors.split_whitespace()).collect::<Vec<_>>().join(" ");
    for words in words {
        ensure!(flat.contains(words), "it does not say {words:?}:\n{said}\n{errors}");
    }
    Ok(())
}

#[test]
fn a_healthy_path_and_what_is_none() -> Result<()> {
    let lab = raise("healthy")?;
    let target = rancher(&lab);
    says(
        &lab,
        &[&target],
        0,
        &[
            "OK: packets of 1500 bytes come back whole",
            "to the target 1500 bytes, from the target >= 1500 bytes; 1500 expected",
            "loss 0 of ",
            "exit code 0: ok",
        ],
    )?;
    let own = "this machine's own interface cannot send packets above 1500 bytes";
    says(&lab, &[&target, "--expected-mtu=9000", "-c", "20"], 2, &[own])?;
    // An unused address of the overlay.
    says(
        &lab,
        &["192.168.100.77:443", "-c", "20"],
        1,
        &["PROBLEM: nothing works", "exit code 1: unreachable"],
    )?;
    says(&lab, &["no-such-host.invalid"], 2, &["cannot resolve no-such-host.invalid"])?;
    let ipv6 = lab.numbers.site(Place::Dc).host_address_v6();
    says(
        &lab,
        &["-6", &format!("[{ipv6}]:443"), "-c", "20"],
        0,
        &["OK: packets of 1500 bytes come back whole"],
    )?;
    says(&lab, &["-4", &ipv6.to_string()], 2, &["has no IPv4 address"])?;
    says(&lab, &["host:https"], 2, &["write e.g. rancher.example"])?;
    Ok(())
}

#[test]
fn the_article_s_failure() -> Result<()> {
    let lab = raise("default-mtu")?;
    let target = rancher(&lab);
    let text = says(
        &lab,
        &[&target],
        1,
        &[
            "PROBLEM: HTTPS will hang: packets above 1454 bytes vanish in both directions without a signal",
            "to the target 1454 bytes, from the target 1454 bytes; 1500 expected (our egress eth0)",
            "exit code 1: blackhole forward and reverse",
        ],
    )?;
    readme::shows("probe", &format!("vxlan_exporter probe {target}"), &text)?;
    let report = says(&lab, &[&target, "-c", "20", "--format=json"], 1, &[])?;
    let report: Value = serde_json::from_str(&report).with_context(|| format!("not JSON: {report}"))?;
    for (field, wanted) in [
        ("exit_code", json!(1)),
        ("verdict", json!("blackhole")),
        ("holes", json!(["forward", "reverse"])),
        ("mtu_forward_bytes", json!(1454)),
        ("mtu_reverse_bytes", json!(1454)),
        ("expected_mtu_bytes", json!(1500)),
        ("tcp_port", json!(443)),
    ] {
        ensure!(report[field] == wanted, "{field}: expected {wanted}:\n{report:#}");
    }
    ctrl_c_ends_it_with_what_is_known(&lab, &target)
}

fn ctrl_c_ends_it_with_what_is_known(lab: &Lab, target: &str) -> Result<()> {
    let mut command = lab.host(Place::SiteA).command(crate::binary().to_str().context("a path of UTF-8")?);
    command.args(["probe", target, "--count=3000"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let mut lines = BufReader::new(child.stderr.take().context("stderr")?).lines();
    // `ip netns exec` becomes the exporter, so the pid is the same.
    lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("blackhole"))).context("no verdict")??;
    kill(Pid::from_raw(child.id().try_into()?), Signal::SIGINT)?;
    let mut said = String::new();
    child.stdout.take().context("stdout")?.read_to_string(&mut said)?;
    let status = child.wait()?;
    ensure!(status.code() == Some(1), "{status}:\n{said}");
    ensure!(said.contains("PROBLEM: HTTPS will hang") && said.contains("RTT"), "{said}");
    Ok(())
}

#[test]
fn a_hole_on_the_way_back_only() -> Result<()> {
    let lab = raise("reverse-only")?;
    let target = rancher(&lab);
    says(
        &lab,
        &[&target],
        1,
        &[
            "HTTPS will hang where much is received (pages, downloads): packets above 1454 bytes vanish on the way back",
            "to the target 1500 bytes, from the target 1454 bytes",
            "exit code 1: blackhole reverse",
        ],
    )?;
    let host = lab.numbers.site(Place::Dc).host_address.to_string();
    says(
        &lab,
        &[&host],
        1,
        &[
            "(the way to the target was not tested)",
            "to the target >= 1454 bytes",
            "any TCP port will do, open or closed: HOST:PORT",
        ],
    )?;
    Ok(())
}

/// Regressions: faults from public reports that gave another verdict.
#[test]
fn cases_of_real_networks() -> Result<()> {
    for (fault, code, words) in [
        ("tcp-dead", 1, "no TCP connection can be opened: TCP packets of any size vanish, while ping passes"),
        (
            "tcp-payload-dead",
            1,
            "TCP connections open, but nothing sent on them arrives, whatever its size, while ping passes",
        ),
        ("tcp-kernel-dead", 1, "raw SYNs pass, the kernel's own connections do not"),
        (
            "mss-clamped",
            1,
            "HTTPS will hang where much is received (pages, downloads): packets above 1454 bytes",
        ),
        ("route-mtu", 0, "OK: packets of 1400 bytes come back whole; this path will not make HTTPS hang"),
    ] {
        let lab = raise(fault)?;
        says(&lab, &[&rancher(&lab)], code, &[words]).with_context(|| fault.to_owned())?;
    }
    Ok(())
}

/// TCP keeps to a route's MTU, locked or not; sizes above it are reported as for hosts without such
/// a route.
#[test]
fn a_locked_route_bounds_what_is_expected() -> Result<()> {
    let lab = raise("route-mtu")?;
    let host = lab.host(Place::SiteA);
    let source = lab.numbers.site(Place::SiteA).host_address;
    let [a, b, c, _] = source.octets();
    let route = format!("{a}.{b}.{c}.0/24 dev eth0 proto kernel scope link src {source} mtu lock 1400");
    host.ip(&format!("route replace {route}"))?;
    let told = "packets of 1500 bytes, which fit our interface but not our route, were not answered";
    says(
        &lab,
        &[&rancher(&lab), "--count=200"],
        0,
        &["OK: packets of 1400 bytes come back whole", told, "hosts without that route would hang"],
    )?;
    Ok(())
}

#[test]
fn signalled_jumbo() -> Result<()> {
    let lab = raise("jumbo")?;
    says(
        &lab,
        &[&rancher(&lab)],
        0,
        &[
            "OK: HTTPS works: packets above 1450 bytes are rejected with an ICMP message",
            "to the target 1450 bytes, from the target >= 1",
            "exit code 0: reduced",
        ],
    )?;
    // A user who expects no more than 1400 sees no problem.
    says(
        &lab,
        &[&rancher(&lab), "--expected-mtu=1400", "-c", "20"],
        0,
        &["exit code 0: ok", "1400 expected (configured)"],
    )?;
    Ok(())
}

/// Far less than the whole look would take.
const AT_ONCE: Duration = Duration::from_mins(1);

/// If our own host knows the reason without waiting, the command does not wait either.
#[test]
fn what_our_own_host_knows_is_said_at_once() -> Result<()> {
    let lab = raise("healthy")?;
    let host = lab.host(Place::SiteA);
    let target = rancher(&lab);
    let own = lab.numbers.site(Place::SiteA).host_address.to_string();
    let at_once = |target: &str, words: &[&str]| {
        let begin = Instant::now();
        says(&lab, &[target, "--count=3000"], 2, words)?;
        ensure!(begin.elapsed() < AT_ONCE, "{target}: {:?}", begin.elapsed());
        Ok(())
    };
    at_once(
        &format!("{own}:443"),
        &[&format!("{own} is this machine's own address: no overlay is crossed")],
    )?;
    at_once("203.0.113.9:443", &["no route to 203.0.113.9"])?;
    let drops = "table inet own { chain out { type filter hook output priority 0; oif != lo drop; }; }";
    host.run("nft", &[drops])?;
    let refused = "our own host refuses to send (EPERM: Operation not permitted)";
    at_once(&target, &[refused])?;
    check_says_it_at_once(&lab, &target, refused)?;
    host.run("nft", &["delete table inet own"])?;
    host.ip("link set eth0 down")?;
    at_once(&target, &["no route to"])
}

/// Ten packets a second for twenty paths: a look at that pace would take two hundred seconds.
fn check_says_it_at_once(lab: &Lab, target: &str, words: &str) -> Result<()> {
    let (address, port) = target.split_once(':').context("HOST:PORT")?;
    let file = lab.directory().join("paths.yml");
    let mut text = "site: site-a\nprobe_budget_pps: 10\npaths:\n".to_owned();
    for number in 0..20 {
        writeln!(text, "  - {{ name: p{number}, site: dc, address: {address}, tcp_port: {port} }}")?;
    }
    fs::write(&file, text)?;
    let file = format!("--config.file={}", file.display());
    let begin = Instant::now();
    let output =
        lab.host(Place::SiteA).output(crate::binary().to_str().context("UTF-8")?, &["check", &file])?;
    holds(&output, 2, &[&format!("path p7: unknown (local_send): {words}")])?;
    ensure!(begin.elapsed() < AT_ONCE, "check: {:?}", begin.elapsed());
    Ok(())
}

/// The routers alone show the fault of the article: the rule of `VxlanMtuBelowBridgePort`.
#[test]
fn check_without_paths_finds_the_small_ends() -> Result<()> {
    let lab = raise("default-mtu")?;
    exporter::write_config(&lab, &Fault::load("default-mtu")?, &[])?;
    let output = exporter::check(&lab, crate::binary(), &[])?;
    let small =
        "dc/vxlan01 mtu 1450 < its bridge port eth1 mtu 1500: the bridge drops larger frames silently";
    holds(
        &output,
        1,
        &[small, "set interfaces vxlan vxlan01 mtu 1500", "a bridge drops large frames silently"],
    )
}

#[test]
fn without_privilege_it_says_what_mends_that() -> Result<()> {
    let lab = raise("healthy")?;
    let host = lab.host(Place::SiteA);
    let binary = crate::binary().to_str().context("a path of UTF-8")?;
    let target = rancher(&lab);
    let run = || host.output("setpriv", &["--bounding-set=-net_raw", binary, "probe", &target, "--count=20"]);
    let setcap = format!("setcap cap_net_raw+p {binary}");
    // The kernel's default permits nobody to ping.
    host.sysctl("net/ipv4/ping_group_range", "1 0")?;
    let run_to = |target: &str| {
        host.output("setpriv", &["--bounding-set=-net_raw", binary, "probe", target, "--count=20"])
    };
    let address = lab.numbers.site(Place::Dc).host_address.to_string();
    holds(&run_to(&address)?, 2, &["cannot open a socket for ping", &setcap, "net.ipv4.ping_group_range"])?;
    // TCP needs no privilege.
    let tcp_alone =
        ["only TCP connections are tried, and they are answered", "sizes are not tested", &setcap];
    holds(&run()?, 2, &tcp_alone)?;
    holds(&run_to("192.168.100.77:443")?, 1, &["30 small probes (TCP", "exit code 1: unreachable"])?;
    host.sysctl("net/ipv4/ping_group_range", "0 2147483647")?;
    holds(&run()?, 0, &["OK: packets of 1500 bytes come back whole", "without CAP_NET_RAW", &setcap])
}
