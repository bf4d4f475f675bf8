//! The finding about payload in words, and where to look.

use super::{Payload, PayloadStanding};
use crate::language::{Said, say};

/// Where to look if SYNs pass and payload does not.
pub(crate) fn where_payload_is_lost() -> Said {
    say!(
        "look for a middlebox or firewall that lets a handshake pass and drops what follows, and at checksum \
         offload: on both routers and hosts `ethtool -K DEV tx-checksum-ip-generic off` (DEV: the underlay's \
         interface, then the vxlan one); if that port alone is open, at its server too: a SYN proxy before one \
         that is down looks the same"
    )
}

/// Where to look if raw SYNs pass and the kernel's do not.
pub(crate) fn where_the_kernels_are_lost() -> Said {
    say!(
        "look at checksum offload of this host's NIC: `ethtool -K DEV tx-checksum-ip-generic off` (DEV: the \
         interface to the target); else for a box that drops SYNs with the kernel's options (timestamps, window \
         scale, ECN)"
    )
}

impl Payload {
    /// The evidence of the finding; if all is well, what that rests on.
    #[must_use]
    pub(crate) fn in_words(&self, is_well: bool) -> Vec<Said> {
        let port = self.port;
        match self.standing {
            PayloadStanding::Open => Vec::new(),
            PayloadStanding::Answers | PayloadStanding::Closed if !is_well => Vec::new(),
            PayloadStanding::Answers => {
                vec![say!("a byte on a connection to TCP port {port} was acknowledged", port)]
            }
            PayloadStanding::Closed => vec![say!(
                "nobody listens at TCP port {port} of the target: whether TCP carries payload is not tested",
                port
            )],
            PayloadStanding::Filtered(proof) => vec![say!(
                "{proof}; port {other} works: port {port} is filtered, or its server accepts no connections; the \
                 path is fine",
                proof => proof.said(port),
                other = proof.passed.unwrap_or(0),
                port
            )],
            PayloadStanding::Dead(proof) if proof.connected > 0 => vec![
                say!("SYNs are answered, payload is not: {proof}", proof => proof.said(port)),
                where_payload_is_lost(),
            ],
            PayloadStanding::Dead(proof) => vec![
                say!("raw SYNs pass, the kernel's own connections do not: {proof}", proof => proof.said(port)),
                where_the_kernels_are_lost(),
            ],
        }
    }
}
