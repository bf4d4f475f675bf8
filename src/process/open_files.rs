//! The limit of open files and sockets, and how many a plan needs.

use std::io;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tracing::warn;

use crate::model::plan::{Plan, Transport};

/// Descriptors of the process itself: sockets of the probes, the netlink socket of routes, epoll,
/// signals, pipes and log. About 60 are open on an idle exporter.
const OURS: u64 = 100;
/// Descriptors for scrapers' connections, including what is read for them.
const SCRAPERS: u64 = 256;
/// Descriptors of a session: its socket, its watchdog's copy, and a key file.
const A_SESSION: u64 = 4;
/// Descriptors of a path: a reflector's two connections, and a connection to a port.
const A_PATH: u64 = 3;

/// What to do about it.
pub const REMEDY: &str =
    "raise it: `ulimit -n` in a shell, LimitNOFILE= in a unit, `--ulimit nofile=` of a container";

/// Raises the limit as far as permitted; the usual soft limit of 1024 is meant for programs that
/// use `select`.
pub fn raise() {
    let raised = getrlimit(Resource::RLIMIT_NOFILE)
        .and_then(|(_, hard)| setrlimit(Resource::RLIMIT_NOFILE, hard, hard));
    if let Err(error) = raised {
        warn!(%error, "the limit of open files stays as it is");
    }
}

/// Logs a warning if a plan needs more than is permitted.
pub fn warn_if_short(plan: &Plan) {
    let (need, limit) = (need(plan), limit());
    if limit < need {
        warn!(limit, need, "the limit of open files is below what this configuration takes: {REMEDY}");
    }
}

/// Most descriptors that a plan needs, with all routers and paths at once.
#[must_use]
pub fn need(plan: &Plan) -> u64 {
    let sessions: u64 = plan
        .routers
        .iter()
        .map(|router| match &router.transport {
            Transport::Ssh(login) => 1 + jumps(login),
            Transport::Local | Transport::Api(_) => 1,
        })
        .sum();
    OURS + SCRAPERS + sessions * A_SESSION + plan.paths.len() as u64 * A_PATH
}

/// The number of jump routers, each of which needs a session of its own.
fn jumps(login: &crate::model::plan::SshPlan) -> u64 {
    login.jump.as_ref().map_or(0, |jump| 1 + jumps(&jump.ssh))
}

/// The text for an error of opening something; it mentions the limit if that is the reason.
#[must_use]
pub fn in_words(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::EMFILE) => format!("{error}: the limit of open files is {}", limit()),
        Some(libc::ENFILE) => format!("{error}: the limit of this machine, `sysctl fs.file-max`"),
        _ => error.to_string(),
    }
}

/// Whether a text from [`in_words`] mentions that limit.
#[must_use]
pub fn is_limit(words: &str) -> bool {
    words.contains("the limit of open files is")
}

fn limit() -> u64 {
    // The kernel always knows its limits.
    getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(soft, _)| soft)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn each_router_on_the_way_counts() {
        let plan = |text: &str| crate::config::parse(text, Path::new("config.yml")).expect(text).plan();
        let none = need(&plan(""));
        let ssh = "ssh: {address: 10.0.0.1, username: me, agent: true, known_hosts_file: kh";
        let routers = format!(
            "routers:\n- {{name: a, site: a, {ssh}}}}}\n- {{name: b, site: b, {ssh}, jump: a}}}}\n- {{name: c, site: c, local: {{}}}}\n"
        );
        assert_eq!(need(&plan(&routers)) - none, 4 * A_SESSION);
        let path = "site: a\npaths:\n- {name: p, site: b, address: 10.0.0.1}\n";
        assert_eq!(need(&plan(path)) - none, A_PATH);
    }

    #[test]
    fn the_limit_is_named_and_not_a_privilege() {
        let words = in_words(&io::Error::from_raw_os_error(libc::EMFILE));
        assert!(is_limit(&words) && words.starts_with("Too many open files"), "{words}");
        assert!(!is_limit(&in_words(&io::Error::from_raw_os_error(libc::EPERM))));
    }
}
