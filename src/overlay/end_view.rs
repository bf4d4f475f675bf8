//! One vxlan interface in the *present* reading of its router: old counters or settings are never
//! used as if they were new.

use std::{collections::BTreeSet, net::IpAddr, rc::Rc};

use crate::{
    language::{Said, say},
    model::{
        picture::TunnelEnd,
        snapshot::{Link, RouterReading, RouterSnapshot, Vxlan},
        types::{Bytes, DfPolicy, Vni},
        vnis::VniSet,
    },
    overlay::{router_index::RouterIndex, sends::Sends},
    text::listed,
    vendor::Vyos,
};

/// One vxlan interface of a router with a present reading.
#[derive(Debug, Clone)]
pub(super) struct EndView<'a> {
    pub(super) reading: &'a RouterReading,
    pub(super) snapshot: &'a RouterSnapshot,
    pub(super) link: &'a Link,
    pub(super) vxlan: &'a Vxlan,
    /// The device's own remote and the remotes on its flood list.
    pub(super) remotes: Rc<BTreeSet<IpAddr>>,
    /// Where its settings and forwarding entries send to.
    pub(super) sends: Rc<Sends<'a>>,
    /// Data of its router that all its ends share.
    pub(super) local: Rc<RouterIndex>,
}

impl<'a> EndView<'a> {
    pub(super) fn end(&self) -> TunnelEnd {
        TunnelEnd { router: self.reading.router.clone(), interface: self.link.name.clone() }
    }

    /// The port of this end's bridge with the largest MTU, other than tunnels, and that MTU in
    /// bytes.
    pub(super) fn widest_port(&self) -> Option<(&Link, Bytes)> {
        self.snapshot.widest_port(self.link.master.as_deref()?)
    }

    /// Whether the router routes into this end instead of bridging: it has no master, or a VRF.
    pub(super) fn is_routed(&self) -> bool {
        self.snapshot.is_routed(self.link)
    }

    /// Whether this end's MTU is below what a path needs; if no path tells, whether it is below the
    /// other ports of its bridge.
    pub(super) fn too_small(&self, expected: Option<Bytes>) -> bool {
        let needed = expected.or_else(|| self.widest_port().map(|(_, mtu)| mtu));
        self.link.mtu.zip(needed).is_some_and(|(mtu, needed)| mtu < needed)
    }

    /// Whether a routing daemon configures it (EVPN): it has marked entries, or it neither learns
    /// nor has a remote of its own.
    pub(super) fn is_filled(&self) -> bool {
        let Vxlan { learning, remote, more_remotes, .. } = self.vxlan;
        self.sends.extern_learn || *learning == Some(false) && remote.is_none() && more_remotes.is_empty()
    }

    /// The sentence, with numbers, that this end is too small; `None` if it is not.
    pub(super) fn too_small_text(&self, expected: Option<Bytes>) -> Option<Said> {
        let mtu = self.link.mtu.filter(|_| self.too_small(expected))?;
        let end = self.end();
        Some(match (self.widest_port(), expected) {
            (Some((port, wide)), _) if wide > mtu => say!(
                "{end} mtu {mtu} < its bridge port {port} mtu {wide}: the bridge drops larger frames silently",
                end,
                mtu,
                port = port.name,
                wide
            ),
            (_, Some(expected)) if self.is_routed() => small_routed_text(&end, mtu, expected),
            (_, Some(expected)) => say!("{end} mtu {mtu} < the expected MTU {expected}", end, mtu, expected),
            _ => return None,
        })
    }

    /// The router's VyOS version, if it runs a numbered VyOS.
    pub(super) fn vyos(&self) -> Option<Vyos> {
        Vyos::of(self.snapshot.version.as_deref()?)
    }

    /// Whether its router is not known to lack a command for the outer DF bit.
    pub(super) fn has_df_command(&self) -> bool {
        self.vyos().is_none_or(Vyos::has_df_command)
    }

    /// Whether it drops packets that it would have to send in fragments.
    pub(super) fn has_df_set(&self) -> bool {
        self.vxlan.df == Some(DfPolicy::Set)
    }

    /// The sentence that the bridge's own MTU is below this port's. Measured (6.18): frames bridged
    /// from port to port pass at the ports' MTU whatever the bridge's is; packets that the router
    /// itself sends into the bridge do not.
    pub(super) fn bridge_text(&self) -> Option<Said> {
        let bridge = self.snapshot.link(self.snapshot.bridge_of(self.link)?.as_str())?;
        let (mtu, clamp) = self.link.mtu.zip(bridge.mtu)?;
        (clamp < mtu).then(|| {
            say!(
                "{router}'s {bridge} mtu {clamp} < its port {port} mtu {mtu}: this limits what the router itself \
                 sends into the bridge, not what it bridges",
                router = self.reading.router,
                bridge = bridge.name,
                clamp,
                port = self.link.name,
                mtu
            )
        })
    }

    /// Another vxlan device of this router that already carries `vni` on this end's UDP port.
    pub(super) fn taken(&self, vni: Vni) -> Option<&'a Link> {
        let carriers = self.local.carriers.get(&self.vxlan.port)?.of_vni(vni).iter();
        let mut links = carriers.filter_map(|place| self.snapshot.links.get(*place));
        links.find(|link| link.name != self.link.name)
    }

    /// The VNIs it carries: its own, or those of its filter. An `external` device without a filter
    /// accepts any, and the set is empty.
    pub(super) fn vnis(&self) -> &VniSet {
        &self.sends.vnis
    }

    /// Whether one device carries many networks (`external`).
    pub(super) fn is_shared(&self) -> bool {
        self.vxlan.vni.is_none() && (self.vxlan.external || self.vxlan.vnis.len() > 1)
    }

    /// The remotes as text for evidence.
    pub(super) fn remotes_text(&self) -> Said {
        if self.remotes.is_empty() { say!("none") } else { listed(self.remotes.iter()) }
    }
}

/// The sentence that a routed end is smaller than the path needs, which is not a hole.
pub(super) fn small_routed_text(end: &TunnelEnd, mtu: Bytes, expected: Bytes) -> Said {
    say!(
        "{end} mtu {mtu} < the expected MTU {expected}: it is routed, not a bridge port, so {router} itself \
         answers larger packets with \"fragmentation needed, mtu {mtu}\"",
        end,
        mtu,
        expected,
        router = end.router
    )
}
