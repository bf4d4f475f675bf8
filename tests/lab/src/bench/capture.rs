//! The kernel's own view of the round trips: a packet socket beside the exporter takes the time of
//! every echo that leaves and of every reply that arrives.

use std::{
    collections::HashMap,
    io::IoSliceMut,
    net::Ipv4Addr,
    os::fd::AsRawFd as _,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Context, Result};
use nix::{
    cmsg_space,
    errno::Errno,
    sys::{
        socket::{
            ControlMessageOwned, MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, setsockopt,
            sockopt::{RcvBufForce, ReceiveTimestampns},
        },
        time::TimeSpec,
    },
};
use serde::{Deserialize, Serialize};
use socket2::{Domain, Protocol, Socket, Type};

use super::{
    cost::float,
    pair::{get, target},
};
use crate::{metrics::Metrics, namespace::Namespace, ssh_router::inside};

/// All protocols, incoming and outgoing (`linux/if_ether.h`).
const ETH_P_ALL: u16 = 3;
const BATCH: usize = 256;
/// Small echoes are shorter than this, in bytes of IP packet.
const SMALL: usize = 300;

/// Differences between the exporter's mean round trip of a path and the kernel's, in seconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Row {
    /// Paths that were compared.
    pub paths: usize,
    /// Median difference.
    pub median: f64,
    /// 99 % of the paths differ by less.
    pub p99: f64,
    /// Median of the kernel's own round trips.
    pub kernel: f64,
}

/// Round trips of each path in order, in seconds.
type Trips = HashMap<Ipv4Addr, Vec<f64>>;

/// Captures beside the exporter and compares.
pub fn measure(near: &Namespace, paths: usize, window: Duration) -> Result<Row> {
    let done = AtomicBool::new(false);
    let (trips, before, after) = thread::scope(|scope| {
        let capture = scope.spawn(|| inside(&near.name, || capture(&done)));
        let work = || -> Result<(Metrics, Metrics)> {
            // Echoes that are in flight at a scrape are captured too.
            thread::sleep(Duration::from_secs(2));
            let before = Metrics::parse(&get(near, "/metrics")?);
            thread::sleep(window);
            let after = Metrics::parse(&get(near, "/metrics")?);
            thread::sleep(Duration::from_millis(200));
            Ok((before, after))
        };
        let seen = work();
        done.store(true, Ordering::Relaxed);
        let trips = capture.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        let (before, after) = seen?;
        anyhow::Ok((trips, before, after))
    })?;
    compare(paths, &trips, &totals(&before), &totals(&after))
}

/// Sum and count of the round trips by path.
fn totals(metrics: &Metrics) -> HashMap<String, (f64, f64)> {
    let mut totals: HashMap<String, (f64, f64)> = HashMap::new();
    for series in metrics.all("vxlan_path_rtt_seconds_sum", &[]) {
        totals.entry(series.labels["path"].clone()).or_default().0 = series.value;
    }
    for series in metrics.all("vxlan_path_rtt_seconds_count", &[]) {
        totals.entry(series.labels["path"].clone()).or_default().1 = series.value;
    }
    totals
}

fn compare(
    paths: usize,
    trips: &Trips,
    before: &HashMap<String, (f64, f64)>,
    after: &HashMap<String, (f64, f64)>,
) -> Result<Row> {
    let (mut differences, mut kernel) = (Vec::new(), Vec::new());
    for path in 0..paths {
        let name = format!("p{path}");
        let (Some(trips), Some(before), Some(after)) =
            (trips.get(&target(path)), before.get(&name), after.get(&name))
        else {
            continue;
        };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        let count = (after.1 - before.1) as usize;
        if count == 0 || count > trips.len() {
            continue;
        }
        let mean = |trips: &[f64]| trips.iter().sum::<f64>() / float(trips.len());
        let ours = (after.0 - before.0) / float(count);
        // Which of the captured round trips was the first that the exporter counted between its
        // scrapes is not known to the packet.
        let nearest = trips.windows(count).map(|trips| (mean(trips) - ours).abs()).min_by(f64::total_cmp);
        differences.extend(nearest);
        kernel.push(mean(trips));
    }
    let at = |sorted: &mut Vec<f64>, share: usize| {
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() * share / 100).copied().context("no round trip was captured")
    };
    Ok(Row {
        paths: differences.len(),
        median: at(&mut differences, 50)?,
        p99: at(&mut differences, 99)?,
        kernel: at(&mut kernel, 50)?,
    })
}

/// Captures until told to stop. Runs in the exporter's namespace.
fn capture(done: &AtomicBool) -> Result<Trips> {
    let protocol = Protocol::from(i32::from(ETH_P_ALL.to_be()));
    let socket = Socket::new(Domain::PACKET, Type::DGRAM, Some(protocol))?;
    socket.set_nonblocking(true)?;
    setsockopt(&socket, RcvBufForce, &(64 << 20))?;
    setsockopt(&socket, ReceiveTimestampns, &true)?;
    let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(BATCH, Some(cmsg_space!(TimeSpec)));
    let mut buffers = vec![[0_u8; 64]; BATCH];
    let mut flights: HashMap<(Ipv4Addr, [u8; 4]), Duration> = HashMap::new();
    let mut trips = Trips::new();
    while !done.load(Ordering::Relaxed) {
        let mut seen = Vec::new();
        {
            let mut slices: Vec<[IoSliceMut<'_>; 1]> =
                buffers.iter_mut().map(|buffer| [IoSliceMut::new(buffer)]).collect();
            let at_once = MsgFlags::MSG_DONTWAIT;
            match recvmmsg(socket.as_raw_fd(), &mut headers, &mut slices, at_once, None) {
                Ok(taken) => seen.extend(taken.map(|message| time(message.cmsgs()))),
                Err(Errno::EAGAIN) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if seen.is_empty() {
            thread::sleep(Duration::from_millis(2));
        }
        for (time, packet) in seen.into_iter().zip(&buffers) {
            let (Some(time), Some(echo)) = (time, Echo::read(packet)) else { continue };
            if echo.is_reply {
                if let Some(sent) = flights.remove(&(echo.far, echo.label)) {
                    trips.entry(echo.far).or_default().push(time.saturating_sub(sent).as_secs_f64());
                }
            } else {
                flights.insert((echo.far, echo.label), time);
            }
        }
    }
    Ok(trips)
}

fn time(messages: nix::Result<nix::sys::socket::CmsgIterator<'_>>) -> Option<Duration> {
    messages.ok()?.find_map(|message| match message {
        ControlMessageOwned::ScmTimestampns(time) => Some(time.into()),
        _ => None,
    })
}

/// A small echo request or its reply.
struct Echo {
    is_reply: bool,
    far: Ipv4Addr,
    /// Identifier and sequence number.
    label: [u8; 4],
}

impl Echo {
    /// Reads the beginning of an IPv4 packet without options.
    fn read(packet: &[u8; 64]) -> Option<Self> {
        let size = usize::from(u16::from_be_bytes([packet[2], packet[3]]));
        if packet[0] != 0x45 || packet[9] != 1 || size > SMALL {
            return None;
        }
        let is_reply = match packet[20] {
            0 => true,
            8 => false,
            _ => return None,
        };
        let from = if is_reply { 12 } else { 16 };
        let far = <[u8; 4]>::try_from(&packet[from..from + 4]).ok()?;
        let label = <[u8; 4]>::try_from(&packet[24..28]).ok()?;
        Some(Self { is_reply, far: far.into(), label })
    }
}
