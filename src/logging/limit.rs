//! Limits each kind of message to one per second, after a few at once.
//!
//! A kind is a place in the code together with its subject, a router or a path. Messages that are
//! held back are counted, and once a second one line reports their number.

use std::{
    collections::HashMap,
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tracing::{
    Event, Level, Subscriber, callsite,
    field::{Field, Visit},
};
use tracing_subscriber::layer::{Context, Layer};

/// Messages of one kind that may come at once.
const BURST: f64 = 10.0;
/// Most kinds remembered; beyond, all messages of a place in the code are one kind.
const MOST_KINDS: usize = 10_000;
/// Fields that can be a subject. Only names from the configuration, so that outsiders cannot create
/// kinds.
const SUBJECTS: [&str; 4] = ["router", "path", "task", "file"];

/// Holds back messages that are too frequent. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Limit(Arc<Mutex<Kinds>>);

type Kinds = HashMap<(callsite::Identifier, u64), Bucket>;

/// How many messages of one kind may still pass, and how many were held back.
#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled: Instant,
    held: u64,
    level: Level,
    words: MessageWords,
}

impl Bucket {
    fn fill(&mut self, now: Instant) {
        let since = now.saturating_duration_since(self.filled).as_secs_f64();
        self.tokens = (self.tokens + since).min(BURST);
        self.filled = now;
    }

    fn take(&mut self, now: Instant) -> bool {
        self.fill(now);
        let some = self.tokens >= 1.0;
        if some {
            self.tokens -= 1.0;
        }
        some
    }
}

/// The parts of a message that determine its kind.
#[derive(Debug, Default)]
struct MessageWords {
    message: String,
    subject: String,
}

impl Visit for MessageWords {
    fn record_str(&mut self, field: &Field, value: &str) {
        let into = match field.name() {
            "message" => &mut self.message,
            name if SUBJECTS.contains(&name) => &mut self.subject,
            _ => return,
        };
        into.push_str(value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" || SUBJECTS.contains(&field.name()) {
            self.record_str(field, &format!("{value:?}"));
        }
    }
}

impl Limit {
    fn admits(&self, event: &Event<'_>, now: Instant) -> bool {
        let mut words = MessageWords::default();
        event.record(&mut words);
        let mut hasher = DefaultHasher::new();
        words.subject.hash(&mut hasher);
        let mut kinds = self.kinds();
        let subject = if kinds.len() < MOST_KINDS { hasher.finish() } else { 0 };
        let bucket = kinds.entry((event.metadata().callsite(), subject)).or_insert_with(|| Bucket {
            tokens: BURST,
            filled: now,
            held: 0,
            level: *event.metadata().level(),
            words: MessageWords::default(),
        });
        let admitted = bucket.take(now);
        if !admitted {
            bucket.held += 1;
            bucket.words = words;
        }
        admitted
    }

    /// Reports what was held back, for each kind that is due.
    pub fn tell(&self, now: Instant) {
        let mut kinds = self.kinds();
        let due: Vec<_> = kinds
            .values_mut()
            .filter(|bucket| bucket.held > 0)
            .filter_map(|bucket| {
                bucket.take(now).then(|| {
                    (bucket.level, std::mem::take(&mut bucket.held), std::mem::take(&mut bucket.words))
                })
            })
            .collect();
        forget_quiet(&mut kinds, now);
        // Unlocked first, because logging calls `admits` again.
        drop(kinds);
        for (level, held, words) in due {
            say(level, held, &words);
        }
    }

    fn kinds(&self) -> MutexGuard<'_, Kinds> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets kinds whose allowance is full again: they are the same as new ones.
fn forget_quiet(kinds: &mut Kinds, now: Instant) {
    kinds.retain(|_, bucket| {
        bucket.fill(now);
        bucket.held > 0 || bucket.tokens < BURST
    });
}

/// The target of these reports, which are never held back themselves.
const TOLD: &str = "vxlan_exporter::held_back";

fn say(level: Level, held: u64, words: &MessageWords) {
    let of = words.message.as_str();
    let subject = (!words.subject.is_empty()).then_some(words.subject.as_str());
    match level {
        Level::ERROR => tracing::error!(target: TOLD, held, of, subject, "messages held back"),
        Level::WARN => tracing::warn!(target: TOLD, held, of, subject, "messages held back"),
        Level::INFO => tracing::info!(target: TOLD, held, of, subject, "messages held back"),
        _ => tracing::debug!(target: TOLD, held, of, subject, "messages held back"),
    }
}

impl<S: Subscriber> Layer<S> for Limit {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        event.metadata().target() == TOLD || self.admits(event, Instant::now())
    }
}

/// Time until one more message of a limited kind may pass.
pub const ONE_MORE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;
    use crate::logging::LogLines;

    fn logged(work: impl FnOnce(&Limit)) -> Vec<String> {
        let (lines, limit) = (LogLines::default(), Limit::default());
        let subscriber = tracing_subscriber::registry()
            .with(tracing_subscriber::fmt::layer().with_writer(lines.writer()).with_ansi(false))
            .with(limit.clone());
        tracing::subscriber::with_default(subscriber, || work(&limit));
        lines.text().lines().map(|line| line.split_once(": ").expect(line).1.to_owned()).collect()
    }

    /// Regression: a loop wrote 6,500 lines a second into the log.
    #[test]
    fn a_loop_is_heard_ten_times_and_then_once_a_second() {
        let lines = logged(|limit| {
            for _ in 0..5_000 {
                tracing::info!(file = "config.yml", "configuration reloaded");
            }
            tracing::info!("another place");
            limit.tell(Instant::now() + ONE_MORE);
            limit.tell(Instant::now() + 3 * ONE_MORE);
        });
        let of = |what: &str| lines.iter().filter(|line| line.contains(what)).count();
        let told: Vec<_> = lines.iter().filter(|line| line.contains("messages held back")).collect();
        assert!((1..=2).contains(&told.len()), "{told:?}");
        assert!(told[0].contains("subject=\"config.yml\""), "{told:?}");
        assert_eq!(of("another place"), 1);
        let reloaded = of(" configuration reloaded") + of("configuration reloaded file");
        // The loop may have taken several seconds.
        assert!((10..100).contains(&reloaded), "{lines:?}");
    }

    #[test]
    fn of_each_router_and_each_path() {
        let lines = logged(|_| {
            for number in 0..100 {
                tracing::warn!(router = %format!("r{}", number % 20), "router not read");
            }
        });
        assert_eq!(lines.len(), 100, "five of each");
    }

    #[test]
    fn names_from_outside_make_no_kinds() {
        let lines = logged(|limit| {
            for number in 0..100_000 {
                tracing::warn!(path = %number, "many paths");
            }
            assert!(limit.kinds().len() <= MOST_KINDS + 1);
        });
        // Plus one message of that place for each second that the loop took.
        assert!(lines.len() < MOST_KINDS + 500, "{}", lines.len());
    }
}
