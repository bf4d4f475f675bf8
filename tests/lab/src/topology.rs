//! The network: a core that routes, three routers whose bridge connects a LAN port with vxlan
//! devices, a host behind each, and a management network beside it. Only the exporter's host is
//! connected to that, so that the routers can be read whatever the state of the overlay.

use std::{
    net::Ipv4Addr,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use super::{
    Lab,
    fault::Fault,
    namespace::Namespace,
    numbers::{End, Place},
    runs,
    underlay::Way,
};

/// MTU of the sites' LANs, in bytes.
const LAN_MTU: u32 = 1500;

/// Creates all namespaces and links, including the fault.
pub fn build(lab: &mut Lab, fault: &Fault) -> Result<()> {
    let (core, management) = add_namespaces(lab)?;
    let loopback = "link set lo up".to_owned();
    let bridge = [
        loopback.clone(),
        "link add br0 type bridge".to_owned(),
        format!("addr add {}/24 dev br0", lab.numbers.management_host),
        "link set br0 up".to_owned(),
    ];
    management.batch(&bridge)?;
    for place in Place::ALL {
        let router = lab.router(place);
        router.batch(&[vec![loopback.clone()], at_router(lab, place, fault)].concat())?;
        router.sysctl("net/ipv4/ip_forward", "1")?;
        hand_bridged_packets_to_iptables(router, fault.bridge_netfilter)?;
        lab.host(place).batch(&[vec![loopback.clone()], at_host(lab, place)].concat())?;
        // A veth passes 64 kB super-packets where single frames are lost; a real network card
        // splits them first.
        lab.host(place)
            .run("ethtool", &["-K", "eth0", "tso", "off", "gso", "off"])
            .context("without this the lab would hide the hole that it is for")?;
    }
    core.batch(&[vec![loopback], fault.underlay.at_core(lab)].concat())?;
    core.sysctl("net/ipv4/ip_forward", "1")?;
    for place in Place::ALL {
        fault.underlay.route(lab, place)?;
    }
    let ports = Place::ALL.iter().flat_map(|place| at_management(lab.numbers.site(*place).router));
    management.batch(&ports.collect::<Vec<_>>())?;
    if let Some(mtu) = fault.pod_mtu {
        let pod = Namespace::add(runs::namespace_name(&lab.id, "pod"))?;
        join_pod(lab, &pod, mtu)?;
        lab.pod = Some(pod);
    }
    let exporter = to_management(&management, "exporter", lab.numbers.exporter_management);
    lab.vantage().batch(&exporter)?;
    management.batch(&at_management("exporter"))?;
    for end in End::ALL {
        add_vxlan(lab, end, fault)?;
    }
    let family = if fault.underlay == Way::Ipv6 { "ip6" } else { "ip" };
    filter(&core, family, "forward", "hook forward", &fault.core_rules)?;
    for (place, mtu) in &fault.core_mtu_at {
        fault.underlay.narrow_core(lab, *place, *mtu)?;
    }
    for (place, rules) in &fault.router_rules {
        filter(lab.router(*place), "inet", "input", "hook input", rules)?;
    }
    for (place, mtu) in &fault.router_remembers {
        router_learns(lab, fault, *place, *mtu)?;
    }
    for (place, rules) in &fault.host_rules {
        filter(lab.host(*place), "inet", "input", "hook input", rules)?;
    }
    for (end, rules) in &fault.interface_rules {
        let interface = lab.numbers.interface(*end);
        let hook = format!("hook ingress device {interface}");
        filter(lab.router(end.place()), "netdev", interface, &hook, rules)?;
    }
    for (place, rules) in &fault.lan_rules {
        filter(lab.router(*place), "netdev", "eth1", "hook ingress device eth1", rules)?;
    }
    for (place, ttl) in &fault.router_ttl {
        lab.router(*place).sysctl("net/ipv4/ip_default_ttl", &ttl.to_string())?;
        lab.router(*place).sysctl("net/ipv6/conf/all/hop_limit", &ttl.to_string())?;
    }
    if let Some(mtu) = fault.route_mtu {
        narrow_route(lab, mtu)?;
    }
    if fault.poisoned_cache {
        poison_cache(lab)?;
    }
    if fault.targets_remember {
        for place in [Place::Dc, Place::SiteB] {
            learn_of_1450(lab, place, Place::SiteA)?;
        }
    }
    for place in &fault.underlay_down_at {
        lab.router(*place).ip("link set eth0 down")?;
    }
    Ok(())
}

/// Creates all namespaces but a pod's; returns those of the core and the management network.
fn add_namespaces(lab: &mut Lab) -> Result<(Namespace, Namespace)> {
    let mut roles = vec!["core", "mgmt"];
    for place in Place::ALL {
        roles.extend([lab.numbers.site(place).router, lab.numbers.site(place).host]);
    }
    let names = roles.iter().map(|role| runs::namespace_name(&lab.id, role)).collect();
    let mut added = Namespace::add_all(names)?.into_iter();
    let mut next = || added.next().context("a namespace for each role");
    let (core, management) = (next()?, next()?);
    for place in Place::ALL {
        lab.routers.insert(place, next()?);
        lab.hosts.insert(place, next()?);
    }
    Ok((core, management))
}

/// Underlay, LAN and management port of a router: `bridge` = eth1; the vxlan devices are added
/// later.
fn at_router(lab: &Lab, place: Place, fault: &Fault) -> Vec<String> {
    let (site, bridge) = (lab.numbers.site(place), lab.numbers.bridge);
    let (leg, mtu, core) = (place.core_leg(), fault.underlay_mtu, lab.core().name);
    let host = &lab.host(place).name;
    let mut commands =
        vec![format!("link add eth0 mtu {mtu} type veth peer name {leg} mtu {mtu} netns {core}")];
    commands.extend(fault.underlay.at_router(lab, place));
    commands.extend([
        format!("link add eth1 mtu {LAN_MTU} type veth peer name eth0 mtu {LAN_MTU} netns {host}"),
        format!("link add {bridge} type bridge"),
        format!("link set eth1 master {bridge}"),
        "link set eth1 up".to_owned(),
        format!("link set {bridge} up"),
    ]);
    commands.extend(to_management(&lab.management(), site.router, site.management));
    commands
}

fn at_host(lab: &Lab, place: Place) -> Vec<String> {
    let site = lab.numbers.site(place);
    vec![
        format!("addr add {}/24 dev eth0", site.host_address),
        format!("addr add {}/64 dev eth0 nodad", site.host_address_v6()),
        "link set eth0 up".to_owned(),
    ]
}

/// Off is VyOS's default. The kernel's own default is on if the module is loaded, which moves the
/// edge from 1454 to 1450.
fn hand_bridged_packets_to_iptables(router: &Namespace, on: bool) -> Result<()> {
    for table in ["iptables", "ip6tables", "arptables"] {
        let key = format!("net/bridge/bridge-nf-call-{table}");
        if Path::new("/proc/sys").join(&key).exists() {
            router.sysctl(&key, if on { "1" } else { "0" })?;
        } else {
            ensure!(!on, "this kernel's br_netfilter is not loaded: modprobe br_netfilter");
        }
    }
    Ok(())
}

/// A pod wired much like Calico's: a /32 behind a veth, with its host answering ARP for both sides.
fn join_pod(lab: &Lab, pod: &Namespace, mtu: u32) -> Result<()> {
    let (host, address) = (lab.host(Place::SiteA), lab.numbers.pod_address);
    host.ip(&format!("link add cali0 mtu {mtu} type veth peer name eth0 mtu {mtu} netns {}", pod.name))?;
    host.ip("link set cali0 up")?;
    host.ip(&format!("route add {address}/32 dev cali0"))?;
    host.sysctl("net/ipv4/ip_forward", "1")?;
    for interface in ["cali0", "eth0"] {
        host.sysctl(&format!("net/ipv4/conf/{interface}/proxy_arp"), "1")?;
        // The kernel's own default is a delay of up to 0.8 s.
        host.sysctl(&format!("net/ipv4/neigh/{interface}/proxy_delay"), "0")?;
    }
    pod.ip(&format!("addr add {address}/32 dev eth0"))?;
    pod.ip("link set eth0 up")?;
    let [a, b, c, _] = address.octets();
    pod.ip(&format!("route add {a}.{b}.{c}.0/24 dev eth0"))?;
    // IPv6 has no proxy for a whole prefix, so each neighbour is listed.
    let address = lab.numbers.pod_address_v6();
    host.sysctl("net/ipv6/conf/all/forwarding", "1")?;
    for interface in ["cali0", "eth0"] {
        host.sysctl(&format!("net/ipv6/conf/{interface}/proxy_ndp"), "1")?;
        host.sysctl(&format!("net/ipv6/neigh/{interface}/proxy_delay"), "0")?;
    }
    host.ip(&format!("-6 neigh add proxy {address} dev eth0"))?;
    for place in [Place::Dc, Place::SiteB] {
        host.ip(&format!("-6 neigh add proxy {} dev cali0", lab.numbers.site(place).host_address_v6()))?;
    }
    host.ip(&format!("-6 route add {address}/128 dev cali0"))?;
    pod.ip(&format!("addr add {address}/64 dev eth0 nodad"))
}

/// Fills the path MTU cache of A's host: while A's router assumes an underlay of 1500 bytes, it
/// signals 1450 to senders of more, and A's host remembers that for ten minutes.
fn poison_cache(lab: &Lab) -> Result<()> {
    let router = lab.router(Place::SiteA);
    let narrow = format!("{}/32 via {}", lab.numbers.dc.underlay, lab.numbers.site_a.core);
    router.ip(&format!("route add {narrow} mtu 1500"))?;
    for place in [Place::Dc, Place::SiteB] {
        learn_of_1450(lab, Place::SiteA, place)?;
    }
    router.ip(&format!("route del {narrow}"))
}

/// A host sends full-size packets with DF until its caches for both families hold the
/// signalled 1450.
fn learn_of_1450(lab: &Lab, from: Place, to: Place) -> Result<()> {
    let (host, site) = (lab.host(from), lab.numbers.site(to));
    for (address, payload) in
        [(site.host_address.to_string(), "1472"), (site.host_address_v6().to_string(), "1452")]
    {
        let end = Instant::now() + Duration::from_mins(1);
        loop {
            // The ping is not answered: the router or the cache refuses it.
            host.output("ping", &["-c1", "-W1", "-Mdo", "-s", payload, &address])?;
            let route = host.output("ip", &["route", "get", &address])?;
            if String::from_utf8_lossy(&route.stdout).contains("mtu 1450") {
                break;
            }
            ensure!(Instant::now() < end, "the path MTU to {address} is not cached: {route:?}");
        }
    }
    Ok(())
}

/// A router sends packets with DF to the DC until it remembers this path MTU, which the core names
/// for that long only.
fn router_learns(lab: &Lab, fault: &Fault, place: Place, mtu: u32) -> Result<()> {
    let (router, to) = (lab.router(place), fault.underlay.vtep(lab, Place::Dc).to_string());
    fault.underlay.narrow_core(lab, place, mtu)?;
    let end = Instant::now() + Duration::from_mins(1);
    loop {
        router.output("ping", &["-c1", "-W1", "-Mdo", "-s1500", &to])?;
        let route = router.output("ip", &["route", "get", &to])?;
        if String::from_utf8_lossy(&route.stdout).contains(&format!("mtu {mtu}")) {
            break;
        }
        ensure!(Instant::now() < end, "the path MTU to {to} is not remembered: {route:?}");
    }
    fault.underlay.widen_core(lab, place)
}

/// Limits what A's host sends by TCP.
fn narrow_route(lab: &Lab, mtu: u32) -> Result<()> {
    let (host, site) = (lab.host(Place::SiteA), lab.numbers.site(Place::SiteA));
    let [a, b, c, _] = site.host_address.octets();
    let source = site.host_address;
    host.ip(&format!(
        "route replace {a}.{b}.{c}.0/24 dev eth0 proto kernel scope link src {source} mtu {mtu}"
    ))?;
    let [a, b, c, d, ..] = site.host_address_v6().segments();
    host.ip(&format!(
        "-6 route replace {a:x}:{b:x}:{c:x}:{d:x}::/64 dev eth0 proto kernel metric 256 mtu {mtu}"
    ))
}

/// The commands that join a namespace to the management network; `port` is its end there.
fn to_management(management: &Namespace, port: &str, address: Ipv4Addr) -> [String; 3] {
    [
        format!("link add mgmt0 type veth peer name {port} netns {}", management.name),
        format!("addr add {address}/24 dev mgmt0"),
        "link set mgmt0 up".to_owned(),
    ]
}

/// The commands at the management network for one of its ports.
fn at_management(port: &str) -> [String; 2] {
    [format!("link set {port} master br0"), format!("link set {port} up")]
}

/// A vxlan device as VyOS sets it up for `remote` alone: no local address, df unset, ttl 16.
fn add_vxlan(lab: &Lab, end: End, fault: &Fault) -> Result<()> {
    let (router, interface) = (lab.router(end.place()), lab.numbers.interface(end));
    let own = lab.numbers.tunnel(end.tunnel()).vni;
    let other = lab.numbers.tunnel_a.vni + lab.numbers.tunnel_b.vni - own;
    let vni = if fault.vni_slip_at.contains(&end) { other } else { own };
    let mtu = fault.vxlan_mtu_at.get(&end).unwrap_or(&fault.vxlan_mtu);
    let (way, port) = (fault.underlay.vxlan(lab, end), lab.numbers.port);
    router.batch(&[
        format!("link add {interface} type vxlan id {vni} {way} dstport {port} ttl 16 df {}", fault.df),
        format!("link set {interface} mtu {mtu}"),
        format!("link set {interface} master {}", lab.numbers.bridge),
        format!("link set {interface} up"),
    ])
}

fn filter(namespace: &Namespace, family: &str, chain: &str, hook: &str, rules: &[String]) -> Result<()> {
    if rules.is_empty() {
        return Ok(());
    }
    let mut nft = vec![format!("add table {family} lab")];
    nft.push(format!("add chain {family} lab {chain} {{ type filter {hook} priority 0; }}"));
    nft.extend(rules.iter().map(|rule| format!("add rule {family} lab {chain} {rule}")));
    namespace.run("nft", &[&nft.join("; ")])
}
