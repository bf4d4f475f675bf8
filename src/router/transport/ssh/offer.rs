//! The algorithms that an SSH server offers, read from its first packet (`SSH_MSG_KEXINIT`, RFC
//! 4253 section 7.1). libssh2 itself only says that none fits.
//!
//! This takes a connection of its own, without a login. OpenSSH 9.8 and later counts such
//! connections against an address, so it is made once and the result is remembered. Servers without
//! a common algorithm are mostly older than that.

use std::{
    io::{self, Read, Write},
    time::Instant,
};

use socket2::Socket;
use ssh2::{MethodType, Session};

use crate::{
    model::{snapshot::ScrapeError, types::FailureReason},
    router::{
        parse,
        shell::time_left,
        trust::{host_key::HostKeys, ssh_encoding::SshBytes},
    },
    vendor::Vyos,
};

/// RFC 4253 section 6.1: no packet before the key exchange is larger, in bytes.
const MOST_PACKET: usize = 35_000;
/// Most bytes before the packet: a banner of several lines.
const MOST_HELLO: usize = 8 << 10;
const KEXINIT: u8 = 20;

/// What must be agreed on, in the order of the packet, and the position of its list there.
const LISTS: [(MethodType, usize, &str); 4] = [
    (MethodType::Kex, 0, "key exchange"),
    (MethodType::HostKey, 1, "host key type"),
    (MethodType::CryptCs, 2, "cipher"),
    (MethodType::MacCs, 4, "MAC"),
];

/// The lists of algorithms of a server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Offer(Vec<Vec<String>>);

impl Offer {
    /// Greets the server and reads its first packet.
    pub(crate) fn read(socket: &Socket, deadline: Instant) -> io::Result<Self> {
        let wait = || {
            let left = time_left(deadline, "reading what the router offers");
            socket.set_read_timeout(Some(left.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?))
        };
        (&*socket).write_all(b"SSH-2.0-vxlan_exporter\r\n")?;
        let mut line = Vec::new();
        for _ in 0..MOST_HELLO {
            wait()?;
            let mut byte = [0];
            (&*socket).read_exact(&mut byte)?;
            line.push(byte[0]);
            if byte[0] == b'\n' {
                if line.starts_with(b"SSH-") {
                    let mut length = [0; 4];
                    wait()?;
                    (&*socket).read_exact(&mut length)?;
                    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
                    if length > MOST_PACKET {
                        break;
                    }
                    let mut packet = vec![0; length];
                    wait()?;
                    (&*socket).read_exact(&mut packet)?;
                    return Self::parse(&packet).ok_or_else(|| io::Error::other("no KEXINIT"));
                }
                line.clear();
            }
        }
        Err(io::Error::other("no SSH server"))
    }

    /// Parses a packet without its length field: padding length, type, cookie, ten lists of names.
    fn parse(packet: &[u8]) -> Option<Self> {
        let (&[_, KEXINIT], rest) = packet.split_first_chunk()? else { return None };
        let mut lists = SshBytes(rest.get(16..)?);
        let mut all = Vec::new();
        for _ in 0..10 {
            let list = String::from_utf8_lossy(lists.string()?);
            all.push(list.split(',').filter(|name| !name.is_empty()).map(parse::excerpt).collect());
        }
        Some(Self(all))
    }

    /// Why nothing could be agreed on with `session`: both offers, and what to change.
    pub(crate) fn explain(&self, session: &Session, known: &HostKeys, peer: &str) -> ScrapeError {
        let preference = known.preference();
        let mut words = Vec::new();
        let mut aead = false;
        for (method, place, noun) in LISTS {
            let ours: Vec<&str> = match method {
                MethodType::HostKey => preference.split(',').collect(),
                _ => session.supported_algs(method).unwrap_or_default(),
            };
            let common = self.0[place].iter().find(|theirs| ours.contains(&theirs.as_str()));
            // AEAD ciphers need no MAC.
            aead |= common.is_some_and(|cipher| cipher.contains("gcm") || cipher.contains("poly1305"));
            if common.is_none() && !(noun == "MAC" && aead) {
                let theirs = self.0[place].join(", ");
                words.push(format!("no {noun} (it offers {theirs}; we offer {})", ours.join(", ")));
            }
        }
        let what = if words.is_empty() { "no reason was found".to_owned() } else { words.join(", ") };
        let message = format!(
            "{peer} and this exporter cannot exchange keys, they have in common {what}. Let its SSH server \
             offer one of ours: a newer version does; {}",
            Vyos::SHOW_SSH_ALGORITHMS
        );
        ScrapeError::new(FailureReason::KeyExchange, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_packet_is_lists_of_names_and_nothing_else_is() {
        let mut packet = vec![4, KEXINIT];
        packet.extend([7; 16]);
        for list in ["diffie-hellman-group14-sha1,x\u{1b}[2J", "ssh-rsa", "", "", "", "", "", "", "", ""] {
            packet.extend(u32::try_from(list.len()).unwrap().to_be_bytes());
            packet.extend(list.as_bytes());
        }
        let offer = Offer::parse(&packet).expect("lists");
        assert_eq!(offer.0[0], ["diffie-hellman-group14-sha1", "x␛[2J"]);
        assert_eq!((offer.0[1].as_slice(), offer.0[2].len()), (&["ssh-rsa".to_owned()][..], 0));
        for cut in 0..packet.len() {
            assert_eq!(Offer::parse(&packet[..cut]), None, "{cut}");
        }
        packet[1] = 1;
        assert_eq!(Offer::parse(&packet), None);
    }
}
