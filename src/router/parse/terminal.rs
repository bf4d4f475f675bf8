//! Text as it stands on a screen, from the bytes that a terminal was sent.
//!
//! With a terminal VyOS pipes its output through `less`: CRLF, colours, `ESC [?1h ESC =`, a `:` prompt that is wiped
//! with a carriage return and `ESC [K`, backspaces. `bridge -c` colours even without one.

/// Text without escape sequences and carriage returns; what was wiped or overwritten is gone.
#[must_use]
pub fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (body, end) = line.strip_suffix('\n').map_or((line, ""), |body| (body, "\n"));
        let body = body.trim_end_matches('\r');
        if body.contains(['\u{1b}', '\u{8}', '\r', '\u{7}']) {
            clean.extend(draw(body));
        } else {
            clean.push_str(body);
        }
        clean.push_str(end);
    }
    clean
}

/// No line that a terminal draws is longer, in characters; a longer one is cut.
const WIDEST: usize = 1 << 16;

/// One line as a terminal shows it.
fn draw(line: &str) -> Vec<char> {
    let mut screen: Vec<char> = Vec::new();
    let mut cursor: usize = 0;
    let mut chars = line.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\r' => cursor = 0,
            '\u{8}' => cursor = cursor.saturating_sub(1),
            '\u{7}' => {}
            // CSI: parameters up to a final byte 0x40..0x7e (ECMA-48 section 5.4). K wipes: to the end, or all.
            '\u{1b}' if chars.next_if_eq(&'[').is_some() => {
                let mut wiped = cursor;
                while let Some(part) = chars.next_if(|part| !('\u{40}'..='\u{7e}').contains(part)) {
                    if part == '2' {
                        wiped = 0;
                    }
                }
                if chars.next() == Some('K') {
                    screen.truncate(wiped);
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
            _ if cursor >= WIDEST => {}
            char => {
                if screen.len() < cursor {
                    screen.resize(cursor, ' ');
                }
                if let Some(place) = screen.get_mut(cursor) {
                    *place = char;
                } else {
                    screen.push(char);
                }
                cursor += 1;
            }
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
    fn what_a_pager_wiped_is_gone() {
        assert_eq!(clean(":\r\u{1b}[K    RX:  bytes\r\n"), "    RX:  bytes\n");
        assert_eq!(clean("\u{1b}[7m(END)\u{1b}[27m\r\u{1b}[2K\u{1b}[?1l\u{1b}>"), "");
        assert_eq!(clean(":\u{8} \u{8}vxlan02"), "vxlan02");
        assert_eq!(clean("\u{1b}[K\u{1b}[10Cx"), "x");
    }
}
