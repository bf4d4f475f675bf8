//! `check` in Japanese: the same findings, nothing of it in English, and tables with straight edges.

use unicode_width::UnicodeWidthStr as _;

use super::{article, healthy, present, slip, text, unread};
use crate::{
    language::{
        speaking,
        tests::{JAPANESE, english_in},
    },
    model::{
        observation::Judgement,
        state::Present,
        types::{UnknownReason, Verdict},
    },
    overlay::fixture::{lab, path, read, verdict},
    report::{Paint, exit_code, exit_code_in_words, json},
};

/// A path of each verdict, and of each reason of `unknown`, over three routers.
pub(crate) fn every_verdict() -> Present {
    let of_verdict = Verdict::ALL.iter().map(|of| path(of.as_str(), "site-b", verdict(*of)));
    let of_reason = UnknownReason::ALL.iter().map(|reason| {
        let unknown = Judgement { unknown_reason: Some(*reason), ..verdict(Verdict::Unknown) };
        path(reason.as_str(), "dc", unknown)
    });
    present(read(&lab()), of_verdict.chain(of_reason).collect())
}

fn japanese(present: &Present, width: usize) -> String {
    speaking(JAPANESE, || text(present, width, Paint::Plain))
}

/// What a router or its SSH library says stays as it is.
fn without_errors(text: &str, present: &Present) -> String {
    let failures = present.routers.iter().filter_map(|reading| reading.failure.as_ref());
    failures.fold(text.to_owned(), |text, failure| text.replace(failure.message.as_str(), "…"))
}

#[test]
fn article_in_japanese() {
    insta::assert_snapshot!(japanese(&article(), 110));
}

#[test]
fn nothing_is_left_in_english() {
    for present in [healthy(), slip(), unread(), every_verdict(), Present::default()] {
        let text = without_errors(&japanese(&present, 100_000), &present);
        assert_eq!(english_in(&text), None, "{text}");
        let (code, why) = exit_code(&present);
        let words = [why.within(JAPANESE.language), exit_code_in_words(code).within(JAPANESE.language)];
        assert_eq!(english_in(&without_errors(&words.join("\n"), &present)), None, "{words:?}");
    }
}

/// What a script reads is the same in every language.
#[test]
fn json_is_english() {
    assert_eq!(speaking(JAPANESE, || json(&slip())), json(&slip()));
}

#[test]
fn lines_and_tables_have_the_width_of_the_terminal() {
    for present in [healthy(), article(), slip(), unread(), every_verdict()] {
        for width in [80, 110] {
            let text = japanese(&present, width);
            let tables: Vec<Vec<&str>> = text
                .split("\n\n")
                .filter(|part| part.starts_with('┌'))
                .map(|table| table.lines().collect())
                .collect();
            for table in &tables {
                let widths: Vec<_> = table.iter().map(|line| line.width()).collect();
                assert!(
                    widths.iter().all(|wide| *wide == widths[0] && *wide <= width),
                    "{}",
                    table.join("\n")
                );
            }
            assert!(!tables.is_empty(), "{text}");
            let commands = |line: &&str| line.starts_with("      ") || line.contains("ethtool");
            let wide = text.lines().filter(|line| !commands(line)).find(|line| line.width() > width);
            assert_eq!(wide, None, "{text}");
        }
    }
}
