//! Which counters speak for one tunnel alone.
//!
//! Those of a device do where the sender has one remote and nobody else sends to the receiver. Measured (6.18): a
//! frame flooded to two remotes counts two packets sent, a known unicast counts one, and the device does not say to
//! which remote.
//!
//! A device with many networks counts them together. Where it has a VNI filter, the kernel also counts each VNI, and
//! what was said of a device holds for that VNI. Measured (6.18, `external vnifilter`, by routes that name the VNI):
//! 50 pings in VNI 100 and 30 in VNI 200 counted 50 and 30 packets sent and received, the device 80; of 200 more in
//! VNI 100, of which the other router dropped every 20th, 200 were counted sent, 190 there, and 190 back.

use std::{borrow::Cow, net::IpAddr, rc::Rc};

use crate::{
    model::{picture::TunnelEnd, types::Vni, vnis::VniSet},
    overlay::{end_view::EndView, scene::Scene},
};

/// Whose counters to compare, of the sender and of the receiver: those of a VNI, or `None` for the device's; or why
/// neither are of the same packets.
pub(super) fn counters(
    scene: &Scene<'_>,
    from: &TunnelEnd,
    to: &TunnelEnd,
) -> Result<[Option<Vni>; 2], String> {
    let shared = scene.vnis_to(from, &to.router).intersection(scene.vnis_to(to, &from.router));
    let side = |end| Side::new(scene, end, &shared);
    let (Some(sender), Some(receiver)) = (side(from), side(to)) else { return Ok([None, None]) };
    let other_packets = sender
        .uncountable(&receiver, &shared)
        .or_else(|| receiver.uncountable(&sender, &shared))
        .or_else(|| strangers(scene, &sender, &receiver))
        .or_else(|| rival(scene, &sender, &receiver));
    other_packets.map_or(Ok([sender.vni, receiver.vni]), Err)
}

/// One end, as far as its counters go.
struct Side<'a> {
    end: &'a TunnelEnd,
    /// The device; its remotes are those of `vni` alone where there is one.
    view: EndView<'a>,
    /// The VNI whose own counters count; `None` is all of the device.
    vni: Option<Vni>,
}

impl<'a> Side<'a> {
    /// `shared` are the VNIs between both ends. If there is one, and the device tells its counters, they count.
    fn new(scene: &Scene<'a>, end: &'a TunnelEnd, shared: &VniSet) -> Option<Self> {
        let mut view = scene.ends.get(end)?.clone();
        let told = |vni: &Vni| view.vxlan.vni_counters.contains_key(vni);
        let vni = shared.only().filter(told);
        if let Some(vni) = vni {
            view.remotes = Rc::new(view.sends.remotes_of(vni));
        }
        Some(Self { end, view, vni })
    }

    /// The networks that its counters are of.
    fn counted(&self) -> Cow<'_, VniSet> {
        self.vni
            .map_or_else(|| Cow::Borrowed(self.view.vnis()), |vni| Cow::Owned([vni].into_iter().collect()))
    }

    /// Why its counters are not those of the tunnel to `other`.
    fn uncountable(&self, other: &Self, shared: &VniSet) -> Option<String> {
        let (end, remotes) = (self.end, self.view.remotes_text());
        if self.view.sends.groups.iter().any(|group| self.view.remotes.contains(group)) {
            return Some(format!(
                "{end} sends to a group, and its counters do not tell whose packets they count"
            ));
        }
        let several = self.view.remotes.len() > 1;
        if let Some(vni) = self.vni {
            return several.then(|| format!("{end} sends vni {vni} to several remotes ({remotes})"));
        }
        let what = if several {
            format!("several remotes ({remotes})")
        } else if self.view.is_shared() && self.view.vnis().len() != 1 && self.counted() != other.counted() {
            "several networks".to_owned()
        } else {
            return None;
        };
        Some(if self.view.vxlan.vni_counters.is_empty() || shared.len() == 1 {
            format!("{end} has {what}, which its counters do not tell apart")
        } else {
            format!("{end} has {what}, and this tunnel is not of one vni alone")
        })
    }
}

/// A VTEP beside the other end to which the sender sends, or from which the receiver has learned.
fn strangers(scene: &Scene<'_>, sender: &Side<'_>, receiver: &Side<'_>) -> Option<String> {
    let mut strays = sender.view.sends.strays(sender.vni);
    if let Some(remote) = strays.find(|remote| !sender.view.remotes.contains(remote)) {
        return Some(format!("{} has learned that it must send to {remote} too", sender.end));
    }
    let known = |remote: &IpAddr| {
        scene.known.owns(&sender.end.router, *remote) || receiver.view.remotes.contains(remote)
    };
    let remote = receiver.view.sends.strays(receiver.vni).find(|remote| !known(remote))?;
    Some(format!("{} receives from {remote} too", receiver.end))
}

/// Another end that sends to the receiver what its counters count.
fn rival(scene: &Scene<'_>, sender: &Side<'_>, receiver: &Side<'_>) -> Option<String> {
    let (router, port) = (&receiver.end.router, receiver.view.vxlan.port);
    let other = scene.arrivals().other(router, port, &receiver.counted(), sender.end)?;
    Some(format!("{other} sends to {} too", receiver.end))
}
