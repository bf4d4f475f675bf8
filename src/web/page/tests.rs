use std::time::Duration;

use super::*;
use crate::{
    history::History,
    model::state::Present,
    report::tests::article,
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
    insta::assert_snapshot!("overlay", words(&overlay(&view(fixture::present()), &Asked::read("")).text));
    insta::assert_snapshot!(
        "overlay_empty",
        words(&overlay(&view(Present::default()), &Asked::read("")).text)
    );
    insta::assert_snapshot!("overlay_hole", words(&overlay(&view(article()), &Asked::read("")).text));
}

#[test]
fn one_thing_in_words() {
    let view = view(article());
    insta::assert_snapshot!("path", words(&path(&view, "rancher", &May::Ask("proof".to_owned())).text));
    insta::assert_snapshot!("tunnel", words(&tunnel(&view, "dc/vxlan01~site-a/vxlan01").text));
    insta::assert_snapshot!("router", words(&router(&view, "dc").text));
    insta::assert_snapshot!("no_path", words(&path(&view, "ranchr", &May::Nobody).text));
}
