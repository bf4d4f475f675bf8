//! One vxlan interface as its router describes it *now*: old counters or settings are never used as if they were fresh.

use std::{collections::BTreeSet, net::IpAddr, rc::Rc};

use crate::{
    model::{
        picture::TunnelEnd,
        snapshot::{Link, RouterReading, RouterSnapshot, Vxlan},
        types::{Bytes, DfPolicy, Vni},
        vnis::VniSet,
    },
    overlay::{local::Local, sends::Sends},
    text::listed,
    vendor::Vyos,
};

/// One vxlan interface of a router that is read now.
#[derive(Debug, Clone)]
pub(super) struct EndView<'a> {
    pub(super) reading: &'a RouterReading,
    pub(super) snapshot: &'a RouterSnapshot,
    pub(super) link: &'a Link,
    pub(super) vxlan: &'a Vxlan,
    /// The device's own remote and those of its flood list.
    pub(super) remotes: Rc<BTreeSet<IpAddr>>,
    /// What its forwarding entries say, sorted.
    pub(super) sends: Rc<Sends<'a>>,
    /// What its router says beside.
    pub(super) local: Rc<Local>,
}

impl<'a> EndView<'a> {
    pub(super) fn end(&self) -> TunnelEnd {
        TunnelEnd { router: self.reading.router.clone(), interface: self.link.name.clone() }
    }

    /// The largest MTU among the ports of this end's bridge that are no tunnels, and that port.
    pub(super) fn widest_port(&self) -> Option<(&Link, Bytes)> {
        self.snapshot.widest_port(self.link.master.as_deref()?)
    }

    /// Whether the router routes into this end and bridges nothing: it stands alone or in a VRF.
    pub(super) fn is_routed(&self) -> bool {
        self.snapshot.is_routed(self.link)
    }

    /// Whether this end's MTU is below what a path needs, or below its bridge's other ports where no
    /// path tells what it needs.
    pub(super) fn too_small(&self, expected: Option<Bytes>) -> bool {
        let needed = expected.or_else(|| self.widest_port().map(|(_, mtu)| mtu));
        self.link.mtu.zip(needed).is_some_and(|(mtu, needed)| mtu < needed)
    }

    /// Whether a routing daemon fills it (EVPN): it has marked entries, or there is neither learning nor a remote of its own.
    pub(super) fn is_filled(&self) -> bool {
        let Vxlan { learning, remote, more_remotes, .. } = self.vxlan;
        self.sends.extern_learn || *learning == Some(false) && remote.is_none() && more_remotes.is_empty()
    }

    /// That this end is too small, in numbers.
    pub(super) fn too_small_text(&self, expected: Option<Bytes>) -> Option<String> {
        let mtu = self.link.mtu.filter(|_| self.too_small(expected))?;
        let end = self.end();
        Some(match (self.widest_port(), expected) {
            (Some((port, wide)), _) if wide > mtu => format!(
                "{end} mtu {mtu} < its bridge port {} mtu {wide}: the bridge drops larger frames silently",
                port.name
            ),
            (_, Some(expected)) if self.is_routed() => small_routed_text(&end, mtu, expected),
            (_, Some(expected)) => format!("{end} mtu {mtu} < the expected MTU {expected}"),
            _ => return None,
        })
    }

    /// Where the router runs a numbered VyOS, which.
    pub(super) fn vyos(&self) -> Option<Vyos> {
        Vyos::of(self.snapshot.version.as_deref()?)
    }

    /// Whether its router is not known to lack a command for the outer DF bit.
    pub(super) fn has_df_command(&self) -> bool {
        self.vyos().is_none_or(Vyos::has_df_command)
    }

    /// Whether it drops what it would have to send in fragments.
    pub(super) fn has_df_set(&self) -> bool {
        self.vxlan.df == Some(DfPolicy::Set)
    }

    /// That the bridge's own MTU is below this port's. Measured (6.18): what is bridged from port to port passes at the
    /// ports' MTU whatever the bridge's is; what the router itself sends into the bridge does not.
    pub(super) fn bridge_text(&self) -> Option<String> {
        let bridge = self.snapshot.link(self.snapshot.bridge_of(self.link)?.as_str())?;
        let (mtu, clamp) = self.link.mtu.zip(bridge.mtu)?;
        (clamp < mtu).then(|| {
            format!(
                "{}'s {} mtu {clamp} < its port {} mtu {mtu}: this limits what the router itself sends into the bridge, \
                 not what it bridges",
                self.reading.router, bridge.name, self.link.name
            )
        })
    }

    /// The other vxlan device of this router that already carries `vni` on this end's UDP port.
    pub(super) fn taken(&self, vni: Vni) -> Option<&'a Link> {
        let carriers = self.local.carriers.get(&self.vxlan.port)?.of_vni(vni).iter();
        let mut links = carriers.filter_map(|place| self.snapshot.links.get(*place));
        links.find(|link| link.name != self.link.name)
    }

    /// The network identifiers it carries: its own, or those of its filter. An `external` device without a filter
    /// takes any and tells none.
    pub(super) fn vnis(&self) -> &VniSet {
        &self.sends.vnis
    }

    /// Whether one device carries many networks (`external`).
    pub(super) fn is_shared(&self) -> bool {
        self.vxlan.vni.is_none() && (self.vxlan.external || self.vxlan.vnis.len() > 1)
    }

    /// The remotes in words, for evidence.
    pub(super) fn remotes_text(&self) -> String {
        if self.remotes.is_empty() { "none".to_owned() } else { listed(self.remotes.iter(), ", ") }
    }
}

/// That a routed end is smaller than the path needs, which is no hole.
pub(super) fn small_routed_text(end: &TunnelEnd, mtu: Bytes, expected: Bytes) -> String {
    format!(
        "{end} mtu {mtu} < the expected MTU {expected}: it is routed, no bridge's port, so {} itself answers larger \
         packets \"fragmentation needed, mtu {mtu}\"",
        end.router
    )
}
