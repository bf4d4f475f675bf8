//! Why a packet never left our host, or why its answer could not be received.

use nix::errno::Errno;

use crate::{
    language::{Said, say},
    model::types::{SendError, UnknownReason},
};

/// Why a packet never left our host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It cannot be sent in this form: larger than our interface allows, a flow already in use, a
    /// socket we do not have.
    Unable,
    /// Our own host has a problem.
    Trouble(Trouble),
}

/// A problem of our own host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Packets cannot leave: the interface is down, or there is no route. Holds the errno.
    CannotLeave(i32),
    /// The interface has no carrier: packets are dropped without an error.
    NoCarrier,
    /// Refused by a firewall or a full queue. Holds the errno.
    Refused(i32),
    /// Packets may be answered, but this process runs too late to receive the answers in time.
    Late,
}

impl Trouble {
    /// The error under which it is counted.
    #[must_use]
    pub(crate) fn error(self) -> SendError {
        match self {
            Self::CannotLeave(_) | Self::NoCarrier => SendError::Down,
            Self::Refused(_) | Self::Late => SendError::Send,
        }
    }

    /// The reason of the resulting `unknown`.
    #[must_use]
    pub(crate) fn reason(self) -> UnknownReason {
        match self.error() {
            SendError::Down => UnknownReason::LocalDown,
            SendError::Send => UnknownReason::LocalSend,
        }
    }

    /// A text for evidence, with the errno.
    #[must_use]
    pub(crate) fn said(self) -> Said {
        match self {
            Self::NoCarrier => say!("our own interface has no carrier"),
            Self::Late => {
                say!("this process runs too late to receive answers: too little CPU, or a flood")
            }
            Self::CannotLeave(errno) => {
                say!("nothing leaves our own host ({error})", error = Errno::from_raw(errno))
            }
            Self::Refused(errno) => {
                say!("our own host refuses to send ({error})", error = Errno::from_raw(errno))
            }
        }
    }
}
