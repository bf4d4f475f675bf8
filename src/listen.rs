//! Addresses to listen on, `HOST:PORT`, and which clients are allowed; the same rules for all ports
//! of this process.

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

use pnet::ipnetwork::IpNetwork;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpSocket, lookup_host};

/// Connections that the kernel has established and we have not accepted yet; it allows
/// `net.core.somaxconn`, 4096 by default. A connection that does not fit is repeated by its client
/// one second later.
const BACKLOG: u32 = 4096;

/// `HOST:PORT` to listen on; an empty host means every address, IPv4 and IPv6.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenAddress {
    /// An address (IPv6 without brackets) or a name; empty means every address.
    pub host: String,
    /// TCP port; 0 lets the kernel choose.
    pub port: u16,
}

impl Default for ListenAddress {
    fn default() -> Self {
        Self { host: String::new(), port: 14789 }
    }
}

impl FromStr for ListenAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.rsplit_once(':').and_then(|(host, port)| {
            let bracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
            let port = port.parse().ok()?;
            match bracketed {
                // Brackets are accepted around IPv4 too: `[$(HOST_IP)]` of a pod may be either.
                Some(ip) => Some(Self { host: ip.parse::<std::net::IpAddr>().ok()?.to_string(), port }),
                None if host.contains([':', '[', ']', '/', ' ']) => None,
                None => Some(Self { host: host.to_owned(), port }),
            }
        });
        parsed.ok_or_else(|| "write e.g. :14789, 127.0.0.1:14789 or [::1]:14789".to_owned())
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl ListenAddress {
    /// Opens the socket. Without a host it accepts IPv6 and IPv4, or only IPv4 if the kernel has no
    /// IPv6.
    pub async fn bind(&self) -> io::Result<TcpListener> {
        if self.host.is_empty() { every_address(self.port) } else { one_address(&self.host, self.port).await }
    }
}

/// Listens on the first of the host's addresses that works.
async fn one_address(host: &str, port: u16) -> io::Result<TcpListener> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in lookup_host((host, port)).await? {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        match socket.bind(address).and_then(|()| socket.listen(BACKLOG)) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn every_address(port: u16) -> io::Result<TcpListener> {
    let bind = |domain, address: SocketAddr| {
        let socket = Socket::new(domain, Type::STREAM.nonblocking().cloexec(), Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        if address.is_ipv6() {
            socket.set_only_v6(false)?;
        }
        socket.bind(&address.into())?;
        socket.listen(BACKLOG.cast_signed())?;
        TcpListener::from_std(socket.into())
    };
    match bind(Domain::IPV6, (Ipv6Addr::UNSPECIFIED, port).into()) {
        // Any other error than "in use" means that there is no IPv6 here.
        Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
            bind(Domain::IPV4, (Ipv4Addr::UNSPECIFIED, port).into())
        }
        bound => bound,
    }
}

/// Whether a peer is in one of the networks; an empty list means everyone. An IPv4 peer of an IPv6
/// socket counts as IPv4.
#[must_use]
pub fn is_among(networks: &[IpNetwork], peer: IpAddr) -> bool {
    let peer = peer.to_canonical();
    networks.is_empty() || networks.iter().any(|network| network.contains(peer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_or_those_of_some_networks() {
        let networks: Vec<IpNetwork> =
            ["10.0.0.0/8", "fd00::/64"].map(|text| text.parse().expect(text)).to_vec();
        for (peer, is_one) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("fd00::1", true),
            ("11.1.2.3", false),
            ("::1", false),
            ("::ffff:11.1.2.3", false),
        ] {
            let peer = peer.parse().expect(peer);
            assert_eq!(is_among(&networks, peer), is_one, "{peer}");
            assert!(is_among(&[], peer));
        }
    }

    #[test]
    fn listen_addresses() {
        for good in [":14789", "0.0.0.0:14789", "[::]:14789", "localhost:0"] {
            assert_eq!(good.parse::<ListenAddress>().expect(good).to_string(), good);
        }
        let v4 = "[10.0.0.1]:1".parse::<ListenAddress>().map(|address| address.to_string());
        assert_eq!(v4, Ok("10.0.0.1:1".into()));
        for bad in ["", "14789", "::1:14789", "[::1]", "host:", "host:70000", "http://host:80", "[dc]:1"] {
            assert!(bad.parse::<ListenAddress>().is_err(), "{bad}");
        }
    }
}
