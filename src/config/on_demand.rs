//! What `/probe` may be asked: the key `probe`.

use std::net::IpAddr;

use pnet::ipnetwork::IpNetwork;

use super::{
    broken::{Checked, broken_key},
    position::Step::{Index, Key},
    schema::{Module, OnDemandSection, Schema},
};
use crate::model::on_demand::{AllowedTarget, ModulePlan, OnDemandPlan, Prober};

/// Default for the probes at the same time: each may send `PROBE_BUDGET_PPS` packets a second.
const AT_ONCE: usize = 8;

pub(super) fn plan(top: &Schema) -> OnDemandPlan {
    let written = top.probe.as_ref();
    let allowed = written.and_then(|probe| probe.allowed_targets.as_ref());
    let mut modules: std::collections::BTreeMap<_, _> =
        Prober::ALL.iter().map(|prober| (prober.as_str().to_owned(), prober.built_in())).collect();
    let own = written.into_iter().flat_map(OnDemandSection::modules);
    modules.extend(own.map(|module| (module.name.0.clone(), module_plan(module))));
    OnDemandPlan {
        allowed_targets: match allowed {
            Some(targets) => targets.iter().map(|target| target.0.clone()).collect(),
            None => top.paths().iter().map(|path| target_of(&path.address.0)).collect(),
        },
        and_networks_around: allowed.is_none(),
        at_once: written.and_then(|probe| probe.at_once).map_or(AT_ONCE, |most| most.0),
        modules,
    }
}

fn target_of(host: &str) -> AllowedTarget {
    host.parse::<IpAddr>().map_or_else(
        |_| AllowedTarget::Name(host.trim_end_matches('.').to_ascii_lowercase()),
        |address| AllowedTarget::Network(IpNetwork::from(address)),
    )
}

fn module_plan(module: &Module) -> ModulePlan {
    let standard = module.prober.0.built_in();
    ModulePlan {
        timeout: module.timeout.map_or(standard.timeout, |timeout| timeout.0),
        family: module.family.map(|family| family.0),
        expected_mtu: module.expected_mtu.map(|mtu| mtu.0),
        ..standard
    }
}

/// Each module has a name of its own, and no key that its prober has no use for.
pub(super) fn check(top: &Schema) -> Checked {
    let modules = top.probe.as_ref().map_or(&[][..], |probe| probe.modules());
    for (index, module) in modules.iter().enumerate() {
        let here = [Key("probe"), Key("modules"), Index(index)];
        if modules[..index].iter().any(|other| other.name == module.name) {
            let message = format!("the name {:?} is given to two modules: give each its own", module.name.0);
            return broken_key(here, "name", message);
        }
        if module.expected_mtu.is_some() && module.prober.0 != Prober::PathMtu {
            let message = "only the prober path_mtu expects an MTU: remove it, or write `prober: path_mtu`";
            return broken_key(here, "expected_mtu", message);
        }
    }
    Ok(())
}
