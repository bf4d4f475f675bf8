//! How many files and sockets this process may have open, and how many a plan takes.

use std::io;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tracing::warn;

use crate::model::plan::{Plan, Transport};

/// Sockets of the probes, the netlink of routes, epoll, signals, pipes and log: about 60 are open on an idle exporter.
const OURS: u64 = 100;
/// Connections of scrapers, each with what it reads meanwhile.
const SCRAPERS: u64 = 256;
/// A session, its watchdog's copy, and a file of keys.
const A_SESSION: u64 = 4;
/// A reflector's stream and socket, or a connection to a port.
const A_PATH: u64 = 3;

/// What mends it.
pub const REMEDY: &str =
    "raise it: `ulimit -n` in a shell, LimitNOFILE= in a unit, `--ulimit nofile=` of a container";

/// Raises the limit as far as it may be; the usual soft limit of 1024 is for programs that use `select`.
pub fn raise() {
    let raised = getrlimit(Resource::RLIMIT_NOFILE)
        .and_then(|(_, hard)| setrlimit(Resource::RLIMIT_NOFILE, hard, hard));
    if let Err(error) = raised {
        warn!(%error, "the limit of open files stays as it is");
    }
}

/// Says so where a plan takes more than is allowed.
pub fn warn_if_short(plan: &Plan) {
    let (need, limit) = (need(plan), limit());
    if limit < need {
        warn!(limit, need, "the limit of open files is below what this configuration takes: {REMEDY}");
    }
}

/// Descriptors that a plan takes at most, all routers and paths at once.
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

/// Each router on the way has a session of its own.
fn jumps(login: &crate::model::plan::SshPlan) -> u64 {
    login.jump.as_ref().map_or(0, |jump| 1 + jumps(&jump.ssh))
}

/// An error of opening something in words, with the limit where that is what is in the way.
#[must_use]
pub fn in_words(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::EMFILE) => format!("{error}: the limit of open files is {}", limit()),
        Some(libc::ENFILE) => format!("{error}: the limit of this machine, `sysctl fs.file-max`"),
        _ => error.to_string(),
    }
}

/// Whether [`in_words`] spoke of that limit.
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
