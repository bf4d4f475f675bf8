//! Splits one output that holds several commands: `MARKER begin NAME`, the command's output, after
//! a failure `MARKER err` and the start of its stderr, `MARKER rc=CODE`; at the very end
//! `MARKER end`.
//!
//! The marker is random, so that no interface description can imitate it. Output without the end
//! marker is not used: half a list of counters looks like a whole one.

use std::collections::BTreeMap;

/// The output of one command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section<'a> {
    /// Standard output.
    pub text: &'a str,
    /// The start of standard error, only after a failure.
    pub stderr: &'a str,
    /// Exit code.
    pub exit_code: i32,
}

/// Why the output could not be split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FrameError {
    /// There is no marker at all: the script did not run.
    NotStarted,
    /// The output stops before the end marker, inside or after this section.
    CutOff {
        /// The last section that began; empty if none did.
        section: String,
    },
}

/// Splits cleaned output into its sections, by name.
pub fn split<'a>(output: &'a str, marker: &str) -> Result<BTreeMap<&'a str, Section<'a>>, FrameError> {
    let mut sections = BTreeMap::new();
    let mut name = None;
    let mut text = None;
    let (mut body, mut offset) = (0, 0);
    for line in output.split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        let Some(mark) = line.strip_prefix(marker).map(str::trim) else { continue };
        if let Some(begun) = mark.strip_prefix("begin ") {
            (name, text, body) = (Some(begun), None, offset);
        } else if mark == "err" {
            text = Some(&output[body..start]);
            body = offset;
        } else if mark == "end" {
            return Ok(sections);
        } else if let (Some(name), Some(Ok(exit_code))) = (name, mark.strip_prefix("rc=").map(str::parse)) {
            let last = &output[body..start];
            let (text, stderr) = text.map_or((last, ""), |text| (text, last.trim()));
            sections.insert(name, Section { text, stderr, exit_code });
        }
    }
    match name {
        Some(name) => Err(FrameError::CutOff { section: name.to_owned() }),
        None => Err(FrameError::NotStarted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str =
        "Welcome\nM begin up\n12.3 4\n\nM rc=0\nM begin link\nM err\nno such thing\n\nM rc=127\nM end\n";

    #[test]
    fn sections_with_text_code_and_stderr() {
        let sections = split(WHOLE, "M").unwrap();
        assert_eq!(sections["up"], Section { text: "12.3 4\n\n", stderr: "", exit_code: 0 });
        assert_eq!(sections["link"], Section { text: "", stderr: "no such thing", exit_code: 127 });
    }

    #[test]
    fn every_cut_is_noticed() {
        for end in 0..WHOLE.len() - 1 {
            assert!(split(&WHOLE[..end], "M").is_err(), "cut at {end}");
        }
        assert_eq!(split("shell says no\n", "M"), Err(FrameError::NotStarted));
        let cut = split("M begin link\n[{", "M").unwrap_err();
        assert_eq!(cut, FrameError::CutOff { section: "link".to_owned() });
    }
}
