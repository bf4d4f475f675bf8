//! Label values about this process: its capabilities, its tasks, and the clients it turns away.

use std::fmt;

use serde::Serialize;

use super::label_values;

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
        /// Privileges that a program it starts could gain (`no_new_privs`).
        NoNewPrivs => "no_new_privs",
        /// Writing, creating and removing files.
        Landlock => "landlock",
        /// System calls that it does not need.
        Seccomp => "seccomp",
    }
);

label_values!(
    /// Why a connection was refused, or was closed before its client closed it.
    TurnedAway {
        /// Its address is not in `web.allowed_sources`.
        NotAllowed => "not_allowed",
        /// Its peer already has as many connections as one peer may, all of them busy.
        PeerShare => "peer_share",
        /// All places are taken, and no peer has more of them than this one.
        Full => "full",
        /// It was idle, or its peer had the most connections, and another client needed the place.
        PlaceNeeded => "place_needed",
        /// It read its answer too slowly, or others needed the memory.
        SlowReader => "slow_reader",
    }
);

label_values!(
    /// Why a request was refused for its password.
    LoginRefusal {
        /// No password was given.
        Missing => "missing",
        /// The password is wrong.
        Wrong => "wrong",
        /// Its peer has given wrong passwords too often, or has one being checked: answered 429.
        BackOff => "back_off",
        /// Too many passwords are waiting to be checked: answered 503.
        Busy => "busy",
    }
);

label_values!(
    /// A task that runs as long as the process does.
    Task {
        /// The probe engine.
        Probes => "probes",
        /// The worker that reads one router.
        RouterWorker => "router_worker",
        /// Applies changes of the configuration, and joins router and path data.
        Conductor => "conductor",
        /// Reads a changed configuration.
        Reloader => "reloader",
        /// The built-in reflector.
        Reflector => "reflector",
        /// The HTTP server.
        Web => "web",
    }
);
