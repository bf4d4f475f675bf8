//! All measurements with one reflector.
//!
//! There are two connections: one for pairs, one for the stream of small segments. A connection
//! whose byte stream is stuck behind a lost segment is reset and replaced. The prober itself keeps
//! to the reflector's limits, so that nothing is delayed there and counted as lost here.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::time::sleep;
use tracing::debug;

use super::{
    client::{Connection, Unusable},
    connection_limits::{Allowance, SYN_ACK},
    inbox::Ended,
    measure::{After, Awaited},
    one_way_loss, own_mtu, protocol,
    secret::Secret,
};
use crate::{
    model::{
        family::Family,
        types::{Bytes, Direction},
    },
    path::{
        hole::proof::Shot,
        probe::Moment,
        reflection::{Bound, Large, LossWindow, Measured, Reflection, SegmentPair, size_hunt::SizeHunt},
    },
};

/// Attempts to connect: a path that loses packets also loses handshakes.
const FAILURES: u32 = 3;
/// After this many connections in a row that ended before anything was measured, the reflector is
/// given up.
const ENDED: u32 = 10;
/// Pause before a connection that ended is opened again.
const BREATH: Duration = Duration::from_millis(200);
/// How long a segment that was counted as lost may still arrive; its connection stays open
/// meanwhile.
const LATE: Duration = Duration::from_secs(2);

/// What the two connections to one reflector share.
pub(crate) struct Bench<'a, T> {
    secret: Option<&'a Secret>,
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
    /// Starts without a connection.
    pub(crate) fn new(address: IpAddr, port: u16, secret: Option<&'a Secret>, tell: &'a T) -> Self {
        Self {
            secret,
            address: SocketAddr::new(address, port),
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

    /// Sets the expected MTU, in bytes of IP packet.
    pub(crate) fn set_expected(&self, expected: Bytes) {
        self.board().expected = expected;
    }

    /// Size of the reflector's small segment, in bytes of IP packet: IP and TCP header with
    /// timestamps, payload.
    fn small(&self) -> Bytes {
        self.family.header() + 32 + Bytes::try_from(protocol::SMALL).unwrap_or(0)
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
        let challenge = self.secret.map(|_| self.small());
        let sizes: Vec<Bytes> = [SYN_ACK, self.small()].into_iter().chain(challenge).collect();
        self.pay(&sizes).await;
        let mut failures = 0;
        loop {
            match Connection::open(self.address, self.secret).await {
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

    /// Measures pairs in both directions, whichever is due first, until the reflector cannot be
    /// used.
    pub(crate) async fn sizes(&self) -> Unusable {
        let mut hunts = Hunts::new(self.family);
        let mut kept = None;
        let mut ended = 0;
        loop {
            if let Err(error) = hunts.hear_late(self.began).await {
                return Unusable::Misbehaved(error);
            }
            let mut connection = match kept.take() {
                Some(connection) => connection,
                None => match self.open().await {
                    Ok(connection) => connection,
                    Err(error) => return error,
                },
            };
            if self.stand(&connection, &mut hunts).is_err() {
                continue;
            }
            let (one, wait) = hunts.next(self.began.elapsed());
            if !wait.is_zero() {
                // Sleeps one second at most, as the limits on sizes may change.
                sleep(wait.min(Duration::from_secs(1))).await;
                kept = Some(connection);
                continue;
            }
            let direction = one.direction;
            match self.pair(&mut connection, one).await {
                Ok((shot, after)) => {
                    ended = 0;
                    match after {
                        Some(After::Usable) => kept = Some(connection),
                        Some(After::Stuck(awaited)) => {
                            let since = Instant::now();
                            hunts.stragglers.push(Straggler { connection, awaited, direction, shot, since });
                        }
                        None => {}
                    }
                }
                Err(error) => {
                    ended += 1;
                    if let Some(why) = given_up(ended, error) {
                        return why;
                    }
                }
            }
            self.publish(|board| {
                board.measured.forward.sizes = hunts.forward.hunt.sizes();
                board.measured.reverse.sizes = hunts.reverse.hunt.sizes();
            });
        }
    }

    /// Measures one pair: returns its large segment, and `None` if the connection must be opened
    /// again.
    async fn pair(
        &self,
        connection: &mut Connection,
        one: &mut OneHunt,
    ) -> Result<(Shot, Option<After>), Ended> {
        let size = one.hunt.size();
        let large_first = fastrand::bool();
        let measured = if one.direction == Direction::Forward {
            self.pay(&[self.small(); 2]).await;
            connection.pair_forward(size, large_first).await
        } else {
            self.pay(&[size, self.small()]).await;
            connection.pair_reverse(size, large_first).await
        };
        match measured {
            Ok((pair, after)) => {
                debug!(direction = %one.direction, size, large_first, ?pair, ?after, "pair");
                if pair == SegmentPair::VOID {
                    sleep(BREATH).await;
                }
                let shot = one.hunt.resolve(pair, self.began.elapsed());
                // The reflector reports its new path MTU in the next greeting.
                let signalled = matches!(pair.large, Large::Signalled { .. });
                Ok((shot, (!signalled).then_some(after)))
            }
            Err(error) => {
                debug!(direction = %one.direction, size, %error, "pair");
                sleep(BREATH).await;
                Err(error)
            }
        }
    }

    /// Updates the size in question in each direction, and why it is not the expected one.
    fn stand(&self, connection: &Connection, hunts: &mut Hunts) -> std::io::Result<()> {
        let tcp = connection.tcp()?;
        let own = own_mtu::mtu_of(connection.stream.local_addr()?.ip());
        let welcome = connection.welcome;
        let far = Some(welcome.interface_mtu).filter(|mtu| *mtu > 0);
        let mut board = self.board();
        let expected = board.expected;
        let ahead = Bound::of(expected, tcp.path_mtu, tcp.limit, own);
        let back = Bound::of(expected, welcome.path_mtu, welcome.limit, far);
        for (one, bound) in [(&mut hunts.forward, ahead), (&mut hunts.reverse, back)] {
            one.hunt
                .stand_at(bound.map_or(expected, |bound| bound.bytes().min(expected)), self.began.elapsed());
        }
        board.measured.far_mtu = far;
        board.measured.forward.bound = ahead;
        board.measured.reverse.bound = back;
        Ok(())
    }

    /// Measures loss by the stream of small segments, until the reflector cannot be used.
    pub(crate) async fn losses(&self) -> Unusable {
        let mut told = Instant::now();
        let mut ended = 0;
        loop {
            let mut connection = match self.open().await {
                Ok(connection) => connection,
                Err(error) => return error,
            };
            let mut counts = 0_u32;
            let end = one_way_loss::stream(&mut connection, |counted| {
                counts += 1;
                let now = self.began.elapsed();
                let mut board = self.board();
                board.allowance.charge(&[self.small()], now);
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
            debug!(address = %self.address, %end, "stream");
            drop(connection);
            ended = if counts == 0 { ended + 1 } else { 0 };
            if let Some(why) = given_up(ended, end) {
                return why;
            }
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

/// Whether a connection's end, with this many in a row, means that the reflector cannot be used.
fn given_up(in_a_row: u32, end: Ended) -> Option<Unusable> {
    if end.is_misbehaviour() {
        Some(Unusable::Misbehaved(end))
    } else {
        (in_a_row >= ENDED).then_some(Unusable::Unsteady(in_a_row, end))
    }
}

/// A connection whose large segment has not arrived in time.
struct Straggler {
    connection: Connection,
    awaited: Awaited,
    direction: Direction,
    shot: Shot,
    since: Instant,
}

/// The size search in one direction.
struct OneHunt {
    direction: Direction,
    hunt: SizeHunt,
}

impl OneHunt {
    fn new(direction: Direction, family: Family) -> Self {
        Self { direction, hunt: SizeHunt::new(family, 0) }
    }
}

/// The hunts in both directions.
struct Hunts {
    forward: OneHunt,
    reverse: OneHunt,
    stragglers: Vec<Straggler>,
}

impl Hunts {
    fn new(family: Family) -> Self {
        let [forward, reverse] =
            [Direction::Forward, Direction::Reverse].map(|direction| OneHunt::new(direction, family));
        Self { forward, reverse, stragglers: Vec::new() }
    }

    /// The direction that is due first, and how long until then.
    fn next(&mut self, now: Moment) -> (&mut OneHunt, Duration) {
        let due_in = |one: &OneHunt| one.hunt.due_at().saturating_sub(now);
        let turn = |one: &OneHunt| (due_in(one), one.hunt.asked_at());
        let one =
            if turn(&self.forward) <= turn(&self.reverse) { &mut self.forward } else { &mut self.reverse };
        let wait = due_in(one);
        (one, wait)
    }

    /// A large segment that was counted as lost may still arrive, e.g. over a slow link; then the
    /// loss is taken back. An error means that the reflector misbehaves.
    async fn hear_late(&mut self, began: Instant) -> Result<(), Ended> {
        for mut straggler in std::mem::take(&mut self.stragglers) {
            match straggler.connection.late(straggler.awaited).await {
                Ok(true) => {
                    let is_forward = straggler.direction == Direction::Forward;
                    let one = if is_forward { &mut self.forward } else { &mut self.reverse };
                    debug!(direction = %straggler.direction, size = straggler.shot.size, "late");
                    one.hunt.late(straggler.shot, began.elapsed());
                }
                Ok(false) if straggler.since.elapsed() < LATE => self.stragglers.push(straggler),
                Err(error) if error.is_misbehaviour() => return Err(error),
                Ok(false) | Err(_) => {}
            }
        }
        Ok(())
    }
}
