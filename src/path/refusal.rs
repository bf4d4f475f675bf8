//! Why a packet never left our host, or why its answer could not be heard.

use nix::errno::Errno;

use crate::model::types::{SendError, UnknownReason};

/// Why a packet never left our host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It cannot be sent like this: larger than our interface lets out, a flow that is taken, a socket we have not.
    Unable,
    /// Our host has a trouble of its own.
    Trouble(Trouble),
}

/// What keeps packets in our host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// There is no way out, by errno: the interface is down, no route leads there.
    NoWay(i32),
    /// The interface has no carrier; what is sent is dropped without an error.
    NoCarrier,
    /// Refused, by errno: a firewall, a full queue.
    Refused(i32),
    /// What is sent may be answered, but this process runs too late to tell.
    Late,
}

impl Trouble {
    /// How it is counted.
    #[must_use]
    pub(crate) fn error(self) -> SendError {
        match self {
            Self::NoWay(_) | Self::NoCarrier => SendError::Down,
            Self::Refused(_) | Self::Late => SendError::Send,
        }
    }

    /// The reason of `unknown` that it makes.
    #[must_use]
    pub(crate) fn reason(self) -> UnknownReason {
        match self.error() {
            SendError::Down => UnknownReason::LocalDown,
            SendError::Send => UnknownReason::LocalSend,
        }
    }

    /// In words, with the errno.
    #[must_use]
    pub(crate) fn in_words(self) -> String {
        match self {
            Self::NoCarrier => "our own interface has no carrier".to_owned(),
            Self::Late => "this process runs too late to hear answers: too little CPU, or a flood".to_owned(),
            Self::NoWay(errno) => format!("nothing leaves our own host ({})", Errno::from_raw(errno)),
            Self::Refused(errno) => format!("our own host refuses to send ({})", Errno::from_raw(errno)),
        }
    }
}
