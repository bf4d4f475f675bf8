//! What a router's own route to a remote VTEP carries, and the effect on packets sent into the
//! tunnel.
//!
//! Measured (6.18, iproute2 6.1): a bridged packet with DF that does not fit is answered with
//! "fragmentation needed" by the router, whatever `df` is. One without DF travels in outer
//! fragments if `df` is unset, and is dropped without a signal if it is set. Kernels before 5.8
//! (VyOS 1.3 has 5.4) do not answer for bridged packets. For packets that it routes itself, a
//! router signals only the vxlan device's own MTU, never the underlay's: see `routed`.

use std::net::IpAddr;

use crate::{
    language::{Between, Said, say},
    model::{
        picture::TunnelEnd,
        types::{Bytes, DfPolicy, InterfaceName},
    },
    overlay::{end_view::EndView, scene::Scene},
    vendor::Vyos,
};

/// Bytes of outer IPv4 + UDP + VXLAN + inner Ethernet header.
pub(super) const HEADERS_V4: Bytes = 20 + 8 + 8 + 14;
/// Bytes of outer IPv6 + UDP + VXLAN + inner Ethernet header.
pub(super) const HEADERS_V6: Bytes = 40 + 8 + 8 + 14;

/// The route of one end to one of its remotes.
#[derive(Debug, Clone)]
pub(super) struct Underlay {
    end: TunnelEnd,
    remote: IpAddr,
    /// The egress device.
    device: InterfaceName,
    /// What the route carries, bytes of outer IP packet.
    mtu: Bytes,
    /// Whether the router's software sends no signal for bridged packets: `Some(true)` up to VyOS
    /// 1.3, `None` if it is not VyOS.
    mute: Option<bool>,
    df: Option<DfPolicy>,
    routed: bool,
    /// For how many more seconds `mtu` is remembered, if a signal named it.
    expires: Option<u32>,
}

impl Underlay {
    /// The route of `view` to `remote`, if it is known.
    pub(super) fn of(view: &EndView<'_>, remote: IpAddr) -> Option<Self> {
        Some(Self {
            end: view.end(),
            remote,
            device: view.snapshot.route(view.link, remote)?.dev.clone(),
            mtu: view.snapshot.underlay_mtu(view.link, remote)?,
            mute: view.vyos().map(|vyos| !vyos.signals_bridged()),
            df: view.vxlan.df,
            routed: view.is_routed(),
            expires: view.snapshot.route(view.link, remote)?.expires,
        })
    }

    /// The route of `view` to the router of `other`, else to the first of its remotes.
    pub(super) fn towards(scene: &Scene<'_>, view: &EndView<'_>, other: &TunnelEnd) -> Option<Self> {
        let first = || view.remotes.first().copied();
        Self::of(view, scene.remote_to(&view.end(), &other.router).or_else(first)?)
    }

    /// What a routed end with this MTU does with packets that do not fit. Measured (6.18): it never
    /// signals them.
    pub(super) fn routed_drop(&self, vxlan_mtu: Bytes) -> Option<Said> {
        if !self.routed || vxlan_mtu <= self.inner() {
            return None;
        }
        match self.df {
            _ if self.remote.is_ipv6() => Some(say!("larger packets are dropped silently")),
            Some(DfPolicy::Set) => Some(say!("with `df set` larger packets are dropped silently")),
            Some(DfPolicy::Inherit) => {
                Some(say!("with `df inherit` larger packets with DF are dropped silently"))
            }
            Some(DfPolicy::Unset) | None => None,
        }
    }

    fn headers(&self) -> Bytes {
        if self.remote.is_ipv6() { HEADERS_V6 } else { HEADERS_V4 }
    }

    /// The largest inner IP packet, in bytes, that is carried unfragmented.
    pub(super) fn inner(&self) -> Bytes {
        self.mtu.saturating_sub(self.headers())
    }

    /// The largest inner packet that leaves whole, if the router sends larger ones, which an end with
    /// this MTU accepts, in outer fragments.
    pub(super) fn cuts_above(&self, vxlan_mtu: Bytes) -> Option<Bytes> {
        let cuts = self.remote.is_ipv4() && self.df != Some(DfPolicy::Set) && vxlan_mtu > self.inner();
        cuts.then(|| self.inner())
    }

    fn carries(&self) -> Said {
        let Self { end, remote, device, mtu, .. } = self;
        say!(
            "{end}: the underlay to {remote} (out of {device}) carries {mtu} bytes",
            end,
            remote,
            device,
            mtu
        )
    }

    /// The sentence, with numbers, that less than `needed` fits.
    pub(super) fn limit(&self, needed: Bytes) -> Said {
        let limit = say!(
            "{carries}, so inner packets up to {inner} ({headers} bytes of outer headers); {needed} bytes require an \
             underlay of {enough}",
            carries => self.carries(),
            inner = self.inner(),
            headers = self.headers(),
            needed,
            enough = needed + self.headers()
        );
        let parts = [Some(limit), self.without_df(), self.remembered()];
        Said::joined(parts.into_iter().flatten(), Between::Semicolon)
    }

    /// That the route's MTU is no setting, but what a signal named.
    fn remembered(&self) -> Option<Said> {
        let Self { end, remote, mtu, .. } = self;
        let left = match self.expires?.div_ceil(60) {
            1 => say!("1 more minute"),
            minutes => say!("{minutes} more minutes", minutes),
        };
        Some(say!(
            "{router} remembers {mtu} for {remote} for {left}: something on the way answered \"fragmentation \
             needed\" (`ip route get {remote}`)",
            router = end.router,
            mtu,
            remote,
            left => left
        ))
    }

    /// What happens to bridged packets that do not fit and have no DF.
    fn without_df(&self) -> Option<Said> {
        match self.df {
            _ if self.routed => None,
            _ if self.remote.is_ipv6() => Some(say!("larger ones without DF vanish")),
            Some(DfPolicy::Set) => Some(say!("with `df set` larger ones without DF vanish")),
            Some(DfPolicy::Unset) => Some(say!(
                "larger ones without DF leave in outer fragments: they vanish where the underlay loses fragments"
            )),
            Some(DfPolicy::Inherit) | None => None,
        }
    }

    /// What will happen after the vxlan MTU was raised to `needed` and `df` unset.
    pub(super) fn afterwards(&self, needed: Bytes) -> Said {
        let (carries, inner, enough) = (self.carries(), self.inner(), needed + self.headers());
        let signals = match self.mute {
            Some(true) => {
                return say!(
                    "{carries}; {why}: after the fix full-size packets travel as outer fragments (not measured), \
                     until the underlay carries {enough}. The safe fix is an MTU of at most {inner} on the hosts of \
                     both sites",
                    carries => carries,
                    why => Vyos::no_bridged_signal(),
                    enough,
                    inner
                );
            }
            Some(false) => say!("the router will signal"),
            None => say!("the router will signal if its kernel is 5.8 or later"),
        };
        if self.remote.is_ipv6() {
            return say!(
                "{carries}; after the fix {signals} packets with DF, and forward is `reduced` at {inner}; those \
                 without DF vanish (measured, 6.18), so only a reflector can measure the reverse direction, until \
                 the underlay carries {enough}",
                carries => carries,
                signals => signals,
                inner,
                enough
            );
        }
        say!(
            "{carries}; after the fix {signals}, and the verdict becomes `reduced` at {inner} until the underlay \
             carries {enough}",
            carries => carries,
            signals => signals,
            inner,
            enough
        )
    }

    /// The sentence that the end accepts larger packets than the underlay carries, whether or not a
    /// path suffers from it.
    pub(super) fn too_small(&self, vxlan_mtu: Bytes) -> Option<Said> {
        let Self { end, remote, device, mtu, .. } = self;
        let headers = self.headers();
        let larger = match (self.df == Some(DfPolicy::Set), self.mute) {
            _ if self.routed => {
                let fragments = || say!("larger packets travel in fragments, without a signal");
                self.routed_drop(vxlan_mtu).unwrap_or_else(fragments)
            }
            (true, _) => say!("with `df set` larger packets without DF are dropped silently"),
            (false, _) if remote.is_ipv6() => {
                say!("larger packets are signalled, or vanish if they carry no DF")
            }
            (false, Some(true)) => say!("larger packets travel in fragments, without a signal"),
            (false, _) => say!("larger packets are signalled, or travel in fragments if they allow it"),
        };
        (vxlan_mtu + headers > *mtu).then(|| {
            let sentence = say!(
                "{end} mtu {inner} + {headers} > {mtu}, the MTU of the route to {remote} out of {device}: {larger}",
                end,
                inner = vxlan_mtu,
                headers,
                mtu,
                remote,
                device,
                larger => larger
            );
            Said::joined([sentence].into_iter().chain(self.remembered()), Between::Semicolon)
        })
    }
}
