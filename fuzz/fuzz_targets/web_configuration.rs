#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use vxlan_exporter::config::web_file;

fuzz_target!(|text: &[u8]| {
    if let Err(error) = web_file::parse(text, Path::new("/etc/vxlan_exporter/web.yml")) {
        assert!(!error.to_string().is_empty());
    }
});
