//! A router over SSH: one kept session, one exec per script, no pty.
//!
//! Any error ends the session, and no scrape connects twice: OpenSSH 9.8 and later locks out an address that
//! keeps connecting without logging in. stderr is thrown away as it comes: unread, it would fill the
//! channel's window and block stdout (measured at 4 MiB).

use std::{
    fs,
    io::{self, ErrorKind},
    net::{IpAddr, Shutdown, SocketAddr, TcpStream, ToSocketAddrs},
    path::Path,
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use socket2::{SockRef, TcpKeepalive};
use ssh2::{Error, ErrorCode, ExtendedData, MethodType, Session};

use super::{
    known_hosts::HostKeys,
    shell::{Shell, Watchdog, no_thread, read_capped, time_left, timed_out},
    snapshot::ScrapeError,
};
use crate::{
    plan::{Credential, SshPlan},
    types::FailureReason,
};

/// Between two scrapes the kernel asks a silent router this often whether it is still there.
const KEEPALIVE: Duration = Duration::from_secs(30);

// libssh2.h; the crate does not export them.
const BANNER_RECV: i32 = -2;
const SOCKET_SEND: i32 = -7;
const TIMEOUT: i32 = -9;
const HOSTKEY_SIGN: i32 = -11;
const SOCKET_DISCONNECT: i32 = -13;
const FILE: i32 = -16;
const CHANNEL_FAILURE: i32 = -21;
const REQUEST_DENIED: i32 = -22;
const SOCKET_TIMEOUT: i32 = -30;
const SOCKET_RECV: i32 = -43;

/// Whether the files of an SSH login are there, and hold a host key of the router.
pub fn check_files(plan: &SshPlan) -> Result<(), ScrapeError> {
    Secret::read(&plan.credential)?;
    HostKeys::read(plan).map(drop)
}

/// Runs scripts over SSH.
#[derive(Debug)]
pub struct SshShell {
    plan: SshPlan,
    live: Option<Live>,
}

impl SshShell {
    /// Connects at the first script.
    #[must_use]
    pub fn new(plan: SshPlan) -> Self {
        Self { plan, live: None }
    }
}

impl Shell for SshShell {
    fn exec(&mut self, script: &str, deadline: Instant) -> Result<String, ScrapeError> {
        let live = match self.live.take().filter(Live::is_alive) {
            Some(live) => live,
            None => Live::connect(&self.plan, deadline)?,
        };
        let output = live.guarded(deadline, "running commands on the router", || live.run(script))?;
        self.live = Some(live);
        Ok(output)
    }
}

/// A session that is logged in. Dropping it cuts the connection first, so that libssh2 cannot wait for it.
struct Live {
    session: Session,
    socket: TcpStream,
    peer: SocketAddr,
}

impl Drop for Live {
    fn drop(&mut self) {
        // An error means that it is cut already.
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").field("peer", &self.peer).finish_non_exhaustive()
    }
}

impl Live {
    fn connect(plan: &SshPlan, deadline: Instant) -> Result<Self, ScrapeError> {
        // All that can be wrong on our side, before the router hears of us.
        let host_keys = HostKeys::read(plan)?;
        let secret = Secret::read(&plan.credential)?;
        let addresses = resolve(&plan.address, plan.port, deadline)?;
        let (socket, peer) = connect(&addresses, deadline)?;
        let broken = |error: &dyn std::fmt::Display| unusable(peer, error);
        let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE).with_retries(3);
        SockRef::from(&socket).set_tcp_keepalive(&keepalive).map_err(|error| broken(&error))?;
        socket.set_nodelay(true).map_err(|error| broken(&error))?;
        let mut session = Session::new().map_err(|error| broken(&error))?;
        session.set_tcp_stream(socket.try_clone().map_err(|error| broken(&error))?);
        let live = Self { session, socket, peer };
        let mut handshaking = live.session.clone();
        live.guarded(deadline, "exchanging SSH keys with the router", || {
            handshaking
                .method_pref(MethodType::HostKey, &host_keys.preference())
                .and_then(|()| handshaking.handshake())
                .map_err(|error| handshake_failed(&error, peer))
        })?;
        host_keys.verify(&live.session, plan)?;
        live.guarded(deadline, "logging in to the router", || login(&live.session, plan, &secret, peer))?;
        Ok(live)
    }

    /// Runs `act`; at the deadline the connection is cut, which ends every wait of libssh2.
    fn guarded<T>(
        &self,
        deadline: Instant,
        doing: &str,
        act: impl FnOnce() -> Result<T, ScrapeError>,
    ) -> Result<T, ScrapeError> {
        let socket = self.socket.try_clone().map_err(|error| unusable(self.peer, &error))?;
        let watchdog = Watchdog::start(deadline, move || {
            let _ = socket.shutdown(Shutdown::Both);
        })?;
        let outcome = act();
        if watchdog.fired() { Err(timed_out(doing)) } else { outcome }
    }

    /// Whether the router has not closed the session since the last script. libssh2 has made the socket
    /// non-blocking; data that waits is a question whether we are alive.
    fn is_alive(&self) -> bool {
        match self.socket.peek(&mut [0]) {
            Ok(bytes) => bytes > 0,
            Err(error) => error.kind() == ErrorKind::WouldBlock,
        }
    }

    fn run(&self, script: &str) -> Result<String, ScrapeError> {
        let peer = self.peer;
        let failed = |error: &Error| session_failed(error, peer);
        let mut channel = self.session.channel_session().map_err(|error| failed(&error))?;
        channel.handle_extended_data(ExtendedData::Ignore).map_err(|error| failed(&error))?;
        channel.exec(script).map_err(|error| failed(&error))?;
        let output = read_capped(&mut channel).map_err(|error| {
            ScrapeError::new(FailureReason::Truncated, format!("the output of {peer} broke off: {error}"))
        })??;
        channel.close().map_err(|error| failed(&error))?;
        Ok(output)
    }
}

/// What proves who we are. Never printed.
enum Secret {
    PrivateKey(String),
    Password(String),
}

impl Secret {
    fn read(credential: &Credential) -> Result<Self, ScrapeError> {
        let read = |option: &str, file: &Path| {
            fs::read_to_string(file).map_err(|error| {
                let message = format!(
                    "cannot read {option} {}: {error}; put it there and let this user read it",
                    file.display()
                );
                ScrapeError::new(FailureReason::Config, message)
            })
        };
        match credential {
            Credential::PrivateKey(file) => read("private_key_file", file).map(Self::PrivateKey),
            Credential::Password(file) => {
                let text = read("password_file", file)?;
                match text.lines().next() {
                    Some(password) if !password.is_empty() => Ok(Self::Password(password.to_owned())),
                    _ => Err(ScrapeError::new(
                        FailureReason::Config,
                        format!(
                            "the first line of password_file {} is empty: put the password there",
                            file.display()
                        ),
                    )),
                }
            }
        }
    }
}

fn login(session: &Session, plan: &SshPlan, secret: &Secret, peer: SocketAddr) -> Result<(), ScrapeError> {
    let user = &plan.username;
    let answer = match secret {
        Secret::PrivateKey(key) => session.userauth_pubkey_memory(user, None, key, None),
        Secret::Password(password) => session.userauth_password(user, password),
    };
    let (file, remedy) = match &plan.credential {
        Credential::PrivateKey(file) => (
            file.display(),
            format!("add its public key there: `set system login user {user} authentication public-keys …`"),
        ),
        Credential::Password(file) => (file.display(), "check the password in it".to_owned()),
    };
    answer.map_err(|error| match code(&error) {
        FILE => ScrapeError::new(
            FailureReason::Config,
            format!("{file} holds no usable private key (OpenSSH or PEM, without a passphrase)"),
        ),
        TIMEOUT | SOCKET_TIMEOUT => timed_out("logging in to the router"),
        _ => ScrapeError::new(
            FailureReason::Auth,
            format!("{peer} refused the login of {user} with {file} ({}); {remedy}", error.message()),
        ),
    })
}

/// The addresses of a name. The system's resolver knows no deadline, so it is asked on a thread that is
/// left behind if it takes too long.
fn resolve(host: &str, port: u16, deadline: Instant) -> Result<Vec<SocketAddr>, ScrapeError> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let (tell, told) = mpsc::channel();
    let name = host.to_owned();
    thread::Builder::new()
        .name("resolve".to_owned())
        .spawn(move || {
            // Nobody listens any more after the deadline.
            let _ = tell.send((name.as_str(), port).to_socket_addrs().map(Vec::from_iter));
        })
        .map_err(|error| no_thread(&error))?;
    let failed = |why: &dyn std::fmt::Display| {
        let message =
            format!("cannot resolve {host}: {why}; use an address, or mend the resolver of this machine");
        ScrapeError::new(FailureReason::Dns, message)
    };
    match told.recv_timeout(time_left(deadline, "resolving the router's name")?) {
        Ok(Ok(addresses)) if addresses.is_empty() => Err(failed(&"no address")),
        Ok(answer) => answer.map_err(|error| failed(&error)),
        Err(RecvTimeoutError::Timeout) => Err(failed(&"no answer within `scrape_timeout`")),
        Err(RecvTimeoutError::Disconnected) => Err(failed(&"the resolver stopped")),
    }
}

/// The first address that accepts; each gets an equal share of the time left.
fn connect(addresses: &[SocketAddr], deadline: Instant) -> Result<(TcpStream, SocketAddr), ScrapeError> {
    let mut last = timed_out("connecting to the router");
    for (index, address) in addresses.iter().enumerate() {
        let left = time_left(deadline, "connecting to the router")?;
        let share = left / u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        match TcpStream::connect_timeout(address, share.max(Duration::from_millis(1))) {
            Ok(socket) => return Ok((socket, *address)),
            Err(error) => last = unconnected(&error, *address),
        }
    }
    Err(last)
}

fn unusable(peer: SocketAddr, error: &dyn std::fmt::Display) -> ScrapeError {
    ScrapeError::new(FailureReason::Connect, format!("the connection to {peer} cannot be used: {error}"))
}

fn unconnected(error: &io::Error, address: SocketAddr) -> ScrapeError {
    if error.kind() == ErrorKind::ConnectionRefused {
        let message = format!("{address} refused the connection: does an SSH server listen there?");
        return ScrapeError::new(FailureReason::Refused, message);
    }
    ScrapeError::new(FailureReason::Connect, format!("cannot connect to {address}: {error}"))
}

fn handshake_failed(error: &Error, peer: SocketAddr) -> ScrapeError {
    let why = error.message();
    match code(error) {
        BANNER_RECV | SOCKET_SEND | SOCKET_DISCONNECT | SOCKET_RECV => ScrapeError::new(
            FailureReason::Refused,
            format!(
                "{peer} closed the connection before the SSH handshake was done ({why}); an SSH server does so \
                 when it is overloaded, penalises this address, or is none"
            ),
        ),
        TIMEOUT | SOCKET_TIMEOUT => timed_out("exchanging SSH keys with the router"),
        HOSTKEY_SIGN => ScrapeError::new(
            FailureReason::HostkeyMismatch,
            format!("{peer} could not prove that it has the host key it presented ({why})"),
        ),
        _ => ScrapeError::new(FailureReason::Connect, format!("SSH key exchange with {peer} failed: {why}")),
    }
}

fn session_failed(error: &Error, peer: SocketAddr) -> ScrapeError {
    let why = error.message();
    match code(error) {
        CHANNEL_FAILURE | REQUEST_DENIED => ScrapeError::new(
            FailureReason::Permission,
            format!("{peer} runs no command for this user ({why}): let the user run commands over SSH"),
        ),
        TIMEOUT | SOCKET_TIMEOUT => timed_out("running commands on the router"),
        _ => ScrapeError::new(FailureReason::Connect, format!("the session to {peer} was lost: {why}")),
    }
}

fn code(error: &Error) -> i32 {
    match error.code() {
        ErrorCode::Session(code) | ErrorCode::SFTP(code) => code,
    }
}
