//! All commands that mend a tunnel.
//!
//! A person types them on a router. So text that came from a router may enter a command only as a
//! value of a type that cannot hold anything else. The interface must have a name that VyOS gives;
//! for a device of any other name there is no command.

use super::Vyos;
use crate::{
    model::{picture::FixCommand, types::InterfaceName},
    vendor::Repair,
};

impl Vyos {
    /// What is typed before the commands of a fix.
    pub(crate) const BEFORE: &str = "configure";
    /// What is typed after them.
    pub(crate) const AFTER: [&str; 2] = ["commit", "save"];

    /// The configuration command for a change; `None` for an interface that VyOS has not named.
    #[must_use]
    pub(crate) fn command(interface: &InterfaceName, change: Repair) -> Option<FixCommand> {
        if !Self::names(interface) {
            return None;
        }
        let verb = match change {
            Repair::Enable | Repair::DeleteRemote(_) => "delete",
            _ => "set",
        };
        let setting = match change {
            Repair::Enable => "disable".to_owned(),
            Repair::Df(df) => format!("parameters ip df {df}"),
            Repair::Mtu(mtu) => format!("mtu {mtu}"),
            Repair::Vni(vni) => format!("vni {vni}"),
            Repair::Port(port) => format!("port {port}"),
            Repair::DeleteRemote(remote) | Repair::Remote(remote) => format!("remote {remote}"),
        };
        FixCommand::new(format!("{verb} interfaces vxlan {interface} {setting}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_command_only_for_an_interface_that_vyos_named() {
        let of = |name: &str| Vyos::command(&name.into(), Repair::Enable).map(|command| command.to_string());
        assert_eq!(of("vxlan01").as_deref(), Some("delete interfaces vxlan vxlan01 disable"));
        for name in ["vxlan1;reboot", "$(reboot)", "vxlan", "vx1", "vxlan1'", "-f", "vxlan1&x"] {
            assert_eq!(of(name), None, "{name}");
        }
    }

    #[test]
    fn every_change_has_its_command() {
        let remote = "2001:db8::1".parse().expect("an address");
        for (change, command) in [
            (Repair::Enable, "delete interfaces vxlan vxlan1 disable"),
            (
                Repair::Df(crate::model::types::DfPolicy::Unset),
                "set interfaces vxlan vxlan1 parameters ip df unset",
            ),
            (Repair::Mtu(1500), "set interfaces vxlan vxlan1 mtu 1500"),
            (Repair::Vni(crate::model::types::Vni(7)), "set interfaces vxlan vxlan1 vni 7"),
            (Repair::Port(4789), "set interfaces vxlan vxlan1 port 4789"),
            (Repair::DeleteRemote(remote), "delete interfaces vxlan vxlan1 remote 2001:db8::1"),
            (Repair::Remote(remote), "set interfaces vxlan vxlan1 remote 2001:db8::1"),
        ] {
            let is = Vyos::command(&"vxlan1".into(), change).expect("a command").to_string();
            assert_eq!(is, command, "{change:?}");
        }
    }
}
