#![no_main]

use libfuzzer_sys::fuzz_target;
use vxlan_exporter::router::parse::{sections, system, terminal::clean};

fuzz_target!(|text: &str| {
    let text = clean(text);
    let _ = sections::split(&text, "M");
    let _ = system::version(&text, &text, &text);
    let _ = system::uptime_seconds(&text);
    let _ = system::boot_id(&text);
});
