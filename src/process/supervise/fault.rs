//! Points at which tests of a debug build can make a task fail. A release build has none.
//!
//! `VXLAN_EXPORTER_FAULTS` names a directory. A task that finds a file `TASK.panic` there panics,
//! `TASK.wait` waits forever, `TASK.block` blocks its thread forever; the file is removed first.

use super::Task;

/// A point that each turn of a task passes.
///
/// # Panics
/// If a test requests it.
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

/// Points for a task without turns of its own, to be polled beside it; never completes.
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

/// Points for a task without turns of its own; never completes.
#[cfg(not(debug_assertions))]
pub fn points(_: Task) -> impl Future<Output = ()> {
    std::future::pending()
}
