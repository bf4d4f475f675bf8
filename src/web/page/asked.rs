//! *Probe now*: the button, what came of it, and why it was refused.

use std::time::SystemTime;

use hyper::StatusCode;
use maud::{Markup, html};

use super::{frame, time::length};
use crate::{
    language::{Between, Said, say},
    model::observation::{Asked, AskedCount, PathObservation},
    report::tables::milliseconds,
    web::{
        answer::Content,
        view::address,
        wanted::{May, NotNow, WATCHED},
        words::{HERE, around},
    },
};

/// The line that mends it.
const MEND: &str = "web: {probe_now: always}";

/// What came of it, and the button.
pub(super) fn section(path: &PathObservation, may: &May, now: SystemTime) -> Markup {
    let asked = path.counters.asked();
    let is_busy = asked.as_ref().is_some_and(|asked| !asked.is_over && is_recent(asked, now));
    html! {
        div class="ask" {
            @match may {
                May::Ask(proof) => {
                    form method="post" action=(address("path", path.path.as_str())) {
                        input type="hidden" name="proof" value=(proof);
                        button type="submit" disabled[is_busy] { (say!("Probe now")) }
                    }
                }
                May::NotThisReader => {
                    p class="note" {
                        (around(
                            &say!("Probe now needs a login, or in the configuration {setting}", setting = HERE),
                            &[html! { kbd { (MEND) } }],
                        ))
                    }
                }
                May::Nobody => {}
            }
            @if let Some(asked) = &asked { p role="status" { (in_words(asked, now)) } }
        }
    }
}

/// A prober that does not run ends nothing.
fn is_recent(asked: &Asked, now: SystemTime) -> bool {
    now.duration_since(asked.at).unwrap_or_default() < WATCHED
}

fn in_words(asked: &Asked, now: SystemTime) -> Said {
    let ago = length(now.duration_since(asked.at).unwrap_or_default());
    let nothing = asked.small.sent + asked.large.sent == 0;
    match (asked.is_over || !is_recent(asked, now), nothing) {
        (true, true) => say!("Asked {ago} ago: nothing could be sent.", ago => ago),
        (false, true) => say!("Asked {ago} ago: begins at once.", ago => ago),
        (is_over, false) => {
            let mut parts = vec![say!("{share} small packets answered", share => of(asked.small))];
            if let Some(size) = asked.size {
                parts.push(say!("{share} packets of {size} bytes answered", share => of(asked.large), size));
            }
            if asked.large.too_big > 0 {
                parts.push(say!("{number} answered by Packet Too Big", number = asked.large.too_big));
            }
            if let Some(mean) = asked.mean_rtt() {
                parts.push(say!("mean RTT {time}", time = milliseconds(mean.as_secs_f64())));
            }
            let parts = Said::joined(parts, Between::Semicolon);
            if is_over {
                say!("Probed {ago} ago: {counts}.", ago => ago, counts => parts)
            } else {
                say!("Probed {ago} ago so far: {counts}.", ago => ago, counts => parts)
            }
        }
    }
}

/// `9 of 10`
fn of(count: AskedCount) -> Said {
    say!("{answered} of {sent}", answered = count.answered, sent = count.counted())
}

/// Why a path was not probed, with the way back; without a revision, so that nothing replaces it.
pub(crate) fn refused(version: &str, name: &str, refusal: NotNow) -> Content {
    let status = match refusal {
        NotNow::TooSoon(_) => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::FORBIDDEN,
    };
    let main = html! {
        h1 { (say!("Not probed")) }
        p {
            @match refusal {
                NotNow::Nobody => {
                    (around(
                        &say!("Switched off by {setting} in the configuration.", setting = HERE),
                        &[html! { kbd { "web: {probe_now: never}" } }],
                    ))
                }
                NotNow::NotThisReader => {
                    (around(
                        &say!(
                            "Only for those who had to log in or to show a certificate, who come from a network in \
                             {networks}, or who are on the exporter's machine. For everyone: {setting} in the \
                             configuration.",
                            networks = HERE,
                            setting = HERE
                        ),
                        &[html! { kbd { "web.allowed_sources" } }, html! { kbd { (MEND) } }],
                    ))
                }
                NotNow::Elsewhere => { (say!("The page that asked is another site's.")) }
                NotNow::NoProof => {
                    (say!(
                        "The page is older than this process, or is not the exporter's: open the path and press its \
                         button."
                    ))
                }
                NotNow::TooSoon(wait) => {
                    (say!("It was asked a moment ago: again in {wait} s.", wait = wait.as_secs_f64().ceil()))
                }
            }
        }
        p {
            a href=(address("path", name)) {
                (around(&say!("The path {name}", name = HERE), &[html! { bdi { (name) } }]))
            }
        }
    };
    Content::html(frame::bare("", version, &say!("Not probed"), &main)).with(status)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn in_words_at_each_moment() {
        let at = crate::web::fixture::moment();
        let mut asked = Asked::at(at);
        let mut say = |after: u64, change: &dyn Fn(&mut Asked)| {
            change(&mut asked);
            in_words(&asked, at + Duration::from_secs(after))
        };
        assert_eq!(say(0, &|_| {}), "Asked 0 s ago: begins at once.");
        assert_eq!(say(90, &|_| {}), "Asked 1 min ago: nothing could be sent.");
        let sent = |asked: &mut Asked| {
            asked.small = AskedCount { sent: 5, answered: 4, ..AskedCount::default() };
            asked.rtt_sum = Duration::from_millis(10);
        };
        assert_eq!(say(1, &sent), "Probed 1 s ago so far: 4 of 5 small packets answered; mean RTT 2.50 ms.");
        let done = |asked: &mut Asked| {
            asked.small = AskedCount { sent: 10, answered: 9, void: 1, too_big: 0 };
            asked.large = AskedCount { sent: 10, answered: 0, void: 0, too_big: 1 };
            asked.size = Some(1500);
            asked.is_over = true;
        };
        assert_eq!(
            say(3, &done),
            "Probed 3 s ago: 9 of 9 small packets answered; 0 of 10 packets of 1500 bytes answered; \
             1 answered by Packet Too Big; mean RTT 1.11 ms."
        );
    }
}
