//! Which targets may be probed: the exporter must not become a scanner for whoever reaches its port.

use std::net::{IpAddr, Ipv4Addr};

use pnet::{datalink, ipnetwork::IpNetwork};

use crate::model::on_demand::{AllowedTarget, OnDemandPlan};

/// Why a target may not be probed; `address` is what `host` was resolved to.
pub(super) fn refusal(plan: &OnDemandPlan, host: &str, address: IpAddr) -> Option<String> {
    if address.is_unspecified() || address.is_multicast() || address == IpAddr::V4(Ipv4Addr::BROADCAST) {
        return Some(format!("{address} is not the address of one host"));
    }
    let own = || datalink::interfaces().into_iter().flat_map(|interface| interface.ips).collect();
    if is_allowed(plan, host, address, own) {
        return None;
    }
    let what = if host.parse::<IpAddr>().is_ok() { String::new() } else { format!(" ({address})") };
    let list = if plan.and_networks_around {
        "by default these are the configured paths and the networks of this machine that they are in"
    } else {
        "they are listed in the configuration"
    };
    Some(format!("{host}{what} is not one of probe.allowed_targets: {list}"))
}

fn is_allowed(
    plan: &OnDemandPlan,
    host: &str,
    address: IpAddr,
    own: impl FnOnce() -> Vec<IpNetwork>,
) -> bool {
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    let listed = plan.allowed_targets.iter().any(|allowed| match allowed {
        AllowedTarget::Network(network) => network.contains(address),
        AllowedTarget::Name(known) => *known == name,
    });
    let holds_a_path = |network: &IpNetwork| {
        plan.allowed_targets
            .iter()
            .any(|allowed| matches!(allowed, AllowedTarget::Network(path) if network.contains(path.ip())))
    };
    listed
        || plan.and_networks_around
            && own().iter().any(|network| network.contains(address) && holds_a_path(network))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(allowed: &[&str], and_networks_around: bool) -> OnDemandPlan {
        let target = |text: &&str| {
            text.parse().map_or_else(|_| AllowedTarget::Name((*text).to_owned()), AllowedTarget::Network)
        };
        let allowed_targets = allowed.iter().map(target).collect();
        OnDemandPlan { allowed_targets, and_networks_around, ..OnDemandPlan::default() }
    }

    fn allows(plan: &OnDemandPlan, host: &str, address: &str) -> bool {
        let own = || ["192.168.100.10/24", "10.9.0.1/16"].map(|network| network.parse().unwrap()).to_vec();
        is_allowed(plan, host, address.parse().unwrap(), own)
    }

    #[test]
    fn by_default_the_paths_and_the_own_networks_that_they_are_in() {
        let plan = plan(&["192.168.100.102", "203.0.113.7", "rancher.example"], true);
        for (host, address, is_allowed) in [
            ("192.168.100.102", "192.168.100.102", true),
            ("192.168.100.77", "192.168.100.77", true),
            ("203.0.113.7", "203.0.113.7", true),
            ("203.0.113.8", "203.0.113.8", false),
            // A network of our own without a path in it.
            ("10.9.3.3", "10.9.3.3", false),
            ("Rancher.Example.", "198.51.100.1", true),
            ("evil.example", "198.51.100.1", false),
            ("evil.example", "192.168.100.5", true),
        ] {
            assert_eq!(allows(&plan, host, address), is_allowed, "{host} {address}");
        }
    }

    #[test]
    fn what_is_listed_and_nothing_else() {
        let listed = plan(&["10.0.0.0/8", "fd00::/64", "rancher.example"], false);
        assert!(allows(&listed, "10.1.2.3", "10.1.2.3") && allows(&listed, "fd00::7", "fd00::7"));
        assert!(allows(&listed, "rancher.example", "192.0.2.1"));
        assert!(!allows(&listed, "192.168.100.77", "192.168.100.77"));
        assert!(!allows(&plan(&[], false), "127.0.0.1", "127.0.0.1"), "an empty list allows nothing");
    }

    #[test]
    fn many_hosts_at_once_are_no_target() {
        let all = plan(&["0.0.0.0/0", "::/0"], false);
        for address in ["0.0.0.0", "255.255.255.255", "224.0.0.1", "ff02::1", "::"] {
            let why = refusal(&all, address, address.parse().unwrap()).expect(address);
            assert!(why.contains("not the address of one host"), "{why}");
        }
        assert_eq!(refusal(&all, "192.0.2.1", "192.0.2.1".parse().unwrap()), None);
    }
}
