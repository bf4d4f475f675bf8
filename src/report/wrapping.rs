//! Lines of a terminal's width, in scripts with and without spaces between words.

use std::fmt::Write as _;

use unicode_linebreak::linebreaks;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Wraps text at the width; lines after the first are indented to the text.
pub(super) fn wrap(out: &mut String, bullet: &str, text: &str, width: usize) {
    let indent = bullet.width();
    let room = width.max(indent + 20);
    out.push_str(bullet);
    let mut column = indent;
    for (index, word) in text.split_whitespace().enumerate() {
        let mut space = usize::from(index > 0);
        for piece in pieces(word) {
            let wide = piece.width();
            if column > indent && column + space + wide > room {
                let _ = write!(out, "\n{:indent$}", "");
                column = indent;
            } else if space > 0 {
                out.push(' ');
                column += 1;
            }
            out.push_str(piece);
            column += wide;
            space = 0;
        }
    }
    out.push('\n');
}

/// The parts of a word between which a line may end: beside a full-width character, as far as that
/// is usual (UAX 14: no line begins with `。`).
fn pieces(word: &str) -> Vec<&str> {
    let is_wide = |char: Option<char>| char.and_then(char::width).is_some_and(|columns| columns > 1);
    if word.is_ascii() {
        return vec![word];
    }
    let mut parts = Vec::new();
    let mut begin = 0;
    for (end, _) in linebreaks(word) {
        let (before, after) = (word[begin..end].chars().next_back(), word[end..].chars().next());
        if end == word.len() || is_wide(before) || is_wide(after) {
            parts.push(&word[begin..end]);
            begin = end;
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_between_words_or_full_width_characters() {
        let wrapped = |text: &str, width| {
            let mut out = String::new();
            wrap(&mut out, "- ", text, width);
            out
        };
        assert_eq!(wrapped("one two/three four-five six", 22), "- one two/three\n  four-five six\n");
        let long = "x".repeat(40);
        assert_eq!(wrapped(&long, 22), format!("- {long}\n"), "a name is not broken");
        let japanese = wrapped("1500 バイトを超えるパケットが通知なしに消える。ping は通る。", 22);
        assert_eq!(japanese, "- 1500 バイトを超える\n  パケットが通知なしに\n  消える。ping は通\n  る。\n");
        assert!(japanese.lines().all(|line| line.width() <= 22));
    }
}
