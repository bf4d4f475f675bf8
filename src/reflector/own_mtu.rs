//! The MTU of the interface that has one of our addresses.

use std::{fs, net::IpAddr};

use nix::ifaddrs::getifaddrs;

use crate::model::types::Bytes;

/// The MTU in bytes of IP packet; `None` if no interface has that address.
#[must_use]
pub(crate) fn mtu_of(address: IpAddr) -> Option<Bytes> {
    let address = address.to_canonical();
    let interface = getifaddrs().ok()?.find(|interface| {
        let own = interface.address.as_ref().and_then(|own| {
            let v4 = own.as_sockaddr_in().map(|own| IpAddr::V4(own.ip()));
            v4.or_else(|| own.as_sockaddr_in6().map(|own| IpAddr::V6(own.ip())))
        });
        own == Some(address)
    })?;
    let name = interface.interface_name;
    // The kernel's data for this network namespace, readable without any privilege.
    fs::read_to_string(format!("/sys/class/net/{name}/mtu")).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_has_an_mtu_and_a_foreign_address_none() {
        assert!(mtu_of(IpAddr::from([127, 0, 0, 1])).is_some_and(|mtu| mtu >= 16384));
        assert_eq!(mtu_of(IpAddr::from([192, 0, 2, 1])), None);
    }
}
