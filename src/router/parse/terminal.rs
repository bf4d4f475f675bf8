//! The text that a terminal would show, from the bytes that were sent to it.
//!
//! On a terminal VyOS pipes its output through `less`: CRLF, colours, `ESC [?1h ESC =`, a `:`
//! prompt that is erased with a carriage return and `ESC [K`, backspaces. `bridge -c` prints
//! colours even without a terminal.

use crate::{router::bounds, work};

/// Text without escape sequences and carriage returns; erased and overwritten characters are
/// removed. Stops at the scrape's deadline, which its callers check as well.
#[must_use]
pub fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for line in text.split_inclusive('\n').take_while(|_| !bounds::is_late()) {
        let (body, end) = line.strip_suffix('\n').map_or((line, ""), |body| (body, "\n"));
        let body = body.trim_end_matches('\r');
        if body.contains(['\u{1b}', '\u{8}', '\r', '\u{7}']) {
            draw(body).put_on(&mut clean);
        } else {
            clean.push_str(body);
        }
        clean.push_str(end);
    }
    clean
}

/// Longest line that is kept, in characters; a longer one is cut.
const WIDEST: usize = 1 << 16;

/// One line of a screen. Erasing the whole line is cheap however far right the cursor is: each cell
/// records between which two erasures it was drawn.
#[derive(Default)]
struct ScreenLine {
    cells: Vec<(char, usize)>,
    wipes: usize,
    /// Never beyond the last cell: only drawing moves it to the right.
    cursor: usize,
}

impl ScreenLine {
    fn draw(&mut self, char: char) {
        if self.cursor >= WIDEST {
            return;
        }
        match self.cells.get_mut(self.cursor) {
            Some(cell) => *cell = (char, self.wipes),
            None => self.cells.push((char, self.wipes)),
        }
        self.cursor += 1;
    }

    fn wipe_to_the_end(&mut self) {
        self.cells.truncate(self.cursor);
    }

    fn wipe(&mut self) {
        self.wipes += 1;
    }

    fn put_on(&self, text: &mut String) {
        let drawn = |(_, wipes): &(char, usize)| *wipes == self.wipes;
        let end = self.cells.iter().rposition(drawn).map_or(0, |last| last + 1);
        text.extend(work::each(&self.cells[..end]).map(|cell| if drawn(cell) { cell.0 } else { ' ' }));
    }
}

/// One line as a terminal shows it.
fn draw(line: &str) -> ScreenLine {
    let mut screen = ScreenLine::default();
    let mut chars = work::each(line.chars()).peekable();
    while let Some(char) = chars.next() {
        match char {
            '\r' => screen.cursor = 0,
            '\u{8}' => screen.cursor = screen.cursor.saturating_sub(1),
            '\u{7}' => {}
            // CSI: parameters up to a final byte 0x40..0x7e (ECMA-48 section 5.4). K erases to the
            // end of the line, or all of it.
            '\u{1b}' if chars.next_if_eq(&'[').is_some() => {
                let mut all = false;
                while let Some(part) = chars.next_if(|part| !('\u{40}'..='\u{7e}').contains(part)) {
                    all |= part == '2';
                }
                match chars.next() {
                    Some('K') if all => screen.wipe(),
                    Some('K') => screen.wipe_to_the_end(),
                    _ => {}
                }
            }
            // OSC, such as the window title a prompt sets: up to BEL or ESC \.
            '\u{1b}' if chars.next_if_eq(&']').is_some() => {
                while chars.next_if(|part| !matches!(part, '\u{7}' | '\u{1b}')).is_some() {}
                if chars.next() == Some('\u{1b}') {
                    chars.next();
                }
            }
            // Short sequences: ESC =, ESC ( B.
            '\u{1b}' => {
                while chars.next_if(|part| ('\u{20}'..='\u{2f}').contains(part)).is_some() {}
                chars.next();
            }
            char => screen.draw(char),
        }
    }
    screen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_and_carriage_returns_vanish() {
        assert_eq!(clean("\u{1b}[?1h\u{1b}=\u{1b}[01;36mvxlan01\u{1b}[0m: ok\r\n"), "vxlan01: ok\n");
        assert_eq!(clean("cut \u{1b}["), "cut ");
        assert_eq!(clean("\u{1b}]0;vyos@dc: ~\u{7}vyos@dc:~$ \u{1b}(Bshow\r\r\n"), "vyos@dc:~$ show\n");
    }

    #[test]
    fn no_line_costs_more_than_its_length() {
        let far = "x".repeat(WIDEST - 8);
        for (what, again) in [
            ("wiped far right", "\u{8}\u{1b}[2Kx"),
            ("wiped, then drawn at the left", "\u{1b}[2Ky\u{8}\u{8}z"),
            ("overwritten", "\rxyz\u{1b}[K"),
            ("titles", "\u{1b}]0;vyos\u{7}"),
            ("short", "\u{1b}(B\u{1b}="),
        ] {
            for repeats in [1_000, 20_000] {
                let text = format!("{far}{}\n", again.repeat(repeats));
                let (cleaned, steps) = work::counted(|| clean(&text));
                assert!(steps <= 2 * text.len() as u64, "{what}: {steps} steps for {} bytes", text.len());
                assert!(cleaned.len() <= WIDEST + 1, "{what}");
            }
        }
        assert_eq!(clean("abcd\u{8}\u{1b}[2Kx\ry\n"), "y  x\n");
    }

    #[test]
    fn nothing_is_drawn_after_the_deadline() {
        let late =
            bounds::within(crate::model::plan::ReadLimits::default(), std::time::Instant::now(), || {
                clean("a\r\nb\n")
            });
        assert_eq!(late.0, "");
    }

    #[test]
    fn what_a_pager_wiped_is_gone() {
        assert_eq!(clean(":\r\u{1b}[K    RX:  bytes\r\n"), "    RX:  bytes\n");
        assert_eq!(clean("\u{1b}[7m(END)\u{1b}[27m\r\u{1b}[2K\u{1b}[?1l\u{1b}>"), "");
        assert_eq!(clean(":\u{8} \u{8}vxlan02"), "vxlan02");
        assert_eq!(clean("\u{1b}[K\u{1b}[10Cx"), "x");
    }
}
