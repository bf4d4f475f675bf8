//! The finding about payload in words, and where to look.

use super::{Payload, PayloadStanding};

/// Where to look if SYNs pass and payload does not.
pub(crate) const LOOK_AT_PAYLOAD: &str = "look for a middlebox or firewall that lets a handshake pass and drops what follows, and at \
                                   checksum offload: on both routers and hosts `ethtool -K DEV tx-checksum-ip-generic off` (DEV: \
                                   the underlay's interface, then the vxlan one); if that port alone is open, at its server too: a \
                                   SYN proxy before one that is down looks the same";

/// Where to look if raw SYNs pass and the kernel's do not.
pub(crate) const LOOK_AT_KERNEL: &str = "look at checksum offload of this host's NIC: `ethtool -K DEV tx-checksum-ip-generic off` (DEV: \
                                  the interface to the target); else for a box that drops SYNs with the kernel's options \
                                  (timestamps, window scale, ECN)";

impl Payload {
    /// The evidence of the finding; if all is well, what that rests on.
    #[must_use]
    pub(crate) fn in_words(&self, is_well: bool) -> Vec<String> {
        let port = self.port;
        match self.standing {
            PayloadStanding::Open => Vec::new(),
            PayloadStanding::Answers | PayloadStanding::Closed if !is_well => Vec::new(),
            PayloadStanding::Answers => {
                vec![format!("a byte on a connection to TCP port {port} was acknowledged")]
            }
            PayloadStanding::Closed => vec![format!(
                "nobody listens at TCP port {port} of the target: whether TCP carries payload is not tested"
            )],
            PayloadStanding::Filtered(proof) => vec![format!(
                "{}; port {} works: port {port} is filtered, or its server accepts no connections; the \
                 path is fine",
                proof.in_words(port),
                proof.passed.unwrap_or(0)
            )],
            PayloadStanding::Dead(proof) if proof.connected > 0 => vec![
                format!("SYNs are answered, payload is not: {}", proof.in_words(port)),
                LOOK_AT_PAYLOAD.to_owned(),
            ],
            PayloadStanding::Dead(proof) => vec![
                format!("raw SYNs pass, the kernel's own connections do not: {}", proof.in_words(port)),
                LOOK_AT_KERNEL.to_owned(),
            ],
        }
    }
}
