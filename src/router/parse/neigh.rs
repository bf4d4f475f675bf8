//! `ip -j neigh show`: which address has which MAC, as a router has seen it.

use std::net::IpAddr;

use super::{ParseError, address, each, word};
use crate::model::types::Mac;

const COMMAND: &str = "ip -j neigh show";

/// Most neighbours taken from one router; further ones are left out.
const MOST_NEIGHBOURS: usize = 16_384;

/// An address on a network of the router, and who has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Neighbour {
    pub address: IpAddr,
    pub mac: Mac,
}

/// The neighbours with a MAC that are the address of one host. What cannot be read is left out.
pub(crate) fn neighbours(output: &str) -> Result<Vec<Neighbour>, ParseError> {
    let mut have = 0;
    each(COMMAND, output, |object| {
        let mac = word(object, "lladdr")?.and_then(|mac| mac.parse().ok());
        let address = address(object, "dst")?.filter(is_one_host);
        let (Some(mac), Some(address)) = (mac, address) else { return Ok(None) };
        if !is_unicast(mac) || have == MOST_NEIGHBOURS {
            return Ok(None);
        }
        have += 1;
        Ok(Some(Neighbour { address, mac }))
    })
}

/// Whether packets to the address can be routed to one host.
fn is_one_host(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            !(v4.is_link_local()
                || v4.is_multicast()
                || v4.is_loopback()
                || v4.is_unspecified()
                || v4.is_broadcast())
        }
        IpAddr::V6(v6) => {
            let is_special = v6.is_multicast() || v6.is_loopback() || v6.is_unspecified();
            !is_special && !v6.is_unicast_link_local() && v6.to_ipv4_mapped().is_none()
        }
    }
}

/// Whether frames to it go to one host.
pub(crate) fn is_unicast(mac: Mac) -> bool {
    mac.0[0] & 1 == 0 && mac != Mac::FLOOD
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(output: &str) -> Vec<String> {
        let all = neighbours(output).unwrap();
        all.iter().map(|it| format!("{} {}", it.address, it.mac)).collect()
    }

    #[test]
    fn hosts_with_a_mac() {
        let output = r#"[{"dst":"192.168.100.102","dev":"br01","lladdr":"4e:3c:34:45:dd:d8","state":["REACHABLE"]},
            {"dst":"192.168.100.77","dev":"br01","state":["FAILED"]},
            {"dst":"fe80::1","dev":"br01","lladdr":"4e:3c:34:45:dd:d9","router":null,"state":["STALE"]},
            {"dst":"ff02::1","dev":"br01","lladdr":"33:33:00:00:00:01","state":["NOARP"]},
            {"dst":"fd00::2","dev":"br01","lladdr":"4e:3c:34:45:dd:da","state":["PERMANENT"]},
            {"dst":"10.0.0.1","dev":"gre0","lladdr":"10.9.8.7","state":["NOARP"]},
            {"dst":"10.0.0.2","dev":"eth0","lladdr":"00:00:00:00:00:00","state":["NOARP"]},{}]"#;
        assert_eq!(read(output), ["192.168.100.102 4e:3c:34:45:dd:d8", "fd00::2 4e:3c:34:45:dd:da"]);
        assert!(read("[]").is_empty());
    }

    #[test]
    fn one_that_lies_costs_no_other_and_many_are_bounded() {
        let lie = r#"[{"dst":"x; reboot","lladdr":"4e:3c:34:45:dd:d8"},{"dst":["10.0.0.9"],"lladdr":"4e:3c:34:45:dd:d8"},
            {"dst":"10.0.0.1","lladdr":{"a":[]}},{"dst":"10.0.0.2","lladdr":"4e:3c:34:45:dd:d8"}]"#;
        assert_eq!(read(lie), ["10.0.0.2 4e:3c:34:45:dd:d8"]);
        let one = |number: usize| {
            format!(
                r#"{{"dst":"10.{}.{}.{}","lladdr":"4e:3c:34:45:dd:d8"}}"#,
                number >> 16,
                number >> 8 & 255,
                number & 255
            )
        };
        let flood = format!("[{}]", (0..MOST_NEIGHBOURS * 2).map(one).collect::<Vec<_>>().join(","));
        assert_eq!(read(&flood).len(), MOST_NEIGHBOURS);
        assert!(neighbours("Object \"neigh\" is unknown").unwrap_err().to_string().contains("ip -j neigh"));
    }
}
