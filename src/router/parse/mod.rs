//! What routers print, as pure functions of text. No socket, no clock: each is tested with captured output.
//!
//! Routers print things before the JSON (`bad magic vxlan01`, login banners), empty elements (`{}`) inside
//! it, and fields this code has never heard of; all three are skipped. A field that is known and holds the
//! wrong kind of value is an error: a counter guessed is worse than a router reported as unreadable. A number
//! that can be no counter is left out, and its interface says so ([`links::ReadLink::suspicious`]).

use std::{fmt, net::IpAddr};

use serde::{
    Deserialize,
    de::{Deserializer as _, Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value, error::Category};

use self::json::Affordable;
use super::bounds;
use crate::{
    text::{Sentence, Text, visible},
    types::InterfaceName,
};

pub mod api_config;
pub mod api_error;
pub(in crate::router) mod api_reply;
pub mod api_show;
mod counters;
pub mod error_text;
pub mod fdb;
pub mod ip_text;
mod json;
pub mod link;
pub mod links;
pub mod op_mode_raw;
#[cfg(test)]
pub(crate) mod robust;
pub mod route;
pub mod sections;
pub mod show_summary;
pub mod show_text;
pub mod system;
mod table;
pub mod terminal;
mod text;
pub mod vlan_vni;
pub mod vlan_vni_stats;
pub mod vlan_vni_table;
pub mod vni;

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

/// What `read` makes of each object of the JSON array (or of the one object) in `output`. Empty objects, and
/// those of which it makes nothing, are left out.
fn each<T>(
    command: &'static str,
    output: &str,
    read: impl FnMut(&Object) -> Result<Option<T>, String>,
) -> Result<Vec<T>, ParseError> {
    each_taking(command, output, &mut |_, _| false, read)
}

/// The same, where what is long in an object is taken out of it while it is read.
fn each_taking<T>(
    command: &'static str,
    output: &str,
    take: json::Take<'_>,
    read: impl FnMut(&Object) -> Result<Option<T>, String>,
) -> Result<Vec<T>, ParseError> {
    let budget = json::budget(output.len());
    let mut elements = Elements { read, take, budget, all: Vec::new(), index: 0, failed: None };
    let line = first_json(command, output, &mut elements)?;
    match elements.failed {
        Some(message) => Err(ParseError { command, line, message: message.into() }),
        None => Ok(elements.all),
    }
}

/// The objects of a document, read one after the other.
struct Elements<'t, T, R> {
    read: R,
    take: json::Take<'t>,
    budget: usize,
    all: Vec<T>,
    index: usize,
    /// Why one of them is wrong: broken JSON after it says more.
    failed: Option<String>,
}

impl<T, R: FnMut(&Object) -> Result<Option<T>, String>> Elements<'_, T, R> {
    fn element(&mut self, element: &Value) {
        self.index += 1;
        if self.failed.is_some() {
            return;
        }
        let found = match element {
            Value::Object(object) if object.is_empty() => Ok(None),
            Value::Object(object) => (self.read)(object),
            other => Err(format!("expected an object, saw `{}`", excerpt(&other.to_string()))),
        };
        match found {
            Ok(found) => self.all.extend(found),
            Err(message) => {
                let name = element.get("ifname").and_then(Value::as_str).unwrap_or("no name");
                self.failed = Some(format!("element {} ({}): {message}", self.index, excerpt(name)));
            }
        }
    }
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

/// Reads the first JSON array or object that starts a line, and tells that line's number.
///
/// A banner may start with a bracket too (`[lab] no entry`): such a line is passed over, but only where the
/// JSON fails on that very line. Cut-off JSON is never mistaken for a banner, or an inner object of a broken
/// array would be read as the whole answer.
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
        (elements.all, elements.index, elements.failed) = (Vec::new(), 0, None);
        match serde_json::Deserializer::from_str(&text[start..]).deserialize_any(&mut *elements) {
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
    // A known error says more than the banner before it.
    let said = error_text::classify(text).map_or_else(|| text.trim().into(), |error| error.message);
    Err(banner.unwrap_or_else(|| ParseError {
        command,
        line: 1,
        message: format!("expected JSON, saw `{}`", excerpt(&said)).into(),
    }))
}

/// A field that may be absent or null.
fn field<'a, T: Deserialize<'a>>(object: &'a Object, key: &str) -> Result<Option<T>, String> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => T::deserialize(value).map(Some).map_err(|error| format!("field `{key}`: {error}")),
    }
}

/// An address that may be absent; an IPv6 zone (`fe80::1%eth0`) is left out.
fn address(object: &Object, key: &str) -> Result<Option<IpAddr>, String> {
    let Some(text) = field::<&str>(object, key)? else { return Ok(None) };
    let bare = text.split_once('%').map_or(text, |(bare, _)| bare);
    bare.parse()
        .map(Some)
        .map_err(|_| format!("field `{key}`: expected an IP address, saw `{}`", excerpt(text)))
}

/// A word that may be absent; empty is absent too. It is raw: a type of its own must follow.
fn word<'a>(object: &'a Object, key: &str) -> Result<Option<&'a str>, String> {
    Ok(field::<&str>(object, key)?.filter(|text| !text.is_empty()))
}

/// A text for a person that may be absent; empty is absent too.
fn text(object: &Object, key: &str) -> Result<Option<Text>, String> {
    Ok(word(object, key)?.map(Text::new))
}

/// Whether this element names an interface as none can be named.
fn is_misnamed(object: &Object) -> bool {
    let name = object.get("ifname").and_then(Value::as_str).unwrap_or_default();
    !name.is_empty() && InterfaceName::new(name).is_none()
}

/// The name of another interface that may be absent; one that no interface can have is absent too.
fn other_interface(object: &Object, key: &str) -> Result<Option<InterfaceName>, String> {
    Ok(word(object, key)?.and_then(InterfaceName::new))
}

/// At most 60 characters, on one line, to show what was seen.
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
