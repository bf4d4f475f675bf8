//! Progress of `probe`: on a terminal one line that is rewritten in place, elsewhere a plain line
//! at each change of the verdict and every five seconds.

use std::{io, time::Duration};

use unicode_width::UnicodeWidthChar as _;

use crate::{
    language::{Between, Said, say},
    logging,
    model::{observation::PathObservation, types::Verdict},
    terminal::{self, REWRITE},
};

const REMIND: Duration = Duration::from_secs(5);

/// Writes to stderr, so that the table on stdout stays clean.
#[derive(Debug)]
pub struct Progress {
    columns: Option<usize>,
    told: Option<(Verdict, Duration)>,
}

impl Progress {
    /// Determines whether stderr is a terminal, and its width.
    #[must_use]
    pub fn on_stderr() -> Self {
        Self { columns: terminal::width(&io::stderr()), told: None }
    }

    /// Shows what is known of the path after `since`.
    pub fn show(&mut self, path: &PathObservation, since: Duration) {
        let line = line(path, since);
        if let Some(columns) = self.columns {
            logging::say(&format!("{REWRITE}{}", cut(&line, columns.saturating_sub(1))));
            return;
        }
        let verdict = path.judgement.verdict;
        if self.told.is_none_or(|(told, at)| told != verdict || since >= at + REMIND) {
            self.told = Some((verdict, since));
            logging::say(&format!("{line}\n"));
        }
    }
}

/// Clears the line on a terminal for what follows.
impl Drop for Progress {
    fn drop(&mut self) {
        if self.columns.is_some() {
            logging::say(REWRITE);
        }
    }
}

fn line(path: &PathObservation, since: Duration) -> String {
    let judgement = &path.judgement;
    let echo = path.echo();
    let mut parts = vec![
        say!("echoes: {sent} sent", sent = echo.requests),
        say!("{number} answered", number = echo.replies),
    ];
    let mean = echo.rtt.mean_seconds();
    parts.extend(mean.map(|mean| say!("RTT {time} ms", time = format_args!("{:.2}", mean * 1000.0))));
    parts.extend(judgement.mtu_forward.map(|largest| say!("up to {largest} bytes answered", largest)));
    if !judgement.settled && echo.replies > 0 {
        parts.push(say!("searching"));
    }
    let parts = Said::joined(parts, Between::Comma);
    format!("{:5.1} s  {}  {}", since.as_secs_f64(), judgement.verdict.said().localized(), parts.localized())
}

/// The beginning of a line, of at most so many columns.
fn cut(line: &str, columns: usize) -> String {
    let mut left = columns;
    let fits = line.chars().take_while(|char| {
        let wide = char.width().unwrap_or(0);
        let fits = wide <= left;
        left = left.saturating_sub(wide);
        fits
    });
    fits.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{
            observation::{EchoStats, Judgement},
            types::Direction,
        },
        overlay::fixture::{hole, path},
    };

    #[test]
    fn the_line_says_what_is_known_so_far() {
        let mut seen = PathObservation::clone(&path("rancher", "dc", hole(&[Direction::Forward], 1454)));
        seen.judgement.settled = false;
        let mut echo = EchoStats { requests: 32, replies: 31, ..EchoStats::default() };
        for _ in 0..31 {
            echo.rtt.observe(Duration::from_micros(250));
        }
        seen.counters = echo.into();
        assert_eq!(
            line(&seen, Duration::from_millis(3210)),
            "  3.2 s  blackhole  echoes: 32 sent, 31 answered, RTT 0.25 ms, up to 1454 bytes answered, searching"
        );
        seen.counters = EchoStats { requests: 3, ..EchoStats::default() }.into();
        seen.judgement = Judgement::default();
        assert_eq!(line(&seen, Duration::from_millis(300)), "  0.3 s  unknown  echoes: 3 sent, 0 answered");
    }
}
