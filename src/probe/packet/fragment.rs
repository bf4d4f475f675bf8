//! Echo requests that we send in fragments, which pass where the whole packet would not.

use std::net::IpAddr;

use pnet::packet::{ip::IpNextHeaderProtocols, ipv4::Ipv4Flags, ipv6::MutableFragmentPacket};

use super::{Cookie, ICMP_HEADER, ipv4, ipv6};
use crate::model::family::{FRAGMENT_PAYLOAD, Family};

/// Bytes of the fragment header (RFC 8200 section 4.5).
const FRAGMENT_HEADER: usize = 8;

/// An ICMP message in `count` fragments, each a complete packet; IPv4 ones without DF.
///
/// A full-size message is cut as for 576-byte datagrams; a small one into equal pieces of a
/// multiple of 8 bytes, so that both packets of a pair have the same number of fragments.
#[must_use]
pub(crate) fn fragments(
    message: &[u8],
    count: usize,
    from: IpAddr,
    to: IpAddr,
    identification: u32,
) -> Vec<Vec<u8>> {
    let even = message.len().div_ceil(count.max(1)).next_multiple_of(8);
    let chunk = even.min(FRAGMENT_PAYLOAD as usize);
    let last = message.len().div_ceil(chunk).saturating_sub(1);
    message
        .chunks(chunk)
        .enumerate()
        .map(|(number, piece)| {
            let offset = u16::try_from(number * chunk).unwrap_or(0);
            fragment(piece, offset, number < last, (from, to), identification)
        })
        .collect()
}

fn fragment(
    piece: &[u8],
    offset: u16,
    more: bool,
    addresses: (IpAddr, IpAddr),
    identification: u32,
) -> Vec<u8> {
    match addresses {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let flags = if more { Ipv4Flags::MoreFragments } else { 0 };
            let identification = (identification & 0xffff) as u16;
            ipv4((from, to), IpNextHeaderProtocols::Icmp, (flags, offset), identification, piece)
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let mut payload = vec![0; FRAGMENT_HEADER + piece.len()];
            payload[FRAGMENT_HEADER..].copy_from_slice(piece);
            if let Some(mut fragment) = MutableFragmentPacket::new(&mut payload) {
                fragment.set_next_header(IpNextHeaderProtocols::Icmpv6);
                // The offset is in units of 8 bytes and occupies the bits above the lowest 3, the
                // last of which is "more fragments".
                fragment.set_fragment_offset_with_flags(offset | u16::from(more));
                fragment.set_id(identification);
            }
            ipv6(from, to, IpNextHeaderProtocols::Ipv6Frag, 0, &payload)
        }
        // Cannot happen: the source is that of the route to the target, so it has the target's
        // family.
        _ => Vec::new(),
    }
}

/// Bytes of IP packet of a small echo that can be cut into `count` fragments and carries the
/// cookie.
#[must_use]
pub(crate) fn small_fragmented(family: Family, count: usize) -> usize {
    let least = ICMP_HEADER + size_of::<Cookie>();
    let chunk = least.div_ceil(count.max(1)).next_multiple_of(8);
    family.header() as usize + chunk * count
}
