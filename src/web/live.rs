//! Tells browsers that something has changed, at most once a second, by server-sent events. What
//! has changed they fetch as they fetched the page: it is printed once for all of them.

use std::{
    convert::Infallible,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::response::{
    IntoResponse as _,
    sse::{Event, KeepAlive, Sse},
};
use futures_util::stream::unfold;
use hyper::header::{CACHE_CONTROL, HeaderValue};
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval, timeout_at},
};

use super::{Pages, answer::PageResponse};
use crate::history::News;

/// How often it looks for a change.
const TURN: Duration = Duration::from_millis(if cfg!(test) { 100 } else { 1000 });
/// Numbers that change all the time are shown anew this often even if nothing else has changed.
const ANEW: Duration = Duration::from_secs(30);
/// A stream ends by itself, before its connection is too old, and the browser asks for another.
const MOST_AGE: Duration = Duration::from_mins(4);
/// How soon it does.
const RETRY: Duration = Duration::from_secs(1);

/// The present revision of what is shown. Cheap to clone.
#[derive(Debug, Clone)]
pub struct LiveRevisions {
    revisions: Arc<watch::Sender<u64>>,
    /// Tells this process' revisions from those of one before it.
    began: u64,
}

impl Default for LiveRevisions {
    fn default() -> Self {
        let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        Self { revisions: Arc::default(), began: u64::try_from(began).unwrap_or_default() }
    }
}

impl LiveRevisions {
    pub(super) fn revision(&self) -> String {
        self.named(*self.revisions.borrow())
    }

    fn named(&self, revision: u64) -> String {
        format!("{}-{revision}", self.began)
    }

    /// Writes the history and announces changes, for as long as the process serves.
    pub(super) async fn keep(self, pages: Pages) {
        let mut turns = interval(TURN);
        turns.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut announced = Instant::now();
        let mut progress = 0;
        loop {
            turns.tick().await;
            let news = pages.history.observe(&pages.state.present(), SystemTime::now());
            let known = pages.wanted.progress();
            let has_progress = known != std::mem::replace(&mut progress, known);
            if news == News::Changed || has_progress || announced.elapsed() >= ANEW {
                announced = Instant::now();
                self.revisions.send_modify(|revision| *revision += 1);
            }
        }
    }

    /// The stream of revisions, the present one first.
    pub(super) fn answer(pages: &Pages, mut stopped: watch::Receiver<()>) -> PageResponse {
        let live = pages.live.clone();
        let mut revisions = live.revisions.subscribe();
        revisions.mark_changed();
        let end = Instant::now() + MOST_AGE;
        stopped.mark_unchanged();
        let stream = unfold((revisions, stopped), move |(mut revisions, mut stopped)| {
            let live = live.clone();
            async move {
                let changed = timeout_at(end, revisions.changed());
                tokio::select! {
                    changed = changed => changed.ok()?.ok()?,
                    _ = stopped.changed() => return None,
                }
                let revision = *revisions.borrow_and_update();
                let event = Event::default().retry(RETRY).data(live.named(revision));
                Some((Ok::<_, Infallible>(event), (revisions, stopped)))
            }
        });
        let mut response = Sse::new(stream).keep_alive(KeepAlive::default()).into_response();
        // Also of a proxy before us: it would hold the events back.
        response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}
