#![no_main]

use libfuzzer_sys::fuzz_target;
use vxlan_exporter::parse_command::{Format, read};

fuzz_target!(|text: &str| {
    let _ = read(Format::VlanVniTable, text);
});
