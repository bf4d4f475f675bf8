//! Lists with weights, as in `Accept`, `Accept-Encoding` and
//! `Accept-Language` (RFC 9110 section 12.4.2).

use std::cmp::Reverse;

/// An element of such a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WeightedItem<'l> {
    /// What stands before the first `;`.
    pub name: &'l str,
    parameters: &'l str,
    /// In thousandths, above 0.
    pub weight: u16,
}

impl<'l> WeightedItem<'l> {
    /// The value of a parameter, without its quotes.
    pub(crate) fn parameter(&self, wanted: &str) -> Option<&'l str> {
        parameters(self.parameters)
            .find_map(|(name, value)| name.eq_ignore_ascii_case(wanted).then_some(value))
    }
}

/// What these lists want, most wanted first; of the same weight, the first named. What they refuse
/// by `q=0` is not among them, and neither is what has a weight that is no number.
pub(crate) fn items<'l>(lists: impl Iterator<Item = &'l str>) -> Vec<WeightedItem<'l>> {
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
}
