//! The links of a router, merged from several answers of its API.

use std::{
    collections::{BTreeMap, HashMap, hash_map::Entry},
    net::IpAddr,
};

use serde_json::Value;

use crate::{
    model::{
        snapshot::{Counters, Link},
        types::{InterfaceName, LinkKind},
    },
    router::parse::{api_config::VxlanConfig, show_summary::Summary},
    text::Text,
    work,
};

/// The answers, each as far as it was given.
#[derive(Debug, Default)]
pub(crate) struct Answered {
    /// `show interfaces vxlan detail`.
    pub vxlans: Vec<Link>,
    /// The configuration of the vxlan interfaces, with the defaults of the router's version.
    pub configured: BTreeMap<InterfaceName, VxlanConfig>,
    /// `show interfaces`.
    pub all: Vec<Summary>,
    /// The configuration of all bridges.
    pub bridges: Value,
}

/// All links. An interface that is configured but not shown does not exist and is left out.
pub(crate) fn links(told: Answered) -> Vec<Link> {
    let mut links = told.vxlans;
    for link in &mut links {
        if let Some(config) = told.configured.get(&link.name) {
            link.vxlan = Some(config.vxlan.clone());
            link.mtu = link.mtu.or(config.mtu);
        }
    }
    let mut names: HashMap<String, usize> = HashMap::new();
    for (place, link) in links.iter().enumerate() {
        names.insert(link.name.to_string(), place);
    }
    for summary in work::each(told.all) {
        if let Entry::Vacant(place) = names.entry(summary.name.to_string()) {
            place.insert(links.len());
            links.push(other(summary));
        }
    }
    for (bridge, config) in work::each(told.bridges.as_object().into_iter().flatten()) {
        if let Some(place) = names.get(bridge) {
            links[*place].kind = Some(LinkKind::Bridge);
        }
        let members = config.pointer("/member/interface").and_then(Value::as_object);
        for place in
            work::each(members.into_iter().flat_map(|it| it.keys())).filter_map(|name| names.get(name))
        {
            if links[*place].name.as_str() != bridge {
                let master = links[*place].master.take();
                links[*place].master = master.or_else(|| InterfaceName::new(bridge));
            }
        }
    }
    links
}

/// A link other than vxlan, known only from the summary.
fn other(summary: Summary) -> Link {
    let bare = |text: &Text| text.split('/').next()?.parse::<IpAddr>().ok();
    Link {
        addresses: summary.addresses.iter().filter_map(bare).collect(),
        name: summary.name,
        ifindex: None,
        mtu: summary.mtu,
        // VyOS 1.3 shows a link without carrier as administratively down.
        admin_up: summary.admin_up.filter(|up| *up),
        oper_state: None,
        mac: summary.mac,
        master: None,
        parent: None,
        description: summary.description.filter(|text| !text.is_empty()),
        kind: None,
        vxlan: None,
        counters: Counters::default(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::router::parse::{api_config, show_summary, show_text};

    fn told(config: &str) -> Answered {
        let shown = "vxlan01: <BROADCAST,UP> mtu 1400 qdisc noqueue master br01 state UNKNOWN\n    link/ether 4e:3c:34:45:dd:d8\n\n    RX:  bytes  packets  errors  dropped  overrun  mcast\n             1        1       0        0        0      0\n    TX:  bytes  packets  errors  dropped  carrier  collisions\n             1        1       0        0        0           0\n";
        let all = "Interface  IP Address      S/L  Description\n---------  ----------      ---  -----------\nbr01       -               u/u\neth0       10.10.0.254/24  u/u\neth1       -               A/D  hosts\nvxlan01    -               u/u\n";
        Answered {
            vxlans: show_text::links(shown).unwrap().into_kernel(),
            configured: api_config::interfaces(&format!(r#"{{"success": true, "data": {config}}}"#)).unwrap(),
            all: show_summary::interfaces(all).unwrap().interfaces,
            bridges: json!({"br01": {"member": {"interface": {"eth1": {}, "vxlan01": {}}}}, "br02": {}}),
        }
    }

    #[test]
    fn each_place_adds_what_it_knows_and_what_is_seen_wins() {
        let links = links(told(r#"{"vxlan01": {"vni": "1", "mtu": "1500", "remote": "10.10.10.254"}}"#));
        let names: Vec<_> = links.iter().map(|link| link.name.as_str()).collect();
        assert_eq!(names, ["vxlan01", "br01", "eth0", "eth1"], "each once");
        let (vxlan, bridge, eth0, eth1) = (&links[0], &links[1], &links[2], &links[3]);
        assert_eq!(vxlan.mtu, Some(1400), "the device's, not the configured one");
        assert_eq!(vxlan.vxlan.as_ref().unwrap().remote, Some("10.10.10.254".parse().unwrap()));
        assert_eq!(bridge.kind, Some(LinkKind::Bridge));
        assert_eq!(eth0.addresses, ["10.10.0.254".parse::<IpAddr>().unwrap()]);
        assert_eq!((eth1.master.as_deref(), eth1.admin_up, eth1.mtu), (Some("br01"), None, None));
    }

    #[test]
    fn a_device_that_is_not_configured_has_no_settings_and_one_that_is_not_there_is_left_out() {
        let links = links(told(r#"{"vxlan09": {"vni": "9", "remote": "10.10.10.254"}}"#));
        assert_eq!(links[0].vxlan, None);
        assert!(links.iter().all(|link| link.name.as_str() != "vxlan09"));
    }
}
