//! The work of a turn, counted: a stopwatch would measure the machine.

mod steady;

use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::{
    model::{family::Family, types::Verdict},
    overlay::fixture::path_plan,
    path::settings::{IcmpProbes, TcpProbes},
    probe::{
        egress::Egress,
        last_heard::SocketGroup,
        packet::{Arrival, Incoming},
        target::Target,
        wire::{Asks, Drained, MissingCapabilities, OnSent, Outgoing, SocketWait},
    },
    work::heap,
};

/// Sockets whose every echo is answered in the next turn.
#[derive(Default)]
struct Answering {
    queued: Vec<(usize, Incoming)>,
    arrived: Vec<Incoming>,
}

impl Wire for Answering {
    fn asks(&self, _: Family) -> Asks {
        Asks { icmp: IcmpProbes::Fragments, tcp: TcpProbes::None }
    }

    fn identifier(&self) -> u16 {
        7
    }

    fn flow(&self, _: Family, _: u8) -> (u16, u32) {
        (0, 0)
    }

    fn fresh_identifier(&mut self, _: Family) -> std::io::Result<u16> {
        Ok(8)
    }

    fn fresh_flow(&mut self, _: Family) -> std::io::Result<(u16, u32)> {
        Ok((0, 0))
    }

    fn renew(&mut self, _: &[u8]) {}

    fn queue(
        &mut self,
        ticket: usize,
        outgoing: Outgoing<'_>,
        to: IpAddr,
        _: SocketGroup,
    ) -> std::io::Result<()> {
        let Outgoing::Echo(message) = outgoing else { panic!("{outgoing:?}: all is well") };
        let short = |at: usize| u16::from_be_bytes([message[at], message[at + 1]]);
        let reply = Incoming::EchoReply {
            arrival: Arrival { from: to, ttl: Some(64), largest_fragment: None },
            identifier: short(4),
            sequence: short(6),
            size: message.len() + 20,
            cookie: message[8..].first_chunk().copied(),
        };
        self.queued.push((ticket, reply));
        Ok(())
    }

    fn flush(&mut self, told: OnSent<'_>) {
        for (ticket, reply) in self.queued.drain(..) {
            told(ticket, Ok(Instant::now()));
            self.arrived.push(reply);
        }
    }

    fn expect(&mut self, _: usize) {}

    fn writable(&self) -> SocketWait<'_> {
        Box::pin(std::future::pending())
    }

    fn readable(&mut self) -> SocketWait<'_> {
        Box::pin(std::future::pending())
    }

    fn drain(&mut self, each: &mut dyn FnMut(Incoming, Instant)) -> Drained {
        self.arrived.drain(..).for_each(|reply| each(reply, Instant::now()));
        Drained::WHOLE
    }

    fn missing(&self) -> MissingCapabilities {
        MissingCapabilities::default()
    }
}

fn engine(paths: u16) -> Engine {
    let plans =
        (0..paths).map(|path| PathPlan { sentinel_interval: SECOND, ..path_plan(&format!("p{path}"), "dc") });
    let wire = Box::new(Answering::default());
    let mut engine = Engine::with_wire(wire, plans.collect(), 200, State::default(), EchoMethod::Batched)
        .expect("netlink");
    for path in 0..paths {
        let [high, low] = path.to_be_bytes();
        let egress = Egress {
            interface: "eth0".to_owned(),
            index: 2,
            carries: true,
            mtu: 1500,
            interface_mtu: 1500,
            source: IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)),
        };
        let address = IpAddr::V4(Ipv4Addr::new(10, 1, high, low));
        let found = Ok(Target { address, egress, mac: None });
        engine.retarget(TargetUpdate { path: path.into(), found }, Moment::ZERO);
    }
    engine
}

const SECOND: Duration = Duration::from_secs(1);

/// What happened on all paths together.
#[derive(Debug, Clone, Copy)]
struct Work {
    visits: f64,
    packets: f64,
    allocations: f64,
    /// Most packets that left in one turn.
    most: usize,
}

/// Plays so many seconds from `now` on.
fn play(engine: &mut Engine, now: &mut Moment, seconds: u32) -> Work {
    let (end, first) = (*now + SECOND * seconds, engine.flights.count());
    let (mut visits, mut most) = (0, 0);
    let (allocated, _) = heap();
    while *now < end {
        *now += TICK;
        let before = engine.flights.count();
        visits += engine.turn(*now);
        most = most.max(engine.flights.count() - before);
    }
    let allocations = heap().0 - allocated;
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let number = |count: u64| count as f64;
    Work {
        visits: number(visits as u64),
        packets: number((engine.flights.count() - first) as u64),
        allocations: number(allocations),
        most,
    }
}

#[tokio::test]
async fn work_per_path_is_the_same_for_a_hundred_paths_and_for_two_thousand() {
    let work = |paths: u16| {
        let (mut engine, mut now) = (engine(paths), Moment::ZERO);
        let is_ok = |engine: &Engine| {
            engine.state.present().paths.iter().all(|path| path.judgement.verdict == Verdict::Ok)
        };
        // A busy machine holds up the test itself, and what was in flight then is void.
        let warm = (0..60).any(|_| {
            play(&mut engine, &mut now, 1);
            is_ok(&engine)
        });
        assert!(warm, "{:?}", engine.state.present().paths.first().map(|path| &path.judgement));
        // What has a window of seconds (the rate of ICMP answers) has as many by then as it keeps.
        play(&mut engine, &mut now, 10);
        let work = play(&mut engine, &mut now, 2);
        let path_seconds = f64::from(paths) * 2.0;
        let rates =
            [work.visits / path_seconds, work.packets / path_seconds, work.allocations / work.packets];
        println!(
            "{paths} paths: visits and packets per path and second, allocations per packet: {rates:.2?}"
        );
        let most = f64::from(paths) / 50.0;
        #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
        let burst = work.most as f64;
        assert!(burst <= most.max(16.0), "{burst} packets of {paths} paths leave at once");
        rates
    };
    let (few, many) = (work(100), work(2000));
    for (few, many) in few.iter().zip(many) {
        assert!((few - many).abs() <= few * 0.1, "{few} and {many}");
    }
    let [visits, packets, allocations] = many;
    assert!(visits < 7.0 && (1.9..2.1).contains(&packets) && allocations < 1.5, "{many:?}");
}
