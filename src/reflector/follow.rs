//! One path's use of its reflector, for as long as the exporter runs.
//!
//! Two connections: on one, pairs; on the other, the stream of small segments. A connection whose byte
//! stream is stuck behind a lost segment is reset and a fresh one opened. The prober keeps to the
//! reflector's limits by itself, so that nothing is delayed there and taken for lost here.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::{sync::watch, time::sleep};
use tracing::debug;

use super::{
    client::{Connection, Unusable},
    interface,
    limits::{Allowance, SYN_ACK},
    measure::After,
    one_way,
    secret::Secret,
};
use crate::{
    overlay::path::{
        probe::Family,
        reflection::{Bound, Large, LossWindow, Measured, Pair, Reflection},
        size_hunt::SizeHunt,
    },
    types::{Bytes, Direction},
};

/// After the first failure; doubled up to the longest.
const RETRY: Duration = Duration::from_secs(5);
const LONGEST_RETRY: Duration = Duration::from_mins(1);
/// A path that loses packets loses handshakes too.
const FAILURES: u32 = 3;
/// Before a connection that ended is opened anew.
const BREATH: Duration = Duration::from_millis(200);
/// A small segment of the reflector, bytes of IP packet (IPv6).
const SMALL: Bytes = 120;

/// Which reflector, and what for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The path's target.
    pub address: IpAddr,
    /// The expected MTU, bytes of IP packet.
    pub expected: Bytes,
}

/// How to reach it.
#[derive(Debug, Clone)]
pub struct Access {
    /// TCP port.
    pub port: u16,
    /// The shared secret, if any.
    pub secret: Option<Secret>,
}

/// Measures for as long as it is polled and `wanted` has a sender; tells whatever changes.
pub async fn follow(
    access: Access,
    mut wanted: watch::Receiver<Option<Wanted>>,
    tell: impl Fn(Reflection) + Send + Sync,
) {
    let mut retry = RETRY;
    loop {
        let Some(now) = *wanted.borrow_and_update() else {
            if wanted.changed().await.is_err() {
                return;
            }
            continue;
        };
        let began = Instant::now();
        let bench = Bench::new(&access, now.address, &tell);
        let moved = async {
            // Another expected MTU does not need another connection.
            while wanted.changed().await.is_ok() {
                match *wanted.borrow_and_update() {
                    Some(new) if new.address == now.address => bench.set_expected(new.expected),
                    _ => return,
                }
            }
        };
        bench.set_expected(now.expected);
        let why = tokio::select! {
            () = moved => {
                if wanted.has_changed().is_err() {
                    return;
                }
                continue;
            }
            why = bench.sizes() => why,
            why = bench.losses() => why,
        };
        debug!(address = %now.address, %why, "reflector");
        tell(Reflection::Gone { why: why.to_string() });
        if began.elapsed() > LONGEST_RETRY {
            retry = RETRY;
        }
        sleep(retry).await;
        retry = (retry * 2).min(LONGEST_RETRY);
    }
}

/// What the two connections to one reflector share.
struct Bench<'a, T> {
    access: &'a Access,
    address: SocketAddr,
    family: Family,
    began: Instant,
    tell: &'a T,
    board: Mutex<Board>,
}

struct Board {
    expected: Bytes,
    allowance: Allowance,
    measured: Measured,
    forward: LossWindow,
    reverse: LossWindow,
}

impl<'a, T: Fn(Reflection) + Sync> Bench<'a, T> {
    fn new(access: &'a Access, address: IpAddr, tell: &'a T) -> Self {
        Self {
            access,
            address: SocketAddr::new(address, access.port),
            family: Family::of(address),
            began: Instant::now(),
            tell,
            board: Mutex::new(Board {
                expected: 0,
                allowance: Allowance::default(),
                measured: Measured::default(),
                forward: LossWindow::default(),
                reverse: LossWindow::default(),
            }),
        }
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_expected(&self, expected: Bytes) {
        self.board().expected = expected;
    }

    /// Waits until the reflector may send packets of these sizes.
    async fn pay(&self, sizes: &[Bytes]) {
        loop {
            let paid = self.board().allowance.take(sizes, self.began.elapsed());
            match paid {
                Ok(()) => return,
                Err(wait) => sleep(wait.max(Duration::from_millis(1))).await,
            }
        }
    }

    async fn open(&self) -> Result<Connection, Unusable> {
        let challenge = self.access.secret.as_ref().map(|_| SMALL);
        let sizes: Vec<Bytes> = [SYN_ACK, SMALL].into_iter().chain(challenge).collect();
        self.pay(&sizes).await;
        let secret = self.access.secret.as_ref();
        let mut failures = 0;
        loop {
            match Connection::open(self.address, secret).await {
                Ok(connection) => return Ok(connection),
                Err(error) => {
                    failures += 1;
                    if failures >= FAILURES || !error.may_pass() {
                        return Err(error);
                    }
                }
            }
            sleep(BREATH).await;
        }
    }

    /// Pairs in both directions, by turns as they are due.
    async fn sizes(&self) -> Unusable {
        let mut forward = Lane::new(Direction::Forward, self.family);
        let mut reverse = Lane::new(Direction::Reverse, self.family);
        let mut kept = None;
        loop {
            let mut connection = match kept.take() {
                Some(connection) => connection,
                None => match self.open().await {
                    Ok(connection) => connection,
                    Err(error) => return error,
                },
            };
            if self.stand(&connection, &mut forward, &mut reverse).is_err() {
                continue;
            }
            let turns = [&mut forward, &mut reverse];
            let Some(lane) = turns.into_iter().min_by_key(|lane| (lane.due_in(), lane.asked_at)) else {
                continue;
            };
            let wait = lane.due_in();
            if !wait.is_zero() {
                // A second of quiet at most: what bounds the sizes may change.
                sleep(wait.min(Duration::from_secs(1))).await;
                kept = Some(connection);
                continue;
            }
            if self.pair(&mut connection, lane).await == Some(After::Usable) {
                kept = Some(connection);
            }
            let (forward, reverse) = (forward.hunt.sizes(), reverse.hunt.sizes());
            self.publish(|board| {
                board.measured.forward.sizes = forward;
                board.measured.reverse.sizes = reverse;
            });
        }
    }

    /// One pair; `None` where the connection has ended.
    async fn pair(&self, connection: &mut Connection, lane: &mut Lane) -> Option<After> {
        let size = lane.hunt.next().size;
        let large_first = fastrand::bool();
        let measured = if lane.direction == Direction::Forward {
            self.pay(&[SMALL, SMALL]).await;
            connection.pair_forward(size, large_first).await
        } else {
            self.pay(&[size, SMALL]).await;
            connection.pair_reverse(size, large_first).await
        };
        lane.asked_at = Some(Instant::now());
        match measured {
            Ok((pair, after)) => {
                debug!(direction = %lane.direction, size, large_first, ?pair, ?after, "pair");
                if pair == Pair::VOID {
                    sleep(BREATH).await;
                }
                lane.hunt.told(size, pair);
                // The reflector names its new path MTU when it is greeted anew.
                let signalled = matches!(pair.large, Large::Signalled { .. });
                Some(if signalled { After::Stuck } else { after })
            }
            Err(error) => {
                debug!(direction = %lane.direction, size, %error, "pair");
                sleep(BREATH).await;
                None
            }
        }
    }

    /// Which size is in question in each direction, and why not the expected one.
    fn stand(&self, connection: &Connection, forward: &mut Lane, reverse: &mut Lane) -> std::io::Result<()> {
        let tcp = connection.tcp()?;
        let own = interface::mtu_of(connection.stream.local_addr()?.ip());
        let welcome = connection.welcome;
        let far = Some(welcome.interface_mtu).filter(|mtu| *mtu > 0);
        let mut board = self.board();
        let expected = board.expected;
        let ahead = Bound::of(expected, tcp.path_mtu, tcp.limit, own);
        let back = Bound::of(expected, welcome.path_mtu, welcome.limit, far);
        for (lane, bound) in [(forward, ahead), (reverse, back)] {
            lane.hunt.stand_at(bound.map_or(expected, |bound| bound.bytes().min(expected)));
        }
        board.measured.far_mtu = far;
        board.measured.forward.bound = ahead;
        board.measured.reverse.bound = back;
        Ok(())
    }

    /// The stream of small segments.
    async fn losses(&self) -> Unusable {
        let mut told = Instant::now();
        loop {
            let mut connection = match self.open().await {
                Ok(connection) => connection,
                Err(error) => return error,
            };
            let ended = one_way::stream(&mut connection, |counted| {
                let now = self.began.elapsed();
                let mut board = self.board();
                board.allowance.charge(&[SMALL], now);
                board.forward.count(counted.forward, now);
                board.reverse.count(counted.reverse, now);
                board.measured.forward.loss = board.forward.loss();
                board.measured.reverse.loss = board.reverse.loss();
                drop(board);
                if told.elapsed() >= Duration::from_secs(1) {
                    told = Instant::now();
                    self.publish(|_| ());
                }
            })
            .await;
            debug!(address = %self.address, %ended, "stream");
            drop(connection);
            {
                let mut board = self.board();
                board.forward.reconnect();
                board.reverse.reconnect();
            }
            sleep(BREATH).await;
        }
    }

    fn publish(&self, change: impl FnOnce(&mut Board)) {
        let mut board = self.board();
        change(&mut board);
        let measured = board.measured.clone();
        drop(board);
        (self.tell)(Reflection::Measured(measured));
    }
}

/// The hunt in one direction and when it last asked.
struct Lane {
    direction: Direction,
    hunt: SizeHunt,
    asked_at: Option<Instant>,
}

impl Lane {
    fn new(direction: Direction, family: Family) -> Self {
        Self { direction, hunt: SizeHunt::new(family, 0), asked_at: None }
    }

    fn due_in(&self) -> Duration {
        let wait = self.hunt.next().wait;
        self.asked_at.map_or(Duration::ZERO, |at| wait.saturating_sub(at.elapsed()))
    }
}
