//! The commands that mend a tunnel: all of them.
//!
//! A person types them on a router, so nothing that a router said may stand in one but as a value of a type that
//! cannot hold more than is meant. The name of the interface is one that VyOS gives (`vxlan` and digits); for a device
//! of any other name VyOS has no command.

use std::{fmt, net::IpAddr};

use serde::{Serialize, Serializer};

use crate::model::types::{Bytes, DfPolicy, InterfaceName, Vni};

/// One command of VyOS's configuration mode, for one vxlan interface.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Command {
    interface: InterfaceName,
    change: Change,
}

/// What a command changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Brings the interface up.
    Enable,
    /// Sets the policy of the outer DF bit.
    Df(DfPolicy),
    /// Sets the interface MTU.
    Mtu(Bytes),
    /// Sets the network identifier.
    Vni(Vni),
    /// Sets the UDP port.
    Port(u16),
    /// Takes a remote away.
    DeleteRemote(IpAddr),
    /// Sets a remote.
    Remote(IpAddr),
}

impl Command {
    /// The command; none for an interface that VyOS has not named.
    #[must_use]
    pub fn new(interface: &InterfaceName, change: Change) -> Option<Self> {
        interface.is_vyos_vxlan().then(|| Self { interface: interface.clone(), change })
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.change {
            Change::Enable | Change::DeleteRemote(_) => "delete",
            _ => "set",
        };
        write!(f, "{verb} interfaces vxlan {} ", self.interface)?;
        match self.change {
            Change::Enable => f.write_str("disable"),
            Change::Df(df) => write!(f, "parameters ip df {df}"),
            Change::Mtu(mtu) => write!(f, "mtu {mtu}"),
            Change::Vni(vni) => write!(f, "vni {vni}"),
            Change::Port(port) => write!(f, "port {port}"),
            Change::DeleteRemote(remote) | Change::Remote(remote) => write!(f, "remote {remote}"),
        }
    }
}

impl Serialize for Command {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_command_only_for_an_interface_that_vyos_named() {
        let of = |name: &str| Command::new(&name.into(), Change::Enable).map(|command| command.to_string());
        assert_eq!(of("vxlan01").as_deref(), Some("delete interfaces vxlan vxlan01 disable"));
        for name in ["vxlan1;reboot", "$(reboot)", "vxlan", "vx1", "vxlan1'", "-f", "vxlan1&x"] {
            assert_eq!(of(name), None, "{name}");
        }
    }
}
