//! Log messages on stderr: `logfmt`, as other exporters write it, or JSON.
//!
//! Other crates speak only from `warn` up, so that `--log.level=debug` shows what this program does.

use std::fmt;

use clap::ValueEnum;
use tracing::{Event, Subscriber, field::Field};
use tracing_subscriber::{
    EnvFilter,
    field::Visit,
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    registry::LookupSpan,
};

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

/// Sends log messages to stderr from now on. Fails if that was done before.
pub fn init_logging(level: LogLevel, format: LogFormat) -> anyhow::Result<()> {
    let level = match level {
        LogLevel::Debug => "warn,vxlan_exporter=debug",
        LogLevel::Info => "warn,vxlan_exporter=info",
        LogLevel::Warn => "warn",
        LogLevel::Error => "error",
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(level))
        .with_writer(std::io::stderr)
        .with_ansi(false);
    match format {
        LogFormat::Logfmt => builder.event_format(Logfmt).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    }
    .map_err(|error| anyhow::anyhow!("cannot start logging: {error}"))
}

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

/// What a test's subscriber has written.
#[cfg(test)]
#[derive(Debug, Clone, Default)]
pub(crate) struct Lines(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

#[cfg(test)]
impl Lines {
    /// For `with_writer`.
    pub(crate) fn writer(&self) -> impl Fn() -> Self + use<> {
        let lines = self.clone();
        move || lines.clone()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("lines").clone()).expect("UTF-8")
    }
}

#[cfg(test)]
impl std::io::Write for Lines {
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
        let lines = Lines::default();
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
