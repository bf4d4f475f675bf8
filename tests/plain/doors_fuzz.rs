//! The seeds of the fuzz targets of `../fuzz`, and some thousand mutations of each. So every parser
//! of outside data is also tried in `make test`, and what `make fuzz` finds stays covered once it
//! is among the seeds. `DOORS_ROUNDS` is the number of mutations of each seed.

#[path = "../../fuzz/doors.rs"]
mod doors;
#[path = "../../fuzz/sessions.rs"]
mod sessions;

use std::{fs, panic::catch_unwind, path::PathBuf};

use fastrand::Rng;

/// Pieces with a meaning for some parser.
const WORDS: [&[u8]; 16] = [
    b"\r\n",
    b"\n@ end\n",
    b"@ begin link\n",
    b"@ rc=0\n",
    b"[",
    b"{",
    b"\"",
    b": ",
    b"- ",
    b"\0",
    b"\xff",
    b"\x1b[31m",
    b"99999999999999999999",
    b"-1",
    b"&a *a",
    b"HTTP/1.1",
];
/// Most mutations of one seed, one on top of the other.
const CHANGES: usize = 6;
const LONGEST: usize = 65_536;

fn seeds(door: &str) -> Vec<(String, Vec<u8>)> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(door);
    let entries = fs::read_dir(&directory).expect("seeds").flatten();
    let mut seeds: Vec<_> = entries
        .map(|entry| {
            (entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).expect("a seed"))
        })
        .collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "{}", directory.display());
    seeds
}

fn change(rng: &mut Rng, bytes: &mut Vec<u8>, other: &[u8]) {
    let (at, end) = (rng.usize(..=bytes.len()), rng.usize(..=bytes.len()));
    let (from, to) = (at.min(end), at.max(end));
    match rng.u8(..7) {
        0 if !bytes.is_empty() => {
            let at = rng.usize(..bytes.len());
            bytes[at] ^= 1 << rng.u8(..8);
        }
        1 if !bytes.is_empty() => {
            let at = rng.usize(..bytes.len());
            bytes[at] = rng.u8(..);
        }
        2 => drop(bytes.drain(from..to.min(from + 32))),
        3 => {
            let piece = bytes[from..to].to_vec();
            bytes.splice(at..at, piece);
        }
        4 => bytes.truncate(to),
        5 => {
            let cut = rng.usize(..=other.len());
            bytes.splice(at..at, other[cut..].iter().copied());
        }
        _ => {
            let word = WORDS[rng.usize(..WORDS.len())];
            bytes.splice(at..at, word.iter().copied());
        }
    }
    bytes.truncate(LONGEST);
}

fn play(door: &str, rounds: usize, enter: fn(&[u8])) {
    let rounds = std::env::var("DOORS_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(rounds);
    let seeds = seeds(door);
    let mut rng = Rng::with_seed(1);
    for (name, seed) in &seeds {
        for round in 0..=rounds {
            let mut bytes = seed.clone();
            if round > 0 {
                for _ in 0..rng.usize(1..=CHANGES) {
                    let (_, other) = &seeds[rng.usize(..seeds.len())];
                    change(&mut rng, &mut bytes, other);
                }
            }
            let entered = catch_unwind(|| enter(&bytes));
            assert!(entered.is_ok(), "{door}/{name}, change {round}: {:?}", String::from_utf8_lossy(&bytes));
        }
    }
}

fn text(bytes: &[u8], enter: fn(&str)) {
    enter(&String::from_utf8_lossy(bytes));
}

#[test]
fn packets() {
    play("packets", 5_000, doors::packets);
}

#[test]
fn reflector_frames() {
    play("reflector_frames", 5_000, doors::reflector_frames);
}

#[test]
fn configurations() {
    play("configuration", 300, |bytes| text(bytes, doors::configuration));
}

#[test]
fn web_configurations() {
    play("web_configuration", 300, doors::web_configuration);
}

#[test]
fn scrapes() {
    play("scrape", 1_000, |bytes| text(bytes, doors::scrape));
}

#[test]
fn http_requests() {
    play("http_request", 50, doors::http_request);
}

#[test]
fn reflector_sessions() {
    play("reflector_sessions", 30, sessions::reflector_sessions);
}
