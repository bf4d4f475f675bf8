//! Names, prefixes and identifiers of a lab as data, so that the same lab can be started with the
//! article's numbers or with others, and nothing depends on one set of them.

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
};

use serde::Deserialize;

/// A site, by its role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// The data centre, with the target that imports every cluster.
    Dc,
    /// The site where the exporter runs.
    SiteA,
    /// The other site; its traffic with A goes through the DC.
    SiteB,
}

impl Place {
    /// All sites.
    pub const ALL: [Self; 3] = [Self::Dc, Self::SiteA, Self::SiteB];

    /// The name of the core's leg to this site; the faults' nft rules use it.
    pub fn core_leg(self) -> &'static str {
        match self {
            Self::Dc => "to-dc",
            Self::SiteA => "to-site-a",
            Self::SiteB => "to-site-b",
        }
    }
}

/// A tunnel, by the site that it connects to the DC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tunnel {
    /// DC to A.
    A,
    /// DC to B.
    B,
}

/// One vxlan interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// The DC's interface towards A.
    DcToA,
    /// The DC's interface towards B.
    DcToB,
    /// A's interface.
    AToDc,
    /// B's interface.
    BToDc,
}

impl End {
    /// All vxlan interfaces.
    pub const ALL: [Self; 4] = [Self::DcToA, Self::DcToB, Self::AToDc, Self::BToDc];

    /// The router it is on.
    pub fn place(self) -> Place {
        match self {
            Self::DcToA | Self::DcToB => Place::Dc,
            Self::AToDc => Place::SiteA,
            Self::BToDc => Place::SiteB,
        }
    }

    /// The router it sends to.
    pub fn remote(self) -> Place {
        match self {
            Self::DcToA => Place::SiteA,
            Self::DcToB => Place::SiteB,
            Self::AToDc | Self::BToDc => Place::Dc,
        }
    }

    /// The tunnel it belongs to.
    pub fn tunnel(self) -> Tunnel {
        match self {
            Self::DcToA | Self::AToDc => Tunnel::A,
            Self::DcToB | Self::BToDc => Tunnel::B,
        }
    }
}

/// One site: a router and a host behind it. All prefixes are /24.
#[derive(Debug, Clone, Copy)]
pub struct Site {
    /// The site's name: `site` in the exporter's configuration and in its labels.
    pub label: &'static str,
    /// The router's name.
    pub router: &'static str,
    /// The router's underlay address: its VTEP.
    pub underlay: Ipv4Addr,
    /// The core's address on that leg.
    pub core: Ipv4Addr,
    /// The router's address on the management network.
    pub management: Ipv4Addr,
    /// The host's name, which is also that of the path to it.
    pub host: &'static str,
    /// The host's overlay address.
    pub host_address: Ipv4Addr,
    /// The port of the host's HTTPS server.
    pub https_port: u16,
}

impl Site {
    /// The host's IPv6 overlay address, in a /64.
    pub fn host_address_v6(&self) -> Ipv6Addr {
        overlay_v6(self.host_address)
    }
}

/// An address in a /64 with the same last number.
fn overlay_v6(address: Ipv4Addr) -> Ipv6Addr {
    Ipv6Addr::new(0xfd00, 0x100, 0, 0, 0, 0, 0, address.octets()[3].into())
}

/// Interfaces and VNI of one tunnel.
#[derive(Debug, Clone, Copy)]
pub struct TunnelNumbers {
    /// The interface's name at the DC.
    pub dc_interface: &'static str,
    /// The interface's name at the far site.
    pub far_interface: &'static str,
    /// Its VNI at both ends.
    pub vni: u32,
}

/// All names and numbers of a lab.
#[derive(Debug, Clone, Copy)]
pub struct Numbers {
    /// The data centre.
    pub dc: Site,
    /// The exporter's site.
    pub site_a: Site,
    /// The other site.
    pub site_b: Site,
    /// DC to A.
    pub tunnel_a: TunnelNumbers,
    /// DC to B.
    pub tunnel_b: TunnelNumbers,
    /// UDP port of the tunnels.
    pub port: u16,
    /// The routers' bridge.
    pub bridge: &'static str,
    /// The exporter's address on the management network.
    pub exporter_management: Ipv4Addr,
    /// The address of a host on the management network that is neither router nor exporter.
    pub management_host: Ipv4Addr,
    /// The overlay address of a pod on A's host.
    pub pod_address: Ipv4Addr,
}

impl Numbers {
    /// The article's numbers.
    pub fn article() -> Self {
        Self {
            dc: Site {
                label: "dc",
                router: "dc",
                underlay: Ipv4Addr::new(10, 10, 0, 254),
                core: Ipv4Addr::new(10, 10, 0, 1),
                management: Ipv4Addr::new(172, 31, 255, 1),
                host: "rancher",
                host_address: Ipv4Addr::new(192, 168, 100, 102),
                https_port: 443,
            },
            site_a: Site {
                label: "site-a",
                router: "site-a",
                underlay: Ipv4Addr::new(10, 10, 10, 254),
                core: Ipv4Addr::new(10, 10, 10, 1),
                management: Ipv4Addr::new(172, 31, 255, 2),
                host: "node-a",
                host_address: Ipv4Addr::new(192, 168, 100, 10),
                https_port: 6443,
            },
            site_b: Site {
                label: "site-b",
                router: "site-b",
                underlay: Ipv4Addr::new(10, 10, 20, 254),
                core: Ipv4Addr::new(10, 10, 20, 1),
                management: Ipv4Addr::new(172, 31, 255, 3),
                host: "node-b",
                host_address: Ipv4Addr::new(192, 168, 100, 20),
                https_port: 6443,
            },
            tunnel_a: TunnelNumbers { dc_interface: "vxlan01", far_interface: "vxlan01", vni: 1 },
            tunnel_b: TunnelNumbers { dc_interface: "vxlan02", far_interface: "vxlan02", vni: 2 },
            port: 8472,
            bridge: "br01",
            exporter_management: Ipv4Addr::new(172, 31, 255, 100),
            management_host: Ipv4Addr::new(172, 31, 255, 200),
            pod_address: Ipv4Addr::new(192, 168, 100, 11),
        }
    }

    /// Names, prefixes, VNIs and a port (IANA's) that have nothing in common with the article's.
    pub fn elsewhere() -> Self {
        Self {
            dc: Site {
                label: "frankfurt",
                router: "gw-fra1",
                underlay: Ipv4Addr::new(100, 64, 7, 9),
                core: Ipv4Addr::new(100, 64, 7, 1),
                management: Ipv4Addr::new(172, 30, 1, 11),
                host: "harbor",
                host_address: Ipv4Addr::new(10, 77, 5, 40),
                https_port: 8443,
            },
            site_a: Site {
                label: "oslo",
                router: "gw-osl1",
                underlay: Ipv4Addr::new(100, 64, 8, 9),
                core: Ipv4Addr::new(100, 64, 8, 1),
                management: Ipv4Addr::new(172, 30, 1, 12),
                host: "worker-osl",
                host_address: Ipv4Addr::new(10, 77, 5, 60),
                https_port: 6443,
            },
            site_b: Site {
                label: "a-lyon",
                router: "a-gw-lys1",
                underlay: Ipv4Addr::new(100, 64, 9, 9),
                core: Ipv4Addr::new(100, 64, 9, 1),
                management: Ipv4Addr::new(172, 30, 1, 13),
                host: "worker-lys",
                host_address: Ipv4Addr::new(10, 77, 5, 80),
                https_port: 9443,
            },
            tunnel_a: TunnelNumbers { dc_interface: "vxlan100", far_interface: "vxlan7", vni: 70_100 },
            tunnel_b: TunnelNumbers { dc_interface: "vxlan200", far_interface: "vxlan9", vni: 70_200 },
            port: 4789,
            bridge: "br7",
            exporter_management: Ipv4Addr::new(172, 30, 1, 200),
            management_host: Ipv4Addr::new(172, 30, 1, 100),
            pod_address: Ipv4Addr::new(10, 77, 5, 61),
        }
    }

    /// The pod's IPv6 overlay address.
    pub fn pod_address_v6(&self) -> Ipv6Addr {
        overlay_v6(self.pod_address)
    }

    /// One site.
    pub fn site(&self, place: Place) -> &Site {
        match place {
            Place::Dc => &self.dc,
            Place::SiteA => &self.site_a,
            Place::SiteB => &self.site_b,
        }
    }

    /// One tunnel's interfaces and VNI.
    pub fn tunnel(&self, tunnel: Tunnel) -> &TunnelNumbers {
        match tunnel {
            Tunnel::A => &self.tunnel_a,
            Tunnel::B => &self.tunnel_b,
        }
    }

    /// The name of a vxlan interface on its router.
    pub fn interface(&self, end: End) -> &'static str {
        let tunnel = self.tunnel(end.tunnel());
        if end.place() == Place::Dc { tunnel.dc_interface } else { tunnel.far_interface }
    }

    /// The vxlan interface with that name on the router with that name.
    pub fn end(&self, router: &str, interface: &str) -> Option<End> {
        End::ALL
            .into_iter()
            .find(|end| self.site(end.place()).router == router && self.interface(*end) == interface)
    }

    /// A tunnel's name in the metrics: its ends in name order.
    pub fn tunnel_name(&self, tunnel: Tunnel) -> String {
        let mut ends: Vec<String> = End::ALL
            .into_iter()
            .filter(|end| end.tunnel() == tunnel)
            .map(|end| format!("{}/{}", self.site(end.place()).router, self.interface(end)))
            .collect();
        ends.sort();
        ends.join("~")
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dc => "dc",
            Self::SiteA => "site-a",
            Self::SiteB => "site-b",
        })
    }
}
