//! Which errors of a send are faults of our own host.
//!
//! With the next call a socket also returns what an ICMP message said about an earlier packet
//! (`ECONNREFUSED`, `EPROTO`, and with an error queue also `EHOSTUNREACH`). So a send is repeated,
//! and only an error that persists is our own host's. Measured, kernel 6.18: an interface that is
//! down gives `ENETUNREACH` (its routes are gone), a firewall's `drop` and `reject` give `EPERM`,
//! routes of the types unreachable, prohibit and blackhole give `EHOSTUNREACH`, `EACCES` and
//! `EINVAL`. A host on our own network that does not answer ARP or neighbour discovery gives no
//! error at all: its silence counts like any other.

use std::io;

use crate::path::refusal::{Refusal, Trouble};

/// Number of attempts of a send: each may return an error that an earlier packet left.
pub(crate) const TRIES: usize = 3;

/// Why a packet was not sent.
#[must_use]
pub(crate) fn of(error: &io::Error) -> Refusal {
    let Some(errno) = error.raw_os_error() else {
        return match error.kind() {
            // From tokio: the socket's send buffer is full.
            io::ErrorKind::WouldBlock => Refusal::Trouble(Trouble::Refused(libc::EAGAIN)),
            _ => Refusal::Unable,
        };
    };
    match errno {
        libc::EMSGSIZE | libc::ECONNREFUSED | libc::EPROTO | libc::ENOPROTOOPT | libc::ECONNRESET => {
            Refusal::Unable
        }
        libc::ENETDOWN
        | libc::ENETUNREACH
        | libc::EHOSTUNREACH
        | libc::ENODEV
        | libc::ENXIO
        | libc::EADDRNOTAVAIL => Refusal::Trouble(Trouble::CannotLeave(errno)),
        _ => Refusal::Trouble(Trouble::Refused(errno)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::types::SendError;

    #[test]
    fn each_errno_has_its_rule() {
        let of_errno = |errno| of(&io::Error::from_raw_os_error(errno));
        for errno in [libc::ENETDOWN, libc::ENETUNREACH, libc::EHOSTUNREACH, libc::ENODEV] {
            assert!(
                matches!(of_errno(errno), Refusal::Trouble(trouble) if trouble.error() == SendError::Down)
            );
        }
        for errno in [libc::ENOBUFS, libc::EPERM, libc::EACCES, libc::EAGAIN, libc::EINVAL, libc::ENOMEM] {
            assert!(
                matches!(of_errno(errno), Refusal::Trouble(trouble) if trouble.error() == SendError::Send)
            );
        }
        assert_eq!(of_errno(libc::EMSGSIZE), Refusal::Unable);
        assert_eq!(of(&io::ErrorKind::Unsupported.into()), Refusal::Unable);
        assert_eq!(of(&io::ErrorKind::AddrInUse.into()), Refusal::Unable, "a flow that is taken");
    }
}
