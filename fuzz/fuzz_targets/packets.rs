#![no_main]

use std::net::IpAddr;

use libfuzzer_sys::fuzz_target;
use pnet::packet::ip::IpNextHeaderProtocols as Protocols;
use vxlan_exporter::probe::packet::{Arrival, Quoted, read_icmp, read_icmpv6, read_tcp};

// What a raw socket hands up, from behind the IP header on, and what an error queue quotes.
fuzz_target!(|body: &[u8]| {
    for from in ["10.0.0.1", "fd00::1"] {
        let from: IpAddr = from.parse().unwrap();
        let arrival = Arrival { from, ttl: Some(64), largest_fragment: None };
        for read in [read_icmp, read_icmpv6, read_tcp] {
            let _ = read(arrival, body);
        }
        for protocol in [Protocols::Icmp, Protocols::Icmpv6, Protocols::Tcp, Protocols::Udp] {
            let _ = Quoted::read(from, protocol, body);
        }
    }
});
