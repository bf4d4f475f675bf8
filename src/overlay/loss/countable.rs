//! Which counters count the packets of one tunnel alone.
//!
//! Those of a device do if the sender has one remote and nobody else sends to the receiver.
//! Measured (6.18): a frame flooded to two remotes counts as two packets sent, a known unicast as
//! one, and the device does not say to which remote.
//!
//! A device with many networks counts them together. With a VNI filter the kernel also counts each
//! VNI, and the same conditions apply to that VNI. Measured (6.18, `external vnifilter`, with
//! routes that name the VNI): 50 pings in VNI 100 and 30 in VNI 200 counted as 50 and 30 packets
//! sent and received, and 80 on the device. Of 200 more in VNI 100, where the other router dropped
//! every 20th, 200 were counted as sent, 190 as received there, and 190 back.

use std::{borrow::Cow, net::IpAddr, rc::Rc};

use crate::{
    language::{Said, say},
    model::{picture::TunnelEnd, types::Vni, vnis::VniSet},
    overlay::{end_view::EndView, scene::Scene},
};

/// The counters to compare, of the sender and of the receiver: those of a VNI, or `None` for the
/// device's. An error says why no counters count the same packets.
pub(super) fn counters(
    scene: &Scene<'_>,
    from: &TunnelEnd,
    to: &TunnelEnd,
) -> Result<[Option<Vni>; 2], Said> {
    let shared = scene.vnis_to(from, &to.router).intersection(scene.vnis_to(to, &from.router));
    let side = |end| CountedEnd::new(scene, end, &shared);
    let (Some(sender), Some(receiver)) = (side(from), side(to)) else { return Ok([None, None]) };
    let other_packets = sender
        .uncountable(&receiver, &shared)
        .or_else(|| receiver.uncountable(&sender, &shared))
        .or_else(|| strangers(scene, &sender, &receiver))
        .or_else(|| rival(scene, &sender, &receiver));
    other_packets.map_or(Ok([sender.vni, receiver.vni]), Err)
}

/// One end with the counters that are used.
struct CountedEnd<'a> {
    end: &'a TunnelEnd,
    /// The device; with a `vni`, its remotes are those of that VNI only.
    view: EndView<'a>,
    /// The VNI whose counters are used; `None` means those of the whole device.
    vni: Option<Vni>,
}

impl<'a> CountedEnd<'a> {
    /// `shared` are the VNIs between both ends. If there is exactly one and the device has counters
    /// for it, these are used.
    fn new(scene: &Scene<'a>, end: &'a TunnelEnd, shared: &VniSet) -> Option<Self> {
        let mut view = scene.ends.get(end)?.clone();
        let told = |vni: &Vni| view.vxlan.vni_counters.contains_key(vni);
        let vni = shared.only().filter(told);
        if let Some(vni) = vni {
            view.remotes = Rc::new(view.sends.remotes_of(vni));
        }
        Some(Self { end, view, vni })
    }

    /// The VNIs that the counters cover.
    fn counted(&self) -> Cow<'_, VniSet> {
        self.vni
            .map_or_else(|| Cow::Borrowed(self.view.vnis()), |vni| Cow::Owned([vni].into_iter().collect()))
    }

    /// Why the counters cover more than the tunnel to `other`.
    fn uncountable(&self, other: &Self, shared: &VniSet) -> Option<Said> {
        let (end, remotes) = (self.end, self.view.remotes_text());
        if self.view.sends.groups.iter().any(|group| self.view.remotes.contains(group)) {
            return Some(say!(
                "{end} sends to a multicast group, and its counters do not show which packets are this \
                 tunnel's",
                end
            ));
        }
        let several = self.view.remotes.len() > 1;
        if let Some(vni) = self.vni {
            return several.then(
                || say!("{end} sends vni {vni} to several remotes ({remotes})", end, vni, remotes => remotes),
            );
        }
        let what = if several {
            say!("several remotes ({remotes})", remotes => remotes)
        } else if self.view.is_shared() && self.view.vnis().len() != 1 && self.counted() != other.counted() {
            say!("several networks")
        } else {
            return None;
        };
        Some(if self.view.vxlan.vni_counters.is_empty() || shared.len() == 1 {
            say!("{end} has {what}, which its counters do not tell apart", end, what => what)
        } else {
            say!("{end} has {what}, and this tunnel does not have exactly one vni", end, what => what)
        })
    }
}

/// A VTEP other than the other end that the sender sends to, or that the receiver has learned from.
fn strangers(scene: &Scene<'_>, sender: &CountedEnd<'_>, receiver: &CountedEnd<'_>) -> Option<Said> {
    let mut strays = sender.view.sends.strays(sender.vni);
    if let Some(remote) = strays.find(|remote| !sender.view.remotes.contains(remote)) {
        return Some(say!("{end} has learned to send to {remote} too", end = sender.end, remote));
    }
    let known = |remote: &IpAddr| {
        scene.known.owns(&sender.end.router, *remote) || receiver.view.remotes.contains(remote)
    };
    let remote = receiver.view.sends.strays(receiver.vni).find(|remote| !known(remote))?;
    Some(say!("{end} receives from {remote} too", end = receiver.end, remote))
}

/// Another end whose packets the receiver's counters would include.
fn rival(scene: &Scene<'_>, sender: &CountedEnd<'_>, receiver: &CountedEnd<'_>) -> Option<Said> {
    let (router, port) = (&receiver.end.router, receiver.view.vxlan.port);
    let other = scene.arrivals().other(router, port, &receiver.counted(), sender.end)?;
    Some(say!("{other} sends to {end} too", other, end = receiver.end))
}
