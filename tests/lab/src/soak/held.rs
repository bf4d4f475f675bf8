//! What a process holds, by name: its threads, its open files.

use std::{collections::BTreeMap, fs, num::NonZero, thread, time::Duration};

use anyhow::Result;

use super::{hammer::CLIENTS, schedule::FICKLE, world::FICKLE_PORT};
use crate::exporter::LISTEN;

/// How many of each name.
pub type Counts = BTreeMap<String, usize>;

/// tokio gives its workers and its pool for blocking work the same name.
const TOKIO: &str = "tokio-rt-worker";
/// Most tasks that may block at once, one of each kind: printing `/metrics` and `/`, checking the
/// configuration, reading a changed one. The pool gets another thread whenever none is idle, which
/// on a busy machine includes a thread still on its way back. It keeps each thread for ten idle
/// seconds and uses all of them in turn, so while scrapes go on it never shrinks.
const BLOCKING: usize = 4;

/// A socket in none of the kernel's tables: bound, but neither listening nor connected. The ports
/// that SYNs are sent from are such sockets.
const PORT: &str = "a port for SYNs";
/// Eight flows and up to 64 former ports, for each family (`src/probe/raw.rs`).
const PORTS: usize = 2 * (8 + 64);
const CLIENT: &str = "a client of the web server";
/// Open files of an SSH session: libssh2's and ours.
const FILES_OF_A_SESSION: usize = 2;

/// The kernel's tables of sockets, with the column of the inode.
const TABLES: [(&str, usize); 11] = [
    ("tcp", 9),
    ("tcp6", 9),
    ("udp", 9),
    ("udp6", 9),
    ("raw", 9),
    ("raw6", 9),
    ("icmp", 9),
    ("icmp6", 9),
    ("netlink", 9),
    ("packet", 8),
    ("unix", 6),
];

/// The threads of a process by name.
pub fn threads(pid: u32) -> Result<Counts> {
    let mut counts = Counts::new();
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        // It may have ended meanwhile.
        if let Ok(name) = fs::read_to_string(task?.path().join("comm")) {
            *counts.entry(name.trim_end().to_owned()).or_default() += 1;
        }
    }
    Ok(counts)
}

/// How long its threads have waited for a CPU in total (`schedstat` of proc(5): nanoseconds
/// running, nanoseconds waiting, …).
pub fn waited(pid: u32) -> Result<Duration> {
    let mut waited = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(task?.path().join("schedstat")).unwrap_or_default();
        waited += text.split_whitespace().nth(1).and_then(|field| field.parse().ok()).unwrap_or(0);
    }
    Ok(Duration::from_nanos(waited))
}

/// Its open files by kind.
pub fn files(pid: u32) -> Result<Counts> {
    let sockets = sockets(pid);
    let mut counts = Counts::new();
    for file in fs::read_dir(format!("/proc/{pid}/fd"))? {
        let Ok(link) = fs::read_link(file?.path()) else { continue };
        let link = link.to_string_lossy();
        let inode = link.strip_prefix("socket:[").and_then(|inode| inode.strip_suffix(']'));
        let kind = match inode {
            Some(inode) => sockets.get(inode).map_or(PORT, String::as_str).to_owned(),
            None => link.replace(|digit: char| digit.is_ascii_digit(), ""),
        };
        *counts.entry(kind).or_default() += 1;
    }
    Ok(counts)
}

/// The kind of each socket in its network namespace, by inode.
fn sockets(pid: u32) -> BTreeMap<String, String> {
    let mut kinds = BTreeMap::new();
    for (table, column) in TABLES {
        // A kernel without IPv6 lacks some of them.
        let Ok(text) = fs::read_to_string(format!("/proc/{pid}/net/{table}")) else { continue };
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            if let Some(inode) = fields.get(column) {
                let kind = if table.starts_with("tcp") { tcp(&fields) } else { table.to_owned() };
                kinds.insert((*inode).to_owned(), kind);
            }
        }
    }
    kinds
}

/// The kind of a line in the TCP table: `sl local_address rem_address st …`, with ports in hex
/// after a colon.
fn tcp(fields: &[&str]) -> String {
    let port = |field: usize| {
        let hex = fields.get(field).and_then(|address| address.rsplit(':').next());
        hex.and_then(|hex| u16::from_str_radix(hex, 16).ok()).unwrap_or_default()
    };
    match (port(1), port(2)) {
        (_, 0) => "listens".to_owned(),
        (ours, _) if ours == LISTEN.port() => CLIENT.to_owned(),
        (_, theirs) => to_port(theirs),
    }
}

fn to_port(port: u16) -> String {
    format!("a connection to port {port}")
}

/// Names of which `last` holds more than `first`, with both numbers.
pub fn more<'a>(first: &'a Counts, last: &'a Counts) -> impl Iterator<Item = (&'a str, usize, usize)> {
    let had = |name: &String| first.get(name).copied().unwrap_or_default();
    last.iter().map(move |(name, has)| (name.as_str(), had(name), *has)).filter(|(_, had, has)| has > had)
}

/// How many of a name may be held at the end if there were `had` when everything had settled.
pub fn may_be(name: &str, had: usize) -> usize {
    let is_fickle = || (FICKLE_PORT..).take(FICKLE).any(|port| name == to_port(port));
    match name {
        TOKIO => thread::available_parallelism().map_or(1, NonZero::get) + 2 * BLOCKING,
        PORT => PORTS,
        CLIENT => CLIENTS,
        _ if is_fickle() => FILES_OF_A_SESSION,
        _ => had,
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn threads_and_files_have_names() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
        let port = listener.local_addr().expect("bound").port();
        let _stream = TcpStream::connect(("127.0.0.1", port)).expect("connected");
        let us = std::process::id();
        let files = files(us).expect("of ours");
        assert_eq!(files.get(&to_port(port)), Some(&1), "{files:?}");
        assert!(files.contains_key("listens"), "{files:?}");
        let named = thread::Builder::new().name("named".to_owned());
        let held =
            named.spawn(move || threads(us)).expect("a thread").join().expect("no panic").expect("of ours");
        assert_eq!(held.get("named"), Some(&1), "{held:?}");
    }

    #[test]
    fn only_what_comes_and_goes_may_be_more() {
        let name = "a connection to port 22";
        let (first, last) = (Counts::from([(name.to_owned(), 6)]), Counts::from([(name.to_owned(), 7)]));
        assert_eq!(more(&first, &last).collect::<Vec<_>>(), [(name, 6, 7)]);
        assert_eq!(more(&last, &first).count(), 0);
        assert_eq!([may_be(name, 6), may_be(&to_port(FICKLE_PORT), 0), may_be(CLIENT, 0)], [6, 2, CLIENTS]);
    }
}
