//! Two TCP socket options that no crate offers, defined with nix's own macro for this.

use nix::{getsockopt_impl, setsockopt_impl, sockopt_impl};

/// The kernel's `struct tcp_info` up to `tcpi_data_segs_out`, which Linux has since 4.6.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct RawInfo {
    pub state: u8,
    pub ca_state: u8,
    pub retransmits: u8,
    pub probes: u8,
    pub backoff: u8,
    pub options: u8,
    pub wscale: u8,
    pub flags: u8,
    pub rto: u32,
    pub ato: u32,
    pub snd_mss: u32,
    pub rcv_mss: u32,
    pub unacked: u32,
    pub sacked: u32,
    pub lost: u32,
    pub retrans: u32,
    pub fackets: u32,
    pub last: [u32; 4],
    pub pmtu: u32,
    pub rcv_ssthresh: u32,
    pub rtt: u32,
    pub rttvar: u32,
    pub snd_ssthresh: u32,
    pub snd_cwnd: u32,
    pub advmss: u32,
    pub reordering: u32,
    pub rcv_rtt: u32,
    pub rcv_space: u32,
    pub total_retrans: u32,
    pub rates: [u64; 2],
    pub bytes_acked: u64,
    pub bytes_received: u64,
    pub segs_out: u32,
    pub segs_in: u32,
    pub notsent_bytes: u32,
    pub min_rtt: u32,
    pub data_segs_in: u32,
    pub data_segs_out: u32,
}

sockopt_impl!(
    /// Reads `struct tcp_info`.
    Info, GetOnly, libc::IPPROTO_TCP, libc::TCP_INFO, RawInfo);
sockopt_impl!(
    /// How often a SYN, or on a listening socket a SYN-ACK, is repeated.
    SynCount, SetOnly, libc::IPPROTO_TCP, libc::TCP_SYNCNT, i32);
