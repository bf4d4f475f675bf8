#![no_main]

#[path = "../doors.rs"]
mod doors;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| doors::reflector_frames(input));
