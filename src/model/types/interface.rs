//! What a router prints about an interface, checked. Each type is made only by parsing text, and
//! text that cannot be true never becomes one.

use std::{fmt, ops::Deref, str::FromStr};

use serde::{Serialize, Serializer};

use super::label_values;
use crate::text::is_active;

/// A network interface as the router names it, e.g. `vxlan01`: a name that the kernel would accept
/// (`dev_valid_name` in `net/core/dev.c`), of printable characters only.
///
/// The kernel also accepts control characters; an interface with such a name can only be meant to
/// do harm.
///
/// A router may have a hundred thousand forwarding entries, each with a name, so the name is in
/// place and no text on the heap.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceName {
    /// The rest are zeros, which no name contains.
    bytes: [u8; Self::LONGEST],
    length: u8,
}

impl InterfaceName {
    /// Length limit in bytes: `IFNAMSIZ` without its terminating zero.
    pub const LONGEST: usize = 15;

    /// The name; `None` if no interface can have it.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let bad = |char: char| matches!(char, '/' | ':') || char.is_whitespace() || is_active(char);
        let good = (1..=Self::LONGEST).contains(&name.len()) && !matches!(name, "." | "..");
        if !good || name.contains(bad) {
            return None;
        }
        let mut bytes = [0; Self::LONGEST];
        bytes.get_mut(..name.len())?.copy_from_slice(name.as_bytes());
        Some(Self { bytes, length: u8::try_from(name.len()).ok()? })
    }

    /// The name as the router prints it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let name = self.bytes.get(..usize::from(self.length)).unwrap_or_default();
        str::from_utf8(name).unwrap_or_default()
    }
}

impl Deref for InterfaceName {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Debug for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("InterfaceName").field(&self.as_str()).finish()
    }
}

impl Serialize for InterfaceName {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self)
    }
}

impl fmt::Display for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

#[cfg(test)]
impl From<&str> for InterfaceName {
    fn from(name: &str) -> Self {
        Self::new(name).expect("a name of an interface")
    }
}

/// The hardware address of an Ethernet device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// The destination of the flood list: broadcast frames go to each of its remotes.
    pub const FLOOD: Self = Self([0; 6]);
}

/// Six pairs of hex digits, `4e:3c:34:45:dd:d8`.
impl FromStr for Mac {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut bytes = [0; 6];
        let mut pairs = text.split(':');
        for byte in &mut bytes {
            let pair = pairs.next().filter(|pair| pair.len() == 2 && !pair.starts_with('+')).ok_or(())?;
            *byte = u8::from_str_radix(pair, 16).map_err(drop)?;
        }
        if pairs.next().is_none() { Ok(Self(bytes)) } else { Err(()) }
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.map(|byte| format!("{byte:02x}")).join(":"))
    }
}

impl Serialize for Mac {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// Declares an enum of words that iproute2 prints.
macro_rules! printed_words {
    ($(#[$doc:meta])* $name:ident { $($values:tt)+ }) => {
        label_values!($(#[$doc])* $name { $($values)+ });

        impl $name {
            /// The value of a word; `None` if it is unknown.
            #[must_use]
            pub fn read(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word)
            }
        }
    };
}

printed_words!(
    /// Operational state (RFC 2863, `IF_OPER_*`).
    OperState {
        /// Not reported by the driver: the normal state of a vxlan device that is up.
        Unknown => "UNKNOWN",
        /// The device is gone.
        NotPresent => "NOTPRESENT",
        /// No carrier, or administratively down.
        Down => "DOWN",
        /// The device below it is down.
        LowerLayerDown => "LOWERLAYERDOWN",
        /// Under test.
        Testing => "TESTING",
        /// Waiting for an external event, e.g. 802.1X.
        Dormant => "DORMANT",
        /// Passing packets.
        Up => "UP",
    }
);

printed_words!(
    /// Whether outer packets carry the DF bit (`df` of `ip link`, Linux 5.1 and later).
    DfPolicy {
        /// Never: larger packets are fragmented.
        Unset => "unset",
        /// Always.
        Set => "set",
        /// Copied from the inner packet.
        Inherit => "inherit",
    }
);

printed_words!(
    /// Lifetime of a forwarding entry; a learned entry prints none of these words.
    FdbState {
        /// Configured, or the device's own address.
        Permanent => "permanent",
        /// Configured, but may age out of the bridge.
        Static => "static",
    }
);

printed_words!(
    /// `linkinfo.info_kind`, those that a router may have.
    LinkKind {
        /// VXLAN.
        Vxlan => "vxlan",
        /// Bridge.
        Bridge => "bridge",
        /// Bond.
        Bond => "bond",
        /// VRF.
        Vrf => "vrf",
        /// Virtual pair.
        Veth => "veth",
        /// VLAN.
        Vlan => "vlan",
        /// Dummy.
        Dummy => "dummy",
        /// MAC VLAN.
        Macvlan => "macvlan",
        /// `WireGuard`.
        Wireguard => "wireguard",
        /// TUN or TAP.
        Tun => "tun",
        /// Geneve.
        Geneve => "geneve",
        /// GRE.
        Gre => "gre",
        /// Ethernet over GRE.
        Gretap => "gretap",
        /// Any other.
        Other => "other",
    }
);

impl LinkKind {
    /// Whether such a device sends through another one, whose name `ip` prints as its `link`.
    pub(crate) fn is_on_another(self) -> bool {
        matches!(self, Self::Vlan | Self::Macvlan)
    }

    /// The kind of a link by its flags, where nothing else tells it: of the devices that have
    /// ports, only a bridge lacks `MASTER`, and only a VRF lacks ARP (`vrf_setup` in
    /// `drivers/net/vrf.c`).
    pub fn of_flags<'f>(flags: impl IntoIterator<Item = &'f str>) -> Option<Self> {
        let (mut master, mut noarp) = (false, false);
        for flag in flags {
            master |= flag == "MASTER";
            noarp |= flag == "NOARP";
        }
        master.then_some(if noarp { Self::Vrf } else { Self::Other })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_kernel_and_only_show() {
        for good in ["vxlan01", "eth0.100", "br-0a_b", "$(x)", "京", "123456789012345", "..."] {
            assert!(InterfaceName::new(good).is_some(), "{good}");
        }
        for bad in [
            "",
            ".",
            "..",
            "1234567890123456",
            "a/b",
            "a:b",
            "a b",
            "a\tb",
            "a\nb",
            "a\u{b}",
            "a\u{a0}b",
            "a\u{1b}[2J",
            "a\u{7}",
            "a\0",
            "a\u{7f}",
            "a\u{9b}",
            "a\u{202e}b",
            "a\u{2066}b",
            "a\u{200b}b",
            "a\u{2028}b",
            "\u{feff}a",
        ] {
            assert_eq!(InterfaceName::new(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_master_without_a_kind_is_told_by_its_flags() {
        for (flags, kind) in [
            ("NOARP,MASTER,UP,LOWER_UP", Some(LinkKind::Vrf)),
            ("BROADCAST,MULTICAST,MASTER,UP,LOWER_UP", Some(LinkKind::Other)),
            ("BROADCAST,MULTICAST,UP,LOWER_UP", None),
            ("NOARP,UP,LOWER_UP", None),
        ] {
            assert_eq!(LinkKind::of_flags(flags.split(',')), kind, "{flags}");
        }
    }

    #[test]
    fn hardware_addresses() {
        assert_eq!(
            "AA:bb:80:61:91:77".parse::<Mac>().map(|mac| mac.to_string()),
            Ok("aa:bb:80:61:91:77".to_owned())
        );
        for bad in [
            "",
            "aa:bb:80:61:91",
            "aa:bb:80:61:91:77:00",
            "aa:bb:80:61:91:7",
            "aa:bb:80:61:91:+7",
            "aa:bb:80:61:91:é",
        ] {
            assert_eq!(bad.parse::<Mac>(), Err(()), "{bad}");
        }
    }
}
