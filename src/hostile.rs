//! Tests with a hostile router, server or user, from the first byte to every view.
//!
//! `world` reads three routers by every method, as a scrape does, and joins them; `words` makes
//! their output hostile; `views` checks everything that is shown.

mod views;
mod words;
mod world;

use clap::ValueEnum as _;
use proptest::{prelude::*, sample::Index};

use crate::{
    command::parse::{Format, read, robust::CAPTURES},
    look::target::ProbeTarget,
    model::{
        snapshot::ScrapeError,
        types::{FailureReason, Method},
    },
    report::{self, Paint},
    terminal,
    text::is_active,
};
use words::{hostile, replaced};
use world::{RouterOutput, present, said};

/// The three routers, with a device of this name and policy on `site-a`.
fn check(name: &str, df: &str) -> String {
    let mut said = said();
    let link = &said[1].link;
    said[1].link = link
        .replace(&json("vxlan01"), &json(name))
        .replace(r#""df":"inherit""#, &format!(r#""df":{}"#, json(df)));
    report::text(&present(&said, Method::Ip), 10_000, Paint::Plain)
}

fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Regression: `set interfaces vxlan vxlan01 parameters ip df set` was followed, on the next line,
/// by `set system login user evil`.
#[test]
fn no_policy_of_a_router_is_a_command_for_another() {
    for df in ["set\n      set system login user evil level admin", "set; set system login user evil", "evil"]
    {
        let text = check("vxlan01", df);
        assert!(!text.contains("evil") && text.contains("set interfaces vxlan vxlan01 vni"), "{text}");
    }
}

/// Regression: all of these went to the terminal unchanged.
#[test]
fn no_name_of_a_router_moves_the_terminal() {
    for name in
        ["\u{1b}[2Jvx", "vx\u{1b}]0;t\u{7}", "vx\u{7}", "vx\0", "vx\u{202e}10", "vx\u{2066}", "vx\u{85}"]
    {
        let text = check(name, "inherit");
        assert!(!text.contains(|char| char != '\n' && is_active(char)), "{text:?}");
    }
}

#[test]
fn a_device_that_vyos_has_not_named_gets_no_commands() {
    let text = check("$(reboot)", "inherit");
    assert!(
        text.contains(
            "VyOS allows no vxlan interface named $(reboot): there are no commands for site-a/$(reboot)"
        ),
        "{text}"
    );
    assert!(!text.contains("set interfaces vxlan $"), "{text}");
}

/// Precondition of the properties below: with honest routers everything is read, paired and mended
/// by commands.
#[test]
fn the_unharmed_world_shows_commands_in_every_view() {
    for (method, least) in [(Method::Ip, 5), (Method::Api, 2), (Method::Raw, 0), (Method::Text, 0)] {
        let commands = views::look(&present(&said(), method), method);
        assert!(commands.iter().all(|shown| *shown >= least), "{method}: {commands:?}");
    }
}

#[test]
fn what_is_said_of_a_failure_is_one_line_of_bounded_length() {
    let error = ScrapeError::new(FailureReason::Command, "no\n\u{1b}[2J\u{202e}".repeat(10_000));
    assert!(error.message.len() <= 2048 && error.message.starts_with("no␊␛[2J<U+202E>no"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// One or more words of the routers' output, in any section and by any method, are replaced by
    /// a hostile one.
    #[test]
    fn no_word_of_a_router_does_anything_in_a_view(
        harm in prop::collection::vec((0..3_usize, any::<Index>(), any::<Index>(), hostile()), 1..5),
        method in prop::sample::select(Method::ALL),
    ) {
        let mut said = said();
        for (router, section, place, word) in &harm {
            let sections = said[*router].sections();
            let section = &mut *sections[section.index(RouterOutput::COUNT)];
            *section = replaced(section, *place, word);
        }
        views::look(&present(&said, method), method);
    }

    /// A whole section is replaced by random bytes.
    #[test]
    fn no_bytes_of_a_router_do_anything_in_a_view(
        section: Index,
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        method in prop::sample::select(Method::ALL),
    ) {
        let mut said = said();
        let sections = said[1].sections();
        *sections[section.index(RouterOutput::COUNT)] = String::from_utf8_lossy(&bytes).into_owned();
        views::look(&present(&said, method), method);
    }

    /// Every captured output with a hostile word in it, read by every parser.
    #[test]
    fn no_capture_makes_a_parser_tell_what_is_active(
        capture: Index,
        harm in prop::collection::vec((any::<Index>(), hostile()), 1..4),
    ) {
        let text = harm.iter().fold(capture.get(&CAPTURES).clone(), |text, (at, word)| replaced(&text, *at, word));
        for format in Format::value_variants() {
            match read(*format, &text) {
                Ok(value) => views::quiet_value(&value, &format!("{format:?}")),
                Err(reason) => views::quiet_line(&reason, &format!("{format:?}")),
            }
        }
    }

    #[test]
    fn no_target_that_is_typed_is_repeated_raw(word in hostile()) {
        if let Ok(target) = word.parse::<ProbeTarget>() {
            views::quiet_line(&target.to_string(), "target");
        }
    }

    /// The last safeguard: whatever slipped through, a terminal receives only lines and our own
    /// colours.
    #[test]
    fn nothing_reaches_the_terminal_but_lines_and_our_colours(word in hostile(), more in any::<String>()) {
        let shown = terminal::shown(&format!("\u{1b}[1;31m{word}\u{1b}[0m{more}\u{1b}[9999C")).into_owned();
        let plain = ["\u{1b}[1;31m", "\u{1b}[1;32m", "\u{1b}[1;33m", "\u{1b}[0m", terminal::REWRITE].iter().fold(shown, |text, code| text.replace(code, ""));
        prop_assert!(!plain.contains(|char| char != '\n' && is_active(char)), "{plain:?}");
    }
}
