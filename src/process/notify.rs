//! Tells systemd how the exporter is (`sd_notify(3)`), if that started it and wants to know.

use std::{convert::Infallible, future::pending, time::Duration};

use sd_notify::NotifyState;

use super::supervise::Supervisor;

fn tell(states: &[NotifyState<'_>]) {
    // Without `$NOTIFY_SOCKET` nobody is told.
    if let Err(error) = sd_notify::notify(false, states) {
        tracing::debug!(%error, "systemd cannot be told");
    }
}

/// It serves, under the configuration that it has.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// It reads its configuration again; [`ready`] follows.
pub fn reloading() {
    if let Ok(now) = NotifyState::monotonic_usec_now() {
        tell(&[NotifyState::Reloading, now]);
    }
}

/// It ends.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Feeds systemd's watchdog, if there is one, while every part of the exporter makes progress.
pub async fn keep_alive(supervisor: Supervisor) -> Infallible {
    let mut micros = 0;
    if !sd_notify::watchdog_enabled(false, &mut micros) {
        return pending().await;
    }
    loop {
        if supervisor.trouble().is_none() {
            tell(&[NotifyState::Watchdog]);
        }
        tokio::time::sleep(Duration::from_micros(micros) / 3).await;
    }
}
