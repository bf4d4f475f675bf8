//! `POST /path/NAME`: has a path probed at once. That is the one request that makes the exporter
//! send something, so it is answered only to who may ask, from a form of our own page, and not too
//! often.
//!
//! A browser sends the login, and comes from an allowed network, whatever page makes it ask. So it
//! is refused what another site's page has made it ask, which it says itself (`Sec-Fetch-Site`,
//! `Origin`), and needs what only a reader of our page knows (a random number), as an old browser
//! says neither.

use std::{
    collections::HashMap,
    fmt::Write as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use hyper::{
    HeaderMap,
    header::{HOST, ORIGIN},
};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use crate::model::{observation::PathCounters, plan::ProbeNow, types::PathName};

/// One path is probed at most this often.
const AGAIN: Duration = Duration::from_secs(10);
/// All paths together, in the long run: at twenty packets each, a twentieth of the usual budget.
const EVERY: Duration = Duration::from_secs(2);
/// So many of them at once.
const AT_ONCE: u32 = 6;
/// What comes of it is announced for so long.
pub(crate) const WATCHED: Duration = Duration::from_secs(20);

/// Whether a request's sender had to be somebody: set for each request by its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Restricted(pub bool);

/// Whether a reader of a page may have its path probed at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum May {
    /// With this proof that it has read the page.
    Ask(String),
    /// Others may.
    NotThisReader,
    /// Nobody may.
    Nobody,
}

/// Why a path is not probed at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotNow {
    /// [`ProbeNow::Never`].
    Nobody,
    /// [`ProbeNow::Restricted`], and it is not one of those.
    NotThisReader,
    /// Another site's page has asked.
    Elsewhere,
    /// It does not have what our page gives.
    NoProof,
    /// Not before so long.
    TooSoon(Duration),
}

/// Who may ask, and who has. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Wanted {
    who: watch::Receiver<ProbeNow>,
    /// On our pages alone, and another one in each process.
    proof: Arc<str>,
    lately: Arc<Mutex<Lately>>,
}

impl Default for Wanted {
    fn default() -> Self {
        Self::new(watch::channel(ProbeNow::default()).1)
    }
}

impl Wanted {
    /// By the present setting.
    #[must_use]
    pub fn new(who: watch::Receiver<ProbeNow>) -> Self {
        let mut random = [0; 16];
        // Without random numbers nobody could log in either. Then no proof is right.
        let proof = match getrandom::fill(&mut random) {
            Ok(()) => hex(&random),
            Err(_) => String::new(),
        };
        Self { who, proof: proof.into(), lately: Arc::default() }
    }

    /// Whether a reader may ask.
    pub(super) fn may(&self, reader: Restricted) -> May {
        match *self.who.borrow() {
            ProbeNow::Never => May::Nobody,
            ProbeNow::Restricted if !reader.0 => May::NotThisReader,
            ProbeNow::Restricted | ProbeNow::Always => May::Ask(self.proof.to_string()),
        }
    }

    /// Whether a request may have a path probed, apart from how often.
    pub(super) fn admits(&self, reader: Restricted, headers: &HeaderMap, body: &[u8]) -> Result<(), NotNow> {
        match self.may(reader) {
            May::Nobody => return Err(NotNow::Nobody),
            May::NotThisReader => return Err(NotNow::NotThisReader),
            May::Ask(_) => {}
        }
        if !is_of_our_page(headers) {
            return Err(NotNow::Elsewhere);
        }
        let told = body.strip_prefix(b"proof=").unwrap_or_default();
        // Compared by digests, so that the time it takes tells nothing.
        let is_right =
            !self.proof.is_empty() && Sha256::digest(told) == Sha256::digest(self.proof.as_bytes());
        if is_right { Ok(()) } else { Err(NotNow::NoProof) }
    }

    /// Takes the next turn of a path, unless it is too soon.
    pub(super) fn take_turn(
        &self,
        path: &PathName,
        counters: &Arc<PathCounters>,
        now: Instant,
    ) -> Result<(), NotNow> {
        self.lately().take_turn(path, counters, now).map_err(NotNow::TooSoon)
    }

    /// Grows with everything that becomes known of what was asked lately.
    pub(super) fn progress(&self) -> u64 {
        self.lately().progress(Instant::now())
    }

    fn lately(&self) -> MutexGuard<'_, Lately> {
        self.lately.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which paths were probed at once lately.
#[derive(Debug, Default)]
struct Lately {
    paths: HashMap<PathName, (Instant, Arc<PathCounters>)>,
    /// When the last turn of all would be over if they were taken one after the other.
    busy_until: Option<Instant>,
    /// What became known of those that are no longer watched.
    before: u64,
}

impl Lately {
    fn take_turn(
        &mut self,
        path: &PathName,
        counters: &Arc<PathCounters>,
        now: Instant,
    ) -> Result<(), Duration> {
        self.progress(now);
        if let Some((at, _)) = self.paths.get(path)
            && let Some(wait) = (*at + AGAIN).checked_duration_since(now).filter(|wait| !wait.is_zero())
        {
            return Err(wait);
        }
        let busy_until = self.busy_until.map_or(now, |until| until.max(now));
        if let Some(wait) = busy_until.checked_duration_since(now + EVERY * (AT_ONCE - 1))
            && !wait.is_zero()
        {
            return Err(wait);
        }
        self.busy_until = Some(busy_until + EVERY);
        self.before += 1000;
        self.paths.insert(path.clone(), (now, Arc::clone(counters)));
        Ok(())
    }

    fn progress(&mut self, now: Instant) -> u64 {
        let of = |counters: &PathCounters| counters.asked().map_or(0, |asked| u64::from(asked.progress()));
        let gone = self.paths.extract_if(|_, (at, _)| now.saturating_duration_since(*at) >= WATCHED);
        self.before += gone.map(|(_, (_, counters))| of(&counters)).sum::<u64>();
        self.before + self.paths.values().map(|(_, counters)| of(counters)).sum::<u64>()
    }
}

/// Whether a browser says that the page that asked is ours, or says nothing of it.
fn is_of_our_page(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    match text(ORIGIN.as_str()) {
        None => true,
        Some(origin) => {
            let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            host.is_some_and(|host| text(HOST.as_str()).is_some_and(|ours| ours.eq_ignore_ascii_case(host)))
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderName, HeaderValue};

    use super::*;

    const SOMEBODY: Restricted = Restricted(true);

    fn headers(known: &[(&'static str, &'static str)]) -> HeaderMap {
        let one = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        known.iter().map(one).collect()
    }

    #[test]
    fn whose_page_asks() {
        for (known, is_ours) in [
            (&[("sec-fetch-site", "same-origin"), ("origin", "null")][..], true),
            (&[("sec-fetch-site", "same-site"), ("origin", "http://x:1"), ("host", "x:1")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("sec-fetch-site", "")], false),
            (&[("origin", "https://Exporter:14789"), ("host", "exporter:14789")], true),
            (&[("origin", "http://exporter:14789"), ("host", "exporter:14789")], true),
            (&[("origin", "http://exporter"), ("host", "exporter:14789")], false),
            (&[("origin", "http://elsewhere"), ("host", "exporter")], false),
            (&[("origin", "null"), ("host", "null")], false),
            (&[("origin", "http://exporter")], false),
            (&[("host", "exporter")], true),
        ] {
            assert_eq!(is_of_our_page(&headers(known)), is_ours, "{known:?}");
        }
    }

    #[test]
    fn who_may_ask() {
        let nothing = HeaderMap::new();
        for (who, reader, refusal) in [
            (ProbeNow::Never, true, Some(NotNow::Nobody)),
            (ProbeNow::Restricted, false, Some(NotNow::NotThisReader)),
            (ProbeNow::Restricted, true, None),
            (ProbeNow::Always, false, None),
        ] {
            let wanted = Wanted::new(watch::channel(who).1);
            let body = format!("proof={}", wanted.proof);
            let admitted = wanted.admits(Restricted(reader), &nothing, body.as_bytes());
            assert_eq!(admitted.err(), refusal, "{who:?} {reader}");
        }
        let wanted = Wanted::default();
        let May::Ask(proof) = wanted.may(SOMEBODY) else { panic!("it may") };
        assert_ne!(Wanted::default().may(SOMEBODY), May::Ask(proof.clone()), "each process has its own");
        for body in ["", "proof=", &proof, "proof=00", &format!("proof={proof}0"), &format!(" proof={proof}")]
        {
            let refused = wanted.admits(SOMEBODY, &nothing, body.as_bytes());
            assert_eq!(refused, Err(NotNow::NoProof), "{body}");
        }
    }

    #[test]
    fn how_often() {
        let (mut lately, counters, start) = (Lately::default(), Arc::default(), Instant::now());
        let mut ask = |path: &str, after: u64| {
            lately.take_turn(&path.into(), &counters, start + Duration::from_secs(after)).err()
        };
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!([ask("a", 0), ask("a", 4), ask("a", 9)], [None, seconds(6), seconds(1)]);
        assert_eq!(ask("a", 10), None);
        let refused = (0..1000).filter(|number| ask(&format!("p{number}"), 10).is_some()).count();
        assert_eq!(refused, 995, "six at once with the one before");
        assert_eq!(ask("q", 11), seconds(1));
        assert_eq!((ask("q", 12), ask("r", 12)), (None, seconds(2)));
        // Who asks all the time gets one every two seconds.
        let granted = (0..10_000).filter(|turn| ask(&format!("s{turn}"), 20 + turn / 10).is_none()).count();
        assert!((500..=506).contains(&granted), "{granted}");
        assert!(lately.paths.len() <= 20, "{}", lately.paths.len());
    }

    #[test]
    fn what_becomes_known_is_progress() {
        let (wanted, counters) = (Wanted::default(), Arc::new(PathCounters::default()));
        let mut last = wanted.progress();
        let mut grows = |what: &str| {
            let now = wanted.progress();
            assert!(now > last, "{what}: {last} {now}");
            last = now;
        };
        wanted.take_turn(&"a".into(), &counters, Instant::now()).expect("the first");
        counters.ask(std::time::SystemTime::now());
        grows("asked");
        counters.change_asked(|asked| asked.small.sent += 1);
        grows("sent");
        counters.change_asked(|asked| asked.small.answered += 1);
        grows("answered");
        counters.change_asked(|asked| asked.is_over = true);
        grows("over");
        assert_eq!(wanted.progress(), last);
    }
}
