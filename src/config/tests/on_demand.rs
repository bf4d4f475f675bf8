use super::*;
use crate::model::on_demand::{AllowedTarget, Prober};

#[test]
fn mistakes_in_what_may_be_probed() {
    for (text, message) in [
        ("probe: {^allowed: []}", "probe: unknown key `allowed`: did you mean `allowed_targets`?"),
        (
            "probe:\n  allowed_targets: [10.0.0.0/8, ^10.0.0.1/8]",
            "probe.allowed_targets[1]: 10.0.0.1/8 has bits beyond its prefix length: write 10.0.0.0/8 or 10.0.0.1",
        ),
        (
            "probe:\n  allowed_targets: [^a b]",
            "probe.allowed_targets[0]: \"a b\" is neither a network nor a DNS name: write e.g. 192.168.100.0/24, fd00::/64, one address or rancher.example.org",
        ),
        (
            "probe:\n  at_once: ^0",
            "probe.at_once: \"0\" is not a number of probes at the same time: give a whole number from 1 to 100",
        ),
        ("probe:\n  modules: [^{name: a}]", "probe.modules[0]: key `prober` is missing: add it"),
        (
            "probe:\n  modules: [{name: a, prober: ^http}]",
            "probe.modules[0].prober: \"http\" is no prober: write icmp, tcp or path_mtu",
        ),
        (
            "probe:\n  modules:\n    - {name: a, prober: icmp}\n    - {^name: a, prober: tcp}",
            "probe.modules[1]: the name \"a\" is given to two modules: give each its own",
        ),
        (
            "probe:\n  modules: [{name: a, prober: tcp, ^expected_mtu: 1500}]",
            "probe.modules[0]: only the prober path_mtu expects an MTU: remove it, or write `prober: path_mtu`",
        ),
        (
            "probe:\n  modules:\n    - name: a\n      prober: tcp\n      ^prober: icmp",
            "probe.modules[0]: key `prober` is given twice: keep one",
        ),
    ] {
        refused(text, message);
    }
}

#[test]
fn by_default_the_paths_may_be_probed_by_the_built_in_modules() {
    let plan = plan(&format!("{PATH}- {{name: b, site: dc, address: Rancher.example.}}\n")).on_demand;
    let network = |text: &str| AllowedTarget::Network(text.parse().expect(text));
    let Some((AllowedTarget::Name(name), [address])) = plan.allowed_targets.split_last() else {
        panic!("{plan:?}")
    };
    assert_eq!((name.as_str(), address), ("rancher.example", &network("10.0.0.1/32")));
    assert!(plan.and_networks_around && plan.at_once == 8);
    let modules: Vec<_> = plan.modules.iter().map(|(name, module)| (name.as_str(), module.prober)).collect();
    assert_eq!(modules, [("icmp", Prober::Icmp), ("path_mtu", Prober::PathMtu), ("tcp", Prober::Tcp)]);
}

#[test]
fn a_module_of_the_configuration() {
    let text = "probe:\n  allowed_targets: [fd00::/64, a.example]\n  at_once: 3\n  modules:\n    - {name: jumbo, \
                prober: path_mtu, expected_mtu: 9000, timeout: 20s}\n    - {name: icmp, prober: icmp, family: 6}\n";
    let plan = plan(text).on_demand;
    assert!(!plan.and_networks_around && plan.at_once == 3 && plan.allowed_targets.len() == 2, "{plan:?}");
    let jumbo = &plan.modules["jumbo"];
    assert_eq!(
        (jumbo.timeout, jumbo.expected_mtu, jumbo.family),
        (Duration::from_secs(20), Some(9000), None)
    );
    assert_eq!(plan.modules["icmp"].family, Some(Family::V6), "a built-in one with other values");
}
