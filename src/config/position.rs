//! The position of a key or value in the text.
//!
//! The parser knows positions only while it reads. For rules that involve several keys (e.g. no two
//! routers with one name) the text is parsed once more down to the node in question, where a
//! deliberate failure makes the parser report its position.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// One step down from the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// The value of a key.
    Key(&'static str),
    /// An element of a list, from 0.
    Index(usize),
}

/// Line and column, both from 1, of the node that `steps` lead to; with `key`, of the `nth`
/// (from 0) key of that name in the mapping there.
pub(crate) fn find(text: &str, steps: &[Step], key: Option<(&str, usize)>) -> Option<(usize, usize)> {
    let found = Descent { steps, key }.deserialize(serde_yaml::Deserializer::from_str(text));
    found.err()?.location().map(|at| (at.line(), at.column()))
}

/// Descends along the steps; at their end it fails, and the error carries the position.
struct Descent<'a> {
    steps: &'a [Step],
    key: Option<(&'a str, usize)>,
}

impl<'de> DeserializeSeed<'de> for Descent<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, node: D) -> Result<(), D::Error> {
        node.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Descent<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a position")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Some((Step::Index(wanted), steps)) = self.steps.split_first() else {
            return Err(A::Error::custom("here"));
        };
        for _ in 0..*wanted {
            list.next_element::<IgnoredAny>()?;
        }
        list.next_element_seed(Descent { steps, key: self.key })?;
        Err(A::Error::custom("here"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        match (self.steps.split_first(), self.key) {
            (Some((Step::Key(wanted), steps)), key) => {
                while let Some(name) = map.next_key::<String>()? {
                    if name == *wanted {
                        map.next_value_seed(Descent { steps, key })?;
                    }
                    map.next_value::<IgnoredAny>()?;
                }
            }
            (None, Some((wanted, nth))) => {
                let mut before = nth;
                while map.next_key_seed(KeyTrap { wanted, before: &mut before })?.is_some() {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            _ => {}
        }
        Err(A::Error::custom("here"))
    }
}

/// Fails on the wanted key, inside the key's own scalar.
struct KeyTrap<'a> {
    wanted: &'a str,
    before: &'a mut usize,
}

impl<'de> DeserializeSeed<'de> for KeyTrap<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, key: D) -> Result<(), D::Error> {
        key.deserialize_str(self)
    }
}

impl Visitor<'_> for KeyTrap<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<(), E> {
        if key != self.wanted {
            return Ok(());
        }
        match self.before.checked_sub(1) {
            Some(rest) => *self.before = rest,
            None => return Err(E::custom("here")),
        }
        Ok(())
    }
}
