//! The words of a path: its verdict, why, and what its probes are for.

use std::fmt;

use serde::Serialize;

use super::label_values;

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
        /// TCP of any size: nothing answers a SYN to any port that is asked, or what connections carry.
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
        /// SYNs are answered, and a byte sent to another port is acknowledged, to this one not: a filter, or a sick server.
        PayloadFiltered => "payload_filtered",
        /// SYNs are answered, and no byte that is sent then is acknowledged.
        PayloadDead => "payload_dead",
        /// SYNs made by hand are answered, those of the kernel's own connections are not.
        KernelDead => "kernel_dead",
    }
);

impl TcpState {
    /// Whether no connection of this host carries anything, whatever the port.
    #[must_use]
    pub const fn is_dead(self) -> bool {
        matches!(self, Self::Dead | Self::PayloadDead | Self::KernelDead)
    }
}

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
