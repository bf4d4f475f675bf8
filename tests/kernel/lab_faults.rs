//! Every fault of the lab, judged by the real exporter over real SSH on the real kernel, and the
//! stories around them: broken and mended, `check`, SIGTERM, a lab with other numbers. Each test
//! starts its own lab.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use lab::{
    Lab,
    exporter::{self, Exporter},
    fault::{self, Fault},
    https, judge, levels,
    levels::Level,
    notice,
    numbers::{End, Numbers, Place, Tunnel},
    readme, wire,
};

fn raise(fault: &str) -> Result<(Lab, Fault)> {
    let fault = Fault::load(fault)?;
    Ok((Lab::raise(&Numbers::article(), &fault)?, fault))
}

fn wire_is_true(fault: &str) -> Result<()> {
    let (lab, fault) = raise(fault)?;
    wire::check(&lab, &fault)
}

fn judged_rightly(fault: &str) -> Result<()> {
    levels::judge(&Fault::load(fault)?, crate::binary())
}

/// For each fault: the lab does what its file says, and the exporter reports it.
macro_rules! faults {
    ($($module:ident $name:literal)*) => {
        const FAULTS: &[&str] = &[$($name),*];
        $(mod $module {
            #[test]
            fn wire() -> anyhow::Result<()> {
                super::wire_is_true($name)
            }
            #[test]
            fn verdict() -> anyhow::Result<()> {
                super::judged_rightly($name)
            }
        })*
    };
}

faults! {
    bridge_netfilter "bridge-netfilter"
    bridge_netfilter_reverse "bridge-netfilter-reverse"
    closed_port "closed-port"
    default_mtu "default-mtu"
    default_mtu_1500 "default-mtu-1500"
    forced_command "forced-command"
    forced_command_ipv6 "forced-command-ipv6"
    forward_only "forward-only"
    fragments_cut "fragments-cut"
    fragments_lost "fragments-lost"
    fragments_second_lost "fragments-second-lost"
    healthy "healthy"
    icmp_filter "icmp-filter"
    icmp_filter_hole "icmp-filter-hole"
    jumbo "jumbo"
    link_local "link-local"
    loss_10 "loss-10"
    loss_20 "loss-20"
    loss_20_hole "loss-20-hole"
    middlebox_rst "middlebox-rst"
    mss_clamped "mss-clamped"
    no_icmp "no-icmp"
    no_icmp_hole "no-icmp-hole"
    no_ping "no-ping"
    no_ping_ipv6 "no-ping-ipv6"
    no_promisc "no-promisc"
    outer_drop_forward "outer-drop-forward"
    pod_vantage "pod-vantage"
    poisoned_cache "poisoned-cache"
    port_filtered "port-filtered"
    ptb_dropped "ptb-dropped"
    ptb_dropped_ipv6 "ptb-dropped-ipv6"
    reverse_only "reverse-only"
    route_mtu "route-mtu"
    source_routed "source-routed"
    stale_pmtu "stale-pmtu"
    stale_pmtu_ipv6 "stale-pmtu-ipv6"
    syn_dropped "syn-dropped"
    tcp_dead "tcp-dead"
    tcp_kernel_dead "tcp-kernel-dead"
    tcp_payload_dead "tcp-payload-dead"
    two_bottlenecks "two-bottlenecks"
    two_legs "two-legs"
    underlay_down "underlay-down"
    underlay_loss "underlay-loss"
    underlay_loss_ipv6 "underlay-loss-ipv6"
    underlay_signalled "underlay-signalled"
    underlay_signalled_ipv6 "underlay-signalled-ipv6"
    underlay_silent "underlay-silent"
    underlay_silent_ipv6 "underlay-silent-ipv6"
    underlay_silent_one_way "underlay-silent-one-way"
    underlay_silent_one_way_ipv6 "underlay-silent-one-way-ipv6"
    vni_slip "vni-slip"
    vrf "vrf"
}

#[test]
fn every_fault_file_has_its_test() {
    assert_eq!(fault::names(), FAULTS, "tests/lab/faults and the list in tests/kernel/lab_faults.rs differ");
}

/// Every fault is judged at every level, or its file says why not.
#[test]
fn every_fault_is_judged_at_every_level_or_says_why_not() -> Result<()> {
    for name in fault::names() {
        let fault = Fault::load(&name)?;
        for level in Level::ALL {
            match (fault.expect_at(level), fault.left_out.get(&level)) {
                (Some(expect), _) => ensure!(!expect.paths.is_empty(), "{name} at {level:?}: no path"),
                (None, Some(why)) => ensure!(why.contains(' '), "{name} at {level:?} is left out: {why:?}"),
                (None, None) => unreachable!("nothing but `left_out` leaves a level out"),
            }
        }
    }
    Ok(())
}

#[test]
fn the_article_s_failure_lets_small_downloads_pass_and_hangs_large_ones() -> Result<()> {
    let (lab, _) = raise("default-mtu")?;
    let small = https::fetch(&lab, Place::Dc, "/", 5)?;
    ensure!(small.status == 200 && small.bytes == https::SMALL_BYTES, "small: {small:?}");
    let big = https::fetch(&lab, Place::Dc, "/big", 3)?;
    ensure!(big.exit == 28 && big.bytes == 0, "big should have hung at 0 bytes: {big:?}");
    for end in End::ALL {
        lab.set_vxlan_mtu(end, 1500)?;
    }
    let big = https::fetch(&lab, Place::Dc, "/big", 10)?;
    ensure!(big.status == 200 && big.bytes == https::BIG_BYTES, "big after the repair: {big:?}");
    Ok(())
}

#[test]
fn signalled_jumbo_lets_large_downloads_pass() -> Result<()> {
    let (lab, _) = raise("jumbo")?;
    let big = https::fetch(&lab, Place::Dc, "/big", 10)?;
    ensure!(big.status == 200 && big.bytes == https::BIG_BYTES, "{big:?}");
    Ok(())
}

#[test]
fn a_hole_that_comes_and_is_mended_is_noticed() -> Result<()> {
    let (lab, healthy) = raise("healthy")?;
    let mut exporter = Exporter::start(&lab, crate::binary())?;
    judge::watch(&lab, &mut exporter, &healthy.expect)?;
    for end in End::ALL {
        lab.set_vxlan_mtu(end, 1450)?;
    }
    judge::wait_for_routers(&exporter, 1450)?;
    let hole = Fault::load("default-mtu")?.expect.after_any_state();
    judge::watch(&lab, &mut exporter, &hole).context("after the hole came")?;
    apply_all_fixes(&lab, &exporter)?;
    judge::watch(&lab, &mut exporter, &healthy.expect.after_any_state()).context("after the repair")?;
    for (from, to) in [("unknown", "ok"), ("blackhole", "ok")] {
        ensure!(told(&exporter, from, to) == 1, "{from} to {to} is not logged once:\n{}", exporter.log());
    }
    let left = exporter.metrics()?.all("vxlan_path_fix_info", &[]).count();
    ensure!(left == 0, "a fix is still shown although all is ok");
    Ok(())
}

/// A stateful box keeps an old mapping alive: it drops packets of every flow that it has seen
/// before.
#[test]
fn old_flows_that_a_stateful_box_pins_are_left_for_new_ones() -> Result<()> {
    let (lab, healthy) = raise("healthy")?;
    let host = lab.host(Place::Dc);
    host.run(
        "nft",
        &["add table inet box; add chain inet box in { type filter hook prerouting priority -150; }"],
    )?;
    host.run("nft", &["add rule inet box in ct mark set 1"])?;
    let mut exporter = Exporter::start(&lab, crate::binary())?;
    judge::watch(&lab, &mut exporter, &healthy.expect)?;
    host.run(
        "nft",
        &["flush chain inet box in; add rule inet box in meta l4proto { icmp, ipv6-icmp } ct mark 1 drop"],
    )?;
    let begin = Instant::now();
    while exporter.logged(&["only new flows pass"]).is_empty() {
        ensure!(
            begin.elapsed() < Duration::from_secs(90),
            "never gone over to new flows:\n{}",
            exporter.log()
        );
        std::thread::sleep(Duration::from_millis(200));
    }
    judge::watch(&lab, &mut exporter, &healthy.expect.after_any_state()).context("on new flows")?;
    let unreachable = exporter.logged(&["msg=\"verdict changed\"", "to=unreachable"]);
    ensure!(unreachable.is_empty(), "{unreachable:?}");
    Ok(())
}

/// While replies, which carry no DF, leave in outer fragments that are lost, nothing shows the
/// state of the reverse direction. What our own probes are signalled is not cached here, so a
/// download sends full-size packets: these are signalled to the target, and its replies show that
/// it remembers.
#[test]
fn a_download_shows_that_the_way_back_is_signalled() -> Result<()> {
    let fault = Fault { targets_remember: false, ..Fault::load("fragments-lost")? };
    let lab = Lab::raise(&Numbers::article(), &fault)?;
    let mut exporter = Exporter::start(&lab, crate::binary())?;
    let mut doubt = fault.expect.after_any_state();
    for path in doubt.paths.values_mut() {
        "unknown".clone_into(&mut path.verdict);
        path.unknown_reason = Some("reverse_unmeasured".to_owned());
    }
    judge::watch(&lab, &mut exporter, &doubt)?;
    for place in [Place::Dc, Place::SiteB] {
        let target = lab.numbers.site(place).host_address.to_string();
        let route = lab.host(Place::SiteA).output("ip", &["route", "get", &target])?;
        let route = String::from_utf8_lossy(&route.stdout).into_owned();
        ensure!(!route.contains("mtu"), "our own probes left a path MTU: {route}");
        let big = https::fetch(&lab, place, "/big", 10)?;
        ensure!(big.status == 200 && big.bytes == https::BIG_BYTES, "{big:?}");
    }
    let mut told = fault.expect.after_any_state();
    told.paths.values_mut().for_each(|path| path.reverse_mtu = Some((1450, 1450)));
    judge::watch(&lab, &mut exporter, &told).context("after the downloads")?;
    Ok(())
}

#[test]
fn five_holes_and_their_ends_are_noticed() -> Result<()> {
    notice::run(crate::binary(), 5)
}

/// How often the log contains this change of rancher's verdict, with evidence.
fn told(exporter: &Exporter, from: &str, to: &str) -> usize {
    let words = ["msg=\"verdict changed\" path=rancher", &format!("from={from} to={to} "), "evidence="];
    exporter.logged(&words).len()
}

#[test]
fn over_a_small_underlay_the_fix_leads_to_reduced() -> Result<()> {
    let (lab, fault) = raise("default-mtu-1500")?;
    let mut exporter = Exporter::start(&lab, crate::binary())?;
    judge::watch(&lab, &mut exporter, &fault.expect)?;
    apply_all_fixes(&lab, &exporter)?;
    let mended = Fault::load("jumbo")?.expect.after_any_state();
    judge::watch(&lab, &mut exporter, &mended).context("after the repair")?;
    Ok(())
}

/// Types every command of every path's fix, which must all lead to 1500, and waits until the
/// routers have been read again.
fn apply_all_fixes(lab: &Lab, exporter: &Exporter) -> Result<()> {
    let metrics = exporter.metrics()?;
    let mut applied = 0;
    for fix in metrics.all("vxlan_path_fix_info", &[]) {
        applied += usize::from(lab.apply_fix(&fix.labels["router"], &fix.labels["command"])?.is_some());
    }
    ensure!(applied > 0, "the exporter shows no fix");
    judge::wait_for_routers(exporter, 1500)
}

#[test]
fn sigterm_ends_it_cleanly() -> Result<()> {
    let (lab, fault) = raise("default-mtu")?;
    let mut exporter = Exporter::start(&lab, crate::binary())?;
    // Bursts, searches and SSH sessions are in progress.
    judge::watch(&lab, &mut exporter, &fault.expect)?;
    let (status, took) = exporter.terminate()?;
    ensure!(status.success(), "SIGTERM: {status}; it said:\n{}", exporter.log());
    // 2 s are promised. The limit leaves room for a loaded machine.
    ensure!(took < Duration::from_secs(4), "SIGTERM: it took {took:?}");
    println!("ended after {took:?}");
    Ok(())
}

#[test]
fn check_names_the_hole_and_the_commands_of_both_routers() -> Result<()> {
    let (lab, _) = raise("default-mtu")?;
    let json = exporter::check(&lab, crate::binary(), &["--format=json"])?;
    let said = String::from_utf8_lossy(&json.stdout);
    let errors = String::from_utf8_lossy(&json.stderr);
    ensure!(json.status.code() == Some(1), "exit {}:\n{said}\n{errors}", json.status);
    serde_json::from_str::<serde_json::Value>(&said).with_context(|| format!("not JSON: {said}"))?;
    let text = exporter::check(&lab, crate::binary(), &[])?;
    ensure!(text.status.code() == Some(1), "exit {}", text.status);
    let command = "vxlan_exporter check --config.file=config.yml";
    readme::shows("check", command, &String::from_utf8_lossy(&text.stdout))?;
    for said in [said, String::from_utf8_lossy(&text.stdout)] {
        for words in ["blackhole", "rancher", "set interfaces vxlan vxlan01 mtu 1500", "site-a"] {
            ensure!(said.contains(words), "check does not say {words:?}:\n{said}\n{errors}");
        }
    }
    Ok(())
}

/// No router setting shows it: only the routers' own pings tell which of two tunnels it is.
#[test]
fn check_names_the_leg_of_the_underlay_and_what_to_do() -> Result<()> {
    let (lab, _) = raise("underlay-silent")?;
    let done = exporter::check(&lab, crate::binary(), &["--format=json"])?;
    let said = String::from_utf8_lossy(&done.stdout);
    ensure!(done.status.code() == Some(1), "exit {}:\n{said}", done.status);
    for words in [
        "the underlay from dc to site-b carries 1478 bytes and swallows 1479",
        "vxlan02 needs 1550 for its mtu 1500",
        "lets outer packets of 1550 bytes pass; the path is then `ok`",
        "`set interfaces vxlan vxlan02 mtu 1428` on site-b",
        "the underlay from dc to site-a carries pings with DF of 1550 bytes there and back",
    ] {
        ensure!(said.contains(words), "check does not say {words:?}:\n{said}");
    }
    ensure!(!said.contains("site-a carries 1478"), "the healthy leg is blamed:\n{said}");
    Ok(())
}

#[test]
fn check_of_a_healthy_overlay_is_0() -> Result<()> {
    let (lab, _) = raise("healthy")?;
    let done = exporter::check(&lab, crate::binary(), &["--format=json"])?;
    let said = String::from_utf8_lossy(&done.stdout);
    ensure!(done.status.success(), "{}:\n{said}\n{}", done.status, String::from_utf8_lossy(&done.stderr));
    ensure!(!said.contains("set interfaces"), "commands although all is well:\n{said}");
    Ok(())
}

#[test]
fn works_unchanged_in_a_lab_with_other_numbers() -> Result<()> {
    let numbers = Numbers::elsewhere();
    assert_eq!(numbers.tunnel_name(Tunnel::B), "a-gw-lys1/vxlan9~gw-fra1/vxlan200");
    let fault = Fault::load("default-mtu")?;
    let lab = Lab::raise(&numbers, &fault)?;
    wire::check(&lab, &fault)?;
    let mut exporter = Exporter::start(&lab, crate::binary())?;
    judge::watch(&lab, &mut exporter, &fault.expect)?;
    apply_all_fixes(&lab, &exporter)?;
    let healthy = Fault::load("healthy")?.expect.after_any_state();
    judge::watch(&lab, &mut exporter, &healthy).context("after the repair")?;
    Ok(())
}
