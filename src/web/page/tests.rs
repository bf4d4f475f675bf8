use std::time::Duration;

use super::*;
use crate::{
    history::History,
    language::{
        Choice, speaking,
        tests::{JAPANESE, english_in},
    },
    model::state::Present,
    report::tests::{article, healthy, japanese::every_verdict, slip, unread},
    web::{fixture, view::View, wanted::May},
};

/// A view of a state that has lasted three minutes.
pub(in crate::web) fn view(present: Present) -> View {
    let history = History::default();
    let now = fixture::moment();
    for second in (0..=180).step_by(10) {
        history.observe(&present, now - Duration::from_secs(180 - second));
    }
    let revision = "1-1".to_owned();
    View { present, history, revision, now, version: "0.0.0" }
}

/// What is written, as a text browser shows it: without tags, a line for each block.
fn words(html: &str) -> String {
    let main = html.split("<main").nth(1).and_then(|rest| rest.split_once('>')).map_or("", |(_, main)| main);
    let mut text = String::new();
    for (index, part) in main.split('<').enumerate() {
        let (tag, words) = if index == 0 { ("", part) } else { part.split_once('>').unwrap_or((part, "")) };
        let name: String =
            tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
        match name.as_str() {
            "td" | "th" | "dd" => text.push_str(" | "),
            "h1" | "h2" | "h3" | "h4" | "p" | "li" | "tr" | "dt" | "pre" | "text" | "summary" | "footer"
            | "figcaption" => text.push('\n'),
            _ => {}
        }
        text.push_str(words);
    }
    let lines = text.lines().map(|line| line.replace(" |  | ", " | "));
    let lines = lines.map(|line| line.trim().trim_matches('|').trim().to_owned());
    lines.filter(|line| !line.is_empty()).map(|line| line + "\n").collect()
}

#[test]
fn overlay_in_words() {
    insta::assert_snapshot!(
        "overlay",
        words(&overlay(&view(fixture::present()), &TablePages::read("")).text)
    );
    insta::assert_snapshot!(
        "overlay_empty",
        words(&overlay(&view(Present::default()), &TablePages::read("")).text)
    );
    insta::assert_snapshot!("overlay_hole", words(&overlay(&view(article()), &TablePages::read("")).text));
}

#[test]
fn one_thing_in_words() {
    let view = view(article());
    insta::assert_snapshot!("path", words(&path(&view, "rancher", &May::Ask("proof".to_owned())).text));
    insta::assert_snapshot!("tunnel", words(&tunnel(&view, "dc/vxlan01~site-a/vxlan01").text));
    insta::assert_snapshot!("router", words(&router(&view, "dc").text));
    insta::assert_snapshot!("no_path", words(&path(&view, "ranchr", &May::Nobody).text));
}

/// Without what stays in English on a Japanese page: words of others, which say so, commands and
/// names.
fn without_english_parts(html: &str) -> String {
    let mut rest = html.to_owned();
    for (begin, end) in [
        ("<span lang=\"en\"", "</span>"),
        ("<span class=\"note\" lang=\"en\"", "</span>"),
        ("<a href=\"?lang=en\"", "</a>"),
        ("<article class=\"runbook\" lang=\"en\"", "</article>"),
        ("<kbd", "</kbd>"),
        ("<pre", "</pre>"),
        ("<bdi", "</bdi>"),
    ] {
        while let Some((before, after)) = rest.split_once(begin) {
            let after = after.split_once(end).map_or("", |(_, after)| after);
            rest = format!("{before}…{after}");
        }
    }
    rest
}

/// Of every state, the first page and the pages of all paths, tunnels and routers.
#[test]
fn a_japanese_page_has_no_english_sentence() {
    let states =
        [fixture::present(), article(), slip(), unread(), every_verdict(), healthy(), Present::default()];
    for present in states {
        let view = view(without_evidence_of_fixtures(present));
        let may = May::Ask("proof".to_owned());
        let mut pages = vec![speaking(JAPANESE, || overlay(&view, &TablePages::read("")).text)];
        for known in &view.present.paths {
            pages.push(speaking(JAPANESE, || path(&view, known.path.as_str(), &may).text));
        }
        for known in &view.present.overlay.tunnels {
            pages.push(speaking(JAPANESE, || tunnel(&view, &known.name).text));
        }
        for known in &view.present.routers {
            pages.push(speaking(JAPANESE, || router(&view, known.router.as_str()).text));
        }
        pages.push(speaking(JAPANESE, || path(&view, "nothing", &May::Nobody).text));
        pages.push(speaking(JAPANESE, || runbooks(&view).text));
        pages.push(speaking(JAPANESE, || runbook(&view, "VxlanMtuBlackHole").text));
        // What a router or its SSH library says stays as it is.
        let failures: Vec<_> = view.present.routers.iter().filter_map(|it| it.failure.as_ref()).collect();
        for page in pages {
            let page = failures.iter().fold(page, |page, it| page.replace(it.message.as_str(), "…"));
            assert!(page.contains("<html lang=\"ja\">"), "{page}");
            let left = without_english_parts(&page);
            let attributes = left.split('"').skip(1).step_by(2).filter(|value| !value.contains('/'));
            let said = attributes.map(str::to_owned).chain([words(&left)]);
            for words in said.filter(|words| !words.starts_with("width=")) {
                assert_eq!(english_in(&words), None, "{words}");
            }
        }
    }
}

/// The evidence of fixtures is English words that nothing has said.
fn without_evidence_of_fixtures(mut present: Present) -> Present {
    for path in &mut present.paths {
        std::sync::Arc::make_mut(path).judgement.evidence.clear();
    }
    present
}

#[test]
fn overlay_in_japanese() {
    let page = speaking(JAPANESE, || overlay(&view(article()), &TablePages::read("")).text);
    insta::assert_snapshot!("overlay_japanese", words(&page));
}

/// Whoever has asked for a language by the address of a page gets it on the next one too.
#[test]
fn addresses_keep_the_language_that_was_asked_for() {
    let asked = Choice { by_address: true, ..JAPANESE };
    let page = speaking(asked, || overlay(&view(article()), &TablePages::read("")).text);
    let hrefs: Vec<_> = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let leads_to_a_page = |href: &&&str| {
        let kept = ["/assets/", "/metrics", "#", "?lang=en"];
        !kept.iter().any(|start| href.starts_with(start))
    };
    let others: Vec<_> = hrefs.iter().filter(leads_to_a_page).collect();
    assert!(others.len() > 5 && others.iter().all(|href| href.contains("?lang=ja")), "{others:?}");
    let page = speaking(JAPANESE, || overlay(&view(article()), &TablePages::read("")).text);
    assert!(!page.contains("?lang=ja"), "{page}");
}
