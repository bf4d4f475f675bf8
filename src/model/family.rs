//! The two families of IP, and the header sizes and minimum MTU of each.

use std::net::IpAddr;

use crate::model::types::Bytes;

/// Payload bytes of one fragment: those of a 576-byte IPv4 datagram (RFC 791: every host accepts
/// 576), rounded down to a multiple of 8. IPv6 uses the same number, so that a pair is equally long
/// in both families.
pub const FRAGMENT_PAYLOAD: Bytes = 552;

/// The IP version of a path's packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// RFC 791.
    V4,
    /// RFC 8200.
    V6,
}

impl Family {
    /// All of them.
    pub(crate) const ALL: &'static [Self] = &[Self::V4, Self::V6];

    /// The label value.
    #[must_use]
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::V4 => "ipv4",
            Self::V6 => "ipv6",
        }
    }

    /// The family of an address.
    #[must_use]
    pub(crate) const fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }

    /// Bytes of an IP header without options or extensions.
    #[must_use]
    pub const fn header(self) -> Bytes {
        match self {
            Self::V4 => 20,
            Self::V6 => 40,
        }
    }

    /// Bytes of our small packet: IP header, 8 bytes of ICMP header, 40 of payload.
    #[must_use]
    pub const fn small(self) -> Bytes {
        self.header() + 48
    }

    /// Bytes of the largest fragment of an echo request that is sent in fragments.
    #[must_use]
    pub(crate) const fn fragment(self) -> Bytes {
        match self {
            Self::V4 => self.header() + FRAGMENT_PAYLOAD,
            // The fragment header takes 8 (RFC 8200 section 4.5).
            Self::V6 => self.header() + 8 + FRAGMENT_PAYLOAD,
        }
    }

    /// The MTU that every link of this family must have (RFC 791 section 3.2, RFC 8200 section 5).
    /// A Packet Too Big that claims less is not believed.
    #[must_use]
    pub const fn least_mtu(self) -> Bytes {
        match self {
            Self::V4 => 68,
            Self::V6 => 1280,
        }
    }
}
