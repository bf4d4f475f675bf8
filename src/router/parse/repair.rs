//! Mends faults of iproute2's JSON, and splits a list so that one broken element does not spoil the
//! others.
//!
//! Measured with iproute2 4.18 to 7.3 on kernel 6.1: up to 5.10 it writes `\'` in a string, and for
//! an erspan device of version 2 a key without a value, `"erspan_dir":"erspan_hwid":"0x7"`; others
//! have seen `"erspan_dir",`. (4.18 to 5.1 also write `\n` for a backslash, which cannot be told
//! from a line feed.)

/// The text with such faults mended; `None` if it has none. `text` begins with the JSON.
pub(super) fn mended(text: &str) -> Option<String> {
    let mut scan =
        Scan { text, at: 0, copied: 0, out: String::new(), open: Vec::new(), place: NextToken::Value };
    while scan.at < text.len() {
        scan.step();
    }
    if scan.copied == 0 {
        return None;
    }
    scan.out.push_str(&text[scan.copied..]);
    Some(scan.out)
}

/// What may come next in the JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NextToken {
    Key,
    /// After a key.
    Colon,
    Value,
    /// After a value.
    Comma,
}

struct Scan<'t> {
    text: &'t str,
    at: usize,
    /// How many bytes of the text have been copied to `out`.
    copied: usize,
    out: String,
    /// The brackets that are still open.
    open: Vec<u8>,
    place: NextToken,
}

impl Scan<'_> {
    fn step(&mut self) {
        let byte = self.text.as_bytes()[self.at];
        match byte {
            b'"' => return self.string(),
            b'{' | b'[' => {
                self.open.push(byte);
                self.place = if byte == b'{' { NextToken::Key } else { NextToken::Value };
            }
            b'}' | b']' | b',' => {
                let in_object = self.open.last() == Some(&b'{');
                match (in_object, self.place) {
                    (true, NextToken::Colon) => self.insert(self.at, ":null"),
                    (true, NextToken::Value) => self.insert(self.at, "null"),
                    _ => {}
                }
                if byte == b',' {
                    self.place = if in_object { NextToken::Key } else { NextToken::Value };
                } else {
                    self.open.pop();
                    self.place = NextToken::Comma;
                }
            }
            b':' => self.place = NextToken::Value,
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => self.place = NextToken::Comma,
        }
        self.at += 1;
    }

    fn string(&mut self) {
        let (start, is_key) = (self.at, self.place == NextToken::Key);
        let bytes = self.text.as_bytes();
        self.at += 1;
        while let Some(byte) = bytes.get(self.at) {
            self.at += 1;
            match (byte, bytes.get(self.at)) {
                (b'"', _) => break,
                (b'\\', Some(b'\'')) => {
                    self.keep(self.at - 1);
                    self.copied = self.at;
                    self.at += 1;
                }
                (b'\\', Some(_)) => self.at += 1,
                _ => {}
            }
        }
        let next = bytes[self.at..].iter().find(|byte| !byte.is_ascii_whitespace());
        // A second key where the value of the first should be.
        let two_keys =
            self.place == NextToken::Value && self.open.last() == Some(&b'{') && next == Some(&b':');
        if two_keys {
            self.insert(start, "null,");
        }
        self.place = if is_key || two_keys { NextToken::Colon } else { NextToken::Comma };
    }

    fn keep(&mut self, until: usize) {
        self.out.push_str(&self.text[self.copied..until]);
        self.copied = until;
    }

    fn insert(&mut self, at: usize, words: &str) {
        // What was mended inside a string that begins at `at` is already copied.
        if at >= self.copied {
            self.keep(at);
            self.out.push_str(words);
        }
    }
}

/// Splits a list of objects that all begin with the same key into their texts. A broken object ends
/// where the next one begins: inside a string the quotes of that key would be escaped. `None` if it
/// is no such list, or may be cut off.
pub(super) fn elements(text: &str) -> Option<Vec<&str>> {
    let list = text.trim().strip_prefix('[')?.strip_suffix(']')?.trim();
    let key = list.strip_prefix("{\"")?.split_once('"')?.0;
    let opener = format!("{{\"{key}\":");
    let mut starts = vec![0];
    for (at, _) in list.match_indices(&opener).skip(1) {
        let before = list[..at].trim_end();
        if before.strip_suffix(',').is_some_and(|before| before.trim_end().ends_with('}')) {
            starts.push(at);
        }
    }
    let ends = starts.iter().skip(1).copied().chain([list.len()]);
    let all = starts.iter().zip(ends).map(|(start, end)| list[*start..end].trim_end().trim_end_matches(','));
    let all: Vec<_> = all.collect();
    all.last()?.ends_with('}').then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_faults_are_mended() {
        for (broken, whole) in [
            (r#"[{"a":"it\'s \"b\" \\ x\\"}]"#, r#"[{"a":"it's \"b\" \\ x\\"}]"#),
            (r#"[{"v":2,"dir","hwid":"0x7"}]"#, r#"[{"v":2,"dir":null,"hwid":"0x7"}]"#),
            (r#"[{"v":2,"dir":"hwid":"0x7"}]"#, r#"[{"v":2,"dir":null,"hwid":"0x7"}]"#),
            (r#"{"v":{"dir"},"w":,"x":[1]}"#, r#"{"v":{"dir":null},"w":null,"x":[1]}"#),
            (r#"[{"v" : "dir" : "\'" }]"#, r#"[{"v" : null,"dir" : "'" }]"#),
        ] {
            assert_eq!(mended(broken).as_deref(), Some(whole));
            assert_eq!(mended(whole), None);
        }
    }

    #[test]
    fn elements_are_told_apart_although_one_is_broken() {
        let text = r#" [{"n":1,"s":"},{\"n\":9"},
{"n":2,"bro"ken}},{"n":[{"n":3}]} ]
"#;
        let all = elements(text).unwrap();
        assert_eq!(all, [r#"{"n":1,"s":"},{\"n\":9"}"#, r#"{"n":2,"bro"ken}}"#, r#"{"n":[{"n":3}]}"#]);
        for cut in [r#"[{"n":1},{"n":2"#, r#"[{"n":1},{"n":[2]"#, "[1]", "{}", ""] {
            assert_eq!(elements(cut), None, "{cut}");
        }
    }
}
