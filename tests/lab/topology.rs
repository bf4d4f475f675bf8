//! The wires: a core that routes, three routers whose bridge joins a LAN port with vxlan devices, a
//! host behind each, and a management network beside it all. The exporter's host alone has a leg
//! there, so that the routers can be read whatever the overlay does.

use std::path::Path;

use anyhow::{Context, Result};

use super::{
    Lab,
    fault::Fault,
    namespace::{Namespace, run},
    numbers::{End, Place},
    runs,
};

/// MTU of the sites' LANs, in bytes.
const LAN_MTU: u32 = 1500;

/// Makes all namespaces and wires, with the fault in them.
pub fn build(lab: &mut Lab, fault: &Fault) -> Result<()> {
    let core = add(lab, "core")?;
    core.sysctl("net/ipv4/ip_forward", "1")?;
    let management = add(lab, "mgmt")?;
    management.ip("link add br0 type bridge")?;
    management.ip("link set br0 up")?;
    for place in Place::ALL {
        let router = add(lab, lab.numbers.site(place).router)?;
        lab.routers.insert(place, router);
        let host = add(lab, lab.numbers.site(place).host)?;
        lab.hosts.insert(place, host);
        join_underlay(lab, place, &core, fault)?;
        join_host(lab, place)?;
        let numbers = lab.numbers.site(place);
        join_management(lab.router(place), &management, numbers.router, numbers.management)?;
    }
    let exporter = lab.host(Place::SiteA);
    join_management(exporter, &management, "exporter", lab.numbers.exporter_management)?;
    for end in End::ALL {
        add_vxlan(lab, end, fault)?;
    }
    drop_at_core(&core, &fault.core_rules)?;
    for place in &fault.underlay_down_at {
        lab.router(*place).ip("link set eth0 down")?;
    }
    Ok(())
}

fn add(lab: &Lab, role: &str) -> Result<Namespace> {
    Namespace::add(runs::namespace_name(&lab.id, role))
}

fn join_underlay(lab: &Lab, place: Place, core: &Namespace, fault: &Fault) -> Result<()> {
    let (router, site) = (lab.router(place), lab.numbers.site(place));
    let (leg, mtu) = (place.core_leg(), fault.underlay_mtu);
    router.ip(&format!("link add eth0 mtu {mtu} type veth peer name {leg} mtu {mtu} netns {}", core.name))?;
    core.ip(&format!("addr add {}/24 dev {leg}", site.core))?;
    core.ip(&format!("link set {leg} up"))?;
    router.ip(&format!("addr add {}/24 dev eth0", site.underlay))?;
    router.ip("link set eth0 up")?;
    router.ip(&format!("route add default via {}", site.core))?;
    router.sysctl("net/ipv4/ip_forward", "1")
}

/// The LAN: `bridge` = eth1, to which the vxlan devices come later.
fn join_host(lab: &Lab, place: Place) -> Result<()> {
    let (router, host, site) = (lab.router(place), lab.host(place), lab.numbers.site(place));
    let bridge = lab.numbers.bridge;
    router.ip(&format!(
        "link add eth1 mtu {LAN_MTU} type veth peer name eth0 mtu {LAN_MTU} netns {}",
        host.name
    ))?;
    router.ip(&format!("link add {bridge} type bridge"))?;
    router.ip(&format!("link set eth1 master {bridge}"))?;
    router.ip("link set eth1 up")?;
    router.ip(&format!("link set {bridge} up"))?;
    // VyOS's default; the kernel's own is 1 where the module is loaded, and moves the edge from 1454 to 1450.
    for table in ["iptables", "ip6tables", "arptables"] {
        if Path::new(&format!("/proc/sys/net/bridge/bridge-nf-call-{table}")).exists() {
            router.sysctl(&format!("net/bridge/bridge-nf-call-{table}"), "0")?;
        }
    }
    host.ip(&format!("addr add {}/24 dev eth0", site.host_address))?;
    host.ip(&format!("addr add {}/64 dev eth0 nodad", site.host_address_v6()))?;
    host.ip("link set eth0 up")?;
    // A veth passes 64 kB super-packets where single frames die; a real card cuts them first.
    host.run("ethtool", &["-K", "eth0", "tso", "off", "gso", "off"])
        .context("without this the lab would hide the hole that it is for")
}

fn join_management(
    namespace: &Namespace,
    management: &Namespace,
    port: &str,
    address: std::net::Ipv4Addr,
) -> Result<()> {
    namespace.ip(&format!("link add mgmt0 type veth peer name {port} netns {}", management.name))?;
    namespace.ip(&format!("addr add {address}/24 dev mgmt0"))?;
    namespace.ip("link set mgmt0 up")?;
    management.ip(&format!("link set {port} master br0"))?;
    management.ip(&format!("link set {port} up"))
}

/// As VyOS sets it up for `remote` alone: no local address, df unset, ttl 16.
fn add_vxlan(lab: &Lab, end: End, fault: &Fault) -> Result<()> {
    let (router, interface) = (lab.router(end.place()), lab.numbers.interface(end));
    let own = lab.numbers.tunnel(end.tunnel()).vni;
    let other = lab.numbers.tunnel_a.vni + lab.numbers.tunnel_b.vni - own;
    let vni = if fault.vni_slip_at.contains(&end) { other } else { own };
    let mtu = fault.vxlan_mtu_at.get(&end).unwrap_or(&fault.vxlan_mtu);
    let (remote, port) = (lab.numbers.site(end.remote()).underlay, lab.numbers.port);
    router.ip(&format!(
        "link add {interface} type vxlan id {vni} remote {remote} dstport {port} ttl 16 df unset"
    ))?;
    router.ip(&format!("link set {interface} mtu {mtu}"))?;
    router.ip(&format!("link set {interface} master {}", lab.numbers.bridge))?;
    router.ip(&format!("link set {interface} up"))
}

fn drop_at_core(core: &Namespace, rules: &[String]) -> Result<()> {
    if rules.is_empty() {
        return Ok(());
    }
    let mut nft = vec!["add table ip lab".to_owned()];
    nft.push("add chain ip lab forward { type filter hook forward priority 0; }".to_owned());
    nft.extend(rules.iter().map(|rule| format!("add rule ip lab forward {rule}")));
    run("ip", &["netns", "exec", &core.name, "nft", &nft.join("; ")]).map(drop)
}
