//! The state of a thing as a shape, a colour and a word: whoever cannot tell the colours, or prints
//! the page, still sees it.

use maud::{Markup, html};

use crate::{
    history,
    language::{Said, say},
    model::{
        observation::PathObservation,
        picture::Tunnel,
        snapshot::RouterReading,
        types::{TunnelState, Verdict},
    },
};

/// How a thing is, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    /// Something is wrong.
    Bad,
    /// It works, but not as it should.
    Warn,
    /// Not known.
    Unknown,
    /// Nothing is wrong.
    Good,
}

impl Mark {
    /// The class of the style sheet.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Bad => "bad",
            Self::Warn => "warn",
            Self::Unknown => "unknown",
            Self::Good => "good",
        }
    }

    /// The outline of its shape, in a square of 12 by 12: a square with a cross, a triangle, a
    /// hollow diamond, a disc.
    pub(super) const fn shape(self) -> &'static str {
        match self {
            Self::Bad => {
                "M0 0H12V12H0Z M3.2 1.8L6 4.6L8.8 1.8L10.2 3.2L7.4 6L10.2 8.8L8.8 10.2L6 7.4L3.2 10.2L1.8 8.8L4.6 6L1.8 3.2Z"
            }
            Self::Warn => "M6 0.5L12 11.5H0Z M5.2 4.2L5.5 8H6.5L6.8 4.2Z M5.3 8.8H6.7V10.2H5.3Z",
            Self::Unknown => "M6 0L12 6L6 12L0 6Z M6 2.4L2.4 6L6 9.6L9.6 6Z",
            Self::Good => "M6 0.5A5.5 5.5 0 1 1 5.99 0.5Z",
        }
    }

    /// The shape as a picture beside a word, which is what a screen reader reads.
    pub(super) fn icon(self) -> Markup {
        html! {
            svg class={ "icon " (self.class()) } viewBox="0 0 12 12" aria-hidden="true" {
                path d=(self.shape()) fill-rule="evenodd" {}
            }
        }
    }

    /// Shape and word.
    pub(super) fn with(self, word: &Said) -> Markup {
        html! { span class={ "mark " (self.class()) } { (self.icon()) " " (word) } }
    }

    pub(super) fn of_path(path: &PathObservation) -> Self {
        Self::of_verdict(path.judgement.verdict)
    }

    pub(super) const fn of_verdict(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Unreachable | Verdict::Blackhole | Verdict::Lossy => Self::Bad,
            Verdict::Reduced => Self::Warn,
            Verdict::Unknown => Self::Unknown,
            Verdict::Ok => Self::Good,
        }
    }

    pub(super) fn of_tunnel(tunnel: &Tunnel) -> Self {
        if tunnel.up == Some(false) || !tunnel.mismatches.is_empty() || !tunnel.small_ends.is_empty() {
            Self::Bad
        } else if tunnel.state != TunnelState::Paired || tunnel.up.is_none() {
            Self::Unknown
        } else {
            Self::Good
        }
    }

    pub(super) fn of_router(reading: &RouterReading) -> Self {
        match (&reading.current, &reading.failure) {
            (Some(_), _) if reading.left_out.is_empty() => Self::Good,
            (Some(_), _) => Self::Warn,
            (None, Some(_)) => Self::Bad,
            (None, None) => Self::Unknown,
        }
    }

    /// By the exit code of `check`.
    pub(super) const fn of_exit_code(code: u8) -> Self {
        match code {
            0 => Self::Good,
            1 => Self::Bad,
            _ => Self::Unknown,
        }
    }
}

/// `black hole, to the target`; `unknown: starting`
pub(super) fn verdict_in_words(path: &PathObservation) -> Said {
    use crate::model::types::Direction;
    let judgement = &path.judgement;
    let has = |direction| judgement.holes.contains(&direction);
    match judgement.verdict {
        Verdict::Blackhole => match (has(Direction::Forward), has(Direction::Reverse)) {
            (true, true) => say!("black hole, both ways"),
            (true, false) => say!("black hole, to the target"),
            (false, true) => say!("black hole, from the target"),
            (false, false) if judgement.is_tcp_dead_alone() => say!("black hole, TCP"),
            (false, false) => say!("black hole"),
        },
        Verdict::Unknown => judgement
            .unknown_reason
            .map_or_else(|| say!("unknown"), |reason| say!("unknown: {reason}", reason => reason.in_words())),
        other => other.said(),
    }
}

/// `up`, `down, mismatch of vni`
pub(super) fn tunnel_in_words(tunnel: &Tunnel) -> Said {
    history::tunnel_in_words(tunnel)
}

/// `read`, `not read: auth`
pub(super) fn router_in_words(reading: &RouterReading) -> Said {
    match (&reading.current, &reading.failure) {
        (Some(_), _) if reading.left_out.is_empty() => say!("read"),
        (Some(_), _) => say!("read in part"),
        (None, Some(failure)) => say!("not read: {why}", why => failure.reason.in_words()),
        (None, None) => say!("not read yet"),
    }
}
