//! Lists with weights, as in `Accept` and `Accept-Encoding` (RFC 9110 section 12.4.2).

use std::cmp::Reverse;

use hyper::{HeaderMap, header::HeaderName};

/// An element of such a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::web) struct WeightedItem<'h> {
    /// What stands before the first `;`.
    pub name: &'h str,
    parameters: &'h str,
    /// In thousandths, above 0.
    pub weight: u16,
}

impl<'h> WeightedItem<'h> {
    /// The value of a parameter, without its quotes.
    pub(in crate::web) fn parameter(&self, wanted: &str) -> Option<&'h str> {
        parameters(self.parameters)
            .find_map(|(name, value)| name.eq_ignore_ascii_case(wanted).then_some(value))
    }
}

/// What a client wants by this header, most wanted first; of the same weight, the first named. What
/// it refuses by `q=0` is not among them, and neither is what has a weight that is no number.
pub(in crate::web) fn wanted<'h>(request: &'h HeaderMap, header: &HeaderName) -> Vec<WeightedItem<'h>> {
    let lists = request.get_all(header).iter().filter_map(|list| list.to_str().ok());
    let mut items: Vec<_> = lists.flat_map(|list| split(list, ',')).filter_map(item).collect();
    items.sort_by_key(|item| Reverse(item.weight));
    items
}

fn item(text: &str) -> Option<WeightedItem<'_>> {
    let (name, parameters_text) = text.split_once(';').unwrap_or((text, ""));
    let given = parameters(parameters_text).find(|(name, _)| name.eq_ignore_ascii_case("q"));
    let weight = given.map_or(Some(1000), |(_, value)| thousandths(value)).filter(|weight| *weight > 0)?;
    Some(WeightedItem { name: name.trim(), parameters: parameters_text, weight })
}

fn parameters(text: &str) -> impl Iterator<Item = (&str, &str)> {
    split(text, ';').filter_map(|part| {
        let (name, value) = part.split_once('=')?;
        Some((name.trim(), value.trim().trim_matches('"')))
    })
}

/// The parts between separators that are not inside quotes.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    text.split(move |char| {
        is_quoted ^= char == '"';
        char == separator && !is_quoted
    })
}

/// `0.75` as 750. Some clients leave the 0 out, and some give more digits than they may.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if !part.bytes().all(|byte| byte.is_ascii_digit()) || text == "." || text.is_empty() {
        return None;
    }
    let part = part.bytes().chain([b'0'; 3]).take(3);
    let part = part.fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    match whole {
        "0" | "" => Some(part),
        "1" if part == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::{ACCEPT, HeaderValue};

    use super::*;

    #[test]
    fn weights() {
        for (text, weight) in [
            ("1", Some(1000)),
            ("1.000", Some(1000)),
            ("0.75", Some(750)),
            ("0.001", Some(1)),
            (".2", Some(200)),
            ("0.33333", Some(333)),
            ("0", Some(0)),
            ("1.5", None),
            ("2", None),
            ("-1", None),
            ("nan", None),
            ("inf", None),
            ("0.5e3", None),
            (".", None),
            ("", None),
        ] {
            assert_eq!(thousandths(text), weight, "{text}");
        }
    }

    #[test]
    fn the_most_wanted_comes_first() {
        let mut headers = HeaderMap::new();
        headers.append(ACCEPT, HeaderValue::from_static("a/b;q=0.5 , c/d; Q=0.9;version=\"1;2,3\",e/f;q=0"));
        headers.append(ACCEPT, HeaderValue::from_static("g/h,i/j;q=x,,k/l;q=0.5;x"));
        let wanted = wanted(&headers, &ACCEPT);
        let names: Vec<_> = wanted.iter().map(|item| (item.name, item.weight)).collect();
        // What is empty is an element too, whose name is that of nothing.
        assert_eq!(names, [("g/h", 1000), ("", 1000), ("c/d", 900), ("a/b", 500), ("k/l", 500)]);
        assert_eq!(wanted[2].parameter("VERSION"), Some("1;2,3"));
        assert_eq!(wanted[4].parameter("x"), None);
    }
}
