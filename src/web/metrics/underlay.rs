//! Samples of what carries a router's tunnels: its IP and UDP, and the devices to remote VTEPs.

use crate::{
    catalogue as c,
    model::{family::Family, snapshot::RouterSnapshot},
    web::exposition::Exposition,
    work,
};

pub(super) fn put(out: &mut Exposition, router: [&str; 2], snapshot: &RouterSnapshot) {
    for family in Family::ALL {
        let counters = snapshot.stack.of(*family);
        for (metric, value) in [
            (&c::ROUTER_FRAGMENTS_CREATED, counters.fragments_created),
            (&c::ROUTER_FRAGMENTATION_FAILURES, counters.fragmentation_failures),
            (&c::ROUTER_FRAGMENTS_RECEIVED, counters.fragments_received),
            (&c::ROUTER_REASSEMBLIES, counters.reassemblies),
            (&c::ROUTER_REASSEMBLY_FAILURES, counters.reassembly_failures),
            (&c::ROUTER_REASSEMBLY_TIMEOUTS, counters.reassembly_timeouts),
            (&c::ROUTER_UDP_NO_PORTS, counters.udp_no_ports),
            (&c::ROUTER_UDP_ERRORS, counters.udp_errors),
            (&c::ROUTER_UDP_BUFFER_ERRORS, counters.udp_buffer_errors),
            (&c::ROUTER_UDP_CHECKSUM_ERRORS, counters.udp_checksum_errors),
        ] {
            if let Some(value) = value {
                out.put_count(metric, &[router[0], router[1], family.as_str()], value);
            }
        }
    }
    for link in work::each(snapshot.underlay_links()) {
        let labels = [router[0], router[1], link.name.as_str()];
        if let Some(mtu) = link.mtu {
            out.put(&c::UNDERLAY_MTU, &labels, f64::from(mtu));
        }
        let counters = &link.counters;
        for (metric, value) in [
            (&c::UNDERLAY_RX_BYTES, counters.rx_bytes),
            (&c::UNDERLAY_RX_PACKETS, counters.rx_packets),
            (&c::UNDERLAY_RX_ERRORS, counters.rx_errors),
            (&c::UNDERLAY_RX_DROPPED, counters.rx_dropped),
            (&c::UNDERLAY_RX_LENGTH_ERRORS, counters.rx_length_errors),
            (&c::UNDERLAY_RX_OVERRUNS, counters.rx_over_errors),
            (&c::UNDERLAY_RX_MISSED, counters.rx_missed_errors),
            (&c::UNDERLAY_TX_BYTES, counters.tx_bytes),
            (&c::UNDERLAY_TX_PACKETS, counters.tx_packets),
            (&c::UNDERLAY_TX_ERRORS, counters.tx_errors),
            (&c::UNDERLAY_TX_DROPPED, counters.tx_dropped),
        ] {
            if let Some(value) = value {
                out.put_count(metric, &labels, value);
            }
        }
    }
}
