//! What the kernel tells of a received message besides its bytes.

use std::time::Duration;

use nix::{
    libc,
    sys::socket::{ControlMessageOwned, RecvMsg, SockaddrStorage},
};

use crate::model::types::Bytes;

/// The control messages of one received message.
#[derive(Debug, Default)]
pub(super) struct Message {
    /// TTL or hop limit.
    pub ttl: Option<u8>,
    pub largest_fragment: Option<Bytes>,
    /// The MTU of a signal.
    pub too_big: Option<Bytes>,
    /// How many packets were dropped before this one since the socket was opened, if any.
    pub dropped: Option<u32>,
    /// When the kernel received it, by the wall clock: time since 1970.
    pub received: Option<Duration>,
}

impl Message {
    pub(super) fn of(received: &RecvMsg<'_, '_, SockaddrStorage>) -> Self {
        let mut message = Self::default();
        for told in received.cmsgs().into_iter().flatten() {
            match told {
                ControlMessageOwned::Ipv4Ttl(ttl) | ControlMessageOwned::Ipv6HopLimit(ttl) => {
                    message.ttl = u8::try_from(ttl).ok();
                }
                ControlMessageOwned::Ipv4RecvErr(error, _) | ControlMessageOwned::Ipv6RecvErr(error, _) => {
                    message.too_big = too_big(error);
                }
                ControlMessageOwned::RxqOvfl(dropped) => message.dropped = Some(dropped),
                ControlMessageOwned::ScmTimestampsns(times) => {
                    message.received = Some(Duration::from(times.system)).filter(|time| !time.is_zero());
                }
                ControlMessageOwned::Unknown(unknown) => {
                    let header = unknown.cmsg_header;
                    let value = unknown.data_bytes.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes));
                    if let (libc::IPPROTO_IP, libc::IP_RECVFRAGSIZE)
                    | (libc::IPPROTO_IPV6, libc::IPV6_RECVFRAGSIZE) = (header.cmsg_level, header.cmsg_type)
                    {
                        message.largest_fragment = value.filter(|value| *value > 0);
                    }
                }
                _ => {}
            }
        }
        message
    }
}

/// The MTU of "fragmentation needed" (ICMP 3/4) or "packet too big" (`ICMPv6` 2), if it came from
/// the network and not from our own host (linux/errqueue.h).
fn too_big(error: libc::sock_extended_err) -> Option<Bytes> {
    matches!(
        (error.ee_origin, error.ee_type, error.ee_code),
        (libc::SO_EE_ORIGIN_ICMP, 3, 4) | (libc::SO_EE_ORIGIN_ICMP6, 2, _)
    )
    .then_some(error.ee_info)
}
