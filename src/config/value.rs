//! Values that check themselves while they are parsed, so that the parser adds the right position.
//!
//! Each is made from the scalar as written: `30s`, `1500`, `"dc"` all arrive as text.

mod amount;
mod file_pattern;
mod on_demand;

use std::{
    borrow::Cow,
    fmt,
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use pnet::ipnetwork::IpNetwork;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Visitor};

pub(crate) use self::file_pattern::WILD;
use self::{
    amount::{duration, number, output_limit, share},
    file_pattern::file_pattern,
    on_demand::{allowed_target, prober},
};
use super::bounds;
use crate::{
    listen::ListenAddress,
    model::{
        family::Family,
        fingerprint::Fingerprint,
        leg::UnderlayProbes,
        on_demand::{AllowedTarget, Prober},
        plan::{ApiUrl, ProbeNow, REFLECTOR_PORT},
        types::{Bytes, InterfaceName},
    },
    text::is_active,
};

/// A type that is made from one scalar of the file.
pub(super) trait Scalar: Sized {
    /// What is expected; shown after "expected" if a list or a mapping is found.
    const EXPECTED: &'static str;

    /// The value, or what is wrong and what to write.
    fn read(text: &str) -> Result<Self, String>;
}

/// Reads a [`Scalar`] at the parser's position.
pub(super) fn scalar<'de, T: Scalar, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    from.deserialize_str(ScalarVisitor(std::marker::PhantomData))
}

struct ScalarVisitor<T>(std::marker::PhantomData<T>);

impl<T: Scalar> Visitor<'_> for ScalarVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        bounds::count(text).and_then(|()| T::read(text)).map_err(E::custom)
    }
}

macro_rules! scalars {
    ($($(#[$doc:meta])* $name:ident($inner:ty) $(: $extra:ident)?, $expected:literal, $read:expr;)+) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq $(, $extra)?)]
            pub(crate) struct $name(pub $inner);

            impl Scalar for $name {
                const EXPECTED: &'static str = $expected;

                fn read(text: &str) -> Result<Self, String> {
                    $read(text).map(Self)
                }
            }

            impl JsonSchema for $name {
                fn inline_schema() -> bool {
                    true
                }

                fn schema_name() -> Cow<'static, str> {
                    stringify!($name).into()
                }

                // A JSON type cannot express the format of a value; an editor shows the
                // description.
                fn json_schema(_: &mut SchemaGenerator) -> Schema {
                    json_schema!({"type": ["string", "number", "boolean"], "description": $expected})
                }
            }

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                    scalar(from)
                }
            }
        )+
    };
}

scalars! {
    /// A site, a path or a user.
    Name(String), "a name", name;
    /// The name of a router, which becomes part of tunnel names: `dc/vxlan01~site-a/vxlan01`.
    RouterId(String), "a name", router_name;
    /// An IP address or a DNS name.
    Host(String), "an IP address or a DNS name", host;
    /// An IP address.
    Address(IpAddr): Copy, "an IP address", ip_address;
    /// A file name. Treated as secret, because people paste the content where the name belongs.
    FileName(String), "a file name", file_name;
    /// Files, the last part of whose name may be a pattern.
    FilePattern(String), "a file name or a pattern, e.g. paths/*.yml", file_pattern;
    /// Where a router's HTTPS API is.
    Url(ApiUrl), "a URL, e.g. https://10.10.0.254", url;
    /// The SHA-256 of a certificate.
    Pin(Fingerprint): Copy, "SHA256:…, the fingerprint of a certificate", pin;
    /// The fingerprint of a host key, as `ssh-keygen -l` prints it.
    HostKey(Fingerprint): Copy, "SHA256:…, the fingerprint of a host key", host_key;
    /// Bytes of output.
    OutputLimit(u64): Copy, "a size, e.g. 16MiB", output_limit;
    /// A TCP port.
    Port(u16): Copy, "a TCP port", |text| number(text, 1, u16::MAX, "a TCP port");
    /// An address to listen on.
    Listen(ListenAddress), "HOST:PORT, e.g. :14790", listen;
    /// Addresses that share a prefix.
    Network(IpNetwork): Copy, "a network, e.g. 192.168.100.0/24", network;
    /// What `/probe` may be asked for.
    Allowed(AllowedTarget), "a network or a DNS name, e.g. 192.168.100.0/24", allowed_target;
    /// What a module of `/probe` sends.
    ProberName(Prober): Copy, "icmp, tcp or path_mtu", prober;
    /// Deadline of a module of `/probe`.
    ProbeTimeout(Duration): Copy, "a duration, e.g. 10s", |text| duration(text, TENTH, Duration::from_mins(2));
    /// Probes at the same time.
    AtOnce(usize): Copy, "a number of probes, e.g. 8", |text| number(text, 1, 100, "a number of probes at the same time");
    /// The port of a path's reflector; `None` means no reflector.
    ReflectorPort(Option<u16>): Copy, "true, false or a TCP port", reflector_port;
    /// One end of a tunnel.
    End(EndName), "ROUTER/INTERFACE, e.g. dc/vxlan01", tunnel_end;
    /// Time between two scrapes.
    ScrapeInterval(Duration): Copy, "a duration, e.g. 30s", |text| duration(text, SECOND, HOUR);
    /// Deadline of one scrape.
    ScrapeTimeout(Duration): Copy, "a duration, e.g. 10s", |text| duration(text, TENTH, HOUR);
    /// Time between two requests that are answered.
    RateInterval(Duration): Copy, "a duration, e.g. 1s", |text| duration(text, Duration::from_millis(1), HOUR);
    /// Time between two probes.
    ProbeInterval(Duration): Copy, "a duration, e.g. 1s", |text| duration(text, TENTH, HOUR);
    /// When routers ping each other.
    Underlay(UnderlayProbes): Copy, "on_trouble, always or never", underlay_probes;
    /// Whose requests may have a path probed at once.
    ProbeOnRequest(ProbeNow): Copy, "restricted, always or never", probe_now;
    /// Time between two measurements of a leg.
    UnderlayInterval(Duration): Copy, "a duration, e.g. 5m", |text| duration(text, Duration::from_secs(30), HOUR);
    /// The IP version that a name is resolved to.
    IpFamily(Family): Copy, "4 or 6", family;
    /// Bytes of IP packet, from IPv4's minimum MTU (RFC 791) to a jumbo frame.
    ExpectedMtu(Bytes): Copy, "a number of bytes, e.g. 1500", |text| number(text, 68, 9216, "an MTU in bytes");
    /// A share of all packets.
    Share(f64): Copy, "a number between 0 and 1, e.g. 0.03", share;
    /// Packets per second; below 10, a proof of 40 pairs would take unacceptably long.
    Budget(u32): Copy, "packets per second, e.g. 200", |text| number(text, 10, 10_000, "a number of packets per second");
    /// Number of interfaces of a router; each vxlan interface is two dozen series.
    MaxInterfaces(usize): Copy, "a number of interfaces, e.g. 1000", |text| number(text, 1, 50_000, "a number of interfaces");
    /// Number of forwarding entries of a router.
    MaxFdbEntries(usize): Copy, "a number of forwarding entries, e.g. 100000", |text| number(text, 1, 10_000_000, "a number of forwarding entries");
    /// Number of threads; each may hold a router's whole output, 16 MiB.
    Workers(usize): Copy, "a number of routers, e.g. 32", |text| number(text, 1, 1000, "a number of routers read at a time");
}

const TENTH: Duration = Duration::from_millis(100);
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_hours(1);

/// `dc/vxlan01`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EndName {
    pub router: String,
    pub interface: String,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.0.router, self.0.interface)
    }
}

fn name(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("the name is empty: give one".into());
    }
    if text.trim() != text || text.contains(is_active) {
        return Err(format!("{text:?} has spaces around it or control characters: remove them"));
    }
    Ok(text.to_owned())
}

fn router_name(text: &str) -> Result<String, String> {
    let name = name(text)?;
    match name.chars().find(|c| matches!(c, '/' | '~') || c.is_whitespace()) {
        Some(bad) => Err(format!(
            "{name:?} contains {bad:?}, which separates the parts of a tunnel's name: use letters, digits, `-`, `_` or `.`"
        )),
        None => Ok(name),
    }
}

fn host(text: &str) -> Result<String, String> {
    let (unscoped, scope) = text.split_once('%').unwrap_or((text, ""));
    if let Ok(address) = unscoped.parse::<Ipv6Addr>()
        && (address.is_unicast_link_local() || !scope.is_empty())
    {
        return Err(format!(
            "{text} is link-local: give an address that is routed, e.g. a global or a unique local \
             (fd00::/8) one"
        ));
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return if address.is_unspecified() || address.is_multicast() || address == IpAddr::from([255; 4]) {
            Err(format!("{text} is not the address of one host: give a unicast address"))
        } else {
            Ok(text.to_owned())
        };
    }
    if is_dns_name(text) {
        return Ok(text.to_owned());
    }
    let remedy = if text.is_empty() {
        "give one"
    } else if text.contains("://") {
        "leave out the scheme and the path of the URL"
    } else if text.contains('/') {
        "leave out the prefix length"
    } else if text.starts_with('[') || text.matches(':').count() == 1 {
        "leave out brackets and port; a port has its own key"
    } else {
        "write e.g. 192.168.100.102, fd00::10 or rancher.example.org"
    };
    Err(format!("{text:?} is neither an IP address nor a DNS name: {remedy}"))
}

/// Whether a text is a host name by RFC 1123 section 2.1, with underscores as found in practice.
/// The last label must not be all digits, which would be a mistyped IPv4 address.
fn is_dns_name(text: &str) -> bool {
    let name = text.strip_suffix('.').unwrap_or(text);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    name.len() <= 253
        && name.split('.').all(is_label)
        && !name.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()))
}

fn ip_address(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| format!("{text:?} is not an IP address: write e.g. 203.0.113.7 or 2001:db8::7"))
}

fn listen(text: &str) -> Result<ListenAddress, String> {
    text.parse().map_err(|_| {
        format!("{text:?} is not HOST:PORT: write e.g. :14790, 192.168.100.10:14790 or [::1]:14790")
    })
}

fn network(text: &str) -> Result<IpNetwork, String> {
    let network: IpNetwork = text.parse().map_err(|_| {
        format!("{text:?} is not a network: write e.g. 192.168.100.0/24, fd00::/64 or one address")
    })?;
    if network.ip() != network.network() {
        // 10.0.0.1/8 is more often a mistake than intended.
        return Err(format!(
            "{text} has bits beyond its prefix length: write {}/{} or {}",
            network.network(),
            network.prefix(),
            network.ip()
        ));
    }
    Ok(network)
}

fn reflector_port(text: &str) -> Result<Option<u16>, String> {
    match text {
        "true" => Ok(Some(REFLECTOR_PORT)),
        "false" => Ok(None),
        port => number(port, 1, u16::MAX, "`true`, `false` or a TCP port").map(Some),
    }
}

/// Never repeats the text in an error: it may be a secret in the wrong place.
fn file_name(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        Err("the file name is empty: give the path of a file".into())
    } else if text.contains("-----BEGIN") || text.contains('\n') || text.contains('\0') {
        Err("this is the content of a file: give its path; secrets are kept out of the configuration".into())
    } else if text.starts_with("~/") {
        Err("`~` is not expanded: give the whole path".into())
    } else {
        Ok(text.to_owned())
    }
}

/// Repeats the text in an error only if nothing in it can be a secret.
fn url(text: &str) -> Result<ApiUrl, String> {
    if text.contains(['@', '?', '#']) {
        return Err("the URL holds more than a host and a port: write e.g. https://10.10.0.254; the key has a file of its own, `key_file`".into());
    }
    let Some(rest) = text.strip_prefix("https://") else {
        return Err(match text.strip_prefix("http://") {
            Some(rest) => format!("{text:?} would send the key unencrypted: write https://{rest}"),
            None => format!("{text:?} is not an https:// URL: write e.g. https://10.10.0.254"),
        });
    };
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if let Some((authority, _)) = authority.split_once('/') {
        return Err(format!("{text:?} has a path: leave it out, write https://{authority}"));
    }
    let (name, after) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some(bracketed) => bracketed,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    if authority.matches(':').count() > 1 && !authority.starts_with('[') {
        return Err(format!("{text:?} has an IPv6 address without brackets: write e.g. https://[fd00::1]"));
    }
    let port = match after.strip_prefix(':') {
        Some(port) => number(port, 1, u16::MAX, "a TCP port")?,
        None if after.is_empty() => 443,
        None => {
            return Err(format!("{text:?} has {after:?} after its host: write e.g. https://[fd00::1]:8443"));
        }
    };
    Ok(ApiUrl { host: host(name)?, port })
}

fn pin(text: &str) -> Result<Fingerprint, String> {
    text.parse().map_err(|()| {
        format!(
            "{text:?} is not the SHA-256 of a certificate: write SHA256: and 64 hex digits, as \
             `openssl x509 -noout -fingerprint -sha256` prints them on the router"
        )
    })
}

fn host_key(text: &str) -> Result<Fingerprint, String> {
    text.parse().map_err(|()| {
        format!(
            "{text:?} is not a SHA256 fingerprint: write SHA256: and 43 characters, as `ssh-keygen -l` prints it"
        )
    })
}

fn family(text: &str) -> Result<Family, String> {
    match text {
        "4" => Ok(Family::V4),
        "6" => Ok(Family::V6),
        _ => Err(format!("{text:?} is not a version of IP: give 4 or 6")),
    }
}

fn underlay_probes(text: &str) -> Result<UnderlayProbes, String> {
    match text {
        "on_trouble" => Ok(UnderlayProbes::OnTrouble),
        "always" => Ok(UnderlayProbes::Always),
        "never" => Ok(UnderlayProbes::Never),
        _ => Err(format!("{text:?} is none of them: give on_trouble, always or never")),
    }
}

fn probe_now(text: &str) -> Result<ProbeNow, String> {
    match text {
        "restricted" => Ok(ProbeNow::Restricted),
        "always" => Ok(ProbeNow::Always),
        "never" => Ok(ProbeNow::Never),
        _ => Err(format!("{text:?} is none of them: give restricted, always or never")),
    }
}

fn tunnel_end(text: &str) -> Result<EndName, String> {
    match text.split_once('/') {
        Some((router, interface))
            if router_name(router).is_ok() && InterfaceName::new(interface).is_some() =>
        {
            Ok(EndName { router: router.to_owned(), interface: interface.to_owned() })
        }
        _ => Err(format!("{text:?} is not ROUTER/INTERFACE: write e.g. dc/vxlan01")),
    }
}
