//! The links of a router from what its API tells in several places.

use std::{collections::BTreeMap, net::IpAddr};

use serde_json::Value;

use crate::{
    router::{
        parse::{api_config::VxlanConfig, show_summary::Summary},
        snapshot::{Counters, Link},
    },
    types::InterfaceName,
};

/// What was asked, each part as far as it was answered.
#[derive(Debug, Default)]
pub struct Told {
    /// `show interfaces vxlan detail`.
    pub vxlans: Vec<Link>,
    /// The configuration of those, with the defaults of the router's version.
    pub configured: BTreeMap<InterfaceName, VxlanConfig>,
    /// `show interfaces`.
    pub all: Vec<Summary>,
    /// The configuration of all bridges.
    pub bridges: Value,
}

/// All links. What was configured but is not shown does not exist, and is left out.
pub fn links(told: Told) -> Vec<Link> {
    let mut links = told.vxlans;
    for link in &mut links {
        if let Some(config) = told.configured.get(&link.name) {
            link.vxlan = Some(config.vxlan());
            link.mtu = link.mtu.or(config.mtu);
        }
    }
    for summary in told.all {
        if !links.iter().any(|link| link.name == summary.name) {
            links.push(other(summary));
        }
    }
    for (bridge, config) in told.bridges.as_object().into_iter().flatten() {
        let members = config.pointer("/member/interface").and_then(Value::as_object);
        for link in &mut links {
            let name = link.name.as_str();
            if name == bridge {
                link.kind = Some("bridge".to_owned());
            } else if members.is_some_and(|members| members.contains_key(name)) {
                link.master.get_or_insert_with(|| bridge.clone());
            }
        }
    }
    links
}

/// A link that is no vxlan interface, of which there is only the summary.
fn other(summary: Summary) -> Link {
    let bare = |text: &String| text.split('/').next()?.parse::<IpAddr>().ok();
    Link {
        addresses: summary.addresses.iter().filter_map(bare).collect(),
        name: summary.name,
        ifindex: None,
        mtu: summary.mtu,
        // VyOS 1.3 shows a link without a carrier as taken down.
        admin_up: summary.admin_up.filter(|up| *up),
        oper_state: None,
        mac: summary.mac,
        master: None,
        description: summary.description.filter(|text| !text.is_empty()),
        kind: None,
        vxlan: None,
        counters: Counters::default(),
    }
}
