//! `vxlan_exporter`: see the library.
fn main() {}
