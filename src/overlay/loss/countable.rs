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

use std::{collections::BTreeSet, net::IpAddr};

use crate::{
    overlay::{
        ends::{EndView, Scene},
        picture::TunnelEnd,
    },
    types::Vni,
};

/// Whose counters to compare, of the sender and of the receiver: those of a VNI, or `None` for the device's; or why
/// neither are of the same packets.
pub(super) fn counters(
    scene: &Scene<'_>,
    from: &TunnelEnd,
    to: &TunnelEnd,
) -> Result<[Option<Vni>; 2], String> {
    let shared = &scene.vnis_to(from, &to.router) & &scene.vnis_to(to, &from.router);
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
    fn new(scene: &Scene<'a>, end: &'a TunnelEnd, shared: &BTreeSet<Vni>) -> Option<Self> {
        let mut view = scene.ends.get(end)?.clone();
        let told = |vni: &Vni| view.vxlan.vni_counters.contains_key(vni);
        let vni = shared.first().copied().filter(|vni| shared.len() == 1 && told(vni));
        if vni.is_some() {
            view.remotes = view.remotes_of(vni);
        }
        Some(Self { end, view, vni })
    }

    /// The networks that its counters are of.
    fn counted(&self) -> BTreeSet<Vni> {
        self.vni.map_or_else(|| self.view.vnis(), |vni| BTreeSet::from([vni]))
    }

    /// Why its counters are not those of the tunnel to `other`.
    fn uncountable(&self, other: &Self, shared: &BTreeSet<Vni>) -> Option<String> {
        let (end, remotes) = (self.end, self.view.remotes_text());
        if self.view.remotes.iter().any(IpAddr::is_multicast) {
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

    /// The VTEPs in its forwarding entries.
    fn learned(&self) -> impl Iterator<Item = IpAddr> {
        self.view.entries(self.vni).filter_map(|entry| entry.dst)
    }
}

/// A VTEP beside the other end to which the sender sends, or from which the receiver has learned.
fn strangers(scene: &Scene<'_>, sender: &Side<'_>, receiver: &Side<'_>) -> Option<String> {
    if let Some(remote) = sender.learned().find(|remote| !sender.view.remotes.contains(remote)) {
        return Some(format!("{} has learned that it must send to {remote} too", sender.end));
    }
    let known = |remote: &IpAddr| {
        scene.known.owns(&sender.end.router, *remote) || receiver.view.remotes.contains(remote)
    };
    let remote = receiver.learned().find(|remote| !known(remote))?;
    Some(format!("{} receives from {remote} too", receiver.end))
}

/// Another end that sends to the receiver what its counters count.
fn rival(scene: &Scene<'_>, sender: &Side<'_>, receiver: &Side<'_>) -> Option<String> {
    let ours = receiver.counted();
    let arrives = |remote: &IpAddr| scene.known.owns(&receiver.end.router, *remote);
    let reaches = |view: &EndView<'_>| {
        let theirs = view.vnis();
        let common = &ours & &theirs;
        let unknown = ours.is_empty() || theirs.is_empty();
        if view.vxlan.port != receiver.view.vxlan.port || (common.is_empty() && !unknown) {
            return false;
        }
        if unknown || !view.is_shared() {
            return view.remotes.iter().any(arrives);
        }
        let entries = view.entries(None).filter(|entry| entry.vni.is_none_or(|vni| common.contains(&vni)));
        entries.filter_map(|entry| entry.dst).any(|remote| arrives(&remote))
    };
    let mut others =
        scene.ends.iter().filter(|(end, _)| *end != sender.end && end.router != receiver.end.router);
    let (other, _) = others.find(|(_, view)| reaches(view))?;
    Some(format!("{other} sends to {} too", receiver.end))
}
