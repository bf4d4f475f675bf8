#![no_main]

use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use vxlan_exporter::router::{command::Reader, shell::Shell, snapshot::ScrapeError};

/// Says the same whatever it is asked; `@` at the start of a line stands for the marker, which it cannot guess.
struct Router<'a>(&'a str);

impl Shell for Router<'_> {
    fn exec(&mut self, script: &str, _: Instant) -> Result<String, ScrapeError> {
        let marker = script.lines().next().and_then(|line| line.strip_prefix("M=")).unwrap_or_default();
        let text = format!("\n{}", self.0);
        Ok(text.replace("\n@", &format!("\n{marker}")))
    }
}

// From what an SSH session printed to a snapshot: framing, and every parser behind it.
fuzz_target!(|text: &str| {
    let mut reader = Reader::default();
    for _ in 0..2 {
        let _ = reader.scrape(&mut Router(text), Instant::now() + Duration::from_secs(10));
    }
});
