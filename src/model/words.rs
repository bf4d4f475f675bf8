//! The values of labels as words for a reader. English ones are the values themselves.

use std::time::Duration;

use crate::{
    language::{Said, say},
    model::types::{
        BlackholeReason, Direction, FailureReason, MismatchField, ReflectorUse, TunnelState, UnknownReason,
        Verdict,
    },
};

impl Verdict {
    /// As in the tables of `check`.
    #[must_use]
    pub(crate) fn said(self) -> Said {
        match self {
            Self::Unreachable => say!("unreachable"),
            Self::Blackhole => say!("blackhole"),
            Self::Lossy => say!("lossy"),
            Self::Reduced => say!("reduced"),
            Self::Unknown => say!("unknown"),
            Self::Ok => say!("ok"),
        }
    }
}

impl Direction {
    #[must_use]
    pub(crate) fn said(self) -> Said {
        match self {
            Self::Forward => say!("forward"),
            Self::Reverse => say!("reverse"),
            Self::Unknown => say!("unknown"),
        }
    }
}

impl UnknownReason {
    /// The value of the label, which runbooks and rules name.
    #[must_use]
    pub(crate) fn said(self) -> Said {
        match self {
            Self::Starting => say!("starting"),
            Self::Dns => say!("dns"),
            Self::LocalLimit => say!("local_limit"),
            Self::PeerLimit => say!("peer_limit"),
            Self::ReverseUnmeasured => say!("reverse_unmeasured"),
            Self::LargeIcmpFiltered => say!("large_icmp_filtered"),
            Self::NoProof => say!("no_proof"),
            Self::LocalDown => say!("local_down"),
            Self::LocalSend => say!("local_send"),
            Self::OwnAddress => say!("own_address"),
            Self::Stale => say!("stale"),
        }
    }

    /// Without underscores.
    #[must_use]
    pub(crate) fn in_words(self) -> Said {
        match self {
            Self::Starting | Self::Dns | Self::Stale => self.said(),
            Self::LocalLimit => say!("local limit"),
            Self::PeerLimit => say!("peer limit"),
            Self::ReverseUnmeasured => say!("reverse unmeasured"),
            Self::LargeIcmpFiltered => say!("large icmp filtered"),
            Self::NoProof => say!("no proof"),
            Self::LocalDown => say!("local down"),
            Self::LocalSend => say!("local send"),
            Self::OwnAddress => say!("own address"),
        }
    }
}

impl BlackholeReason {
    #[must_use]
    pub(crate) fn said(self) -> Said {
        match self {
            Self::Size => say!("size"),
            Self::TcpDead => say!("tcp_dead"),
        }
    }
}

impl ReflectorUse {
    #[must_use]
    pub(crate) fn said(self) -> Said {
        match self {
            Self::Used => say!("used"),
            Self::Gone => say!("gone"),
        }
    }
}

impl MismatchField {
    #[must_use]
    pub(crate) fn said(self) -> Said {
        match self {
            Self::Vni => say!("vni"),
            Self::Port => say!("port"),
            Self::Mtu => say!("mtu"),
            Self::Df => say!("df"),
            Self::Remote => say!("remote"),
        }
    }
}

impl TunnelState {
    #[must_use]
    pub(crate) fn said(self) -> Said {
        match self {
            Self::Paired => say!("paired"),
            Self::Half => say!("half"),
            Self::Ambiguous => say!("ambiguous"),
        }
    }
}

impl FailureReason {
    /// The value of the label.
    #[must_use]
    pub(crate) fn said(self) -> Said {
        match self {
            Self::Dns => say!("dns"),
            Self::Connect => say!("connect"),
            Self::Refused => say!("refused"),
            Self::KeyExchange => say!("key_exchange"),
            Self::Auth => say!("auth"),
            Self::HostkeyMismatch => say!("hostkey_mismatch"),
            Self::HostkeyUnknown => say!("hostkey_unknown"),
            Self::Timeout => say!("timeout"),
            Self::Truncated => say!("truncated"),
            Self::Permission => say!("permission"),
            Self::Command => say!("command"),
            Self::Parse => say!("parse"),
            Self::Api => say!("api"),
            Self::Config => say!("config"),
        }
    }

    /// Without underscores.
    #[must_use]
    pub(crate) fn in_words(self) -> Said {
        match self {
            Self::KeyExchange => say!("key exchange"),
            Self::HostkeyMismatch => say!("hostkey mismatch"),
            Self::HostkeyUnknown => say!("hostkey unknown"),
            other => other.said(),
        }
    }
}

/// A number of things of a kind: languages without a plural say it in one way.
pub(crate) mod number {
    use crate::language::{Said, say};

    fn whole(number: impl TryInto<u64>) -> u64 {
        number.try_into().unwrap_or(u64::MAX)
    }

    pub(crate) fn paths(number: impl TryInto<u64>) -> Said {
        match whole(number) {
            1 => say!("1 path"),
            number => say!("{number} paths", number),
        }
    }

    pub(crate) fn routers(number: impl TryInto<u64>) -> Said {
        match whole(number) {
            1 => say!("1 router"),
            number => say!("{number} routers", number),
        }
    }

    pub(crate) fn tunnels(number: impl TryInto<u64>) -> Said {
        match whole(number) {
            1 => say!("1 tunnel"),
            number => say!("{number} tunnels", number),
        }
    }

    pub(crate) fn commands(number: impl TryInto<u64>) -> Said {
        match whole(number) {
            1 => say!("1 command"),
            number => say!("{number} commands", number),
        }
    }

    pub(crate) fn sites(number: impl TryInto<u64>) -> Said {
        match whole(number) {
            1 => say!("1 site"),
            number => say!("{number} sites", number),
        }
    }

    pub(crate) fn packets(number: impl TryInto<u64>) -> Said {
        match whole(number) {
            1 => say!("1 packet"),
            number => say!("{number} packets", number),
        }
    }

    pub(crate) fn small_echoes(number: impl TryInto<u64>) -> Said {
        match whole(number) {
            1 => say!("1 small echo"),
            number => say!("{number} small echoes", number),
        }
    }

    pub(crate) fn vxlan_interfaces(number: impl TryInto<u64>) -> Said {
        match whole(number) {
            1 => say!("1 vxlan interface"),
            number => say!("{number} vxlan interfaces", number),
        }
    }
}

/// A duration in whole seconds: `7 s`.
#[must_use]
pub(crate) fn seconds(duration: Duration) -> Said {
    say!("{seconds} s", seconds = format_args!("{:.0}", duration.as_secs_f64()))
}
