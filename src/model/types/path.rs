//! Label values of a path: its verdict, the reason, and the purpose of its probes.

use std::fmt;

use serde::Serialize;

use super::label_values;

label_values!(
    /// Direction of packets, seen from this exporter.
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
    /// What a host that does path MTU discovery experiences on a path; ordered by severity, worst
    /// first.
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
        /// Many probes were sent, but neither a pass nor a hole is proven.
        NoProof => "no_proof",
        /// No packet leaves this host: its interface is down or has no carrier, or there is no
        /// route.
        LocalDown => "local_down",
        /// This host refuses to send (its own firewall, a full queue), or this process is too late
        /// to hear answers.
        LocalSend => "local_send",
        /// The target is an address of this host: no overlay is between them.
        OwnAddress => "own_address",
        /// The path's prober has not run for three intervals: what it last reported is out of date.
        Stale => "stale",
    }
);

label_values!(
    /// What is lost on a path while small ICMP packets pass: why a verdict is `blackhole`.
    BlackholeReason {
        /// Packets above some size.
        Size => "size",
        /// TCP of any size: no port that is probed answers a SYN, or nothing that connections carry
        /// arrives.
        TcpDead => "tcp_dead",
    }
);

label_values!(
    /// State of TCP to a path's port, while small echoes are answered.
    TcpState {
        /// The port answers a SYN, with SYN-ACK or RST.
        Answers => "answers",
        /// The port is silent, but another port of the target answers: a filter.
        Filtered => "filtered",
        /// No port that was probed answers.
        Dead => "dead",
        /// SYNs are answered and another port acknowledges a byte of data, but this one does not: a
        /// filter, or a broken server.
        PayloadFiltered => "payload_filtered",
        /// SYNs are answered, but no port acknowledges a byte of data.
        PayloadDead => "payload_dead",
        /// SYNs built by the exporter are answered, those of the kernel's own connections are not.
        KernelDead => "kernel_dead",
    }
);

impl TcpState {
    /// Whether no TCP connection of this host works, whatever the port.
    #[must_use]
    pub const fn is_dead(self) -> bool {
        matches!(self, Self::Dead | Self::PayloadDead | Self::KernelDead)
    }
}

label_values!(
    /// Whether a path's reflector is used.
    ReflectorUse {
        /// It answers and is used.
        Used => "used",
        /// It does not answer: directions are inferred without it.
        Gone => "gone",
    }
);

label_values!(
    /// How the sizes of a path are tested. Each method sees what the others may not: a filter, one
    /// direction, one of several underlay legs.
    SizeMethod {
        /// ICMP echo with DF: there and back, in one flow.
        IcmpEcho => "icmp_echo",
        /// TCP SYN with DF, padded with data: to the target, in several flows.
        TcpSyn => "tcp_syn",
        /// Echo request in fragments, whose reply is one packet: from the target.
        Fragments => "icmp_fragments",
        /// TCP segments between this exporter and the path's reflector: each way on its own.
        Reflector => "reflector",
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
    /// Purpose of a size probe; never a number of bytes.
    ProbeSize {
        /// The size that path MTU discovery has reached: the sentinel.
        Full => "full",
        /// At the known edge, or one byte above it.
        Edge => "edge",
        /// The small packet of a pair, or a small probe of its own.
        Control => "control",
        /// A size tried by the edge search.
        Search => "search",
    }
);

label_values!(
    /// Result of a size probe.
    ProbeResult {
        /// The target answered.
        Answered => "answered",
        /// A Packet Too Big came back from the way.
        TooBig => "too_big",
        /// Nothing came back.
        Lost => "lost",
        /// The packet could not be sent.
        Error => "error",
        /// Not known: this process was late, or its interface went down, while the packet was in
        /// flight.
        Void => "void",
    }
);

label_values!(
    /// Why a packet never left this host.
    SendError {
        /// The interface is down or has no carrier, or there is no route.
        Down => "local_down",
        /// Refused: this host's own firewall, a full queue.
        Send => "local_send",
    }
);
