//! What several suites share.

pub mod api_router;
pub mod one_exporter;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Most of these tests wait, so many run side by side. One that works instead, or measures what a busy machine spoils, first takes its turn:
/// of those no two run at the same time.
pub fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    // A test that failed has had its turn, too.
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}
