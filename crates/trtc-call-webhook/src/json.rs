//! The leniency of the contract in reading a body: what a known field becomes of each JSON type.
//!
//! A body is read quickly first, with `serde_json`'s own strings and numbers. Where those would
//! lose something, a number that does not fit 64 bits or a key that is no text, and where the body
//! is malformed, it is read once more, exactly: each value is cut out of the text as it stands
//! before it is read. Both ways go through the same [`Shape`]s, and only the second one refuses.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

mod list;
mod object;
mod scalar;

pub(crate) use list::{Entry, List};
pub(crate) use object::{Nested, Object, Slot, Taken, fields, object};
pub(crate) use scalar::Scalar;

use object::ObjectVisitor;

/// Parses the whole of `text` as one object, with nothing but white space around it.
pub(crate) fn read<'a, T: Object<'a>>(text: &'a str) -> Result<T, serde_json::Error> {
    let read = |mode| {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let object = deserializer.deserialize_map(ObjectVisitor::<T>::new(mode))?;
        deserializer.end()?;
        Ok(object)
    };
    read(Mode::Quick).or_else(|_: serde_json::Error| read(Mode::Exact))
}

/// How values are read.
#[derive(Clone, Copy)]
pub(crate) enum Mode {
    /// With `serde_json`'s strings and numbers. Fails where something would be lost.
    Quick,
    /// From the text of each value, cut out first.
    Exact,
}

/// What the value of a known key becomes of each JSON type.
pub(crate) trait Shape<'de>: Sized {
    /// A string, a number, a boolean or `null`.
    fn scalar(scalar: Scalar<'de>) -> Self;

    /// An object: a wrong type unless the shape says otherwise.
    fn map<A: MapAccess<'de>>(map: A, _: Mode) -> Result<Self, A::Error> {
        skip_map(map)?;
        Ok(Self::scalar(Scalar::Other))
    }

    /// An array: a wrong type unless the shape says otherwise.
    fn seq<A: SeqAccess<'de>>(mut seq: A, _: Mode) -> Result<Self, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::scalar(Scalar::Other))
    }
}

fn skip_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<(), A::Error> {
    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

/// Reads one value as a shape.
pub(crate) struct Seed<T> {
    mode: Mode,
    shape: PhantomData<T>,
}

impl<T> Seed<T> {
    pub(crate) const fn new(mode: Mode) -> Self {
        Self { mode, shape: PhantomData }
    }
}

impl<'de, T: Shape<'de>> DeserializeSeed<'de> for Seed<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        match self.mode {
            Mode::Quick => deserializer.deserialize_any(self),
            Mode::Exact => {
                let raw = <&RawValue>::deserialize(deserializer)?.get();
                let mut inner = serde_json::Deserializer::from_str(raw);
                match raw.as_bytes().first() {
                    Some(b'{') => inner.deserialize_map(self),
                    Some(b'[') => inner.deserialize_seq(self),
                    _ => Scalar::exact(raw).map(T::scalar),
                }
                // What the inner parser says is left out: it counts from the value's start.
                .map_err(|_| D::Error::custom("a value of ours cannot be read"))
            }
        }
    }
}

impl<'de, T: Shape<'de>> Visitor<'de> for Seed<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<T, E> {
        Ok(T::scalar(Scalar::Text(Cow::Borrowed(text))))
    }

    fn visit_str<E>(self, text: &str) -> Result<T, E> {
        Ok(T::scalar(Scalar::Text(Cow::Owned(text.to_owned()))))
    }

    fn visit_u64<E>(self, number: u64) -> Result<T, E> {
        Ok(T::scalar(Scalar::Unsigned(number)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<T, E> {
        Ok(T::scalar(Scalar::Signed(number)))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<T, E> {
        Err(E::custom("the digits of a number are lost: to be read exactly"))
    }

    fn visit_bool<E>(self, _: bool) -> Result<T, E> {
        Ok(T::scalar(Scalar::Other))
    }

    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(T::scalar(Scalar::Null))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::map(map, self.mode)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<T, A::Error> {
        T::seq(seq, self.mode)
    }
}
