//! Route look-ups of vxlan devices, from the output of `ip -j`.

use super::*;

/// A router with these `links` and forwarding entries.
fn router(links: &str, fdb: &str) -> RouterSnapshot {
    let links = parse::link::links(links).expect("links");
    of_parts(links, Some(parse::fdb::entries(fdb).expect("entries").into()))
}

fn asked(of: &RouterSnapshot, vxlan: &str, remote: &str) -> Option<String> {
    let link = of.link(vxlan).expect("a link");
    let remote = remote.parse().expect("an address");
    Some(RouteQuery::new(of, link, link.vxlan.as_ref()?, remote)?.to_string())
}

/// What iproute2 6.1 prints for devices of a VRF. Derived from `ip/iplink_vrf.c` and
/// `drivers/net/vrf.c`, as the kernel at hand has no VRF.
const VRF: &str = r#"[
{"ifindex":2,"ifname":"eth0","flags":["BROADCAST","MULTICAST","UP","LOWER_UP"],"mtu":1600,"master":"underlay","link_type":"ether",
 "linkinfo":{"info_slave_kind":"vrf","info_slave_data":{"table":10}}},
{"ifindex":3,"ifname":"underlay","flags":["NOARP","MASTER","UP","LOWER_UP"],"mtu":65575,"link_type":"ether",
 "linkinfo":{"info_kind":"vrf","info_data":{"table":10}}},
{"ifindex":4,"ifname":"vxlan01","mtu":1500,"linkinfo":{"info_kind":"vxlan","info_data":{"id":1,"remote":"10.0.0.2","local":"10.0.0.1",
 "link":"eth0","port":4789}}},
{"ifindex":5,"ifname":"vxlan02","mtu":1500,"master":"underlay","linkinfo":{"info_kind":"vxlan","info_data":{"id":2,"remote":"10.0.0.2",
 "port":4789}}},
{"ifindex":6,"ifname":"vxlan03","mtu":1500,"linkinfo":{"info_kind":"vxlan","info_data":{"id":3,"remote":"10.0.0.2","link":"underlay",
 "port":4789}}}]"#;

#[test]
fn in_a_vrf_the_device_asks_there() {
    let learned = r#"[{"mac":"00:00:00:00:00:00","ifname":"vxlan01","dst":"10.0.0.2","viaIf":"eth0","flags":["self"],"state":"permanent"},
        {"mac":"00:00:00:00:00:00","ifname":"vxlan01","dst":"10.0.0.3","flags":["self"],"state":"permanent"}]"#;
    let router = router(VRF, learned);
    for (vxlan, remote, words) in [
        ("vxlan01", "10.0.0.2", "10.0.0.2 from 10.0.0.1 oif eth0 ipproto udp dport 4789"),
        // An entry that names no device uses that of the socket: the VRF of `dev`.
        ("vxlan01", "10.0.0.3", "10.0.0.3 from 10.0.0.1 oif underlay ipproto udp dport 4789"),
        // The VRF that a device routes *for* is not the VRF it sends in.
        ("vxlan02", "10.0.0.2", "10.0.0.2 ipproto udp dport 4789"),
        ("vxlan03", "10.0.0.2", "10.0.0.2 oif underlay ipproto udp dport 4789"),
    ] {
        assert_eq!(asked(&router, vxlan, remote).as_deref(), Some(words), "{vxlan}");
    }
}

/// Measured (6.18, iproute2 6.1): a link-local remote is tied to a device, and so are its
/// forwarding entries.
#[test]
fn a_link_local_remote_is_asked_with_its_device() {
    let links = r#"[{"ifname":"ll0","mtu":9050},{"ifname":"vx1","mtu":8980,"linkinfo":{"info_kind":"vxlan","info_data":{"id":1,
        "remote6":"fe80::3","local6":"fe80::1","link":"ll0","port":4789}}}]"#;
    let fdb = r#"[{"mac":"02:00:00:00:00:0a","ifname":"vx1","dst":"fe80::5","flags":["self","extern_learn"],"state":""},
        {"mac":"00:00:00:00:00:00","ifname":"vx1","dst":"fe80::3","viaIf":"ll0","flags":["self"],"state":"permanent"},
        {"mac":"00:00:00:00:00:00","ifname":"vx1","dst":"fe80::4","viaIf":"ll0","flags":["self"],"state":"permanent"}]"#;
    let router = router(links, fdb);
    for (remote, words) in [
        ("fe80::3", "fe80::3 from fe80::1 oif ll0 ipproto udp dport 4789"),
        ("fe80::4", "fe80::4 from fe80::1 oif ll0 ipproto udp dport 4789"),
        ("fe80::5", "fe80::5 from fe80::1 ipproto udp dport 4789"),
        ("10.0.0.1", "10.0.0.1 ipproto udp dport 4789"),
    ] {
        assert_eq!(asked(&router, "vx1", remote).as_deref(), Some(words), "{remote}");
    }
}

/// A name that a shell could interpret never gets into a script.
#[test]
fn nothing_is_asked_with_a_name_that_is_no_plain_word() {
    let links = r#"[{"ifname":"NAME","mtu":9050},{"ifname":"vx1","linkinfo":{"info_kind":"vxlan","info_data":{"id":1,
        "remote":"10.0.0.1","link":"NAME","port":4789}}}]"#;
    for name in ["$(reboot)", "a;b", "a'b", "-f", "`x`", "a&b", "京"] {
        let links = links.replace("NAME", name);
        assert_eq!(asked(&router(&links, "[]"), "vx1", "10.0.0.1"), None, "{name}");
    }
    for name in ["eth0.100", "bond0", "br-a_b"] {
        let links = links.replace("NAME", name);
        assert!(asked(&router(&links, "[]"), "vx1", "10.0.0.1").is_some(), "{name}");
    }
}

#[test]
fn names_that_go_round_end() {
    let links = r#"[{"ifname":"a","master":"b"},{"ifname":"b","master":"a"},{"ifname":"vx1","linkinfo":{"info_kind":"vxlan",
        "info_data":{"id":1,"remote":"10.0.0.1","link":"a"}}}]"#;
    assert_eq!(asked(&router(links, "[]"), "vx1", "10.0.0.9").as_deref(), Some("10.0.0.9"));
}
