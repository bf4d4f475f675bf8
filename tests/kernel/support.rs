//! What several suites share.

pub mod api_router;
pub mod one_exporter;

use std::{
    net::TcpListener,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU16, Ordering},
    },
};

/// Most of these tests wait, so many run at the same time. A test that computes, or measures what a
/// busy machine would distort, takes a turn first: no two of those run at the same time.
pub fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    // A test that failed has released its turn too.
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A free port on loopback. It is below the range from which the kernel assigns ports to
/// connections and to binds of port 0, as the many tests beside this one would otherwise take it
/// meanwhile.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + u16::try_from(std::process::id() % 64).expect("below 64") * 128;
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let ports = std::iter::repeat_with(|| first + NEXT.fetch_add(1, Ordering::Relaxed));
    ports.take_while(|port| *port < 32_000).find(free).expect("a free port")
}
