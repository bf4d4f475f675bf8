//! How wide a text may be. Nobody knows the reader's font: these are upper ends for the fonts that
//! the style sheet names, so that what fits by them fits.

use unicode_width::UnicodeWidthChar as _;

/// Width in thousandths of the font's size.
fn letter(char: char) -> i32 {
    match char {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '|' | '!' | '\'' | ' ' | '·' => 340,
        'f' | 't' | 'r' | 'I' | '(' | ')' | '/' | '-' => 430,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 960,
        'A'..='Z' | '→' | '←' | '≠' | '~' => 740,
        ' '..='~' => 620,
        // Emoji are drawn wider than two columns.
        '\u{1f000}'.. => 1400,
        _ => match char.width() {
            Some(0) | None => 0,
            Some(1) => 800,
            Some(_) => 1150,
        },
    }
}

/// Width of a text in pixels, rounded up.
pub(super) fn width(text: &str, size: i32) -> i32 {
    let thousandths: i32 = text.chars().map(letter).sum();
    (thousandths * size + 999) / 1000
}

/// The text, cut with an ellipsis where it is wider than `most` pixels.
pub(super) fn fit(text: &str, size: i32, most: i32) -> String {
    if width(text, size) <= most {
        return text.to_owned();
    }
    let mut left = most - size;
    let fits = text.chars().take_while(|char| {
        left -= (letter(*char) * size + 999) / 1000;
        left >= 0
    });
    let mut cut: String = fits.collect();
    cut.truncate(cut.trim_end().len());
    cut.push('…');
    cut
}
