//! Log messages on stderr: `logfmt`, like other exporters, or JSON.
//!
//! Other crates log only from `warn` up, so that `--log.level=debug` shows what this program does.
//!
//! Logging never waits and never fails, whatever the state of stderr: see `writer`. Too frequent
//! messages are held back: see `limit`.

mod limit;
mod shown;
mod writer;

use std::{
    fmt,
    io::{self, Write as _},
    panic,
    sync::OnceLock,
    time::{Duration, Instant},
};

use clap::ValueEnum;
use tracing::{Event, Subscriber, field::Field, level_filters::LevelFilter};
use tracing_subscriber::{
    field::Visit,
    filter::Targets,
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    layer::SubscriberExt as _,
    registry::LookupSpan,
    util::SubscriberInitExt as _,
};

#[cfg(test)]
pub(crate) use shown::test_lines;

use crate::terminal::shown;
use limit::Limit;
use shown::Shown;
use writer::LogQueue;

/// The least level that is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// What happens inside.
    Debug,
    /// What an operator wants to read.
    Info,
    /// What goes wrong and is survived.
    Warn,
    /// What ends the program.
    Error,
}

/// How log messages look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// `time=… level=… msg=… key=value`
    Logfmt,
    /// One JSON object a line.
    Json,
}

/// The queue and limit in use; set by [`init_logging`].
static LOG: OnceLock<(LogQueue, Limit)> = OnceLock::new();

/// Sends log messages to stderr from now on. Fails if it was called before.
pub fn init_logging(level: LogLevel, format: LogFormat) -> anyhow::Result<()> {
    // What our own code says, and what libraries say.
    let (ours, theirs) = match level {
        LogLevel::Debug => (LevelFilter::DEBUG, LevelFilter::WARN),
        LogLevel::Info => (LevelFilter::INFO, LevelFilter::WARN),
        LogLevel::Warn => (LevelFilter::WARN, LevelFilter::WARN),
        LogLevel::Error => (LevelFilter::ERROR, LevelFilter::ERROR),
    };
    let levels = Targets::new().with_default(theirs).with_target("vxlan_exporter", ours);
    let limit = Limit::default();
    let told = limit.clone();
    let queue = LogQueue::start(io::stderr(), move || told.tell(Instant::now()))?;
    let (queue, limit) = LOG.get_or_init(|| (queue, limit));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(move || queue)
        .with_ansi(false)
        // These would be printed to stderr directly, with a panic if that fails.
        .log_internal_errors(false);
    let lines: Box<dyn tracing_subscriber::Layer<_> + Send + Sync> = match format {
        LogFormat::Logfmt => Box::new(lines.event_format(Logfmt)),
        LogFormat::Json => Box::new(lines.json().flatten_event(true).map_event_format(Shown)),
    };
    tracing_subscriber::registry()
        .with(lines)
        .with(limit.clone())
        .with(levels)
        .try_init()
        .map_err(|error| anyhow::anyhow!("cannot start logging: {error}"))?;
    // The default panic report waits for stderr.
    panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string);
        let why = panic.payload_as_str().unwrap_or("no words");
        let thread = std::thread::current();
        tracing::error!(
            at,
            thread = thread.name(),
            why,
            "panic: this is a bug, please report it with the log"
        );
        if thread.name() == Some("main") {
            flush(LAST_LINES);
        }
    }));
    Ok(())
}

/// Messages that could not be written since start: nobody read stderr, its disk was full, or its
/// reader was gone.
#[must_use]
pub fn messages_dropped() -> u64 {
    LOG.get().map_or(0, |(queue, _)| queue.lost())
}

/// Waits until all log messages have been written, at most for `most`.
pub fn flush(most: Duration) {
    if let Some((queue, limit)) = LOG.get() {
        limit.tell(Instant::now() + limit::ONE_MORE);
        queue.flush(most);
    }
}

/// Writes a line to stderr, made printable by [`shown`], after pending log messages: for a person
/// who waits for one answer. As with log messages, a failure is ignored.
pub fn say(text: &str) {
    flush(LAST_LINES);
    let _ = io::stderr().write_all(shown(text).as_bytes());
}

/// Like [`say`], for the last message of a program that must end even if nobody reads stderr.
pub fn say_and_end(text: &str) {
    let text = shown(text);
    match LOG.get() {
        Some((queue, _)) => queue.send(text.as_bytes()),
        None => drop(io::stderr().write_all(text.as_bytes())),
    }
    flush(LAST_LINES);
}

/// How long the last lines may take.
pub const LAST_LINES: Duration = Duration::from_secs(1);

struct Logfmt;

impl<S, N> FormatEvent<S, N> for Logfmt
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut line: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        line.write_str("time=")?;
        SystemTime.format_time(&mut line)?;
        write!(line, " level={}", event.metadata().level().as_str().to_lowercase())?;
        let mut fields = LogfmtFields { line, result: Ok(()) };
        event.record(&mut fields);
        fields.result?;
        fields.line.write_char('\n')
    }
}

struct LogfmtFields<'a> {
    line: Writer<'a>,
    result: fmt::Result,
}

impl Visit for LogfmtFields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        let name = if field.name() == "message" { "msg" } else { field.name() };
        let bare = !value.is_empty()
            && value.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '"' | '=' | '\\'));
        self.result = self.result.and_then(|()| {
            if bare { write!(self.line, " {name}={value}") } else { write!(self.line, " {name}={value:?}") }
        });
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

/// The output of a test's subscriber.
#[cfg(test)]
#[derive(Debug, Clone, Default)]
pub(crate) struct LogLines(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

#[cfg(test)]
impl LogLines {
    /// The argument for `with_writer`.
    pub(crate) fn writer(&self) -> impl Fn() -> Self + use<> {
        let lines = self.clone();
        move || lines.clone()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("lines").clone()).expect("UTF-8")
    }
}

#[cfg(test)]
impl std::io::Write for LogLines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("lines").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logfmt_quotes_what_needs_it() {
        let lines = LogLines::default();
        let subscriber = tracing_subscriber::fmt().with_writer(lines.writer()).event_format(Logfmt).finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(router = "dc", error = %"refused: \"no\"\nmore", seconds = 3, "cannot read the router");
        });
        let text = lines.text();
        let (time, rest) = text.split_once(' ').expect("fields");
        assert!(time.starts_with("time=2") && time.ends_with('Z'), "{time}");
        assert_eq!(
            rest,
            "level=warn msg=\"cannot read the router\" router=dc error=\"refused: \\\"no\\\"\\nmore\" seconds=3\n"
        );
    }
}
