//! `HOST[:PORT]` as a person types it.

use std::{fmt, net::Ipv6Addr, str::FromStr};

use crate::text::is_active;

/// A host to probe, and a TCP port on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeTarget {
    /// An address (IPv6 without brackets) or a name.
    pub host: String,
    /// TCP port for SYN probes.
    pub port: Option<u16>,
}

impl FromStr for ProbeTarget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse(text)
            .ok_or_else(|| "write e.g. rancher.example, 192.168.100.102:443 or [2001:db8::1]:443".to_owned())
    }
}

fn parse(text: &str) -> Option<ProbeTarget> {
    if text.parse::<Ipv6Addr>().is_ok() {
        return Some(ProbeTarget { host: text.to_owned(), port: None });
    }
    if let Some((host, rest)) = text.strip_prefix('[').and_then(|inside| inside.split_once(']')) {
        host.parse::<Ipv6Addr>().ok()?;
        let port = if rest.is_empty() { None } else { Some(port(rest.strip_prefix(':')?)?) };
        return Some(ProbeTarget { host: host.to_owned(), port });
    }
    let (host, port) = match text.split_once(':') {
        Some((host, digits)) => (host, Some(port(digits)?)),
        None => (text, None),
    };
    let named =
        !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || is_active(c) || "[]/@".contains(c));
    named.then(|| ProbeTarget { host: host.to_owned(), port })
}

fn port(digits: &str) -> Option<u16> {
    digits.parse().ok().filter(|port| *port > 0)
}

impl fmt::Display for ProbeTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) if self.host.contains(':') => write!(f, "[{}]:{port}", self.host),
            Some(port) => write!(f, "{}:{port}", self.host),
            None => f.write_str(&self.host),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_with_and_without_a_port() {
        for (text, host, port) in [
            ("192.168.100.102", "192.168.100.102", None),
            ("192.168.100.102:443", "192.168.100.102", Some(443)),
            ("rancher.example:6443", "rancher.example", Some(6443)),
            ("rancher", "rancher", None),
            ("2001:db8::1", "2001:db8::1", None),
            ("::1", "::1", None),
            ("[2001:db8::1]:443", "2001:db8::1", Some(443)),
        ] {
            let target: ProbeTarget = text.parse().expect(text);
            assert_eq!((target.host.as_str(), target.port), (host, port), "{text}");
            assert_eq!(target.to_string(), text);
        }
        let bracketed: ProbeTarget = "[2001:db8::1]".parse().expect("brackets without a port");
        assert_eq!((bracketed.host.as_str(), bracketed.port), ("2001:db8::1", None));
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for bad in [
            "",
            ":443",
            "host:",
            "host:0",
            "host:70000",
            "host:https",
            "https://host",
            "host/path",
            "a b",
            "user@host",
            "[host]:443",
            "[::1]443",
            "[::1",
            "1:2:3",
            "host:1:2",
        ] {
            assert!(bad.parse::<ProbeTarget>().is_err(), "{bad:?}");
        }
    }
}
