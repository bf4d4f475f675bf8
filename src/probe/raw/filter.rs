//! Classic BPF filters (linux/filter.h) for raw sockets, so that the host's other packets never
//! reach us.
//!
//! On an IPv4 raw socket the filter sees the packet from its IP header on, on an IPv6 one from what
//! follows it.

use libc::{
    BPF_ALU, BPF_AND, BPF_B, BPF_H, BPF_IMM, BPF_IND, BPF_JEQ, BPF_JMP, BPF_K, BPF_LD, BPF_LDX, BPF_MSH,
    BPF_RET, BPF_W,
};
use socket2::SockFilter;

use crate::model::family::Family;

const ACCEPT: u32 = 0xffff;

/// An instruction; its code has 16 bits, while libc's constants have 32.
const fn instruction(code: u32, yes: u8, no: u8, k: u32) -> SockFilter {
    let [.., high, low] = code.to_be_bytes();
    SockFilter::new(u16::from_be_bytes([high, low]), yes, no, k)
}

/// X = length of the IP header.
const fn skip_header(family: Family) -> SockFilter {
    match family {
        Family::V4 => instruction(BPF_LDX | BPF_B | BPF_MSH, 0, 0, 0),
        Family::V6 => instruction(BPF_LDX | BPF_W | BPF_IMM, 0, 0, 0),
    }
}

/// A = byte at X + `at`.
const fn byte(at: u32) -> SockFilter {
    instruction(BPF_LD | BPF_B | BPF_IND, 0, 0, at)
}

/// A = 16 bits at X + `at`.
const fn short(at: u32) -> SockFilter {
    instruction(BPF_LD | BPF_H | BPF_IND, 0, 0, at)
}

/// A = A & `mask`.
const fn mask(mask: u32) -> SockFilter {
    instruction(BPF_ALU | BPF_AND | BPF_K, 0, 0, mask)
}

/// Skips `yes` instructions if A is `value`, else `no`.
const fn equal(value: u32, yes: u8, no: u8) -> SockFilter {
    instruction(BPF_JMP | BPF_JEQ | BPF_K, yes, no, value)
}

const fn accept() -> SockFilter {
    instruction(BPF_RET | BPF_K, 0, 0, ACCEPT)
}

const fn reject() -> SockFilter {
    instruction(BPF_RET | BPF_K, 0, 0, 0)
}

/// Accepts no packet: for a socket that only sends.
pub(crate) const fn nothing() -> [SockFilter; 1] {
    [reject()]
}

/// The part that all identifiers of a process have in common.
pub(crate) const IDENTIFIERS: u16 = 0xff00;

/// Accepts echo replies with one of our identifiers, and "destination unreachable" or "packet too
/// big".
pub(crate) fn icmp(family: Family, identifier: u16) -> [SockFilter; 9] {
    let (reply, signal) = match family {
        Family::V4 => (0, 3),
        Family::V6 => (129, 2),
    };
    [
        skip_header(family),
        byte(0),
        equal(signal, 5, 0),
        equal(reply, 0, 3),
        short(4),
        mask(u32::from(IDENTIFIERS)),
        equal(u32::from(identifier & IDENTIFIERS), 1, 0),
        reject(),
        accept(),
    ]
}

/// Accepts echo replies with that identifier, and nothing else.
pub(crate) fn echo_replies(family: Family, identifier: u16) -> [SockFilter; 7] {
    let reply = if family == Family::V4 { 0 } else { 129 };
    [
        skip_header(family),
        byte(0),
        equal(reply, 0, 2),
        short(4),
        equal(u32::from(identifier), 1, 0),
        reject(),
        accept(),
    ]
}

/// Accepts segments to one of our ports.
pub(crate) fn tcp(family: Family, ports: &[u16]) -> Vec<SockFilter> {
    let mut filter = vec![skip_header(family), short(2)];
    for (number, port) in ports.iter().enumerate() {
        let left = u8::try_from(ports.len() - number).unwrap_or(u8::MAX);
        filter.push(equal(u32::from(*port), left, 0));
    }
    filter.push(reject());
    filter.push(accept());
    filter
}
