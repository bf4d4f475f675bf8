//! libssh2's errors as failure reasons with plain words.

use std::fmt::Display;

use ssh2::{Error, ErrorCode};

use crate::{
    model::{snapshot::ScrapeError, types::FailureReason},
    router::shell::timed_out,
    vendor::Vyos,
};

// libssh2.h; the crate does not export them.
pub(crate) const SOCKET_SEND: i32 = -7;
pub(crate) const TIMEOUT: i32 = -9;
pub(crate) const SOCKET_TIMEOUT: i32 = -30;
const BANNER_RECV: i32 = -2;
const KEX_FAILURE: i32 = -5;
const KEY_EXCHANGE_FAILURE: i32 = -8;
const METHOD_NONE: i32 = -17;
const HOSTKEY_SIGN: i32 = -11;
const SOCKET_DISCONNECT: i32 = -13;
const CHANNEL_FAILURE: i32 = -21;
const REQUEST_DENIED: i32 = -22;
const SOCKET_RECV: i32 = -43;

pub(crate) fn code(error: &Error) -> i32 {
    match error.code() {
        ErrorCode::Session(code) | ErrorCode::SFTP(code) => code,
    }
}

/// Whether the router refused one more channel; the session itself still works.
pub(crate) fn is_refused_channel(error: &Error) -> bool {
    code(error) == CHANNEL_FAILURE
}

pub(crate) fn unusable(peer: &str, error: &dyn Display) -> ScrapeError {
    ScrapeError::new(FailureReason::Connect, format!("the connection to {peer} cannot be used: {error}"))
}

pub(crate) fn handshake(error: &Error, peer: &str) -> ScrapeError {
    let why = error.message();
    match code(error) {
        BANNER_RECV | SOCKET_SEND | SOCKET_DISCONNECT | SOCKET_RECV => ScrapeError::new(
            FailureReason::Refused,
            format!(
                "{peer} closed the connection before the SSH handshake was done ({why}); an SSH server \
                 does this when it is overloaded, penalises this address, or is not an SSH server"
            ),
        ),
        TIMEOUT | SOCKET_TIMEOUT => timed_out("exchanging SSH keys with the router"),
        KEX_FAILURE | KEY_EXCHANGE_FAILURE | METHOD_NONE => ScrapeError::new(
            FailureReason::KeyExchange,
            format!("SSH key exchange with {peer} failed: {why}"),
        ),
        HOSTKEY_SIGN => ScrapeError::new(
            FailureReason::HostkeyMismatch,
            format!("{peer} could not prove that it has the host key it presented ({why})"),
        ),
        _ => ScrapeError::new(FailureReason::Connect, format!("SSH key exchange with {peer} failed: {why}")),
    }
}

/// Errors of a login other than a refusal: no answer could be read. `open` says whether the
/// connection is still open; then libssh2 did not accept what it received.
pub(crate) fn login(error: &Error, peer: &str, open: bool) -> Option<ScrapeError> {
    let why = error.message();
    let unanswered = why.starts_with("Waiting for")
        || matches!(code(error), SOCKET_SEND | SOCKET_DISCONNECT | SOCKET_RECV);
    match code(error) {
        TIMEOUT | SOCKET_TIMEOUT => Some(timed_out("logging in to the router")),
        _ if !unanswered => None,
        _ if open => Some(ScrapeError::new(
            FailureReason::Connect,
            format!(
                "{peer} sent a packet larger than 40 kB while logging in ({why}): shorten its login banner ({})",
                Vyos::SET_BANNER
            ),
        )),
        _ => Some(ScrapeError::new(
            FailureReason::Refused,
            format!("{peer} closed the connection while logging in ({why}): its log says why"),
        )),
    }
}

pub(crate) fn session(error: &Error, peer: &str) -> ScrapeError {
    let why = error.message();
    match code(error) {
        CHANNEL_FAILURE | REQUEST_DENIED => ScrapeError::new(
            FailureReason::Permission,
            format!(
                "{peer} runs no command for this user ({why}): let the user run commands over SSH, and \
                 allow more sessions on one connection if `MaxSessions` is reached"
            ),
        ),
        TIMEOUT | SOCKET_TIMEOUT => timed_out("running commands on the router"),
        _ => ScrapeError::new(FailureReason::Connect, format!("the session to {peer} was lost: {why}")),
    }
}

pub(crate) fn broken_off(peer: &str, error: &dyn Display) -> ScrapeError {
    ScrapeError::new(FailureReason::Truncated, format!("the output of {peer} broke off: {error}"))
}

pub(crate) fn forwarding(error: &Error, jump: &str, target: &str) -> ScrapeError {
    let why = error.message();
    let (reason, remedy) = match code(error) {
        CHANNEL_FAILURE if why.contains("prohibited") => (
            FailureReason::Permission,
            "let this user forward there: `AllowTcpForwarding` of its SSH server, and `permitopen` or \
             `port-forwarding` beside `restrict` in the options of the key",
        ),
        TIMEOUT | SOCKET_TIMEOUT => return timed_out("connecting through the jump router"),
        _ => (FailureReason::Connect, "check whether the jump router can reach it"),
    };
    ScrapeError::new(reason, format!("{jump} made no connection to {target} ({why}): {remedy}"))
}
