//! What a vxlan interface has where its configuration says nothing, by VyOS's version.
//!
//! UDP port 8472 became 4789 on 2023-10-20, MTU 1450 became 1500 on 2023-11-22, both on the way to 1.4. A router
//! that was upgraded has the old values written into its configuration.

use crate::types::Bytes;

const NEW_PORT: u32 = 20_231_020;
const NEW_MTU: u32 = 20_231_122;

/// A vxlan interface's defaults.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Defaults {
    /// UDP destination port.
    pub port: Option<u16>,
    /// Interface MTU.
    pub mtu: Option<Bytes>,
}

impl Defaults {
    /// Of `VyOS 1.4.0`, `VyOS 1.5-rolling-202410210007`; none of a version that cannot be read.
    pub fn of(version: &str) -> Self {
        let Some(number) = version.strip_prefix("VyOS ") else { return Self::default() };
        let mut parts = number.split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
        let (Some(Ok(major)), Some(Ok(minor))) = (parts.next(), parts.next()) else { return Self::default() };
        // A nightly build bears its day, with or without its minute.
        let built: Option<u32> = number
            .split(|c: char| !c.is_ascii_digit())
            .find(|digits| digits.len() >= 8)
            .and_then(|digits| digits[..8].parse().ok());
        let since = |day: u32| match (major, minor) {
            (1, ..=3) => false,
            (1, 4) => built.is_none_or(|built| built >= day),
            _ => true,
        };
        Self {
            port: Some(if since(NEW_PORT) { 4789 } else { 8472 }),
            mtu: Some(if since(NEW_MTU) { 1500 } else { 1450 }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_version() {
        for (version, port, mtu) in [
            ("VyOS 1.3.8", 8472, 1450),
            ("VyOS 1.2-rolling-202001010217", 8472, 1450),
            ("VyOS 1.4-rolling-202212090319", 8472, 1450),
            ("VyOS 1.4-rolling-202311010022", 4789, 1450),
            ("VyOS 1.4-rolling-202311220022", 4789, 1500),
            ("VyOS 1.4.0", 4789, 1500),
            ("VyOS 1.4.0-epa1", 4789, 1500),
            ("VyOS 1.5-rolling-202401010023", 4789, 1500),
            ("VyOS 2025.11.05-0019-rolling", 4789, 1500),
        ] {
            assert_eq!(Defaults::of(version), Defaults { port: Some(port), mtu: Some(mtu) }, "{version}");
        }
        for version in ["", "VyOS", "VyOS current", "Debian GNU/Linux 12 (bookworm)"] {
            assert_eq!(Defaults::of(version), Defaults::default(), "{version}");
        }
    }
}
