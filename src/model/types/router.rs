//! Label values of a router and its tunnels.

use std::fmt;

use serde::Serialize;

use super::label_values;

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
        /// One end's remote is not an address of the other end: stops all traffic.
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
    /// Which way a tunnel changed.
    TransitionState {
        /// It came up.
        Up => "up",
        /// It went down.
        Down => "down",
    }
);

label_values!(
    /// Why a router could not be read: the `reason` of `vxlan_router_scrape_failures_total`.
    FailureReason {
        /// The router's name cannot be resolved.
        Dns => "dns",
        /// No TCP connection (no route, timeout of connect).
        Connect => "connect",
        /// Connection refused, or closed before the SSH banner (OpenSSH penalty).
        Refused => "refused",
        /// The router's SSH server and this exporter share no key exchange, host key type, cipher
        /// or MAC.
        KeyExchange => "key_exchange",
        /// The router refused the login.
        Auth => "auth",
        /// The router's host key or certificate is not the one configured.
        HostkeyMismatch => "hostkey_mismatch",
        /// Nothing in the configuration vouches for the router's host key or certificate.
        HostkeyUnknown => "hostkey_unknown",
        /// The scrape's deadline passed.
        Timeout => "timeout",
        /// The output ended before its end marker, or exceeded the size limit.
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
    /// The method a router was read by.
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
    /// Purpose of a forwarding entry.
    FdbKind {
        /// All-zero MAC: where broadcast, multicast and unknown unicast go.
        Flood => "flood",
        /// Learned from traffic.
        Learned => "learned",
        /// Configured.
        Static => "static",
    }
);
