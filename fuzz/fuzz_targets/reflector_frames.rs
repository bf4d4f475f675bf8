#![no_main]

use libfuzzer_sys::fuzz_target;
use vxlan_exporter::reflector::protocol::{Frame, LONGEST};

// What either side reads off a connection: frame after frame, until one is wrong or not all there.
fuzz_target!(|bytes: &[u8]| {
    let mut rest = bytes;
    while let Ok(Some((frame, len))) = Frame::decode(rest) {
        assert!(len > 0 && len <= rest.len() && len <= LONGEST);
        // What we would send is what the other side takes.
        let again = frame.encode();
        assert!(again.len() <= LONGEST);
        assert!(matches!(Frame::decode(&again), Ok(Some((same, _))) if same.encode() == again), "{frame:?}");
        rest = &rest[len..];
    }
});
