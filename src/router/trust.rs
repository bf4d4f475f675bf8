//! Whether a router is the one that is meant.
//!
//! - `host_key` its host key, against `known_hosts` or a fingerprint; `certificate` if an authority
//!   signed it
//! - `ssh_encoding` the wire format of keys, certificates and signatures

pub(crate) mod certificate;
pub(crate) mod host_key;
pub(crate) mod known_hosts;
pub(super) mod ssh_encoding;
