//! Keeps a message on one line of printable characters. `logfmt` does not escape all others by
//! itself; JSON as printed here escapes only the control characters of ASCII.

use std::fmt;

use tracing::{Event, Subscriber};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

use crate::text::visible_lines;

/// Replaces in another format's output what is not printable. The replacements have no meaning in
/// JSON.
pub struct Shown<F>(pub F);

impl<S, N, F> FormatEvent<S, N> for Shown<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut to: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::new();
        self.0.format_event(context, Writer::new(&mut line), event)?;
        to.write_str(&visible_lines(&line))
    }
}

/// The lines that `work` logs, as logfmt and as JSON; each message must be one line.
#[cfg(test)]
pub(crate) fn test_lines(work: impl Fn()) -> Vec<String> {
    use tracing::subscriber::with_default;

    let (logfmt, json) = (super::LogLines::default(), super::LogLines::default());
    let builder = || tracing_subscriber::fmt().with_ansi(false);
    with_default(builder().with_writer(logfmt.writer()).event_format(super::Logfmt).finish(), &work);
    let shown = builder().with_writer(json.writer()).json().flatten_event(true).map_event_format(Shown);
    with_default(shown.finish(), &work);
    let lines = [logfmt, json].map(|lines| lines.text().lines().map(str::to_owned).collect::<Vec<_>>());
    assert_eq!(lines[0].len(), lines[1].len(), "{lines:?}");
    lines.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_that_only_shows() {
        let lines =
            test_lines(|| tracing::warn!(error = "a\nlevel=error \u{1b}[2J\u{202e}\u{9b}", "said\u{2028}so"));
        assert_eq!(lines.len(), 2, "{lines:?}");
        for line in &lines {
            assert!(!line.contains(crate::text::is_active), "{line:?}");
        }
        let json: serde_json::Value = serde_json::from_str(&lines[1]).expect("JSON");
        assert_eq!(json["error"], "a\nlevel=error \u{1b}[2J<U+202E><U+009B>");
    }
}
