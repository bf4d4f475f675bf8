//! Paths to the same address: an answer to one shows the others that the target is there, and they
//! share the count of how often it answers.

use std::{collections::BTreeMap, net::IpAddr};

use super::track::Track;
use crate::{
    model::types::ProbeProtocol,
    path::{loss::icmp_rate::SharedRate, probe::Moment},
};

/// Which paths have which address.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    by_address: BTreeMap<IpAddr, Vec<usize>>,
    address_of: BTreeMap<usize, IpAddr>,
}

impl Peers {
    /// Called when a path has found its target.
    pub(crate) fn join(&mut self, tracks: &mut BTreeMap<usize, Track>, path: usize) {
        let Some(address) =
            tracks.get(&path).and_then(|track| track.target.as_ref()).map(|target| target.address)
        else {
            return;
        };
        if self.address_of.get(&path) == Some(&address) {
            return;
        }
        self.leave(path);
        let peers = self.by_address.entry(address).or_default();
        let known = peers.iter().find_map(|peer| tracks.get(peer)?.rate());
        let rate = known.unwrap_or_else(SharedRate::default);
        if let Some(prober) = tracks.get_mut(&path).and_then(|track| track.prober.as_mut()) {
            prober.share_rate(rate);
        }
        peers.push(path);
        self.address_of.insert(path, address);
    }

    /// Forgets paths that were removed.
    pub(crate) fn keep(&mut self, tracks: &BTreeMap<usize, Track>) {
        let gone: Vec<usize> =
            self.address_of.keys().filter(|path| !tracks.contains_key(path)).copied().collect();
        for path in gone {
            self.leave(path);
        }
    }

    /// Tells all other paths to the same address that `path` was answered.
    pub(crate) fn tell(
        &self,
        tracks: &mut BTreeMap<usize, Track>,
        path: usize,
        protocol: ProbeProtocol,
        now: Moment,
    ) {
        let Some(peers) = self.address_of.get(&path).and_then(|address| self.by_address.get(address)) else {
            return;
        };
        for peer in peers.iter().filter(|peer| **peer != path) {
            if let Some(prober) = tracks.get_mut(peer).and_then(|track| track.prober.as_mut()) {
                prober.peer_answered(protocol, now);
            }
        }
    }

    fn leave(&mut self, path: usize) {
        let Some(address) = self.address_of.remove(&path) else { return };
        if let Some(peers) = self.by_address.get_mut(&address) {
            peers.retain(|known| *known != path);
            if peers.is_empty() {
                self.by_address.remove(&address);
            }
        }
    }
}
