//! The leniency of the contract in reading a body: what a known field becomes of each JSON type.
//!
//! A body is read quickly first, with `serde_json`'s own strings and numbers. Where those would
//! lose something, a number that does not fit 64 bits or a key that is no text, and where the body
//! is malformed, it is read once more, exactly: each value is cut out of the text as it stands
//! before it is read. Both ways go through the same [`Shape`]s, and only the second one refuses.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

mod list;
mod object;
mod scalar;

pub(crate) use list::{Entry, List};
pub(crate) use object::{FieldsVisitor, Nested, Object, Slot, object};
pub(crate) use scalar::{Id, Integer, Number, Scalar, Word};

/// Parses the whole of `text` as one object, with nothing but white space around it, into an empty
/// `object`.
pub(crate) fn read<'a, T: Object<'a>>(
    text: &'a str,
    object: &mut T,
) -> Result<(), serde_json::Error> {
    read_by(Mode::Quick, text, object).or_else(|_| {
        *object = T::default();
        read_by(Mode::Exact, text, object)
    })
}

fn read_by<'a, T: Object<'a>>(
    mode: Mode,
    text: &'a str,
    object: &mut T,
) -> Result<(), serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    deserializer.deserialize_map(FieldsVisitor { object, mode })?;
    deserializer.end()
}

/// How values are read.
#[derive(Clone, Copy)]
pub(crate) enum Mode {
    /// With `serde_json`'s strings and numbers. Fails where something would be lost.
    Quick,
    /// From the text of each value, cut out first.
    Exact,
}

/// What the value of a known key becomes of each JSON type. `null` leaves it as it is.
pub(crate) trait Shape<'de> {
    /// Whether an object is what the shape is for. Else it is a wrong type.
    const TAKES_MAP: bool = false;
    /// Whether an array is what the shape is for. Else it is a wrong type.
    const TAKES_SEQ: bool = false;

    /// A string, unescaped.
    fn text(&mut self, _: Cow<'de, str>) {}

    /// A number.
    fn number(&mut self, number: Number<'de>) {
        self.text(number.into_text());
    }

    /// A boolean, or a value of a wrong type.
    fn other(&mut self) {}

    /// An object, if the shape takes one.
    fn map<A: MapAccess<'de>>(&mut self, _: A, _: Mode) -> Result<(), A::Error> {
        Err(to_be_read_exactly())
    }

    /// An array, if the shape takes one.
    fn seq<A: SeqAccess<'de>>(&mut self, _: A, _: Mode) -> Result<(), A::Error> {
        Err(to_be_read_exactly())
    }
}

/// The error that ends the quick reading. No sample of the documents comes here.
fn to_be_read_exactly<E: Error>() -> E {
    E::custom("to be read exactly")
}

/// Reads one value into a shape, in place: events are large enough for moves to be felt.
pub(crate) struct ValueSeed<'s, T> {
    shape: &'s mut T,
    mode: Mode,
}

impl<'de, T: Shape<'de>> DeserializeSeed<'de> for ValueSeed<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.mode {
            Mode::Quick => deserializer.deserialize_any(self),
            Mode::Exact => {
                let raw = <&RawValue>::deserialize(deserializer)?.get();
                let mut inner = serde_json::Deserializer::from_str(raw);
                match raw.as_bytes().first() {
                    Some(b'{') if T::TAKES_MAP => inner.deserialize_map(self),
                    Some(b'[') if T::TAKES_SEQ => inner.deserialize_seq(self),
                    _ => scalar::exact(raw, self.shape),
                }
                // What the inner parser says is left out: it counts from the value's start.
                .map_err(|_| D::Error::custom("a value of ours cannot be read"))
            }
        }
    }
}

impl<'de, T: Shape<'de>> Visitor<'de> for ValueSeed<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<(), E> {
        self.shape.text(Cow::Borrowed(text));
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.shape.text(Cow::Owned(text.to_owned()));
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.shape.number(Number::Unsigned(number));
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.shape.number(Number::Signed(number));
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        // Its digits are lost.
        Err(to_be_read_exactly())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.shape.other();
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        self.shape.map(map, self.mode)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        self.shape.seq(seq, self.mode)
    }
}
