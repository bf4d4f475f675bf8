//! How many sizes are asked about to find the exact MTU below a proven hole, where nothing is lost.

use vxlan_exporter::path::settings::TcpProbes;

use super::{
    network::{Bottleneck, Network, Way},
    play::{Case, Prober, play},
};

/// MTUs at which tunnels usually end.
const USUAL: [u32; 7] = [1280, 1380, 1400, 1420, 1430, 1450, 1454];
/// From the least that IPv4 guarantees to one below that of our hosts.
const ALL: std::ops::Range<u32> = 576..1500;
/// The hole comes at this second.
const HOLE: f64 = 5.0;

/// Numbers of sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Questions {
    /// The most for an MTU at which tunnels usually end.
    pub usual: usize,
    /// The median of all MTUs.
    pub median: usize,
    /// The most for any MTU.
    pub worst: usize,
}

impl Questions {
    /// Plays a hole at every MTU.
    pub fn count() -> Self {
        let mut all: Vec<usize> = ALL.map(of).collect();
        all.sort_unstable();
        let usual = USUAL.into_iter().map(of).max().unwrap_or_default();
        Self { usual, median: all[all.len() / 2], worst: all[all.len() - 1] }
    }
}

/// Sizes asked about until the MTU `edge` is exact, by echoes alone.
fn of(edge: u32) -> usize {
    let way = Way { bottlenecks: vec![Bottleneck::silent(edge)], ..Way::default() };
    let whole = Network { rtt_ms: 10.0, ..Network::default() };
    let hole = Network { forward: way, ..whole.clone() };
    let prober = Prober { tcp: TcpProbes::None, ..Prober::default() };
    let case = Case {
        seed: u64::from(edge),
        prober,
        phases: vec![(0.0, whole), (HOLE, hole)],
        own: Vec::new(),
        seconds: HOLE + 25.0,
    };
    let mut count = 0;
    play(&case, |look| count = look.searched.len());
    count
}
