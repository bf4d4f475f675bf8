//! Counters of the web server: requests, places taken, connections and logins turned away.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use hyper::StatusCode;

use super::{
    exposition::Exposition,
    format::{BucketBound, BucketCounts},
};
use crate::{
    catalogue,
    model::types::{LoginRefusal, TurnedAway},
};

/// From an answer that is there to a scrape that nearly takes too long.
const BOUNDS: [BucketBound; 4] = [(0.01, "0.01"), (0.1, "0.1"), (1.0, "1.0"), (10.0, "10.0")];

/// How long answers of a status took.
#[derive(Debug, Clone, Default)]
struct AnswerTimes {
    counts: [u64; BOUNDS.len() + 1],
    seconds: f64,
}

/// Counts since start.
#[derive(Debug, Default)]
pub(crate) struct WebCounters {
    places: AtomicU64,
    turned_away: [AtomicU64; TurnedAway::ALL.len()],
    logins: [AtomicU64; LoginRefusal::ALL.len()],
    answers: Mutex<BTreeMap<StatusCode, AnswerTimes>>,
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

    /// Counts a request that was answered.
    pub(crate) fn answered(&self, status: StatusCode, after: Duration) {
        let seconds = after.as_secs_f64();
        let bucket = BOUNDS.iter().position(|(bound, _)| seconds <= *bound).unwrap_or(BOUNDS.len());
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let times = answers.entry(status).or_default();
        times.counts[bucket] += 1;
        times.seconds += seconds;
    }

    fn put_answers(&self, out: &mut Exposition) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for expected in [StatusCode::OK, StatusCode::INTERNAL_SERVER_ERROR, StatusCode::SERVICE_UNAVAILABLE] {
            answers.entry(expected).or_default();
        }
        for (status, AnswerTimes { counts, seconds }) in answers {
            let code = [status.as_str()];
            out.put_count(&catalogue::WEB_REQUESTS, &code, counts.iter().sum());
            let times = BucketCounts { bounds: &BOUNDS, counts: &counts, sum: seconds, native: None };
            out.put_buckets(&catalogue::WEB_REQUEST_DURATION, &code, &times);
        }
    }

    /// Adds all counters to the exposition, including zeros.
    pub(crate) fn put(&self, out: &mut Exposition) {
        self.put_answers(out);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::format::ScrapeForm;

    #[test]
    fn answers_by_status_code() {
        let counts = WebCounters::default();
        for (status, millis) in [(StatusCode::OK, 4), (StatusCode::OK, 2000), (StatusCode::NOT_FOUND, 100)] {
            counts.answered(status, Duration::from_millis(millis));
        }
        let (mut out, mut bytes) = (Exposition::default(), Vec::new());
        counts.put(&mut out);
        let mut writer = ScrapeForm::Text.writer(&mut bytes);
        out.write(&mut *writer);
        writer.end().expect("written");
        drop(writer);
        let text = String::from_utf8(bytes).expect("text");
        for line in [
            "requests_total{code=\"200\"} 2",
            "requests_total{code=\"404\"} 1",
            "requests_total{code=\"500\"} 0",
            "requests_total{code=\"503\"} 0",
            "request_duration_seconds_bucket{code=\"200\",le=\"0.01\"} 1",
            "request_duration_seconds_bucket{code=\"200\",le=\"1.0\"} 1",
            "request_duration_seconds_bucket{code=\"200\",le=\"10.0\"} 2",
            "request_duration_seconds_bucket{code=\"404\",le=\"0.1\"} 1",
            "request_duration_seconds_sum{code=\"200\"} 2.004",
            "request_duration_seconds_count{code=\"500\"} 0",
        ] {
            assert!(text.contains(&format!("\nvxlan_exporter_web_{line}\n")), "{line}: {text}");
        }
    }
}
