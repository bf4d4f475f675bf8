//! The nouns of the overlay as types, so that a site never lands where a router is meant.
//!
//! A Prometheus label is made from these types' `as_str`/`Display` and nowhere else. All sizes are
//! bytes of **IP packet** (header included, Ethernet excluded), the unit of an interface MTU.

pub(crate) mod dropped;
mod interface;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize, Serializer};

pub use dropped::{Dropped, DroppedKind};
pub use interface::{DfPolicy, FdbState, InterfaceName, LinkKind, Mac, OperState};

/// A size in bytes of IP packet.
pub type Bytes = u32;

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The name as written in the configuration, which takes no control characters in names.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(value: &str) -> Self {
                Self(value.to_owned())
            }
        }
    };
}

name_type!(
    /// A place with one or more routers, e.g. `dc`, `site-a`.
    Site
);
name_type!(
    /// A router as named in the configuration.
    RouterName
);
name_type!(
    /// A path as named in the configuration.
    PathName
);

/// Where paths start: our site, and which of several exporters there measures.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// The site.
    pub site: Site,
    /// The node at it; `None` where the site says enough.
    pub node: Option<String>,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.node {
            Some(node) => write!(f, "{}/{node}", self.site),
            None => self.site.fmt(f),
        }
    }
}

impl Serialize for Source {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl From<&str> for Source {
    fn from(site: &str) -> Self {
        Self { site: Site::from(site), node: None }
    }
}

/// A VXLAN network identifier, 24 bits (RFC 7348 section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32")]
pub struct Vni(pub u32);

impl Vni {
    /// The largest.
    pub const MAX: u32 = 0x00ff_ffff;
}

impl TryFrom<u32> for Vni {
    type Error = String;

    fn try_from(number: u32) -> Result<Self, String> {
        if number <= Self::MAX {
            Ok(Self(number))
        } else {
            Err(format!("a VNI has 24 bits, {number} has more"))
        }
    }
}

impl FromStr for Vni {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse::<u32>().map_err(|error| error.to_string())?.try_into()
    }
}

impl fmt::Display for Vni {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Declares an enum of words: the values of a Prometheus label, or what a router prints.
macro_rules! label_values {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident => $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// Every value, in declaration order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The value of the label.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}
use label_values;

label_values!(
    /// Which way packets travel, seen from this exporter.
    Direction {
        /// From this exporter to the target.
        Forward => "forward",
        /// From the target to this exporter.
        Reverse => "reverse",
        /// A proven hole whose direction is not known.
        Unknown => "unknown",
    }
);

label_values!(
    /// What a host that does path MTU discovery experiences on a path; ordered by severity, worst first.
    Verdict {
        /// Nothing comes back, of any size or protocol.
        Unreachable => "unreachable",
        /// Path MTU discovery ends in proven silence while small packets pass.
        Blackhole => "blackhole",
        /// More small packets are lost than the threshold allows.
        Lossy => "lossy",
        /// Path MTU discovery works and ends below the expected MTU.
        Reduced => "reduced",
        /// Not enough evidence; see [`UnknownReason`].
        Unknown => "unknown",
        /// Answered at the expected MTU, in both directions.
        Ok => "ok",
    }
);

label_values!(
    /// Why a verdict is `unknown`.
    UnknownReason {
        /// Too early to tell.
        Starting => "starting",
        /// The target's name cannot be resolved.
        Dns => "dns",
        /// Our own interface cannot send the expected size.
        LocalLimit => "local_limit",
        /// The far end cannot take the expected size.
        PeerLimit => "peer_limit",
        /// Forward passes; reverse cannot be measured.
        ReverseUnmeasured => "reverse_unmeasured",
        /// Large ICMP is dropped by a filter.
        LargeIcmpFiltered => "large_icmp_filtered",
        /// Many probes without a decision.
        NoProof => "no_proof",
        /// Nothing leaves this host: its interface is down or has no carrier, or there is no route.
        LocalDown => "local_down",
        /// This host refuses to send (a firewall of its own, a full queue), or this process is too late to hear answers.
        LocalSend => "local_send",
        /// The target is an address of this host: no overlay lies between.
        OwnAddress => "own_address",
        /// The path's prober has not had its turn for three intervals: what it said is of the past.
        Stale => "stale",
    }
);

label_values!(
    /// What of a path vanishes while small ICMP packets pass: why a verdict is `blackhole`.
    BlackholeReason {
        /// Packets above some size.
        Size => "size",
        /// TCP of any size: nothing answers a SYN to any port that is asked.
        TcpDead => "tcp_dead",
    }
);

label_values!(
    /// What becomes of SYNs to a path's TCP port, while small echoes are answered.
    TcpState {
        /// The target answers, by SYN-ACK or by RST.
        Answers => "answers",
        /// It does not, but another port of it does: a filter.
        Filtered => "filtered",
        /// No port that was asked does.
        Dead => "dead",
    }
);

label_values!(
    /// A setting on which the two ends of one tunnel disagree.
    MismatchField {
        /// VXLAN network identifier: stops all traffic.
        Vni => "vni",
        /// UDP destination port: stops all traffic.
        Port => "port",
        /// Interface MTU.
        Mtu => "mtu",
        /// Outer DF-bit policy.
        Df => "df",
        /// One end's remote is no address of the other end: stops all traffic.
        Remote => "remote",
    }
);

label_values!(
    /// How far a tunnel's two interfaces are known to belong together.
    TunnelState {
        /// Both ends are known.
        Paired => "paired",
        /// Only one end is known.
        Half => "half",
        /// Several interfaces fit equally well.
        Ambiguous => "ambiguous",
    }
);

label_values!(
    /// Why a router could not be read; each is the `reason` of `vxlan_router_scrape_failures_total`.
    FailureReason {
        /// The router's name cannot be resolved.
        Dns => "dns",
        /// No TCP connection (no route, timeout of connect).
        Connect => "connect",
        /// Connection refused, or closed before the SSH banner (OpenSSH penalty).
        Refused => "refused",
        /// The router's SSH server and we have no key exchange, host key type, cipher or MAC in common.
        KeyExchange => "key_exchange",
        /// The router refused the login.
        Auth => "auth",
        /// The router's host key or certificate is not the one configured.
        HostkeyMismatch => "hostkey_mismatch",
        /// Nothing configured vouches for the router's host key or certificate.
        HostkeyUnknown => "hostkey_unknown",
        /// The scrape's deadline passed.
        Timeout => "timeout",
        /// The output ended before its end marker, or was larger than the cap.
        Truncated => "truncated",
        /// A command was denied.
        Permission => "permission",
        /// A command failed or is missing on the router.
        Command => "command",
        /// The output could not be understood.
        Parse => "parse",
        /// The HTTPS API answered with an error.
        Api => "api",
        /// A key, password, `known_hosts` or CA file is missing or unreadable.
        Config => "config",
    }
);

label_values!(
    /// By which means a router was read.
    Method {
        /// iproute2 JSON.
        Ip => "ip",
        /// VyOS op-mode `--raw`.
        Raw => "raw",
        /// VyOS op-mode text.
        Text => "text",
        /// VyOS HTTPS API.
        Api => "api",
    }
);

label_values!(
    /// What this process is allowed and able to do.
    Capability {
        /// An ICMP socket of any kind can be opened.
        IcmpSocket => "icmp_socket",
        /// `CAP_NET_RAW` is effective.
        NetRaw => "net_raw",
        /// Padded TCP SYN probes work.
        TcpSyn => "tcp_syn",
        /// Fragmented echo requests can be sent.
        Fragments => "fragments",
        /// The built-in reflector listens.
        Reflector => "reflector",
    }
);

label_values!(
    /// What this process gives up before it reads anything from outside.
    SandboxLayer {
        /// All capabilities but `CAP_NET_RAW`.
        Capabilities => "capabilities",
        /// Whatever a program that it starts could be given on top.
        NoNewPrivs => "no_new_privs",
        /// Writing, making and removing files.
        Landlock => "landlock",
        /// System calls that it has no use for.
        Seccomp => "seccomp",
    }
);

label_values!(
    /// Whether a path's reflector is used.
    ReflectorUse {
        /// It answers.
        Used => "used",
        /// It does not: directions are inferred.
        Gone => "gone",
    }
);

label_values!(
    /// Protocol of a size probe.
    ProbeProtocol {
        /// ICMP echo, whole or in fragments.
        Icmp => "icmp",
        /// TCP SYN padded with payload.
        Tcp => "tcp",
    }
);

label_values!(
    /// What a size probe was for; never a number of bytes.
    ProbeSize {
        /// The size at which path MTU discovery stands: the sentinel.
        Full => "full",
        /// At the known edge, or one byte above it.
        Edge => "edge",
        /// The small companion of a pair, or a small probe of our own.
        Control => "control",
        /// A size tried by the edge search.
        Search => "search",
    }
);

label_values!(
    /// What became of a size probe.
    ProbeResult {
        /// The target answered.
        Answered => "answered",
        /// Something on the way signalled that the packet is too big.
        TooBig => "too_big",
        /// Nothing came back.
        Lost => "lost",
        /// The packet could not be sent.
        Error => "error",
        /// Not known: this process was late, or its interface went down, while the packet was on the way.
        Void => "void",
    }
);

label_values!(
    /// Why a packet never left this host.
    SendError {
        /// The interface is down or has no carrier, or there is no route.
        Down => "local_down",
        /// Refused: a firewall of its own, a full queue.
        Send => "local_send",
    }
);

label_values!(
    /// What a forwarding entry is for.
    FdbKind {
        /// All-zero MAC: where broadcast, multicast and unknown unicast go.
        Flood => "flood",
        /// Learned from traffic.
        Learned => "learned",
        /// Configured.
        Static => "static",
    }
);

label_values!(
    /// Which way a tunnel changed.
    TransitionState {
        /// It came up.
        Up => "up",
        /// It went down.
        Down => "down",
    }
);

label_values!(
    /// Why a connection was not taken, or was ended before its client had done so.
    TurnedAway {
        /// Not one of `web.allowed_sources`.
        NotAllowed => "not_allowed",
        /// Its peer has as many as one may, all of them at work.
        PeerShare => "peer_share",
        /// All places are taken, none by a peer with more of them.
        Full => "full",
        /// It stood still, or its peer had the most, and another needed the place.
        PlaceNeeded => "place_needed",
        /// It took too long to take its answer, or others needed the memory.
        SlowReader => "slow_reader",
    }
);

label_values!(
    /// Why a request was not answered for want of a right password.
    LoginRefusal {
        /// None was given.
        Missing => "missing",
        /// It is wrong.
        Wrong => "wrong",
        /// Its peer has been wrong too often, or has one being checked: answered 429.
        BackOff => "back_off",
        /// Too many wait for theirs to be checked: answered 503.
        Busy => "busy",
    }
);

label_values!(
    /// What runs as long as the process does.
    Task {
        /// The probe engine.
        Probes => "probes",
        /// What reads one router.
        RouterWorker => "router_worker",
        /// What keeps everything in step with the configuration, and joins what routers and probes say.
        Conductor => "conductor",
        /// What reads a changed configuration.
        Reloader => "reloader",
        /// The built-in reflector.
        Reflector => "reflector",
        /// What answers over HTTP.
        Web => "web",
    }
);
