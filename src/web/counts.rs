//! Counters of the web server: places taken, connections and logins turned away.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::exposition::Exposition;
use crate::{
    catalogue,
    model::types::{LoginRefusal, TurnedAway},
};

/// Counts since start.
#[derive(Debug, Default)]
pub(crate) struct WebCounters {
    places: AtomicU64,
    turned_away: [AtomicU64; TurnedAway::ALL.len()],
    logins: [AtomicU64; LoginRefusal::ALL.len()],
}

impl WebCounters {
    /// Sets how many places are taken at present.
    pub(crate) fn set_places(&self, taken: usize) {
        self.places.store(taken as u64, Relaxed);
    }

    /// Counts a connection that was refused, or closed before its client closed it.
    pub(crate) fn turned_away(&self, reason: TurnedAway) {
        self.turned_away[reason as usize].fetch_add(1, Relaxed);
    }

    /// Counts a request that was refused for its password.
    pub(crate) fn login_refused(&self, reason: LoginRefusal) {
        self.logins[reason as usize].fetch_add(1, Relaxed);
    }

    /// Adds all counters to the exposition, including zeros.
    pub(crate) fn put(&self, out: &mut Exposition) {
        out.put_count(&catalogue::WEB_CONNECTIONS, &[], self.places.load(Relaxed));
        for reason in TurnedAway::ALL {
            let count = self.turned_away[*reason as usize].load(Relaxed);
            out.put_count(&catalogue::WEB_CONNECTIONS_TURNED_AWAY, &[reason.as_str()], count);
        }
        for reason in LoginRefusal::ALL {
            let count = self.logins[*reason as usize].load(Relaxed);
            out.put_count(&catalogue::WEB_LOGINS_REFUSED, &[reason.as_str()], count);
        }
    }
}
