#![no_main]

#[path = "../sessions.rs"]
mod sessions;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| sessions::reflector_sessions(input));
