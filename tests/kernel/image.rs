//! The container image at work in the lab: what the chart's security context permits, with
//! `NET_RAW` and without, and that names are resolved inside it as in a pod. `IMAGE_BINARY` names
//! the binary that goes into it.

mod container;

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::json;

use container::{Image, write_secret};
use lab::{
    Lab,
    exporter::{self, Exporter},
    fault::Fault,
    metrics::Metrics,
    numbers::{Numbers, Place},
    sshd,
};

/// Time for a proof of 40 pairs and the edge of each direction, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

fn binary() -> PathBuf {
    std::env::var_os("IMAGE_BINARY").unwrap_or_else(|| crate::BINARY.into()).into()
}

#[test]
fn the_image_does_what_its_capabilities_say() -> Result<()> {
    let lab = Lab::raise(&Numbers::article(), &Fault::load("default-mtu")?)?;
    let archive = lab.directory().join("image.tar");
    container::build(&binary(), &archive)?;
    let again = lab.directory().join("again.tar");
    container::build(&binary(), &again)?;
    ensure!(container::digest(&archive)? == container::digest(&again)?, "the same binary, and another image");
    let image = Image::unpack(&archive, &lab.directory())?;
    ensure!(image.config["User"] == json!("65532:65532"), "{}", image.config);
    ensure!(image.config["Entrypoint"] == json!(["/vxlan_exporter"]), "{}", image.config);
    let version = &image.config["Labels"]["org.opencontainers.image.version"];
    ensure!(*version == json!(env!("CARGO_PKG_VERSION")), "{}", image.config);
    ensure!(
        container::file_capabilities(&image)? == "cap_net_raw=p",
        "{}",
        container::file_capabilities(&image)?
    );

    let files = pod_files(&lab)?;
    let files: Vec<(&Path, &str)> = files.iter().map(|(from, to)| (from.as_path(), *to)).collect();
    // A pod has its own setting; that of its host usually permits nobody.
    lab.vantage().sysctl("net/ipv4/ping_group_range", "0 2147483647")?;
    let mut dns =
        lab.vantage().command("/usr/sbin/dnsmasq").args(name_server(&lab)).spawn().context("dnsmasq")?;
    for (capabilities, net_raw, directions) in
        [(&["CAP_NET_RAW"][..], 1.0, &["forward", "reverse"][..]), (&[], 0.0, &["unknown"])]
    {
        let command = image.command(lab.vantage(), capabilities, &files)?;
        let mut exporter = Exporter::start_by(&lab, command)?;
        let metrics = exporter.metrics()?;
        for (name, able) in
            [("icmp_socket", 1.0), ("net_raw", net_raw), ("tcp_syn", net_raw), ("fragments", net_raw)]
        {
            let said = metrics.value("vxlan_exporter_capability", &[("name", name)]);
            ensure!(said == Some(able), "{capabilities:?}: {name} is {said:?}\n{}", exporter.log());
        }
        wait_for(&mut exporter, |metrics| {
            let routers = metrics.set("vxlan_router_up", &[], "router").len();
            let holes = ["rancher", "node-b"].into_iter().all(|path| {
                directions.iter().all(|direction| {
                    let labels = [("path", path), ("direction", *direction)];
                    metrics.value("vxlan_path_blackhole", &labels) == Some(1.0)
                })
            });
            let replies = metrics.value("vxlan_path_echo_replies_total", &[("path", "rancher")]);
            routers == 3 && holes && replies > Some(0.0)
        })
        .with_context(|| format!("with the capabilities {capabilities:?}"))?;
        ensure!(exporter.logged(&["everyone on this machine"]).is_empty(), "{}", exporter.log());
        let (status, _) = exporter.terminate()?;
        ensure!(status.success(), "{status}: {}", exporter.log());
    }
    dns.kill()?;
    dns.wait()?;
    Ok(())
}

fn wait_for(exporter: &mut Exporter, holds: impl Fn(&Metrics) -> bool) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    loop {
        let metrics = exporter.metrics()?;
        if holds(&metrics) {
            return Ok(());
        }
        ensure!(Instant::now() < end, "not within {PATIENCE:?}; the exporter said:\n{}", exporter.log());
        thread::sleep(Duration::from_millis(500));
    }
}

/// Files mounted into a pod: configuration and keys, and a kubelet's files for name resolution.
/// `rancher` is in the DNS and needs the search domain, `node-b` is a host alias.
fn pod_files(lab: &Lab) -> Result<Vec<(PathBuf, &'static str)>> {
    let pod = lab.directory().join("pod");
    let etc = pod.join("vxlan_exporter");
    fs::create_dir_all(&etc)?;
    let address = |place| lab.numbers.site(place).host_address;
    let config = fs::read_to_string(exporter::config(lab))?
        .replace(&lab.directory().display().to_string(), "/etc/vxlan_exporter")
        .replace(&format!("address: '{}'", address(Place::Dc)), "address: rancher")
        .replace(&format!("address: '{}'", address(Place::SiteB)), "address: node-b");
    ensure!(config.contains("address: rancher\n") && config.contains("address: node-b\n"), "{config}");
    fs::write(etc.join("config.yml"), config)?;
    write_secret(&etc.join("id_ed25519"), &fs::read(sshd::private_key(lab))?)?;
    write_secret(&etc.join("known_hosts"), &fs::read(sshd::known_hosts(lab))?)?;
    fs::write(pod.join("hosts"), format!("127.0.0.1 localhost\n{} node-b\n", address(Place::SiteB)))?;
    fs::write(pod.join("resolv.conf"), "search svc.cluster.test\nnameserver 127.0.0.1\noptions ndots:5\n")?;
    Ok(vec![
        (etc, "/etc/vxlan_exporter"),
        (pod.join("hosts"), "/etc/hosts"),
        (pod.join("resolv.conf"), "/etc/resolv.conf"),
    ])
}

fn name_server(lab: &Lab) -> Vec<String> {
    let rancher = lab.numbers.site(Place::Dc).host_address;
    let mut words: Vec<String> = [
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--no-resolv",
        "--no-hosts",
        "--user=root",
        "--pid-file=",
        "--bind-interfaces",
        "--listen-address=127.0.0.1",
    ]
    .map(str::to_owned)
    .to_vec();
    words.push(format!("--host-record=rancher.svc.cluster.test,{rancher}"));
    words
}
