//! The suspicion that the far router's virtual switch drops frames to MACs it does not know.
//!
//! A router that is a virtual machine bridges frames of other machines. Its virtual switch must
//! allow it to receive frames to foreign MACs (promiscuous mode) and to send from them (forged
//! transmits). Without that, broadcasts still arrive, so the tunnels are up and the far hosts' MACs
//! are learned behind them, but no unicast is answered.

use crate::{
    language::{Said, say},
    model::{observation::PathObservation, picture::TunnelEnd, snapshot::FdbEntry, types::Mac},
    overlay::{end_view::EndView, scene::Scene},
};

/// At most this many learned MACs are listed.
const LISTED: usize = 3;

/// The suspicion as sentences: `near` sends into the last tunnel of an unreachable path, `far` is
/// its other end. Empty unless frames of hosts behind it have arrived.
pub(super) fn suspicion(
    scene: &Scene<'_>,
    path: &PathObservation,
    near: &TunnelEnd,
    far: &TunnelEnd,
) -> Option<Said> {
    let (near, far) = (scene.ends.get(near)?, scene.ends.get(far)?);
    let own = |entry: &&&FdbEntry| far.local.macs.contains(&entry.mac);
    let heard: Vec<_> = near
        .snapshot
        .entries(near.link.name.as_str())
        .filter(|entry| entry.state.is_none() && entry.mac != Mac::FLOOD)
        .filter(|entry| entry.dst.is_some_and(|dst| scene.known.owns(&far.reading.router, dst)))
        .collect();
    let target = path.target_mac;
    let of_target = heard.iter().find(|entry| Some(entry.mac) == target);
    let strangers: Vec<_> = heard.iter().filter(|entry| !own(entry)).copied().collect();
    let (who, lines) = match of_target {
        Some(entry) => (say!("the target's MAC is"), line(entry)),
        None if strangers.is_empty() => return None,
        None => {
            let shown: Vec<_> = strangers.iter().take(LISTED).map(|entry| line(entry)).collect();
            let who =
                say!("{number} MACs of hosts there, perhaps the target's, are", number = strangers.len());
            (who, shown.join("; "))
        }
    };
    Some(say!(
        "the tunnels carry traffic and {who} learned behind {end}, yet no unicast is answered: the virtual \
         switch under {far} may drop frames to foreign MACs. Allow promiscuous mode and forged transmits on the \
         port of its {port} ({near}: {lines})",
        who => who,
        end = far.end(),
        far = far.reading.router,
        port = port(far),
        near = near.reading.router,
        lines
    ))
}

/// An entry in the words of `bridge fdb show`.
fn line(entry: &FdbEntry) -> String {
    let dst = entry.dst.map(|dst| format!(" dst {dst}")).unwrap_or_default();
    format!("bridge fdb: {} dev {}{dst}", entry.mac, entry.interface)
}

/// The LAN port through which a bridge sends frames to hosts.
fn port(view: &EndView<'_>) -> String {
    view.widest_port().map_or_else(|| "LAN".to_owned(), |(port, _)| port.name.to_string())
}
