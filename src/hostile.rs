//! What a hostile router says, from its output to every view.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    overlay::{
        fixture::{A, DC, path, plan, verdict},
        tunnel::Assessor,
    },
    report::{self, Paint},
    router::{
        parse::link,
        snapshot::{RouterReading, RouterSnapshot},
    },
    state::Present,
    types::{Method, Verdict},
};

fn router(name: &str, output: &str) -> Arc<RouterReading> {
    let mut reading = RouterReading::new(name.into(), name.into(), Vec::new());
    reading.scrapes = 2;
    reading.current = link::links(output).ok().map(|links| {
        Arc::new(RouterSnapshot {
            method: Method::Ip,
            links,
            fdb: Vec::new(),
            routes: BTreeMap::new(),
            version: None,
            boot_id: None,
            uptime: None,
            index: crate::router::index::Index::default(),
        })
    });
    Arc::new(reading)
}

/// `ip -j addr show` of a router with one vxlan device.
fn output(address: &str, remote: &str, name: &str, df: &str) -> String {
    serde_json::json!([
        {"ifname": "eth0", "mtu": 1600, "flags": ["UP"], "addr_info": [{"local": address}]},
        {"ifname": name, "mtu": 1450, "flags": ["UP"],
         "linkinfo": {"info_kind": "vxlan", "info_data": {"id": 1, "remote": remote, "port": 8472, "df": df}}},
    ])
    .to_string()
}

fn check(name: &str, df: &str) -> String {
    let routers =
        vec![router("dc", &output(DC, A, "vxlan01", "inherit")), router("site-a", &output(A, DC, name, df))];
    let paths = vec![path("rancher", "dc", verdict(Verdict::Ok))];
    let overlay = Arc::new(Assessor::new(&plan(&[])).assess(&routers, &paths));
    report::text(&Present { routers, paths, overlay, ..Present::default() }, 110, Paint::Plain)
}

#[test]
fn no_policy_of_a_router_is_a_command_for_another() {
    let text = check("vxlan01", "set\n      set system login user evil level admin");
    assert!(!text.contains("evil"), "{text}");
}

#[test]
fn no_name_of_a_router_moves_the_terminal() {
    for name in ["\u{1b}[2Jvx", "vx\u{1b}]0;t\u{7}", "vx\u{7}", "vx\0", "vx\u{202e}10"] {
        let text = check(name, "unset");
        let bad = |char: char| char != '\n' && (char.is_control() || char == '\u{202e}');
        assert!(!text.contains(bad), "{text:?}");
    }
}
