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

/// Most of these tests wait, so many run side by side. One that works instead, or measures what a busy machine spoils, first takes its turn:
/// of those no two run at the same time.
pub fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    // A test that failed has had its turn, too.
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A port of loopback where nobody listens. Below the range from which the kernel gives ports to connections and to whoever binds to 0: the
/// many tests beside this one would take it meanwhile.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + u16::try_from(std::process::id() % 64).expect("below 64") * 128;
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let ports = std::iter::repeat_with(|| first + NEXT.fetch_add(1, Ordering::Relaxed));
    ports.take_while(|port| *port < 32_000).find(free).expect("a free port")
}
