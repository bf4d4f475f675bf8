//! What a host that does path MTU discovery would experience in a network, derived from its
//! description alone: the prober is not involved.
//!
//! Such a host sends the expected size; on a valid "fragmentation needed, mtu m" it sends m, and so
//! on, until something is answered (`ok`, `reduced`) or nothing comes back (a hole).

use vxlan_exporter::{
    model::{
        family::{FRAGMENT_PAYLOAD, Family},
        types::{Direction, TcpState, Verdict},
    },
    path::{
        probe::fragments_of,
        settings::{IcmpProbes, TcpProbes},
    },
};

use super::{
    network::{Bottleneck, Nat, Network, Tcp, Way, largest_piece},
    play::Prober,
};

/// Below this size a silent edge of ICMP may as well be a filter (docs/probing.md). In IPv6 no size
/// below 1280 is probed.
fn filter(family: Family) -> u32 {
    family.least_mtu().max(1200)
}

/// The end of path MTU discovery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Walk {
    Passes(u32),
    /// Silence at `size`; the largest size that would pass is `edge`.
    Hole {
        /// The size that is lost.
        size: u32,
        /// The largest that passes.
        edge: u32,
    },
}

impl Walk {
    fn of(bottlenecks: &[Bottleneck], start: u32, least: u32) -> Self {
        let passing = bottlenecks.iter().map(|bottleneck| bottleneck.above).min().unwrap_or(u32::MAX);
        let mut size = start;
        loop {
            match bottlenecks.iter().find(|bottleneck| size > bottleneck.above) {
                None => return Self::Passes(size),
                Some(Bottleneck { signals: Some(mtu), .. }) if (least..size).contains(mtu) => size = *mtu,
                Some(_) => return Self::Hole { size, edge: passing },
            }
        }
    }

    /// The largest size that passes and that discovery finds.
    pub fn passing(self) -> u32 {
        match self {
            Self::Passes(size) => size,
            Self::Hole { edge, .. } => edge,
        }
    }

    /// The size that discovery ends with.
    pub fn end(self) -> u32 {
        let (Self::Passes(size) | Self::Hole { size, .. }) = self;
        size
    }

    /// Whether it ends in silence.
    pub fn is_hole(self) -> bool {
        matches!(self, Self::Hole { .. })
    }
}

/// The truth about one network, and how much of it a prober with these privileges can observe.
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// Whether nothing that this prober can send is ever answered.
    pub dead: bool,
    /// Whether some flow that is probed meets a hole in the forward direction.
    pub forward_hole: bool,
    /// Whether packets from the target meet a hole.
    pub reverse_hole: bool,
    /// Whether `blackhole` must be reported.
    pub hole_visible: bool,
    /// Whether the reverse hole affects everything but TCP, which a clamp of our SYN keeps below
    /// it. Only the target can know that.
    pub tcp_escapes: bool,
    /// The directions that must be reported.
    pub must_name: Vec<Direction>,
    /// Correct values of the forward path MTU, if one is reported. Empty if large ICMP is filtered
    /// and nothing else can be probed.
    pub forward_mtu: Vec<u32>,
    /// Correct values of the reverse path MTU.
    pub reverse_mtu: Vec<u32>,
    /// Whether both directions can be measured, so that `unknown` must not last.
    pub measurable: bool,
    /// How SYNs to the path's port are answered, if that can be observed.
    pub tcp: Option<TcpState>,
    /// A box on the way that has just lost its state, or accepts no new flows.
    pub nat: Option<Nat>,
    /// Correct verdicts; empty if nothing is promised.
    pub verdicts: Vec<Verdict>,
    /// Round-trip loss of a small packet, 0..1.
    pub loss: f64,
    /// The larger of the two directions' mean loss.
    pub worst_way: f64,
    /// Whether loss depends on size or rate: then any verdict except a hole or `unreachable` is
    /// accepted.
    pub rate_limited: bool,
}

impl Truth {
    /// The truth about `network`, as far as `prober` can observe it.
    pub fn of(network: &Network, prober: &Prober) -> Self {
        Sight { network, prober }.truth()
    }
}

struct Sight<'a> {
    network: &'a Network,
    prober: &'a Prober,
}

impl Sight<'_> {
    fn truth(&self) -> Truth {
        let Self { network, prober } = *self;
        let expected = self.expected();
        let top = expected.min(prober.testable());
        let family = prober.family;
        let least = family.least_mtu();
        let walk = |flow| Walk::of(network.forward.bottlenecks(flow), top, least);
        let icmp_forward = walk(None);
        let tcp_forward: Vec<Walk> = Way::flows().flatten().map(|flow| walk(Some(flow))).collect();
        let reverse_top = self.reverse_top(top);
        let reverse_walk = Walk::of(&network.reverse.bottlenecks, reverse_top, least);
        // An echo shows nothing of the reverse direction but whole replies without DF.
        let back_edge = self.largest_reply(reverse_top);
        let reverse_hole = reverse_walk.is_hole() && back_edge < reverse_top;
        let echo = prober.icmp >= IcmpProbes::Sized
            && network.icmp
            && network.icmp_filter.is_none_or(|limit| limit >= top);
        let syn = self.syn();
        let asked = self.named_less().map_or(top, |_| self.own_size());
        let fragments = echo
            && prober.icmp == IcmpProbes::Fragments
            && network.icmp_filter.is_none_or(|limit| limit >= asked)
            && self.carries_fragments(asked, icmp_forward);
        let forward_hole = icmp_forward.is_hole()
            || (network.forward.leg.is_some() && tcp_forward.iter().any(|walk| walk.is_hole()));
        let echo_edge = icmp_forward.passing().min(back_edge);
        let echo_silent = icmp_forward.is_hole() || icmp_forward.passing() > back_edge;
        let seen_by_echo = echo
            && echo_silent
            && echo_edge >= filter(family)
            && self.replies_arrive(echo_edge)
            && !self.is_vouched(icmp_forward, &tcp_forward);
        let seen_by_syn = syn && tcp_forward.iter().any(|walk| walk.is_hole());
        // Silence above the very size that is signalled forward may be due to the missing DF alone.
        let ends = tcp_forward.iter().chain([&icmp_forward]).map(|walk| walk.end());
        let in_doubt = family == Family::V4 && ends.into_iter().any(|end| end < top && end == back_edge);
        // Silence just above the size in the MSS may be due to the target's own fragmentation.
        let beyond = [self.named_less(), self.signalled_beyond()];
        let in_doubt = reverse_hole && (in_doubt || beyond.contains(&Some(back_edge)));
        let seen_by_fragments = fragments
            && reverse_hole
            && back_edge >= filter(family)
            && !in_doubt
            && !self.targets_pieces_pass(asked, back_edge);
        let hole_visible = seen_by_echo || seen_by_syn || seen_by_fragments;
        let mut must_name = Vec::new();
        if seen_by_syn
            || (fragments && icmp_forward.is_hole() && !reverse_hole && echo_edge >= filter(family))
        {
            must_name.push(Direction::Forward);
        }
        if seen_by_fragments {
            must_name.push(Direction::Reverse);
        }
        let smallest = |walks: &mut dyn Iterator<Item = &Walk>| walks.map(|walk| walk.passing()).min();
        let used: Vec<Walk> =
            tcp_forward.iter().copied().filter(|_| syn).chain(echo.then_some(icmp_forward)).collect();
        let mut forward_mtu = Vec::new();
        if syn {
            // The smallest of all flows, or of those that meet a hole. For ICMP's flow an echo
            // shows no more than what comes back.
            forward_mtu.extend(smallest(&mut used.iter()));
            forward_mtu.extend(smallest(&mut used.iter().filter(|walk| walk.is_hole())));
            if icmp_forward.passing() >= back_edge {
                forward_mtu.extend(smallest(&mut tcp_forward.iter()));
            }
            forward_mtu.sort_unstable();
            forward_mtu.dedup();
        } else if echo {
            // If the reverse direction is known to end there, the echo says nothing about forward.
            forward_mtu.push(if seen_by_fragments { icmp_forward.passing() } else { echo_edge });
            // What SYNs found before they fell silent still holds.
            let by_syn = self.tcp().filter(|_| self.prober.tcp == TcpProbes::Sized);
            forward_mtu.extend(by_syn.and(smallest(&mut tcp_forward.iter())));
            // A reply that an IPv6 target had to cut shows that its request arrived whole.
            forward_mtu.extend((family == Family::V6).then_some(icmp_forward.passing()));
        }
        let rate_limited = network.echo_limit.is_some()
            || network.forward.policer.is_some()
            || network.reverse.policer.is_some()
            || network.forward.frames.is_some()
            || network.reverse.frames.is_some();
        let filtered_edge = echo_silent && echo_edge < filter(family) && !seen_by_syn;
        let measurable = echo
            && prober.testable() >= expected
            && !filtered_edge
            && self.is_measurable_beyond(fragments, in_doubt, back_edge);
        let (forward_loss, reverse_loss) =
            (self.small_loss(&network.forward), self.small_loss(&network.reverse));
        let loss = 1.0 - (1.0 - forward_loss) * (1.0 - reverse_loss);
        let truth = Truth {
            dead: self.dead(),
            forward_hole,
            reverse_hole,
            hole_visible,
            tcp_escapes: reverse_hole && network.clamps_us.is_some_and(|most| most <= back_edge),
            must_name,
            forward_mtu,
            reverse_mtu: vec![back_edge, reverse_walk.passing()],
            measurable,
            tcp: self.tcp(),
            nat: network.nat,
            verdicts: Vec::new(),
            loss,
            worst_way: forward_loss.max(reverse_loss),
            rate_limited,
        };
        Truth { verdicts: self.verdicts(&truth), ..truth }
    }

    fn verdicts(&self, truth: &Truth) -> Vec<Verdict> {
        if truth.dead {
            return vec![Verdict::Unreachable];
        }
        if truth.rate_limited {
            return Vec::new();
        }
        if truth.tcp.is_some_and(TcpState::is_dead) {
            return vec![Verdict::Blackhole];
        }
        let expected = self.expected();
        let reduced = |mtu: u32| mtu < expected;
        let reverse_top = self.reverse_top(expected.min(self.prober.testable()));
        let reduced_back = |mtu: u32| mtu < expected.max(reverse_top);
        let reverse = &self.network.reverse.bottlenecks;
        let mut right = match (truth.hole_visible, truth.forward_hole || truth.reverse_hole) {
            (true, _) => return vec![Verdict::Blackhole],
            // A path that hangs must never be `ok`, whether or not the hole can be observed;
            // neither must a path that hangs for everything but TCP, which escapes by a clamp.
            (false, true) if self.named_less().is_some() && truth.reverse_hole => {
                return vec![Verdict::Unknown, Verdict::Blackhole, Verdict::Reduced, Verdict::Lossy];
            }
            (false, true) => return Vec::new(),
            // A padded SYN may be answered by a signal with a size that passes the filter.
            _ if !truth.measurable && self.network.icmp_filter.is_some() => {
                vec![Verdict::Unknown, Verdict::Reduced]
            }
            // There is no hole, so it is not wrong to leave that direction unmeasured.
            _ if !truth.measurable && self.named_less().is_some() => {
                let whole = if truth.forward_mtu.iter().copied().any(reduced) {
                    Verdict::Reduced
                } else {
                    Verdict::Ok
                };
                vec![Verdict::Unknown, whole]
            }
            _ if !truth.measurable => vec![Verdict::Unknown],
            // What the target remembers proves that it is signalled; replies that are lost for want
            // of DF do not.
            _ if self.vanishes_without_df() => vec![Verdict::Unknown, Verdict::Reduced],
            // Neither do replies above the MSS that are cut on the way.
            _ if self.is_cut_beyond() && truth.forward_mtu.iter().copied().any(reduced) => {
                vec![Verdict::Unknown, Verdict::Reduced]
            }
            _ if truth.forward_mtu.iter().copied().any(reduced) => vec![Verdict::Reduced],
            _ if reverse.iter().map(|bottleneck| bottleneck.above).any(reduced_back) => {
                // IPv4 replies that a router cuts do not show what it does with DF packets.
                let told = self.prober.family == Family::V6;
                let right = [Verdict::Ok, Verdict::Reduced, Verdict::Unknown];
                right.into_iter().filter(|verdict| !told || *verdict != Verdict::Unknown).collect()
            }
            _ => vec![Verdict::Ok],
        };
        if truth.loss > 0.0 {
            right.push(Verdict::Lossy);
        }
        right
    }

    /// Whether signals to TCP show that ICMP's silence is not a hole: echoes meet silence at a size
    /// that is signalled to TCP, and no TCP flow meets a hole. Then something on the way probably
    /// drops signals about ICMP. The alternative, that of nine flows only ICMP's uses a leg with a
    /// hole, has a chance of 2^-8, and a hole for ICMP alone does no harm. By echoes alone it need
    /// not be reported. (A reverse hole is observed by fragments.)
    fn is_vouched(&self, icmp: Walk, tcp: &[Walk]) -> bool {
        let (Walk::Hole { size, .. } | Walk::Passes(size)) = icmp;
        let signalled = |flow| {
            let refuses = self.network.forward.bottlenecks(flow).iter().find(|one| size > one.above);
            refuses.is_some_and(|one| one.signals.is_some_and(|mtu| mtu < size))
        };
        self.syn() && !tcp.iter().any(|walk| walk.is_hole()) && Way::flows().skip(1).any(signalled)
    }

    /// A reply that is cut on the way back is lost with any of its fragments. If hardly half as
    /// many large packets as controls are answered for that reason, echoes alone cannot tell an
    /// edge from loss that grows with size.
    fn replies_arrive(&self, size: u32) -> bool {
        let reverse = &self.network.reverse;
        let cuts = reverse.bottlenecks.iter().filter(|one| one.signals.is_some() && one.above < size);
        let piece = cuts.map(|one| largest_piece(self.prober.family, size, one.above)).min();
        let pieces = piece.map_or(1, |piece| size.div_ceil(piece.max(1)));
        (1.0 - self.small_loss(reverse)).powi(i32::try_from(pieces - 1).unwrap_or(i32::MAX)) >= 0.7
    }

    fn expected(&self) -> u32 {
        let header = self.prober.family.header() + 20;
        let learnt = self.network.mss.map(|mss| u32::from(mss) + header).filter(|named| {
            let asked = self.prober.tcp == TcpProbes::Sized && self.answers_syns();
            asked && !self.network.other_box && !self.is_remembered(*named)
        });
        self.prober.expected.unwrap_or(self.prober.hosts.min(learnt.unwrap_or(u32::MAX)))
    }

    /// Whether the target's MSS gives just the size that is signalled in its own name: it remembers
    /// that signal.
    fn is_remembered(&self, named: u32) -> bool {
        let told = |one: &Bottleneck| one.signals == Some(named);
        let signalled = self.network.bridge_signals && self.network.forward.bottlenecks.iter().any(told);
        signalled && self.network.remembers == Some(named)
    }

    /// Whether large replies, which carry no DF, are dropped by something on the way that would
    /// signal them if they had DF.
    fn vanishes_without_df(&self) -> bool {
        let cuts_none = |one: &Bottleneck| one.signals.is_some() && one.cuts_none;
        let v4 = self.prober.family == Family::V4;
        v4 && self.network.remembers.is_none() && self.network.reverse.bottlenecks.iter().any(cuts_none)
    }

    /// Whether a router cuts IPv4 replies that are larger than the MSS allows.
    fn is_cut_beyond(&self) -> bool {
        let (named, most) = (self.named_less(), self.own_size());
        let cuts = |one: &Bottleneck| one.signals.is_some() && Some(one.above) >= named && one.above < most;
        self.prober.family == Family::V4
            && named.is_some()
            && self.network.reverse.bottlenecks.iter().any(cuts)
    }

    /// The largest packet that we accept.
    fn own_size(&self) -> u32 {
        self.prober.hosts.min(self.prober.testable())
    }

    /// The size given by the target's MSS, if that is less.
    fn named_less(&self) -> Option<u32> {
        let expected = self.expected();
        (self.prober.expected.is_none() && expected < self.own_size()).then_some(expected)
    }

    /// The largest packet that the target sends.
    fn reverse_top(&self, top: u32) -> u32 {
        let interface = self.network.interface(self.prober.family);
        self.named_less().map_or(top, |_| self.own_size().min(interface))
    }

    /// The MTU that is signalled for a packet of our own size.
    fn signalled_beyond(&self) -> Option<u32> {
        let size = self.own_size();
        self.named_less()?;
        self.network.forward.bottlenecks(None).iter().find(|one| size > one.above)?.signals
    }

    /// Whether fragments, or echoes that pass whole, measure sizes above that of the target's MSS.
    fn is_measurable_beyond(&self, fragments: bool, in_doubt: bool, back_edge: u32) -> bool {
        let Some(named) = self.named_less() else { return true };
        let (size, interface) = (self.own_size(), self.network.interface(self.prober.family));
        let whole = self.network.forward.bottlenecks(None).iter().all(|one| size <= one.above)
            && interface >= size
            && back_edge >= size;
        // What the target itself cuts above its MSS may as well have been cut on the way.
        let own_cut = named < interface && interface < size && self.prober.family == Family::V4;
        whole || (fragments && !in_doubt && !own_cut)
    }

    /// Whether the target's own fragmentation hides a hole. A target whose interface is smaller
    /// than the requested size cuts its replies. Fragments carry a multiple of eight bytes, so they
    /// can pass a hole just below that interface: packets of 1,384 bytes are lost above 1,380, but
    /// 1,400 come in fragments of 1,380. So the requested size arrives, and other senders of that
    /// much cut it too; only TCP's 1,381 to 1,384 are lost.
    fn targets_pieces_pass(&self, asked: u32, back_edge: u32) -> bool {
        let piece = largest_piece(self.prober.family, asked, self.network.interface(self.prober.family));
        piece < asked && piece <= back_edge
    }

    fn syn(&self) -> bool {
        let passes = matches!(self.network.tcp, Tcp::Answers | Tcp::PayloadFiltered | Tcp::KernelSilent);
        self.prober.tcp == TcpProbes::Sized && passes && !self.network.other_box
    }

    fn answers_syns(&self) -> bool {
        match self.network.tcp {
            Tcp::Silent | Tcp::Filtered => false,
            Tcp::KernelSilent => self.prober.tcp == TcpProbes::Sized,
            Tcp::Answers | Tcp::BareOnly | Tcp::PayloadSilent | Tcp::PayloadFiltered => true,
        }
    }

    /// How SYNs are answered, if echoes can be observed beside them.
    fn tcp(&self) -> Option<TcpState> {
        let compared = self.prober.icmp != IcmpProbes::None && self.network.icmp;
        let open = self.network.mss.is_some();
        let state = match self.network.tcp {
            _ if self.network.other_box => TcpState::Answers,
            Tcp::PayloadSilent if open => TcpState::PayloadDead,
            Tcp::PayloadFiltered if open => TcpState::PayloadFiltered,
            Tcp::KernelSilent if self.prober.tcp == TcpProbes::Sized => TcpState::KernelDead,
            Tcp::Filtered => TcpState::Filtered,
            Tcp::Silent | Tcp::KernelSilent => TcpState::Dead,
            // The port is closed, so no byte can be sent.
            Tcp::Answers | Tcp::BareOnly | Tcp::PayloadSilent | Tcp::PayloadFiltered => TcpState::Answers,
        };
        let by_byte =
            matches!(state, TcpState::PayloadDead | TcpState::PayloadFiltered | TcpState::KernelDead);
        let asked = self.prober.tcp != TcpProbes::None && (compared || by_byte);
        (asked && !self.network.down).then_some(state)
    }

    fn dead(&self) -> bool {
        let tcp = self.prober.tcp != TcpProbes::None && (self.answers_syns() || self.network.other_box);
        self.network.down || !(self.network.icmp || tcp)
    }

    /// Whether the fragments of a request get through, often enough for forty of two hundred pairs.
    fn carries_fragments(&self, top: u32, forward: Walk) -> bool {
        let pieces = i32::try_from(fragments_of(self.prober.family, top)).unwrap_or(i32::MAX);
        let arrive = (1.0 - self.small_loss(&self.network.forward)).powi(pieces);
        if arrive * (1.0 - self.small_loss(&self.network.reverse)) < 0.35 {
            return false;
        }
        let piece = self.prober.family.header() + 8 + FRAGMENT_PAYLOAD;
        // Nothing shows that fragments pass if discovery ends below their size on another leg,
        // whose signals vouch for ICMP too.
        let lowest =
            Way::flows().map(|flow| Walk::of(self.network.forward.bottlenecks(flow), top, 68).passing());
        self.network.fragments && forward.passing() >= piece && lowest.min() >= Some(piece)
    }

    /// The largest reply of at most `top` bytes that comes back whole.
    fn largest_reply(&self, top: u32) -> u32 {
        let family = self.prober.family;
        let passes = |size: u32| {
            let mut piece = size;
            self.network.reverse.bottlenecks.iter().all(|bottleneck| {
                if piece > bottleneck.above {
                    match bottleneck.signals {
                        None => return false,
                        // IPv6 routers do not cut: the target itself does, once it has received a
                        // signal.
                        Some(_) => piece = largest_piece(family, piece, bottleneck.above),
                    }
                }
                true
            })
        };
        if passes(top) {
            return top;
        }
        (family.small()..top).rev().find(|size| passes(*size)).unwrap_or(family.small())
    }

    fn small_loss(&self, way: &Way) -> f64 {
        let frames = way.frames.map_or(0.0, |frames| frames.loss_of(Family::small(self.prober.family)));
        1.0 - (1.0 - way.loss.mean()) * (1.0 - frames)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::loss::Loss, *};

    fn silent(above: u32) -> Bottleneck {
        Bottleneck::silent(above)
    }

    fn signals(above: u32, mtu: u32) -> Bottleneck {
        Bottleneck::signalled(above, mtu)
    }

    #[test]
    fn a_walk_follows_valid_signals_and_ends_in_silence_or_an_answer() {
        let cases: [(&[Bottleneck], Walk); 8] = [
            (&[], Walk::Passes(1500)),
            (&[silent(1454)], Walk::Hole { size: 1500, edge: 1454 }),
            (&[signals(1450, 1450)], Walk::Passes(1450)),
            (&[signals(1450, 1450), silent(1410)], Walk::Hole { size: 1450, edge: 1410 }),
            // The bridge over the vxlan device: 1451-1454 are signalled, but no host ever sends
            // them.
            (&[silent(1454), signals(1450, 1450)], Walk::Hole { size: 1500, edge: 1450 }),
            (&[signals(1450, 1300)], Walk::Passes(1300)),
            (&[signals(1400, 1450)], Walk::Hole { size: 1450, edge: 1400 }),
            (&[signals(1400, 0)], Walk::Hole { size: 1500, edge: 1400 }),
        ];
        for (bottlenecks, end) in cases {
            assert_eq!(Walk::of(bottlenecks, 1500, 68), end, "{bottlenecks:?}");
        }
    }

    #[test]
    fn only_what_can_be_seen_must_be_said() {
        let mut network = Network::default();
        network.reverse.bottlenecks = vec![silent(1454)];
        let full = Truth::of(&network, &Prober::default());
        assert_eq!(full.must_name, [Direction::Reverse]);
        assert_eq!((full.forward_mtu.as_slice(), full.reverse_mtu[0]), ([1500].as_slice(), 1454));
        let bare = Prober { icmp: IcmpProbes::Sized, tcp: TcpProbes::None, ..Prober::default() };
        let seen = Truth::of(&network, &bare);
        assert!(seen.hole_visible && seen.must_name.is_empty());
        assert_eq!(seen.forward_mtu, [1454], "the largest that was answered");
        network.reverse.bottlenecks = vec![silent(1000)];
        assert!(!Truth::of(&network, &Prober::default()).hole_visible, "as well a filter of large ICMP");
    }

    #[test]
    fn a_hole_whose_replies_come_in_many_pieces_under_loss_need_not_be_seen_by_echoes() {
        let mut network = Network::default();
        network.forward.bottlenecks = vec![silent(8998)];
        network.reverse.bottlenecks = vec![signals(1380, 1380)];
        let full = Prober { hosts: 9000, tcp: TcpProbes::None, ..Prober::default() };
        assert!(Truth::of(&network, &full).hole_visible);
        network.reverse.loss = Loss::Each(0.1);
        assert!(!Truth::of(&network, &full).hole_visible, "0.9^6 = 0.53");
        let by_syn = Prober { hosts: 9000, ..Prober::default() };
        network.mss = None;
        assert!(Truth::of(&network, &by_syn).hole_visible);
    }

    #[test]
    fn a_hole_that_tcp_escapes_by_a_clamp_of_our_syn_is_there_for_all_else() {
        let mut network = Network { mss: Some(1360), target_mtu: Some(1500), ..Network::default() };
        network.reverse.bottlenecks = vec![silent(1454)];
        for (clamps_us, tcp_escapes) in [(None, false), (Some(1455), false), (Some(1400), true)] {
            network.clamps_us = clamps_us;
            let truth = Truth::of(&network, &Prober::default());
            assert_eq!(
                (truth.tcp_escapes, truth.must_name.as_slice()),
                (tcp_escapes, &[Direction::Reverse][..])
            );
            assert_eq!(truth.verdicts, [Verdict::Blackhole]);
        }
    }

    #[test]
    fn what_the_target_remembers_is_no_expectation_and_proves_a_signal() {
        let bottlenecks = vec![Bottleneck { cuts_none: true, ..signals(1450, 1450) }];
        let mut network = Network { bridge_signals: true, target_mtu: Some(1500), ..Network::default() };
        (network.forward.bottlenecks, network.reverse.bottlenecks) = (bottlenecks.clone(), bottlenecks);
        assert_eq!(Truth::of(&network, &Prober::default()).verdicts, [Verdict::Unknown, Verdict::Reduced]);
        (network.mss, network.remembers) = (Some(1410), Some(1450));
        assert_eq!(Truth::of(&network, &Prober::default()).verdicts, [Verdict::Reduced]);
    }

    #[test]
    fn silence_above_what_is_signalled_forward_may_be_for_want_of_df() {
        let mut network = Network::default();
        network.forward.bottlenecks = vec![signals(1450, 1450)];
        network.reverse.bottlenecks = vec![silent(1450)];
        assert!(!Truth::of(&network, &Prober::default()).hole_visible);
        network.reverse.bottlenecks = vec![silent(1454)];
        assert!(Truth::of(&network, &Prober::default()).hole_visible);
    }

    #[test]
    fn a_reply_that_is_cut_on_the_way_is_no_hole() {
        let mut network = Network::default();
        network.reverse.bottlenecks = vec![signals(1400, 1400)];
        let truth = Truth::of(&network, &Prober::default());
        assert!(!truth.reverse_hole && !truth.hole_visible);
        assert_eq!(truth.verdicts, [Verdict::Ok, Verdict::Reduced, Verdict::Unknown]);
        let ipv6 = Prober { family: Family::V6, ..Prober::default() };
        assert_eq!(Truth::of(&network, &ipv6).verdicts, [Verdict::Ok, Verdict::Reduced]);
    }
}
