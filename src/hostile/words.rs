//! Hostile words, and how they are placed.

use proptest::{prelude::*, sample::Index};
use serde_json::Value;

const KNOWN: [&str; 30] = [
    "set\n      set system login user evil level admin",
    "unset\r\ncommit\r\nsave",
    "\u{1b}[2J\u{1b}[H",
    "\u{1b}]0;title\u{7}",
    "\u{1b}]8;;http://evil/\u{1b}\\x",
    "\u{7}\u{8}\u{0}",
    "a\0b",
    "\u{9b}31m",
    "\u{202e}10nalxv",
    "\u{2066}x\u{2069}",
    "a\u{2028}b\u{2029}c",
    "\u{feff}\u{200b}\u{ad}",
    "\u{e0041}\u{e0042}",
    "vxlan1;reboot",
    "vxlan1\nvxlan2",
    "$(reboot)",
    "`reboot`",
    "vxlan1' x",
    "\"} 1\nvxlan_router_up{router=\"x",
    "<script>alert(1)</script>",
    "level=error msg=\"x\"",
    "..",
    "a/b",
    "a~b",
    "-f",
    "{{ template }}",
    "%s%n",
    "4294967295",
    "fe80::1%\u{1b}[2J",
    "vxlan01",
];

/// A word that could only be meant to do harm.
pub fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop::sample::select(&KNOWN[..]).prop_map(str::to_owned),
        1 => prop::sample::select(&KNOWN[..]).prop_map(|word| word.repeat(300)),
        2 => any::<String>(),
        2 => prop::collection::vec(any::<u8>(), 0..40)
            .prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        2 => (prop::sample::select(&KNOWN[..]), "[a-z0-9]{1,6}").prop_map(|(word, name)| name + word),
    ]
}

/// The text with one word replaced: in JSON a string or key, elsewhere a word of a line.
pub fn replaced(text: &str, place: Index, word: &str) -> String {
    let start = text.find(['{', '[']).unwrap_or_default();
    if let Ok(mut value) = serde_json::from_str::<Value>(&text[start..]) {
        let strings = count(&value);
        if strings > 0 {
            put(&mut value, &mut place.index(strings).into(), word);
            return format!("{}{value}", &text[..start]);
        }
    }
    let words: Vec<&str> = text.split_inclusive([' ', '\n']).collect();
    if words.is_empty() {
        return word.to_owned();
    }
    let at = place.index(words.len());
    let end = words[at].len() - words[at].trim_end_matches([' ', '\n']).len();
    let end = &words[at][words[at].len() - end..];
    [&words[..at], &[word, end], &words[at + 1..]].concat().concat()
}

/// The number of strings and keys.
fn count(value: &Value) -> usize {
    match value {
        Value::String(_) => 1,
        Value::Array(all) => all.iter().map(count).sum(),
        Value::Object(all) => all.values().map(|value| 1 + count(value)).sum(),
        _ => 0,
    }
}

/// Counts down to the one to replace.
fn is_it(left: &mut Option<usize>) -> bool {
    match left {
        Some(0) => left.take().is_some(),
        Some(more) => {
            *more -= 1;
            false
        }
        None => false,
    }
}

/// Replaces the string or key with that number by `word`.
fn put(value: &mut Value, left: &mut Option<usize>, word: &str) {
    match value {
        Value::String(text) if is_it(left) => word.clone_into(text),
        Value::Array(all) => all.iter_mut().for_each(|value| put(value, left, word)),
        Value::Object(all) => {
            let former = std::mem::take(all);
            for (key, mut inner) in former {
                let harmed = is_it(left);
                put(&mut inner, left, word);
                all.insert(if harmed { word.to_owned() } else { key }, inner);
            }
        }
        _ => {}
    }
}
