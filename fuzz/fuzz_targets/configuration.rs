#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use vxlan_exporter::config;

// An error must be words that fit a line of a log, and what is taken must be a plan.
fuzz_target!(|text: &str| {
    match config::parse(text, Path::new("/etc/vxlan_exporter/config.yml")) {
        Ok(config) => drop(config.plan()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
