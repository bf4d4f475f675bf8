//! Every command that the exporter prints is typed, and the verdict afterwards must be the promised
//! one: a fix that does not fix fails the test. Several faults at a time, one after the other in
//! one lab.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use lab::{
    Lab, exporter,
    exporter::Exporter,
    fault::{Expect, Fault},
    judge,
    metrics::Metrics,
    numbers::{End, Numbers, Place},
};

/// How long the exporter may take to print the whole fix: generous, as the machine may be busy.
const PATIENCE: Duration = Duration::from_mins(1);

/// The commands for a path with their routers, in order.
fn commands(metrics: &Metrics, path: &str) -> Result<Vec<(String, String)>> {
    let mut steps = Vec::new();
    for fix in metrics.all("vxlan_path_fix_info", &[("path", path)]) {
        let step: u32 = fix.labels["step"].parse().context("the label step")?;
        steps.push((step, fix.labels["router"].clone(), fix.labels["command"].clone()));
    }
    steps.sort();
    Ok(steps.into_iter().map(|(_, router, command)| (router, command)).collect())
}

/// Waits until exactly these commands are printed for a path.
fn wait_for_commands(exporter: &mut Exporter, path: &str, wanted: &[(&str, &str)]) -> Result<()> {
    let begin = Instant::now();
    loop {
        exporter.must_run()?;
        let metrics = exporter.metrics()?;
        let named = commands(&metrics, path)?;
        if named
            .iter()
            .map(|(router, command)| (router.as_str(), command.as_str()))
            .eq(wanted.iter().copied())
        {
            return Ok(());
        }
        ensure!(
            begin.elapsed() < PATIENCE,
            "{path}: not within a minute: {wanted:#?}\nnamed: {named:#?}\n{}\n{}",
            metrics.about("path", path),
            exporter.log()
        );
        thread::sleep(Duration::from_millis(250));
    }
}

/// Types all of these commands, and waits until the verdicts are those of a fault file.
fn type_and_expect(
    lab: &Lab,
    exporter: &mut Exporter,
    typed: &[(&str, &str)],
    expect: &Expect,
) -> Result<()> {
    for (router, command) in typed {
        lab.apply_fix(router, command)?.with_context(|| format!("{command:?} changes nothing"))?;
    }
    judge::wait_for_routers(exporter, 1500)?;
    let expect = expect.after_any_state();
    // Packets sent before the last command may complete a proof of the old hole after the first
    // good verdict; only the verdict after that must last.
    if judge::watch(lab, exporter, &expect).is_err() {
        judge::watch(lab, exporter, &expect).with_context(|| format!("after {typed:#?}"))?;
    }
    Ok(())
}

#[test]
fn what_is_named_mends() -> Result<()> {
    let healthy = Fault::load("healthy")?;
    let lab = Lab::raise(&Numbers::article(), &healthy)?;
    let mut exporter = Exporter::start(&lab, crate::binary())?;
    judge::watch(&lab, &mut exporter, &healthy.expect)?;

    // At B both vni and port are wrong; at A there is `df set` and a small mtu, and a larger mtu
    // alone would not mend it.
    lab.change(End::BToDc, |device| (device.vni, device.port) = (1, 4789))?;
    lab.change(End::AToDc, |device| (device.mtu, device.df) = (1450, "set".to_owned()))?;
    let slip = [
        ("site-b", "set interfaces vxlan vxlan02 vni 2"),
        ("site-b", "set interfaces vxlan vxlan02 port 8472"),
    ];
    let small = [
        ("site-a", "set interfaces vxlan vxlan01 parameters ip df unset"),
        ("site-a", "set interfaces vxlan vxlan01 mtu 1500"),
    ];
    wait_for_commands(&mut exporter, "node-b", &slip)?;
    wait_for_commands(&mut exporter, "rancher", &small)?;
    type_and_expect(&lab, &mut exporter, &[slip, small].concat(), &healthy.expect)?;

    // B has a remote that leads nowhere, and the DC's end of the other tunnel is disabled: node-b's
    // path crosses both.
    lab.change(End::BToDc, |device| device.remote = std::net::Ipv4Addr::new(10, 10, 99, 9).into())?;
    lab.change(End::DcToA, |device| device.up = false)?;
    let far_first = [
        ("site-b", "delete interfaces vxlan vxlan02 remote 10.10.99.9"),
        ("site-b", "set interfaces vxlan vxlan02 remote 10.10.0.254"),
        ("dc", "delete interfaces vxlan vxlan01 disable"),
    ];
    wait_for_commands(&mut exporter, "node-b", &far_first)?;
    wait_for_commands(&mut exporter, "rancher", &far_first[2..])?;
    type_and_expect(&lab, &mut exporter, &far_first, &healthy.expect)?;

    // Over an underlay of 1500 the same commands lead to `reduced`, which is announced with them.
    lab.set_underlay_mtu(1500)?;
    for end in End::ALL {
        lab.change(end, |device| (device.mtu, device.df) = (1450, "set".to_owned()))?;
    }
    let raise = |router: &'static str, interface: &str| {
        ["parameters ip df unset", "mtu 1500"]
            .map(|what| (router, format!("set interfaces vxlan {interface} {what}")))
    };
    let all = [raise("dc", "vxlan01"), raise("site-a", "vxlan01")].concat();
    let to_rancher: Vec<(&str, &str)> =
        all.iter().map(|(router, command)| (*router, command.as_str())).collect();
    wait_for_commands(&mut exporter, "rancher", &to_rancher)?;
    let far = [raise("site-b", "vxlan02"), raise("dc", "vxlan02")].concat();
    let far = far.iter().map(|(router, command)| (*router, command.as_str()));
    let everything: Vec<_> = far.chain(to_rancher.iter().copied()).collect();
    wait_for_commands(&mut exporter, "node-b", &everything)?;
    let reduced = Fault::load("jumbo")?.expect;
    type_and_expect(&lab, &mut exporter, &everything, &reduced)?;

    lab.set_underlay_mtu(1600)?;
    judge::watch(&lab, &mut exporter, &healthy.expect.after_any_state()).context("over a larger underlay")?;

    // The outer IPv6 header has 20 bytes more: 1560 would suffice for 1500 over IPv4.
    lab.add_underlay_v6()?;
    lab.set_underlay_mtu(1560)?;
    for end in End::ALL {
        lab.change(end, |device| (device.mtu, device.remote) = (1450, Lab::underlay_v6(end.remote())))?;
    }
    let raise =
        |end: (&'static str, &'static str)| (end.0, format!("set interfaces vxlan {} mtu 1500", end.1));
    let ends =
        [("site-b", "vxlan02"), ("dc", "vxlan02"), ("dc", "vxlan01"), ("site-a", "vxlan01")].map(raise);
    let everything: Vec<_> = ends.iter().map(|(router, command)| (*router, command.as_str())).collect();
    wait_for_commands(&mut exporter, "rancher", &everything[2..])?;
    wait_for_commands(&mut exporter, "node-b", &everything)?;
    // Packets with DF are signalled, those without are lost (measured, 6.18), and replies to echo
    // requests carry none.
    let mut untold = reduced.clone();
    for path in untold.paths.values_mut() {
        "unknown".clone_into(&mut path.verdict);
        path.unknown_reason = Some("reverse_unmeasured".to_owned());
        path.forward_mtu = Some((1490, 1490));
    }
    type_and_expect(&lab, &mut exporter, &everything, &untold)?;

    lab.set_underlay_mtu(1570)?;
    judge::watch(&lab, &mut exporter, &healthy.expect.after_any_state())
        .context("over a larger underlay")
        .map(drop)
}

/// The far virtual switch drops frames to MACs other than its router's. Broadcasts arrive, and with
/// them the MAC of the target, which the router's forwarding table shows.
#[test]
fn a_far_switch_that_drops_foreign_macs_is_suspected() -> Result<()> {
    let lab = Lab::raise(&Numbers::article(), &Fault::load("no-promisc")?)?;
    // The target resolves our MAC, as hosts do: its broadcast and our answer arrive, but what it
    // sends then does not.
    let node_a = lab.numbers.site_a.host_address.to_string();
    let ping = lab.host(Place::Dc).output("ping", &["-c", "1", "-W", "1", &node_a])?;
    ensure!(!ping.status.success(), "the fault lets unicasts through");
    let mac = lab.host(Place::Dc).output("cat", &["/sys/class/net/eth0/address"])?;
    let mac = String::from_utf8_lossy(&mac.stdout).trim().to_owned();

    let cause = cause_of(&lab, "rancher", "unreachable")?;
    let line = format!("bridge fdb: {mac} dev vxlan01 dst {}", lab.numbers.dc.underlay);
    ensure!(cause.contains(&line) && cause.contains("promiscuous mode"), "no {line:?} in: {cause}");

    // What the report says to permit is permitted.
    lab.router(Place::Dc).run("nft", &["delete", "table", "netdev", "lab"])?;
    let rancher = lab.numbers.dc.host_address.to_string();
    let begin = Instant::now();
    // Our kernel has just given up asking for its MAC.
    while !lab.host(Place::SiteA).output("ping", &["-c", "1", "-W", "1", &rancher])?.status.success() {
        ensure!(begin.elapsed() < PATIENCE, "rancher does not answer");
        thread::sleep(Duration::from_millis(200));
    }
    ensure!(cause_of(&lab, "rancher", "ok")?.is_empty());
    Ok(())
}

/// The cause of a path in `check`, which must have this verdict.
fn cause_of(lab: &Lab, path: &str, verdict: &str) -> Result<String> {
    let done = exporter::check(lab, crate::binary(), &["--format=json"])?;
    let report: Value = serde_json::from_slice(&done.stdout)?;
    let paths = report["paths"].as_array().context("paths")?;
    let path = paths.iter().find(|known| known["path"] == path).context("the path")?;
    ensure!(path["verdict"] == verdict, "expected {verdict}: {path:#}");
    let causes = path["cause"].as_array().context("cause")?;
    Ok(causes.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n"))
}
