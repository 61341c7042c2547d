//! The leniency of the contract in reading a body: lists, words, ids and times by what they hold.
//!
//! A value of ours is first cut out of the text, which checks it as JSON and nothing more, and
//! then read by its first byte. So a number keeps its digits whatever its size, nothing recurses
//! however deep it is, and a value of the wrong type costs nothing but itself.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// A number of fewer digits than this, without an exponent, never exceeds an `f64`.
const SAFE_NUMBER_LENGTH: usize = 300;

/// Parses the whole of `text` as one object, with nothing but white space around it.
pub(crate) fn read<'a, T: Object<'a>>(text: &'a str) -> Result<T, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let object = deserializer.deserialize_map(ObjectVisitor::<T>::new())?;
    deserializer.end()?;
    Ok(object)
}

/// An object with keys that we know. A key that is none of its own is passed over with its value.
pub(crate) trait Object<'de>: Default {
    /// Takes the value of `key` out of `map` if the key is one of this object's.
    fn take<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<Taken, A::Error>;
}

/// Whether [`Object::take`] knew the key.
pub(crate) enum Taken {
    Yes,
    No,
}

/// Defines the keys of an object; each value has a [`Slot`].
macro_rules! object {
    ($(#[$doc:meta])* $vis:vis struct $name:ident { $($field:ident: $kind:ty = $key:path,)* }) => {
        $(#[$doc])*
        #[derive(Default)]
        $vis struct $name<'de> {
            $($field: $crate::json::Slot<$kind>,)*
            lifetime: std::marker::PhantomData<&'de ()>,
        }

        impl<'de> $crate::json::Object<'de> for $name<'de> {
            fn take<A: serde::de::MapAccess<'de>>(
                &mut self,
                key: &str,
                map: &mut A,
            ) -> Result<$crate::json::Taken, A::Error> {
                match key {
                    $($key => self.$field.fill(map)?,)*
                    _ => return Ok($crate::json::Taken::No),
                }
                Ok($crate::json::Taken::Yes)
            }
        }
    };
}
pub(crate) use object;

/// The value of one of our keys, which an object may have once.
pub(crate) struct Slot<T>(Option<T>);

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Slot<T> {
    pub(crate) fn fill<'de, A>(&mut self, map: &mut A) -> Result<(), A::Error>
    where
        T: Deserialize<'de>,
        A: MapAccess<'de>,
    {
        if self.0.is_some() {
            return Err(A::Error::custom("a key is given twice"));
        }
        self.0 = Some(map.next_value()?);
        Ok(())
    }
}

impl<'a> Slot<Scalar<'a>> {
    /// The value; one that is absent is the same as `null`.
    pub(crate) fn scalar(self) -> Scalar<'a> {
        self.0.unwrap_or(Scalar::Null)
    }

    /// An id: the string as it is, or the digits of a number.
    pub(crate) fn id(self) -> Option<String> {
        self.scalar().text().map(Cow::into_owned)
    }

    /// One of the vendor's words, known or not.
    pub(crate) fn word<T: From<Cow<'a, str>>>(self) -> Option<T> {
        self.scalar().text().map(T::from)
    }

    /// A whole number that fits, as a number or as a string.
    pub(crate) fn integer(self) -> Option<i64> {
        self.scalar().text()?.parse().ok()
    }
}

impl<T> Slot<Nested<T>> {
    pub(crate) fn object(self) -> Option<T> {
        self.0?.0
    }
}

impl<T> Slot<List<T>> {
    pub(crate) fn list(self) -> Vec<T> {
        self.0.map(|list| list.0).unwrap_or_default()
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<T> ObjectVisitor<T> {
    const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<'de, T: Object<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let mut object = T::default();
        while let Some(key) = map.next_key::<Key<'de>>()? {
            if let Taken::No = object.take(&key.0, &mut map)? {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(object)
    }
}

/// A key, unescaped. One that has no text, by a lone surrogate, becomes one that nobody has.
struct Key<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Key<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        Ok(Self(string(raw).unwrap_or(Cow::Borrowed(""))))
    }
}

/// A value that should be a string or a number.
pub(crate) enum Scalar<'a> {
    /// `null`, or not there.
    Null,
    /// A string, unescaped.
    Text(Cow<'a, str>),
    /// A number as it is written.
    Number(&'a str),
    /// A value of another type.
    Other,
}

impl<'a> Scalar<'a> {
    /// Reads one value; fails for a string that is no text and for a number beyond an `f64`.
    fn read(raw: &'a str) -> Result<Self, serde_json::Error> {
        Ok(match raw.as_bytes().first() {
            Some(b'"') => Self::Text(string(raw)?),
            Some(b'-' | b'0'..=b'9') => {
                let has_exponent = raw.bytes().any(|b| matches!(b, b'e' | b'E'));
                if has_exponent || raw.len() >= SAFE_NUMBER_LENGTH {
                    serde_json::from_str::<f64>(raw)?;
                }
                Self::Number(raw)
            }
            Some(b'n') => Self::Null,
            _ => Self::Other,
        })
    }

    /// The text of a string or a number.
    fn text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number(number) => Some(Cow::Borrowed(number)),
            Self::Null | Self::Other => None,
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        Self::read(raw).map_err(|_| unreadable())
    }
}

/// For a value of ours that is JSON but neither text nor number. What the inner parser said is
/// left out: its position would be counted from the value's start.
fn unreadable<E: serde::de::Error>() -> E {
    E::custom("a value cannot be read")
}

/// A string with its quotes, which is valid JSON already; borrowed unless it has an escape.
fn string(raw: &str) -> Result<Cow<'_, str>, serde_json::Error> {
    match raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')) {
        Some(text) if !text.contains('\\') => Ok(Cow::Borrowed(text)),
        _ => serde_json::from_str(raw).map(Cow::Owned),
    }
}

/// An object inside an object, if it is one.
pub(crate) struct Nested<T>(Option<T>);

impl<'de, T: Object<'de>> Deserialize<'de> for Nested<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NestedVisitor(PhantomData))
    }
}

struct NestedVisitor<T>(PhantomData<T>);

impl<'de, T: Object<'de>> Visitor<'de> for NestedVisitor<T> {
    type Value = Nested<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        ObjectVisitor::new().visit_map(map).map(|object| Nested(Some(object)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Nested(None))
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Nested(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Nested(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Nested(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Nested(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Nested(None))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Nested(None))
    }
}

/// An entry of a list of members.
pub(crate) trait Entry<'a>: Sized {
    /// Reads one value; `None` if it is of a type that such a list does not have.
    fn read(raw: &'a str) -> Result<Option<Self>, serde_json::Error>;
}

impl<'a> Entry<'a> for String {
    fn read(raw: &'a str) -> Result<Option<Self>, serde_json::Error> {
        Ok(Scalar::read(raw)?.text().map(Cow::into_owned))
    }
}

/// A list of members. One string or number alone is a list of one; entries of another type are
/// skipped, and a value of another type is an empty list.
pub(crate) struct List<T>(Vec<T>);

impl<'de, T: Entry<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        let list = match raw.as_bytes().first() {
            Some(b'[') => {
                serde_json::Deserializer::from_str(raw).deserialize_seq(ListVisitor(PhantomData))
            }
            Some(b'{') => Ok(Vec::new()),
            _ => T::read(raw).map(|entry| entry.into_iter().collect()),
        };
        list.map(List).map_err(|_| unreadable())
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Entry<'de>> Visitor<'de> for ListVisitor<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
        let mut entries = Vec::new();
        while let Some(raw) = seq.next_element::<&RawValue>()? {
            entries.extend(T::read(raw.get()).map_err(|_| unreadable::<A::Error>())?);
        }
        Ok(entries)
    }
}
