//! How the underlay connects the routers, and the settings that a vxlan device needs for it.

use std::net::{IpAddr, Ipv6Addr};

use anyhow::Result;
use serde::Deserialize;

use super::{
    Lab,
    numbers::{End, Place},
};

/// The routing table beside the main one.
const TABLE: u32 = 100;
/// The core's table with routes of a smaller MTU.
const NARROW: u32 = 101;

/// How a router reaches the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// By the default route.
    #[default]
    Plain,
    /// By a policy rule for the device's `local`; the default route is that of the management port.
    SourceRouted,
    /// In a VRF with the underlay's port, which is the device's `dev`; the default route is that of
    /// the management port.
    Vrf,
    /// Over a link that all routers share, by link-local addresses.
    LinkLocal,
    /// By the default route of IPv6, from a local address.
    Ipv6,
}

impl Way {
    /// The commands that connect a router's `eth0` to the core.
    pub fn at_router(self, lab: &Lab, place: Place) -> Vec<String> {
        let site = lab.numbers.site(place);
        let mut commands = vec![
            match self {
                Self::LinkLocal => format!("addr add {}/64 dev eth0 nodad", link_local(place)),
                _ => format!("addr add {}/24 dev eth0", site.underlay),
            },
            "link set eth0 up".to_owned(),
        ];
        if self == Self::Plain {
            commands.push(format!("route add default via {}", site.core));
        }
        commands
    }

    /// The commands at the core, whose legs exist: it routes between prefixes, or bridges one link.
    pub fn at_core(self, lab: &Lab) -> Vec<String> {
        let mut commands = Vec::new();
        if self == Self::LinkLocal {
            commands.extend(["link add ll type bridge", "link set ll up"].map(str::to_owned));
        }
        for place in Place::ALL {
            let leg = place.core_leg();
            commands.push(match self {
                Self::LinkLocal => format!("link set {leg} master ll"),
                _ => format!("addr add {}/24 dev {leg}", lab.numbers.site(place).core),
            });
            commands.push(format!("link set {leg} up"));
        }
        commands
    }

    /// Adds the routes besides the main ones, once the management port exists.
    pub fn route(self, lab: &Lab, place: Place) -> Result<()> {
        let (router, site) = (lab.router(place), lab.numbers.site(place));
        if self == Self::Plain {
            return Ok(());
        }
        if self == Self::Ipv6 {
            return lab.add_underlay_v6_at(place);
        }
        router.ip(&format!("route add default via {} dev mgmt0", lab.numbers.management_host))?;
        match self {
            Self::Plain | Self::LinkLocal | Self::Ipv6 => return Ok(()),
            Self::SourceRouted => router.ip(&format!("rule add from {} lookup {TABLE}", site.underlay))?,
            Self::Vrf => {
                // On a kernel without VRFs: by the policy rules that VRFs were made of before Linux
                // 4.8.
                if router.ip(&format!("link add underlay type vrf table {TABLE}")).is_ok() {
                    router.ip("link set underlay up")?;
                    router.ip("link set eth0 master underlay")?;
                } else {
                    router.ip(&format!("rule add oif eth0 lookup {TABLE}"))?;
                }
            }
        }
        router.ip(&format!("route add default via {} dev eth0 table {TABLE}", site.core))
    }

    /// The remote of a vxlan device, with the settings it needs.
    pub fn vxlan(self, lab: &Lab, end: End) -> String {
        let (own, other) = (end.place(), end.remote());
        let remote = lab.numbers.site(other).underlay;
        match self {
            Self::Plain => format!("remote {remote}"),
            Self::SourceRouted => format!("remote {remote} local {}", lab.numbers.site(own).underlay),
            Self::Vrf => {
                // Without a VRF a learned entry, which names no device, is looked up in the main
                // table (measured, 6.18).
                let stand_in = lab.router(own).ip("link show underlay").is_err();
                format!("remote {remote} dev eth0{}", if stand_in { " nolearning" } else { "" })
            }
            Self::LinkLocal => {
                format!("remote {} local {} dev eth0", link_local(other), link_local(own))
            }
            Self::Ipv6 => format!("remote {} local {}", self.vtep(lab, other), self.vtep(lab, own)),
        }
    }

    /// A router's address on the underlay.
    pub fn vtep(self, lab: &Lab, place: Place) -> IpAddr {
        match self {
            Self::LinkLocal => link_local(place).into(),
            Self::Ipv6 => Lab::underlay_v6(place),
            _ => lab.numbers.site(place).underlay.into(),
        }
    }

    /// Gives the core routes with that MTU to a site and from it.
    pub fn narrow_core(self, lab: &Lab, place: Place, mtu: u32) -> Result<()> {
        let (core, leg) = (lab.core(), place.core_leg());
        let family = if self == Self::Ipv6 { "-6" } else { "-4" };
        core.ip(&format!("{family} rule add iif {leg} lookup {NARROW} priority 10"))?;
        core.ip(&format!("{family} rule add to {} lookup {NARROW} priority 11", self.vtep(lab, place)))?;
        for other in Place::ALL {
            let (to, leg) = (self.vtep(lab, other), other.core_leg());
            core.ip(&format!("{family} route replace {to} dev {leg} mtu {mtu} table {NARROW}"))?;
        }
        Ok(())
    }

    /// Undoes [`Way::narrow_core`].
    pub fn widen_core(self, lab: &Lab, place: Place) -> Result<()> {
        let (core, leg) = (lab.core(), place.core_leg());
        let family = if self == Self::Ipv6 { "-6" } else { "-4" };
        core.ip(&format!("{family} rule del iif {leg} lookup {NARROW}"))?;
        core.ip(&format!("{family} rule del to {} lookup {NARROW}", self.vtep(lab, place)))
    }
}

fn link_local(place: Place) -> Ipv6Addr {
    let number = match place {
        Place::Dc => 1,
        Place::SiteA => 2,
        Place::SiteB => 3,
    };
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, number)
}
