//! No text makes any parser panic: random text, and captures that are cut, doubled or have flipped
//! bits.

use std::{fs, path::Path, sync::LazyLock};

use clap::ValueEnum as _;
use proptest::{prelude::*, sample::Index};

use super::{Format, read};
use crate::router::parse::{neigh, sections, system, terminal::clean};

/// Every captured output.
pub(crate) static CAPTURES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|it| it != "md") && !file.ends_with("expected.json"));
    files.sort();
    files.iter().map(|file| fs::read_to_string(file).unwrap()).collect()
});

/// An error always has a message.
fn survives(text: &str) {
    for format in Format::value_variants() {
        if let Err(reason) = read(*format, text) {
            assert!(!reason.trim().is_empty(), "{format:?}");
        }
    }
    let _ = system::version(text, text, text);
    let _ = system::uptime_seconds(text);
    let _ = neigh::neighbours(text);
    let _ = sections::split(&clean(text), "[");
}

#[derive(Debug, Clone)]
enum Damage {
    Cut(Index),
    DropLine(Index),
    DoubleLine(Index),
    SwapLines(Index, Index),
    FlipBit(Index, u8),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        any::<Index>().prop_map(Damage::Cut),
        any::<Index>().prop_map(Damage::DropLine),
        any::<Index>().prop_map(Damage::DoubleLine),
        any::<(Index, Index)>().prop_map(|(one, other)| Damage::SwapLines(one, other)),
        (any::<Index>(), 0..8_u8).prop_map(|(at, bit)| Damage::FlipBit(at, bit)),
    ]
}

fn damaged(text: &str, damage: &Damage) -> String {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    if lines.is_empty() {
        return String::new();
    }
    let count = lines.len();
    match damage {
        Damage::DropLine(line) => drop(lines.remove(line.index(count))),
        Damage::DoubleLine(line) => lines.insert(line.index(count), lines[line.index(count)]),
        Damage::SwapLines(one, other) => lines.swap(one.index(count), other.index(count)),
        Damage::Cut(at) => {
            return String::from_utf8_lossy(&text.as_bytes()[..at.index(text.len())]).into_owned();
        }
        Damage::FlipBit(at, bit) => {
            let mut bytes = text.as_bytes().to_vec();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            return String::from_utf8_lossy(&bytes).into_owned();
        }
    }
    lines.concat()
}

proptest! {
    #[test]
    fn no_text_makes_a_parser_panic(
        text in "[\\[\\]{}\":,a-z0-9 \n\r%.]{0,200}|.{0,200}|([RT]X:|vxlan01:|mtu|<UP>|bytes|[0-9-]{1,21}|\\||u/u|[ \n\u{1b}])*"
    ) {
        survives(&text);
    }

    #[test]
    fn no_damaged_capture_makes_a_parser_panic(capture: Index, all in prop::collection::vec(damage(), 1..6)) {
        let text = all.iter().fold(capture.get(&CAPTURES).clone(), |text, damage| damaged(&text, damage));
        survives(&text);
    }
}
