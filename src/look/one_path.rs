//! The one path of `probe` and of `/probe`, which no configuration describes.

use std::time::Duration;

use super::{LookPlan, target::ProbeTarget};
use crate::{
    config::LOSS_THRESHOLD,
    model::{
        family::Family,
        plan::PathPlan,
        types::{Bytes, PathName, Site, Source},
    },
};

const SENTINEL_EVERY: Duration = Duration::from_secs(1);

/// The path to a target at `address`, which is the target's host or what it was resolved to.
#[must_use]
pub fn plan(
    target: &ProbeTarget,
    address: String,
    family: Option<Family>,
    expected_mtu: Option<Bytes>,
    look: &LookPlan,
) -> PathPlan {
    let mut path = PathPlan {
        name: PathName(target.to_string()),
        // Without routers the names of the sites have no effect.
        source: Source::from("here"),
        site: Site::from("there"),
        address,
        family,
        tcp_port: target.port,
        reflector: None,
        probe_interval: look.every,
        sentinel_interval: SENTINEL_EVERY,
        expected_mtu,
        loss_threshold: LOSS_THRESHOLD,
    };
    look.pace(&mut path);
    path
}
