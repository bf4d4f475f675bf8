//! A router over SSH: one kept session, one exec per script, no pty.
//!
//! Any error ends the session, and no scrape connects twice: OpenSSH 9.8 and later locks out an
//! address that keeps connecting without logging in. stderr is read and thrown away: unread, it
//! would fill the channel's window and block stdout (measured at 4 MiB).
//!
//! - `connect` the TCP connection, and what a server says that is not an SSH server
//! - `login` keys, passphrases, passwords and agents
//! - `jump` a connection through another router
//! - `offer` the algorithms of a server that has none in common with us
//! - `failure` libssh2's errors in plain words

mod connect;
mod failure;
mod jump;
mod login;
mod offer;

use std::{
    io::ErrorKind,
    net::Shutdown,
    time::{Duration, Instant, SystemTime},
};

use socket2::{Socket, TcpKeepalive};
use ssh2::{Channel, ExtendedData, MethodType, Session};

use crate::{
    model::{
        plan::{Credential, SshPlan},
        snapshot::ScrapeError,
        types::FailureReason,
    },
    router::{
        shell::{Shell, Watchdog, read_capped, timed_out},
        trust::host_key::HostKeys,
    },
};
use connect::Hello;
use login::LoadedCredential;
use offer::Offer;

/// Between two scrapes the kernel probes a silent router this often.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Whether a credential can be used: its files can be read, a passphrase opens its key. Does not
/// contact an agent.
pub fn check_credential(credential: &Credential) -> Result<(), ScrapeError> {
    LoadedCredential::read(credential).map(drop)
}

/// Whether a host key is on file for the router.
pub fn check_host_key(plan: &SshPlan) -> Result<(), ScrapeError> {
    HostKeys::read(plan).map(drop)
}

/// The host key that a router presents, without logging in to it. Only its jump routers must be
/// known.
pub(crate) fn presented_key(
    plan: &SshPlan,
    known: &HostKeys,
    deadline: Instant,
) -> Result<Vec<u8>, ScrapeError> {
    LiveSession::handshake(plan, known, deadline)?.host_key()
}

/// Runs scripts over SSH.
#[derive(Debug)]
pub(crate) struct SshShell {
    plan: SshPlan,
    live: Option<LiveSession>,
    /// Why no keys can be exchanged, once the router's offer was read.
    at_odds: Option<ScrapeError>,
}

impl SshShell {
    /// A shell that connects at its first script.
    #[must_use]
    pub(crate) fn new(plan: SshPlan) -> Self {
        Self { plan, live: None, at_odds: None }
    }
}

impl Shell for SshShell {
    fn exec(&mut self, script: &str, deadline: Instant) -> Result<String, ScrapeError> {
        let kept = self.live.take().filter(LiveSession::is_alive).map(|live| (live.open(deadline), live));
        let (channel, live) = match kept {
            Some((Ok(channel), live)) => (channel, live),
            // The router closed the session between scrapes. No script has begun and no connection
            // was made, so the one that follows is the first of this scrape.
            None | Some((Err(ScrapeError { reason: FailureReason::Connect, .. }), _)) => {
                let live = LiveSession::connect(&self.plan, deadline)
                    .map_err(|error| self.explained(error, deadline))?;
                self.at_odds = None;
                (live.open(deadline)?, live)
            }
            Some((Err(error), _)) => return Err(error),
        };
        let limit = self.plan.max_output;
        let output = live.guarded(deadline, RUNNING, || live.run(channel, script, limit))?;
        self.live = Some(live);
        Ok(output)
    }

    fn hang_up(&mut self) {
        self.live = None;
    }
}

impl SshShell {
    /// The reason behind a failed key exchange. The router's offer is read only once.
    fn explained(&mut self, error: ScrapeError, deadline: Instant) -> ScrapeError {
        if error.reason != FailureReason::KeyExchange {
            self.at_odds = None;
            return error;
        }
        if self.at_odds.is_none() {
            // A server that makes no offer broke off for another reason.
            let otherwise = |_| ScrapeError { reason: FailureReason::Connect, ..error.clone() };
            self.at_odds = Some(LiveSession::offer(&self.plan, deadline).unwrap_or_else(otherwise));
        }
        self.at_odds.clone().unwrap_or(error)
    }
}

/// A connection to the router, through a jump router if it has one, and the name of the peer for
/// messages.
fn connected(plan: &SshPlan, deadline: Instant) -> Result<(Socket, String), ScrapeError> {
    match &plan.jump {
        None => connect::tcp(&plan.address, plan.port, deadline),
        Some(jump) => jump::through(jump, plan, deadline),
    }
}

const RUNNING: &str = "running commands on the router";

/// A session. Dropping it cuts the connection first, so that libssh2 cannot wait for it.
struct LiveSession {
    session: Session,
    socket: Socket,
    /// Address and port, and the jump routers.
    peer: String,
}

impl Drop for LiveSession {
    fn drop(&mut self) {
        // An error means that it is already cut.
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

impl std::fmt::Debug for LiveSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").field("peer", &self.peer).finish_non_exhaustive()
    }
}

impl LiveSession {
    /// A session that is logged in.
    fn connect(plan: &SshPlan, deadline: Instant) -> Result<Self, ScrapeError> {
        // Everything that can be wrong on our side is checked before the router is contacted.
        let host_keys = HostKeys::read(plan)?;
        let secret = LoadedCredential::read(&plan.credential)?;
        secret.ready(deadline)?;
        let live = Self::handshake(plan, &host_keys, deadline)?;
        host_keys.verify(&live.host_key()?, SystemTime::now())?;
        live.guarded(deadline, "logging in to the router", || {
            login::login(&live.session, plan, &secret, &live.peer, || live.is_alive())
        })?;
        Ok(live)
    }

    /// Why the router has no algorithm in common with us. Uses a connection of its own, made only
    /// for this.
    fn offer(plan: &SshPlan, deadline: Instant) -> Result<ScrapeError, ScrapeError> {
        let known = HostKeys::read(plan)?;
        let (socket, peer) = connected(plan, deadline)?;
        let broken = |error: &dyn std::fmt::Display| failure::unusable(&peer, error);
        let offer = Offer::read(&socket, deadline).map_err(|error| broken(&error))?;
        let session = Session::new().map_err(|error| broken(&error))?;
        Ok(offer.explain(&session, &known, &peer))
    }

    /// A session after the key exchange; its host key is not checked yet.
    fn handshake(plan: &SshPlan, known: &HostKeys, deadline: Instant) -> Result<Self, ScrapeError> {
        let (socket, peer) = connected(plan, deadline)?;
        let broken = |error: &dyn std::fmt::Display| failure::unusable(&peer, error);
        if plan.jump.is_none() {
            let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE).with_retries(3);
            socket.set_tcp_keepalive(&keepalive).map_err(|error| broken(&error))?;
            socket.set_tcp_nodelay(true).map_err(|error| broken(&error))?;
        }
        let hello = Hello::wait(&socket, deadline).map_err(|error| broken(&error))?;
        let mut session = Session::new().map_err(|error| broken(&error))?;
        session.set_tcp_stream(socket.try_clone().map_err(|error| broken(&error))?);
        let live = Self { session, socket, peer };
        let mut handshaking = live.session.clone();
        let shaken = live.guarded(deadline, "exchanging SSH keys with the router", || {
            handshaking
                .method_pref(MethodType::HostKey, &known.preference())
                .and_then(|()| handshaking.handshake())
                .map_err(|error| failure::handshake(&error, &live.peer))
        });
        shaken.map_err(|error| hello.explain(&live.peer).unwrap_or(error))?;
        Ok(live)
    }

    fn host_key(&self) -> Result<Vec<u8>, ScrapeError> {
        let key = self.session.host_key().map(|(key, _)| key.to_vec());
        key.ok_or_else(|| failure::unusable(&self.peer, &"it presented no host key"))
    }

    /// Runs `act`; at the deadline the connection is cut, which ends every wait of libssh2.
    fn guarded<T>(
        &self,
        deadline: Instant,
        doing: &str,
        act: impl FnOnce() -> Result<T, ScrapeError>,
    ) -> Result<T, ScrapeError> {
        let socket = self.socket.try_clone().map_err(|error| failure::unusable(&self.peer, &error))?;
        let watchdog = Watchdog::start(deadline, move || {
            let _ = socket.shutdown(Shutdown::Both);
        })?;
        let outcome = act();
        if watchdog.fired() { Err(timed_out(doing)) } else { outcome }
    }

    /// Whether the session is still open since the last script. Waiting data does not mean that it
    /// was closed: it may be a keepalive request of the router.
    fn is_alive(&self) -> bool {
        match connect::peek(&self.socket, 1) {
            Ok(bytes) => !bytes.is_empty(),
            Err(error) => error.kind() == ErrorKind::WouldBlock,
        }
    }

    /// Opens a channel for one script.
    fn open(&self, deadline: Instant) -> Result<Channel, ScrapeError> {
        self.guarded(deadline, RUNNING, || {
            let failed = |error: ssh2::Error| failure::session(&error, &self.peer);
            // sshd frees the place of the previous channel only after it has processed everything
            // it received: with `MaxSessions 1` the first attempt may be refused (measured).
            let opened = self.session.channel_session();
            let opened = if opened.as_ref().is_err_and(failure::is_refused_channel) {
                self.session.channel_session()
            } else {
                opened
            };
            let mut channel = opened.map_err(failed)?;
            channel.handle_extended_data(ExtendedData::Ignore).map_err(failed)?;
            Ok(channel)
        })
    }

    fn run(&self, mut channel: Channel, script: &str, limit: u64) -> Result<String, ScrapeError> {
        let failed = |error: ssh2::Error| failure::session(&error, &self.peer);
        channel.exec(script).map_err(failed)?;
        let output =
            read_capped(&mut channel, limit).map_err(|error| failure::broken_off(&self.peer, &error))??;
        // The router frees the session once the script has ended, and signals this by closing
        // first.
        channel.wait_close().map_err(failed)?;
        channel.close().map_err(failed)?;
        Ok(output)
    }
}
