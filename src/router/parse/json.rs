//! Parses a router's JSON with a bound on memory.
//!
//! A parsed value takes many times the memory of its text: `{"a":1},` takes 600 bytes. So the
//! elements of an array are read one at a time. Of each element, or of a document that is not an
//! array, only as much is parsed as a budget allows; the rest is left out and counted.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::{
    model::types::DroppedKind,
    router::bounds::{self, is_late},
};

/// Budget of any document, in bytes of memory.
const LEAST: usize = 4 << 20;
/// Additional budget for each byte of its text.
const FOR_EACH_BYTE: usize = 3;
/// Memory of a value, of a map, and of one more entry of a map, in bytes: measured with
/// `serde_json`.
const VALUE: usize = 32;
const MAP: usize = 640;
const ENTRY: usize = 110;

/// The budget for a text of that length, in bytes.
pub(super) fn budget(length: usize) -> usize {
    LEAST.max(length.saturating_mul(FOR_EACH_BYTE))
}

/// Called for a list element as soon as it is parsed: returns true if the element need not be kept.
pub(super) type Take<'t> = &'t mut dyn FnMut(&str, &Value) -> bool;

/// Parses a value within a budget.
pub(super) struct Affordable<'b, 't> {
    left: &'b mut usize,
    /// The key that holds the value, and the consumer of list elements under it.
    key: &'b str,
    take: Option<&'b mut Take<'t>>,
}

impl<'b, 't> Affordable<'b, 't> {
    pub(super) fn new(left: &'b mut usize) -> Self {
        Self { left, key: "", take: None }
    }

    pub(super) fn taking(left: &'b mut usize, take: &'b mut Take<'t>) -> Self {
        Self { left, key: "", take: Some(take) }
    }
}

/// Takes `cost` from the budget; false if there is not enough.
fn spend(left: &mut usize, cost: usize) -> bool {
    let affordable = *left >= cost;
    *left -= if affordable { cost } else { 0 };
    affordable
}

impl<'de> DeserializeSeed<'de> for Affordable<'_, '_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Affordable<'_, '_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        if spend(self.left, text.len()) {
            return Ok(Value::String(text.to_owned()));
        }
        bounds::leave_out(DroppedKind::Value, 1);
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        loop {
            // An element that is not kept costs nothing.
            let mut for_one = *self.left;
            let Some(value) = list.next_element_seed(Affordable::new(&mut for_one))? else {
                return Ok(Value::Array(values));
            };
            if self.take.as_mut().is_some_and(|take| take(self.key, &value)) {
                if is_late() {
                    return Err(A::Error::custom("the deadline passed"));
                }
                continue;
            }
            *self.left = for_one;
            // A growing list doubles its memory.
            if !spend(self.left, 2 * VALUE) {
                let mut more = 1;
                while list.next_element::<IgnoredAny>()?.is_some() {
                    more += 1;
                }
                bounds::leave_out(DroppedKind::Value, more);
                return Ok(Value::Array(values));
            }
            values.push(value);
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        let mut affordable = spend(self.left, MAP);
        let mut more = 0;
        while let Some(key) = entries.next_key::<String>()? {
            affordable = affordable && spend(self.left, ENTRY + key.len());
            if affordable {
                let take = self.take.as_deref_mut();
                let value = entries.next_value_seed(Affordable { left: self.left, key: &key, take })?;
                map.insert(key, value);
            } else {
                entries.next_value::<IgnoredAny>()?;
                more += 1;
            }
        }
        bounds::leave_out(DroppedKind::Value, more);
        Ok(Value::Object(map))
    }
}
