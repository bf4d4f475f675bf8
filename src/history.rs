//! What the exporter remembers of the last 24 hours, in memory: a minute after the other of each
//! path and tunnel, and every change of a verdict. It needs no database, survives a reload, and is
//! gone with the process.
//!
//! - `minutes`: the ring of minutes, a few bytes each (`scale`)
//! - `changes`: the last changes, with reason and evidence
//! - `path`, `tunnel`: what is told of one

mod changes;
mod minutes;
mod path;
mod scale;
#[cfg(test)]
mod tests;
mod tunnel;

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

pub(crate) use changes::Change;
pub(crate) use path::{PathHistory, PathMinute};
pub(crate) use scale::unix;
pub(crate) use tunnel::{TunnelHistory, TunnelMinute, in_words as tunnel_in_words};

use crate::{
    model::{state::Present, types::PathName},
    report,
};

/// The memory of this process. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct History {
    book: Arc<Mutex<Book>>,
}

#[derive(Debug, Default)]
struct Book {
    /// When it began.
    since: Option<SystemTime>,
    paths: HashMap<PathName, PathHistory>,
    tunnels: HashMap<String, TunnelHistory>,
    /// What `check` would say, and since when.
    outcome: Option<(u8, SystemTime)>,
    /// What could not be read or configured; a change of it is a change of the page.
    rest: Vec<String>,
}

/// What one look has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    /// A verdict, a tunnel, a router or a name has changed.
    Changed,
    /// Nothing but counters and evidence.
    Same,
}

impl History {
    /// Writes down what is known at `now`; called once a second.
    pub(crate) fn observe(&self, present: &Present, now: SystemTime) -> News {
        let minute = minute_of(now);
        let mut book = self.lock();
        let mut changed = book.since.is_none();
        book.since.get_or_insert(now);
        for path in &present.paths {
            let known = book.paths.entry(path.path.clone()).or_default();
            changed |= known.observe(path, minute, now);
        }
        for tunnel in &present.overlay.tunnels {
            if !book.tunnels.contains_key(&tunnel.name) {
                book.tunnels.insert(tunnel.name.clone(), TunnelHistory::default());
            }
            let known = book.tunnels.get_mut(&tunnel.name);
            changed |= known.is_some_and(|known| known.observe(tunnel, minute, now));
        }
        changed |= book.forget(present);
        let rest = rest_of(present);
        changed |= book.rest != rest;
        book.rest = rest;
        if changed {
            let (code, _) = report::exit_code(present);
            if book.outcome.is_none_or(|(former, _)| former != code) {
                book.outcome = Some((code, now));
            }
        }
        if changed { News::Changed } else { News::Same }
    }

    /// When it began to remember.
    pub(crate) fn since(&self) -> Option<SystemTime> {
        self.lock().since
    }

    /// Since when `check` would end with the exit code that it would end with now.
    pub(crate) fn outcome_since(&self) -> Option<SystemTime> {
        self.lock().outcome.map(|(_, since)| since)
    }

    /// Since when a path has had its verdict.
    pub(crate) fn path_since(&self, path: &PathName) -> Option<SystemTime> {
        self.lock().paths.get(path)?.since()
    }

    /// Since when a tunnel has been as it is.
    pub(crate) fn tunnel_since(&self, tunnel: &str) -> Option<SystemTime> {
        self.lock().tunnels.get(tunnel)?.since()
    }

    /// A copy of what is known of a path.
    pub(crate) fn path(&self, path: &PathName) -> Option<PathHistory> {
        self.lock().paths.get(path).cloned()
    }

    /// A copy of what is known of a tunnel.
    pub(crate) fn tunnel(&self, tunnel: &str) -> Option<TunnelHistory> {
        self.lock().tunnels.get(tunnel).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    /// Drops what is configured no more, once something is missing; `true` if something was.
    fn forget(&mut self, present: &Present) -> bool {
        let mut forgot = false;
        if self.paths.len() > present.paths.len() {
            let known: BTreeSet<_> = present.paths.iter().map(|path| &path.path).collect();
            self.paths.retain(|path, _| known.contains(path));
            forgot = true;
        }
        // A join that is late leaves the picture empty for a while, which is no reason to forget.
        if self.tunnels.len() > present.overlay.tunnels.len() && !present.overlay.tunnels.is_empty() {
            let known: BTreeSet<_> = present.overlay.tunnels.iter().map(|tunnel| &tunnel.name).collect();
            self.tunnels.retain(|tunnel, _| known.contains(tunnel));
            forgot = true;
        }
        forgot
    }
}

/// What else a page shows: routers that cannot be read, a refused configuration, capabilities.
fn rest_of(present: &Present) -> Vec<String> {
    let mut rest: Vec<String> = present.config.reload_error.iter().cloned().collect();
    for reading in present.routers.iter().filter(|reading| reading.current.is_none()) {
        let why = reading.failure.as_ref().map(ToString::to_string).unwrap_or_default();
        rest.push(format!("{} {why}", reading.router));
    }
    let missing = present.capabilities.iter().filter(|known| known.missing.is_some());
    rest.extend(missing.map(|known| known.capability.to_string()));
    rest
}

/// Minutes since 1970.
fn minute_of(now: SystemTime) -> u64 {
    now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() / 60
}
