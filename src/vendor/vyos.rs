//! VyOS: its versions, names and commands.
//!
//! - `commands` configuration commands that mend a tunnel
//! - `op_mode` what is run on its shell to read it
//! - `remedies` what to type on it if it cannot be read

mod commands;
mod op_mode;
mod remedies;

use std::ops::RangeInclusive;

use crate::{
    language::{Said, say},
    model::types::{Bytes, InterfaceName},
};

/// A router that runs a numbered VyOS. What holds for every version is an associated item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Vyos {
    /// Major and minor version. Rolling releases, named by their year, compare as later than any
    /// other.
    version: (u32, u32),
}

impl Vyos {
    /// The MTUs that it accepts for a vxlan interface.
    pub(crate) const MTUS: RangeInclusive<Bytes> = 1200..=16_000;

    /// Told of an interface that [`Vyos::names`] refuses.
    pub(crate) fn names_none(interface: &InterfaceName) -> Said {
        say!("VyOS allows no vxlan interface named {interface}", interface)
    }

    /// Told if [`Vyos::has_df_command`] says no.
    pub(crate) fn no_df_command() -> Said {
        say!("VyOS before 1.4 has no command for df")
    }

    /// Told if [`Vyos::signals_bridged`] says no.
    pub(crate) fn no_bridged_signal() -> Said {
        say!("VyOS before 1.4 sends no signal for bridged packets")
    }

    /// From a router's version string, e.g. `VyOS 1.4.0`.
    #[must_use]
    pub(crate) fn of(version: &str) -> Option<Self> {
        let mut numbers = version.strip_prefix("VyOS ")?.split(['.', '-']).map(|number| number.parse().ok());
        Some(Self { version: (numbers.next()??, numbers.next().flatten().unwrap_or(0)) })
    }

    /// Whether it could have given a vxlan interface this name (`vxlan[0-9]+`): its commands accept
    /// no other.
    #[must_use]
    pub(crate) fn names(interface: &InterfaceName) -> bool {
        let number = interface.as_str().strip_prefix("vxlan");
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    }

    /// Whether it has a command for the outer DF bit.
    #[must_use]
    pub(crate) fn has_df_command(self) -> bool {
        self.version >= (1, 4)
    }

    /// Whether its kernel sends Packet Too Big for bridged packets that do not fit the underlay.
    /// Kernels do since 5.8; VyOS 1.3 has 5.4.
    #[must_use]
    pub(crate) fn signals_bridged(self) -> bool {
        self.version >= (1, 4)
    }

    /// Default port and MTU of a vxlan interface, by a version such as `1.3.8`, `VyOS 1.4.0` or
    /// `1.5-rolling-202410211234` (vyos-1x T5671 of 2023-10-20 and T5759 of 2023-11-22). `None` for
    /// any other version.
    ///
    /// A 1.4 rolling release from before October 2023 had the defaults of 1.3. Its name does not
    /// always contain its date; where it does (`1.4-rolling-202212…`) the date decides.
    #[must_use]
    pub(crate) fn defaults(version: &str) -> Option<(u16, Bytes)> {
        let version = version.trim().trim_start_matches("VyOS ");
        let mut parts = version.split(['.', '-']);
        let (major, minor): (u32, u32) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let built = version.rsplit('-').next().filter(|stamp| stamp.len() >= 8 && stamp.starts_with("20"));
        let before = |day| built.is_some_and(|built| built < day);
        match (major, minor) {
            (1, ..=3) => Some((8472, 1450)),
            (1, 4) if before("20231020") => Some((8472, 1450)),
            (1, 4) if before("20231122") => Some((4789, 1450)),
            // Rolling and stream releases are named by their year since 2025.
            (1, 4..) | (2024.., _) => Some((4789, 1500)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_its_vxlan_interfaces_so() {
        for (name, vyos) in [
            ("vxlan0", true),
            ("vxlan01", true),
            ("vxlan", false),
            ("vxlan1;x", false),
            ("vx1", false),
            ("vxlan１", false),
        ] {
            assert_eq!(Vyos::names(&name.into()), vyos, "{name}");
        }
    }

    #[test]
    fn what_a_version_can_do() {
        for (version, can) in [
            ("VyOS 1.3.8", Some(false)),
            ("VyOS 1.4.0", Some(true)),
            ("VyOS 1.5-rolling-202410211234", Some(true)),
            ("VyOS 2025.07.20-0020-rolling", Some(true)),
            ("VyOS rolling", None),
            ("Debian GNU/Linux 12 (bookworm)", None),
        ] {
            assert_eq!(Vyos::of(version).map(Vyos::has_df_command), can, "{version}");
            assert_eq!(Vyos::of(version).map(Vyos::signals_bridged), can, "{version}");
        }
    }
}
