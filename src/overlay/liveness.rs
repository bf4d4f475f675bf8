//! Whether a tunnel carries traffic, as far as router data and the paths over it tell.
//!
//! An idle tunnel is up: only a sign of death brings it down. Signs are counted between the last
//! two scrapes of each end, never across a restart of a counter. Two routers are not scraped at the
//! same moment, so packets that one end sends late may be received in the other end's next window.
//! Such a sign must still be there once both ends have been scraped again. By then the silent end
//! has received nothing over a time that covers a whole window of the sender, so the packets cannot
//! merely have fallen between two scrapes.

use std::collections::BTreeMap;

use crate::{
    language::{Between, Said, say},
    model::{
        observation::PathObservation,
        picture::TunnelEnd,
        snapshot::RouterReading,
        types::{MismatchField, Verdict},
    },
    overlay::{end_view::EndView, pairing::EndPair, scene::Scene},
};

/// Signs of death seen once, by sender and silent end, with the number of scrapes of both routers
/// at that time.
pub(super) type SilentEnds = BTreeMap<(TunnelEnd, TunnelEnd), (u64, u64)>;

/// Packets that a device counted between two scrapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Delta {
    tx: u64,
    rx: u64,
    carrier: u64,
}

/// Whether a tunnel is up, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Life {
    /// Absent if an end is unknown or has no present reading.
    pub(super) up: Option<bool>,
    /// The signs of death in router data, which can be the cause of a path's problem.
    pub(super) signs: Vec<Said>,
    /// Further facts: routers that were not read, packet counts, paths that are dead.
    pub(super) notes: Vec<Said>,
}

/// Whether the tunnel is up, and why, with the numbers of both ends.
pub(super) fn judge(
    scene: &Scene<'_>,
    pair: &EndPair,
    mismatches: &BTreeMap<MismatchField, Said>,
    alone: &[&PathObservation],
    suspects: &mut SilentEnds,
) -> Life {
    let unread: Vec<_> = [&pair.0, &pair.1].into_iter().filter_map(|end| unread(scene, end)).collect();
    if !unread.is_empty() {
        return Life { notes: unread, ..Life::default() };
    }
    let mut dead = Vec::new();
    for end in [&pair.0, &pair.1] {
        match scene.ends.get(end) {
            None => dead.push(say!("{end} does not exist on the router now", end)),
            Some(view) if view.link.admin_up == Some(false) => dead.push(say!("{end} is admin down", end)),
            Some(view) => dead.extend(no_route(view)),
        }
    }
    let fatal = [MismatchField::Vni, MismatchField::Port, MismatchField::Remote];
    dead.extend(fatal.iter().filter_map(|field| mismatches.get(field).cloned()));
    for (from, to) in [(&pair.0, &pair.1), (&pair.1, &pair.0)] {
        dead.extend(one_way_silence(scene, from, to, suspects));
    }
    let unreachable = unreachable(alone);
    let up = dead.is_empty() && unreachable.is_none();
    let notes = unreachable.into_iter().chain(counted(scene, pair, up)).collect();
    Life { up: Some(up), signs: dead, notes }
}

/// Whether a tunnel with one known end is certainly down; it is never known to be up.
pub(super) fn judge_half(view: &EndView<'_>) -> Life {
    let down = (view.link.admin_up == Some(false)).then(|| say!("{end} is admin down", end = view.end()));
    let signs: Vec<_> = down.or_else(|| no_route(view)).into_iter().collect();
    Life { up: (!signs.is_empty()).then_some(false), signs, notes: Vec::new() }
}

/// Why an end's present settings are unknown. If a reading shows that the interface does not exist,
/// that is known.
fn unread(scene: &Scene<'_>, end: &TunnelEnd) -> Option<Said> {
    if let Some(not_read) = scene.not_read(&end.router) {
        return Some(not_read);
    }
    let link = scene.snapshot(&end.router)?.link(end.interface.as_str())?;
    link.vxlan.is_none().then(|| say!("{end}: the router's output shows no VNI, remote or port", end))
}

fn delta(reading: &RouterReading, interface: &str) -> Option<Delta> {
    let (now, before) = (reading.current.as_ref()?, reading.previous.as_ref()?);
    let (link, old) = (now.link(interface)?, before.link(interface)?);
    if link.ifindex != old.ifindex || now.boot_id != before.boot_id {
        return None;
    }
    let (link, old) = (&link.counters, &old.counters);
    Some(Delta {
        tx: link.tx_packets?.checked_sub(old.tx_packets?)?,
        rx: link.rx_packets?.checked_sub(old.rx_packets?)?,
        carrier: link.tx_carrier_errors?.checked_sub(old.tx_carrier_errors?)?,
    })
}

/// The counts of a device with a single remote. With several remotes or a multicast group, a
/// counter does not say which remote it counts.
fn delta_of(view: &EndView<'_>) -> Option<Delta> {
    let one = view.remotes.len() <= 1 && view.sends.groups.is_empty();
    one.then(|| delta(view.reading, view.link.name.as_str()))?
}

fn no_route(view: &EndView<'_>) -> Option<Said> {
    let delta = delta_of(view);
    let (end, remotes) = (view.end(), view.remotes_text());
    if let Some(delta) = delta.filter(|delta| delta.carrier > 0 && delta.rx == 0) {
        return Some(say!(
            "{end}: {errors} more tx_carrier_errors since the previous scrape and nothing received: no route to \
             {remotes}{down}",
            end,
            errors = delta.carrier,
            remotes => remotes,
            down => view.local.down.clone()
        ));
    }
    // Both must hold: `ip route get` fails now, and packets failed for want of a route. In a VRF
    // the look-up may fail although the device finds a route; then there are no carrier errors. A
    // multicast group needs no route.
    let stranded = view.snapshot.tells_all() && !view.remotes.is_empty() && !view.sends.has_route;
    let failed = view.link.counters.tx_carrier_errors.unwrap_or_default();
    (stranded && failed > 0 && delta.is_none_or(|delta| delta.rx == 0)).then(|| {
        say!(
            "{end}: {router} has no route to {remotes}{down}; {failed} tx_carrier_errors so far",
            end,
            router = view.reading.router,
            remotes => remotes,
            down => view.local.down.clone(),
            failed
        )
    })
}

fn one_way_silence(
    scene: &Scene<'_>,
    from: &TunnelEnd,
    to: &TunnelEnd,
    suspects: &mut SilentEnds,
) -> Option<Said> {
    let key = (from.clone(), to.clone());
    let sign = silence(scene, from, to);
    let Some((sent, scrapes)) = sign else {
        suspects.remove(&key);
        return None;
    };
    let since = *suspects.entry(key).or_insert(scrapes);
    let again = scrapes.0 > since.0 && scrapes.1 > since.1;
    // However many packets were sent: a burst may have ended before the first of the silent end's
    // two scrapes.
    again.then(|| {
        say!("{from} sent {sent} packets since the previous scrape, {to} received 0", from, sent, to)
    })
}

/// Packets that `from` sent while `to` received none, and the number of scrapes of both routers.
fn silence(scene: &Scene<'_>, from: &TunnelEnd, to: &TunnelEnd) -> Option<(u64, (u64, u64))> {
    let (from, to) = (scene.ends.get(from)?, scene.ends.get(to)?);
    let sent = delta_of(from)?.tx;
    // If nothing was received from anyone, nothing was received from this end, however many remotes
    // there are.
    let received = delta(to.reading, to.link.name.as_str())?.rx;
    (sent > 0 && received == 0).then_some((sent, (from.reading.scrapes, to.reading.scrapes)))
}

fn unreachable(alone: &[&PathObservation]) -> Option<Said> {
    let dead = |path: &&PathObservation| path.judgement.verdict == Verdict::Unreachable;
    if alone.is_empty() || !alone.iter().all(dead) {
        return None;
    }
    let names: Vec<_> = alone.iter().map(|path| path.path.as_str()).collect();
    Some(say!("every path that crosses only this tunnel is unreachable: {names}", names = names.join(", ")))
}

/// The packet counts of both ends, as evidence.
fn counted(scene: &Scene<'_>, pair: &EndPair, up: bool) -> Option<Said> {
    let counted: Vec<_> = [&pair.0, &pair.1]
        .into_iter()
        .filter_map(|end| {
            let view = scene.ends.get(end)?;
            let delta = delta(view.reading, view.link.name.as_str())?;
            Some(say!(
                "{end} sent {sent} and received {received} packets",
                end,
                sent = delta.tx,
                received = delta.rx
            ))
        })
        .collect();
    match (counted.is_empty(), up) {
        (false, _) => Some(say!(
            "since the previous scrape: {counts}",
            counts => Said::joined(counted, Between::Comma)
        )),
        (true, true) => Some(say!("both ends are admin up; no two scrapes to compare yet")),
        (true, false) => None,
    }
}
