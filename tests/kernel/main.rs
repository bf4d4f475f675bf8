//! Tests that need a real kernel: root, network namespaces, the exporter as a process, real
//! servers. Each suite is a module, named like its file and folder.

#![allow(
    clippy::too_many_lines,
    reason = "a test tells a story or tables its cases: cutting it makes it no easier to read"
)]

mod alive;
mod doors;
mod evpn;
mod hostile_router;
mod image;
mod lab_faults;
mod lab_fixes;
mod lab_init;
mod lab_loss;
mod lab_page;
mod lab_probe;
mod many_routers;
mod monitoring;
mod on_demand;
mod reflector;
mod router_api;
mod router_ssh;
mod serving;
mod soak;
mod support;
mod wire;

use std::path::Path;

/// The exporter that was built with these tests.
const BINARY: &str = env!("CARGO_BIN_EXE_vxlan_exporter");

/// The path of the exporter that was built with these tests.
fn binary() -> &'static Path {
    Path::new(BINARY)
}
