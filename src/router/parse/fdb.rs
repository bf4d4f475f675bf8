//! `bridge -j fdb show`: which remote VTEPs get flooded frames, and which VTEP each MAC is reached
//! through.

use std::collections::BTreeSet;

use super::{ParseError, address, each, field, other_interface, word};
use crate::{
    model::{
        snapshot::FdbEntry,
        types::{DroppedKind, FdbState, InterfaceName, Vni},
    },
    router::bounds,
};

const COMMAND: &str = "bridge -j fdb show";

/// All forwarding entries with a device and a MAC, of every device of the router.
#[cfg(test)]
pub(crate) fn entries(output: &str) -> Result<Vec<FdbEntry>, ParseError> {
    entries_of(output, |_| true)
}

/// The forwarding entries of some devices that have a device and a MAC, as many as the scrape's
/// limits allow.
pub(crate) fn entries_of(
    output: &str,
    wanted: impl Fn(&InterfaceName) -> bool,
) -> Result<Vec<FdbEntry>, ParseError> {
    read(output, wanted, |entry, _| entry)
}

/// The VNIs of an entry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Named {
    /// The VNI of packets sent by it.
    pub vni: Option<Vni>,
    /// The VNI of the frames that it applies to.
    pub source: Option<Vni>,
}

/// Like [`entries_of`]; `keep` makes each result from an entry and its VNIs.
pub(crate) fn read<T>(
    output: &str,
    wanted: impl Fn(&InterfaceName) -> bool,
    keep: impl Fn(FdbEntry, Named) -> T,
) -> Result<Vec<T>, ParseError> {
    let (mut have, most) = (0, bounds::limits().max_fdb_entries);
    let mut remotes = BTreeSet::new();
    each(COMMAND, output, |object| {
        // Before iproute2 4.18 the device was printed as `dev`.
        let device = word(object, "ifname")?.or(word(object, "dev")?).and_then(InterfaceName::new);
        let mac = word(object, "mac")?.and_then(|mac| mac.parse().ok());
        let (Some(interface), Some(mac)) = (device, mac) else { return Ok(None) };
        if !wanted(&interface) || !bounds::admits(DroppedKind::FdbEntry, have, most) {
            return Ok(None);
        }
        let dst = address(object, "dst")?;
        if let Some(dst) = dst.filter(|dst| !remotes.contains(dst)) {
            if !bounds::admits(DroppedKind::Remote, remotes.len(), bounds::MOST_REMOTES) {
                return Ok(None);
            }
            remotes.insert(dst);
        }
        have += 1;
        let named = Named { vni: field(object, "vni")?, source: field(object, "src_vni")? };
        let entry = FdbEntry {
            interface,
            mac,
            dst,
            // Learned entries have an empty state or one of ageing (`stale`).
            state: word(object, "state")?.and_then(FdbState::read),
            // An entry that was learned by a device with many networks, or set by a routing daemon,
            // has only `src_vni`. Packets are then sent with that VNI (measured, 6.18).
            vni: named.vni.or(named.source),
            via: other_interface(object, "viaIf")?,
            extern_learn: field::<Vec<&str>>(object, "flags")?.is_some_and(|it| it.contains(&"extern_learn")),
        };
        Ok(Some(keep(entry, named)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn learned_static_and_flood_entries() {
        let entries = entries(
            r#"[{"mac":"00:00:00:00:00:00","ifname":"vxlan02","dst":"10.10.0.1","vni":200,"src_vni":200,"flags":["self"],"state":"permanent"},
                {"mac":"AA:00:00:00:00:01","ifname":"vxlan01","dst":"fe80::1%eth0","flags":["self"],"state":""},
                {}, {"flags":["self"]},
                {"mac":"56:f9:82:e5:e3:c3","ifname":"vxlan02","dst":"10.77.2.3","src_vni":300,"flags":["self"],"state":""},
                {"mac":"aa:00:00:00:00:02","dev":"vxlan01","flags":[],"master":"br01","state":"stale"}]"#,
        )
        .unwrap();
        assert_eq!(entries.len(), 4);
        assert_eq!((entries[0].vni, entries[0].state), (Some(Vni(200)), Some(FdbState::Permanent)));
        assert_eq!((entries[1].mac.to_string().as_str(), entries[1].state), ("aa:00:00:00:00:01", None));
        assert_eq!(entries[1].dst, Some("fe80::1".parse().unwrap()));
        assert_eq!(entries[2].vni, Some(Vni(300)));
        assert_eq!(
            (entries[3].interface.as_str(), entries[3].dst, entries[3].state),
            ("vxlan01", None, None)
        );
    }

    #[test]
    fn a_bad_address_is_named() {
        let error = entries(r#"[{"mac":"aa:00:00:00:00:01","ifname":"vxlan01","dst":"ten"}]"#)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("element 1 (vxlan01): field `dst`: expected an IP address, saw `ten`"),
            "{error}"
        );
    }
}
