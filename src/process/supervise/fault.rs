//! Points at which the tests of a debug build make a task fail. A release has none.
//!
//! `VXLAN_EXPORTER_FAULTS` names a directory. A task that finds a file `TASK.panic` in it panics, `TASK.wait` waits for
//! ever, `TASK.block` keeps its thread for ever; the file is taken away first.

use super::Task;

/// A point that each turn of a task passes.
///
/// # Panics
/// Where a test wants it.
#[cfg(debug_assertions)]
pub async fn point(task: Task) {
    use std::{path::PathBuf, sync::OnceLock};

    static FAULTS: OnceLock<Option<PathBuf>> = OnceLock::new();
    let faults = FAULTS.get_or_init(|| std::env::var_os("VXLAN_EXPORTER_FAULTS").map(PathBuf::from));
    let Some(directory) = faults else { return };
    let is_wanted = |kind: &str| std::fs::remove_file(directory.join(format!("{task}.{kind}"))).is_ok();
    assert!(!is_wanted("panic"), "a fault of a test");
    if is_wanted("wait") {
        std::future::pending::<()>().await;
    }
    while is_wanted("block") {
        std::thread::sleep(std::time::Duration::from_hours(1));
    }
}

/// Points for a task that has no turns of its own, to be polled beside it; never completes.
#[cfg(debug_assertions)]
pub async fn points(task: Task) {
    loop {
        point(task).await;
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

/// A point that each turn of a task passes.
#[cfg(not(debug_assertions))]
pub fn point(_: Task) -> impl Future<Output = ()> {
    std::future::ready(())
}

/// Points for a task that has no turns of its own; never completes.
#[cfg(not(debug_assertions))]
pub fn points(_: Task) -> impl Future<Output = ()> {
    std::future::pending()
}
