//! The words of this process: what it may do, what runs in it, whom it turns away.

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
        /// Whatever a program that it starts could be given on top.
        NoNewPrivs => "no_new_privs",
        /// Writing, making and removing files.
        Landlock => "landlock",
        /// System calls that it has no use for.
        Seccomp => "seccomp",
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
