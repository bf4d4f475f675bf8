//! The counter tables of an interface: a line of column names after `RX:` or `TX:`, then a row of
//! numbers.
//!
//! Columns are identified by name, never by position: the fifth RX column is `overrun` in VyOS's
//! text and `missed` in newer iproute2, and widths differ with the version and the largest value.
//! VyOS 1.2 pads to ten columns; 1.3 and later right-align to the widest number.

use super::counters::{Counter, PrintedCounters};

/// Whether a line belongs to a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineFate {
    /// It is part of a table.
    Whole,
    /// It is part of a table, and the text ends inside it.
    Cut,
    /// It is not part of a table.
    NotMine,
}

/// The tables of one interface.
#[derive(Debug, Default)]
pub(super) struct CounterTable {
    /// The numbers of complete rows.
    pub printed: PrintedCounters,
    open: Option<Open>,
    begun: bool,
    rx: bool,
    tx: bool,
}

/// A table whose row is not complete yet.
#[derive(Debug)]
struct Open {
    receive: bool,
    /// Whether it is the table `RX errors:` (or `TX errors:`), which `-s -s` adds.
    errors: bool,
    columns: Vec<String>,
    row: Vec<String>,
    /// Column at which the line of names ends, and right-aligned rows with it.
    end: usize,
}

impl CounterTable {
    /// Whether both directions were read; `None` if there is no table.
    pub(super) fn counted(&self) -> Option<bool> {
        self.begun.then_some(self.rx && self.tx)
    }

    pub(super) fn take(&mut self, line: &str, whole: bool) -> LineFate {
        if let Some(open) = Open::begin(line) {
            self.begun = true;
            self.open = Some(open);
            return if whole { LineFate::Whole } else { LineFate::Cut };
        }
        let Some(mut open) = self.open.take() else { return LineFate::NotMine };
        let words: Vec<&str> = line.split_whitespace().collect();
        if open.row.is_empty() && words.iter().all(|word| is_column(word)) {
            open.columns.extend(words.iter().map(|word| (*word).to_owned()));
            self.open = Some(open);
            return if whole { LineFate::Whole } else { LineFate::Cut };
        }
        // Something other than a row follows the names: the table is given up.
        if !words.iter().all(|word| is_number(word)) {
            return LineFate::NotMine;
        }
        open.row.extend(words.iter().map(|word| (*word).to_owned()));
        let whole = whole || ends_whole(line, open.end);
        if open.row.len() < open.columns.len() {
            self.open = Some(open);
            return if whole { LineFate::Whole } else { LineFate::Cut };
        }
        if open.row.len() == open.columns.len() {
            if !whole {
                open.row.pop();
            }
            self.close(&open);
        }
        if whole { LineFate::Whole } else { LineFate::Cut }
    }

    fn close(&mut self, open: &Open) {
        for (column, digits) in open.columns.iter().zip(&open.row) {
            if let Some(counter) = counter(open.receive, column) {
                self.printed.put(counter, digits);
            }
        }
        match (open.errors, open.receive) {
            (true, _) => {}
            (false, true) => self.rx = true,
            (false, false) => self.tx = true,
        }
    }
}

impl Open {
    /// The table that begins with this line of column names.
    fn begin(line: &str) -> Option<Self> {
        let text = line.trim();
        let (receive, rest) = match text.split_at_checked(2)? {
            ("RX", rest) => (true, rest),
            ("TX", rest) => (false, rest),
            _ => return None,
        };
        let (errors, rest) = rest.strip_prefix(" errors").map_or((false, rest), |rest| (true, rest));
        let columns: Vec<_> = rest.strip_prefix(':')?.split_whitespace().map(str::to_owned).collect();
        if columns.is_empty() || !columns.iter().all(|column| is_column(column)) {
            return None;
        }
        Some(Self { receive, errors, columns, row: Vec::new(), end: width(line) })
    }
}

/// Whether the last row of a text without a final line feed is complete. A number that is cut off
/// looks like a smaller one.
pub(super) fn ends_whole(line: &str, end: usize) -> bool {
    let zero = line.split_whitespace().next_back() == Some("0");
    zero || line.ends_with(' ') || width(line) == end
}

/// The column at which the last word of a line ends.
pub(super) fn width(line: &str) -> usize {
    line.trim_end().chars().count()
}

fn is_number(word: &str) -> bool {
    let digits = word.strip_prefix('-').unwrap_or(word);
    !digits.is_empty() && digits.chars().all(|char| char.is_ascii_digit())
}

fn is_column(word: &str) -> bool {
    const OTHERS: [&str; 10] = [
        "length",
        "crc",
        "frame",
        "fifo",
        "nohandler",
        "aborted",
        "window",
        "heartbt",
        "heartbeat",
        "transns",
    ];
    OTHERS.contains(&word) || counter(true, word).is_some() || counter(false, word).is_some()
}

/// The counter for a column name of VyOS or iproute2.
fn counter(receive: bool, column: &str) -> Option<Counter> {
    Some(match (receive, column) {
        (true, "bytes") => Counter::RxBytes,
        (true, "packets") => Counter::RxPackets,
        (true, "errors") => Counter::RxErrors,
        (true, "dropped") => Counter::RxDropped,
        (true, "overrun") => Counter::RxOverErrors,
        (true, "missed") => Counter::RxMissedErrors,
        (true, "mcast") => Counter::RxMulticast,
        (false, "bytes") => Counter::TxBytes,
        (false, "packets") => Counter::TxPackets,
        (false, "errors") => Counter::TxErrors,
        (false, "dropped") => Counter::TxDropped,
        (false, "carrier") => Counter::TxCarrierErrors,
        (false, "collisions" | "collsns") => Counter::TxCollisions,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[(&str, bool)]) -> (Vec<LineFate>, CounterTable) {
        let mut table = CounterTable::default();
        let taken = lines.iter().map(|(line, whole)| table.take(line, *whole)).collect();
        (taken, table)
    }

    #[test]
    fn a_cut_number_is_not_read_as_a_smaller_one() {
        let names = "    RX:  bytes  packets  errors  dropped  overrun       mcast";
        let whole = "         23636       56       0        0        0        1234";
        let (taken, table) = read(&[(names, true), (whole, false)]);
        assert_eq!((taken[1], table.rx), (LineFate::Whole, true));
        assert_eq!(table.printed.believe(false).0.rx_multicast, Some(1234));
        let (taken, table) = read(&[(names, true), (&whole[..whole.len() - 1], false)]);
        assert_eq!(taken[1], LineFate::Cut);
        assert_eq!(table.printed.believe(false).0.rx_multicast, None);
        let (_, table) = read(&[(names, true), (&whole[..30], false)]);
        assert!(!table.rx);
        assert_eq!(table.printed.believe(false).0.rx_bytes, None);
    }

    #[test]
    fn rows_and_names_that_a_terminal_wrapped() {
        let (_, table) = read(&[
            ("RX: bytes packets errors", true),
            ("dropped overrun mcast", true),
            ("1 2 3 4", true),
            ("5 6", true),
        ]);
        assert_eq!(table.printed.believe(false).0.rx_multicast, Some(6));
    }

    #[test]
    fn a_row_with_more_or_fewer_numbers_than_columns_is_no_row() {
        for row in ["1 2 3 4 5", "1 2 3 4 5 6 7"] {
            let (_, table) = read(&[
                ("TX: bytes packets errors dropped carrier collisions", true),
                (row, true),
                ("x", true),
            ]);
            assert_eq!(table.counted(), Some(false), "{row}");
            assert_eq!(table.printed, PrintedCounters::default(), "{row}");
        }
    }

    #[test]
    fn words_after_rx_that_are_no_columns_begin_no_table() {
        assert_eq!(
            read(&[("RX: see wiki", true), ("TX:", true), ("TX", true), ("R", true)]).0,
            [LineFate::NotMine; 4]
        );
    }
}
