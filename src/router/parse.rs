//! Parsers of router output: pure functions of text, without socket or clock, tested with captured
//! output.
//!
//! Routers print text before the JSON (`bad magic vxlan01`, login banners), empty elements (`{}`)
//! inside it, and unknown fields; all three are skipped. A known field with the wrong kind of value
//! is an error: an unreadable router is better than a guessed counter. A number that cannot be a
//! counter is left out, and its interface is marked (`links::ReadLink::suspicious`).
//!
//! Known faults of iproute2's JSON are mended. A list element that still cannot be read is left out
//! and counted, unless it is a vxlan device: these are read completely or not at all.

use std::{fmt, net::IpAddr};

use serde::{
    Deserialize,
    de::{DeserializeSeed as _, Deserializer as _, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value, error::Category};

use self::json::Affordable;
use super::bounds;
use crate::{
    model::types::{DroppedKind, InterfaceName},
    text::{Sentence, Text, visible},
    vendor::Vyos,
};

pub(crate) mod api_config;
pub(crate) mod api_error;
pub(in crate::router) mod api_reply;
pub(crate) mod api_show;
mod counters;
pub(crate) mod error_text;
pub(crate) mod fdb;
pub(crate) mod ip_stack;
pub(crate) mod ip_text;
mod json;
pub(crate) mod link;
pub(crate) mod links;
pub(crate) mod neigh;
pub mod op_mode_raw;
pub(crate) mod ping;
mod repair;
pub(crate) mod route;
pub mod sections;
pub(crate) mod show_summary;
pub mod show_text;
pub mod system;
mod table;
pub mod terminal;
mod text;
pub(crate) mod vlan_vni;
pub(crate) mod vlan_vni_stats;
pub(crate) mod vlan_vni_table;
pub(crate) mod vni;

/// Output that could not be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("output of `{command}`, line {line}: {message}")]
pub struct ParseError {
    /// The command that printed it.
    pub command: &'static str,
    /// Line of the output, from 1.
    pub line: usize,
    /// What was expected and what was seen.
    pub message: Sentence,
}

type Object = Map<String, Value>;

/// Applies `read` to each object of the JSON array (or to the one object) in `output`. Empty
/// objects, and those for which `read` returns `None`, are left out.
fn each<T>(
    command: &'static str,
    output: &str,
    read: impl FnMut(&Object) -> Result<Option<T>, String>,
) -> Result<Vec<T>, ParseError> {
    each_taking(command, output, &mut |_, _| false, read)
}

/// Like [`each`], but `take` consumes the elements of long lists inside an object while they are
/// parsed.
fn each_taking<T>(
    command: &'static str,
    output: &str,
    take: json::Take<'_>,
    read: impl FnMut(&Object) -> Result<Option<T>, String>,
) -> Result<Vec<T>, ParseError> {
    let budget = json::budget(output.len());
    let mut elements =
        Elements { read, take, budget, all: Vec::new(), index: 0, failed: None, spared: Vec::new() };
    let line = first_json(command, output, &mut elements)?;
    let Elements { all, mut failed, mut spared, .. } = elements;
    if all.is_empty() && failed.is_none() && !spared.is_empty() {
        failed = Some(spared.swap_remove(0));
    }
    if let Some(message) = failed {
        return Err(ParseError { command, line, message: message.into() });
    }
    for why in spared {
        bounds::leave_out_for(DroppedKind::Unreadable, format!("output of `{command}`: {why}"));
    }
    Ok(all)
}

/// The objects of a document, read one at a time.
struct Elements<'t, T, R> {
    read: R,
    take: json::Take<'t>,
    budget: usize,
    all: Vec<T>,
    index: usize,
    /// The first error in an element that must be readable.
    failed: Option<String>,
    /// Errors in other elements, which are left out.
    spared: Vec<String>,
}

impl<T, R: FnMut(&Object) -> Result<Option<T>, String>> Elements<'_, T, R> {
    /// Reads the JSON that `text` begins with. Broken JSON is mended; failing that, its intact
    /// elements are read.
    fn read(&mut self, text: &str) -> serde_json::Result<()> {
        if bounds::is_late() {
            return Err(serde_json::Error::custom("the deadline passed here"));
        }
        let Err(broken) = whole(text) else { return self.document(text) };
        if broken.classify() != Category::Syntax {
            return Err(broken);
        }
        let mended = repair::mended(text);
        if let Some(mended) = mended.as_deref().filter(|mended| whole(mended).is_ok()) {
            return self.document(mended);
        }
        match repair::elements(mended.as_deref().unwrap_or(text)) {
            Some(elements) if elements.iter().any(|element| whole(element).is_ok()) => self.pieces(&elements),
            _ => Err(broken),
        }
    }

    fn document(&mut self, text: &str) -> serde_json::Result<()> {
        serde_json::Deserializer::from_str(text).deserialize_any(self)
    }

    /// Reads elements one by one.
    fn pieces(&mut self, elements: &[&str]) -> serde_json::Result<()> {
        for text in elements {
            let mut left = self.budget;
            let mut from = serde_json::Deserializer::from_str(text);
            let read = Affordable::taking(&mut left, &mut self.take).deserialize(&mut from);
            match read.and_then(|element| from.end().map(|()| element)) {
                Ok(element) => self.element(&element),
                Err(error) => {
                    self.index += 1;
                    let name = text.split_once("\"ifname\":\"").and_then(|(_, rest)| rest.split_once('"'));
                    let name = name.map_or("no name", |(name, _)| name);
                    self.wrong(name, text.contains("\"info_kind\":\"vxlan\""), &error.to_string());
                }
            }
            if bounds::is_late() {
                return Err(serde_json::Error::custom("the deadline passed here"));
            }
        }
        Ok(())
    }

    fn element(&mut self, element: &Value) {
        self.index += 1;
        let found = match element {
            Value::Object(object) if object.is_empty() => Ok(None),
            Value::Object(object) => (self.read)(object),
            other => Err(format!("expected an object, saw `{}`", excerpt(&other.to_string()))),
        };
        match found {
            Ok(found) => self.all.extend(found),
            Err(message) => {
                let name = element.get("ifname").and_then(Value::as_str).unwrap_or("no name");
                let kind = element.pointer("/linkinfo/info_kind").and_then(Value::as_str);
                self.wrong(name, kind == Some("vxlan"), &message);
            }
        }
    }

    /// Records why an element cannot be read.
    fn wrong(&mut self, name: &str, is_vxlan: bool, message: &str) {
        let is_watched = is_vxlan || InterfaceName::new(name).is_some_and(|name| Vyos::names(&name));
        let message = format!("element {} ({}): {message}", self.index, excerpt(name));
        if is_watched {
            self.failed.get_or_insert(message);
        } else {
            self.spared.push(message);
        }
    }
}

/// Whether a text begins with complete JSON.
fn whole(text: &str) -> serde_json::Result<()> {
    IgnoredAny::deserialize(&mut serde_json::Deserializer::from_str(text)).map(drop)
}

impl<'de, T, R: FnMut(&Object) -> Result<Option<T>, String>> Visitor<'de> for &mut Elements<'_, T, R> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list or an object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        loop {
            let mut left = self.budget;
            let element = Affordable::taking(&mut left, &mut self.take);
            let Some(element) = list.next_element_seed(element)? else { return Ok(()) };
            self.element(&element);
            if bounds::is_late() {
                return Err(A::Error::custom("the deadline passed here"));
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<(), A::Error> {
        let mut left = self.budget;
        let object = Affordable::taking(&mut left, &mut self.take).visit_map(entries)?;
        self.element(&object);
        Ok(())
    }
}

/// Reads the first JSON array or object at the start of a line, and returns the number of that
/// line.
///
/// A banner may also start with a bracket (`[lab] no entry`). Such a line is skipped, but only if
/// the JSON fails on that very line. Otherwise an inner object of a broken array could be read as
/// the whole answer.
fn first_json<T, R: FnMut(&Object) -> Result<Option<T>, String>>(
    command: &'static str,
    text: &str,
    elements: &mut Elements<'_, T, R>,
) -> Result<usize, ParseError> {
    let mut offset = 0;
    let mut banner = None;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let start = offset;
        offset += line.len();
        if !line.trim_start().starts_with(['[', '{']) {
            continue;
        }
        match elements.read(&text[start..]) {
            Ok(()) => return Ok(index + 1),
            Err(error) => {
                let failed = ParseError {
                    command,
                    line: index + error.line(),
                    message: format!("{error}, in `{}`", excerpt(line.trim())).into(),
                };
                if error.classify() != Category::Syntax || error.line() > 1 {
                    return Err(failed);
                }
                banner.get_or_insert(failed);
            }
        }
    }
    // A known error message explains more than the banner before it.
    let said = error_text::classify(text).map_or_else(|| text.trim().into(), |error| error.message);
    Err(banner.unwrap_or_else(|| ParseError {
        command,
        line: 1,
        message: format!("expected JSON, saw `{}`", excerpt(&said)).into(),
    }))
}

/// A field; `None` if it is absent or null.
fn field<'a, T: Deserialize<'a>>(object: &'a Object, key: &str) -> Result<Option<T>, String> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => T::deserialize(value).map(Some).map_err(|error| format!("field `{key}`: {error}")),
    }
}

/// An address; `None` if it is absent. An IPv6 zone (`fe80::1%eth0`) is removed.
fn address(object: &Object, key: &str) -> Result<Option<IpAddr>, String> {
    let Some(text) = field::<&str>(object, key)? else { return Ok(None) };
    let bare = text.split_once('%').map_or(text, |(bare, _)| bare);
    bare.parse()
        .map(Some)
        .map_err(|_| format!("field `{key}`: expected an IP address, saw `{}`", excerpt(text)))
}

/// A word; `None` if it is absent or empty. It is unchecked: the caller must turn it into a checked
/// type.
fn word<'a>(object: &'a Object, key: &str) -> Result<Option<&'a str>, String> {
    Ok(field::<&str>(object, key)?.filter(|text| !text.is_empty()))
}

/// A text for a person; `None` if it is absent or empty.
fn text(object: &Object, key: &str) -> Result<Option<Text>, String> {
    Ok(word(object, key)?.map(Text::new))
}

/// Whether this element has an interface name that the kernel would not accept.
fn is_misnamed(object: &Object) -> bool {
    let name = object.get("ifname").and_then(Value::as_str).unwrap_or_default();
    !name.is_empty() && InterfaceName::new(name).is_none()
}

/// The name of another interface; `None` if it is absent or not a possible name.
fn other_interface(object: &Object, key: &str) -> Result<Option<InterfaceName>, String> {
    Ok(word(object, key)?.and_then(InterfaceName::new))
}

/// The start of a text, at most 60 characters on one line, for error messages.
pub(in crate::router) fn excerpt(text: &str) -> String {
    let spaced = |char| if matches!(char, '\n' | '\r' | '\t') { ' ' } else { char };
    let mut short: String = text.chars().take(60).map(spaced).collect();
    if text.chars().nth(60).is_some() {
        short.push('…');
    }
    visible(&short).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Result<Vec<String>, ParseError> {
        each("test", text, |object| Ok(Some(object["n"].to_string())))
    }

    #[test]
    fn skips_noise_before_the_json_and_empty_elements() {
        let text = "bad magic vxlan01\n[lab] {no entry}\n[{},{\"n\":1},{ },{\"n\":2}]\ntrailing";
        assert_eq!(names(text).unwrap(), ["1", "2"]);
        assert_eq!(names("{\"n\":7}").unwrap(), ["7"]);
        assert_eq!(names("[]").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn an_element_that_cannot_be_read_costs_no_other_but_a_vxlan_all() {
        for broken in [
            r#"[{"n":1,"ifname":"tun50"},{"n":2,"ifname":"tun51","a"b},{"n":3}]"#,
            r#"[{"n":1},{"n":"2","ifname":"tun51"},{"n":3}]"#,
        ] {
            bounds::begin();
            let read = each("test", broken, |object| field::<u32>(object, "n"));
            let why = bounds::why().expect("said").to_string();
            assert_eq!(read.unwrap(), [1, 3], "{broken}");
            assert!(why.starts_with("output of `test`: element 2 (tun51): "), "{why}");
        }
        let vxlan = r#"[{"n":1},{"n":2,"linkinfo":{"info_kind":"vxlan"},"a"b},{"n":3}]"#;
        assert!(names(vxlan).unwrap_err().to_string().contains("element 2"));
        assert!(names(r#"[{"ifname":"vxlan1""n":1},{"n":2}]"#).is_err());
    }

    #[test]
    fn cut_off_json_is_an_error_and_never_one_of_its_inner_objects() {
        let error = names("[\n{\"n\":1},\n{\"n\":").unwrap_err();
        assert_eq!(error.line, 3, "{error}");
        assert!(names("[{\"n\":1},{\"n\":").is_err());
        assert!(names("[\n{\"n\":1}\n{\"n\":2}\n]").is_err());
    }

    #[test]
    fn says_what_was_seen_instead_of_json() {
        let error = names("vbash: ip: command not found\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "output of `test`, line 1: expected JSON, saw `vbash: ip: command not found`"
        );
        assert!(names("").unwrap_err().to_string().ends_with("saw ``"));
        assert!(
            names("[1]")
                .unwrap_err()
                .to_string()
                .contains("element 1 (no name): expected an object, saw `1`")
        );
    }
}
