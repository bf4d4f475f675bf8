//! Tests of the pure join: tables that change one thing at the lab's three sites.

mod cause;
mod evpn;
mod legs;
mod loss;
mod loss_by_vni;
mod pairing;
mod passive;
mod property;
mod routed;
mod up;
mod work;

use crate::{
    model::picture::{FixStep, Overlay, Tunnel},
    overlay::{
        fixture::{TestRouter, plan, read},
        tunnel::Assessor,
    },
};

fn assess(routers: &[TestRouter]) -> Overlay {
    Assessor::new(&plan(&[])).assess(&read(routers), &[])
}

fn tunnel<'o>(overlay: &'o Overlay, name: &str) -> &'o Tunnel {
    let names: Vec<_> = overlay.tunnels.iter().map(|tunnel| &tunnel.name).collect();
    overlay.tunnels.iter().find(|tunnel| tunnel.name == name).unwrap_or_else(|| panic!("{name} in {names:?}"))
}

fn names(overlay: &Overlay) -> Vec<&str> {
    overlay.tunnels.iter().map(|tunnel| tunnel.name.as_str()).collect()
}

fn typed(steps: &[FixStep]) -> Vec<String> {
    steps.iter().map(|step| format!("{}: {}", step.router, step.command)).collect()
}
