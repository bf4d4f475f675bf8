#![no_main]

use libfuzzer_sys::fuzz_target;
use vxlan_exporter::command::parse::{Format, read};

fuzz_target!(|text: &str| {
    let _ = read(Format::Ping, text);
});
