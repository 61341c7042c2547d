//! A value of a field, whatever its JSON type, and what becomes of it: ids and times may be texts or
//! numbers, one user is a list of one, a wrong type is none.
//!
//! It is read quickly first. `serde_json`'s own numbers keep no digits beyond 64 bits, so where the
//! quick reading meets another number, or a fault, the body is read once more, exactly: each value is cut
//! out of the text before it is looked at.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::sync::LazyLock;

use serde::de::value::MapAccessDeserializer;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess,
    Visitor,
};
use serde::ser::{Serialize, Serializer};
use serde_json::Error;
use serde_json::value::RawValue;

thread_local! {
    /// Whether this thread reads exactly. A derived struct has no way to hand a setting to its values.
    static EXACTLY: Cell<bool> = const { Cell::new(false) };
}

/// Whether some crate of the program has switched `arbitrary_precision` on, so that numbers look like
/// objects to the quick reading.
static NUMBERS_ARE_OBJECTS: LazyLock<bool> = LazyLock::new(|| {
    serde_json::from_str::<serde_json::Number>("1.10").is_ok_and(|n| n.to_string() == "1.10")
});

/// Parses the whole of `text` as one object, with nothing but white space around it: quickly, or else
/// exactly.
///
/// Whoever calls it has seen that the text starts as an object: a derived struct takes an array too.
#[inline]
pub(crate) fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Error> {
    if !*NUMBERS_ARE_OBJECTS && let Ok(payload) = serde_json::from_str(text) {
        return Ok(payload);
    }
    /// Also where a panic unwinds through it: the thread may go on to serve other requests.
    struct Quickly;
    impl Drop for Quickly {
        fn drop(&mut self) {
            EXACTLY.set(false);
        }
    }
    let _quickly = Quickly;
    EXACTLY.set(true);
    serde_json::from_str(text)
}

/// A value where an object would be a `T`.
#[derive(Default)]
pub(crate) enum Value<'a, T = Nothing> {
    /// `null`, or not there.
    #[default]
    Null,
    Text(Cow<'a, str>),
    Whole(i64),
    /// Any other number, as its digits are written.
    Digits(Cow<'a, str>),
    Object(T),
    /// Only in a [`List`].
    List(Vec<Self>),
    /// A boolean, or a list or an object where none belongs.
    Other,
}

/// A value where a list belongs. A text or a number alone is a list of one.
#[derive(Default, serde::Serialize)]
#[serde(bound = "T: Serialize")]
pub(crate) struct List<'a, T = Nothing>(Value<'a, T>);

/// What an object is where none is looked for; its keys are not looked at either.
#[derive(Default, serde::Serialize)]
pub(crate) struct Nothing;

impl<'de> Deserialize<'de> for Nothing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

impl<'a, T> Value<'a, T> {
    /// The text, or the digits of the number.
    #[inline]
    pub(super) fn into_text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) | Self::Digits(text) => Some(text),
            Self::Whole(number) => Some(Cow::Owned(number.to_string())),
            _ => None,
        }
    }

    /// One of the vendor's words, known or not, or an id.
    pub(super) fn into_word<W: From<Cow<'a, str>>>(self) -> Option<W> {
        self.into_text().map(W::from)
    }

    /// The id of a call: none if it is empty.
    #[inline]
    pub(super) fn into_call_id(self) -> Option<String> {
        self.into_word().filter(|id: &String| !id.is_empty())
    }

    /// A whole number of 64 bits with a sign, in digits.
    #[inline]
    pub(super) fn integer(&self) -> Option<i64> {
        match self {
            Self::Whole(number) => Some(*number),
            Self::Text(text) | Self::Digits(text) if !text.starts_with('+') => text.parse().ok(),
            _ => None,
        }
    }

    pub(super) fn into_object(self) -> T
    where
        T: Default,
    {
        if let Self::Object(object) = self { object } else { T::default() }
    }

    pub(super) const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether nothing is there, or an empty text.
    pub(super) fn is_blank(&self) -> bool {
        self.is_null() || matches!(self, Self::Text(text) if text.is_empty())
    }
}

impl<'a, T> List<'a, T> {
    /// What `read` makes of the entries; one of which it makes nothing is skipped.
    #[inline]
    pub(super) fn into_entries<R>(self, read: impl Fn(Value<'a, T>) -> Option<R>) -> Vec<R> {
        let entries = match self.0 {
            Value::List(entries) => entries,
            alone @ (Value::Text(_) | Value::Whole(_) | Value::Digits(_)) => vec![alone],
            Value::Null | Value::Object(_) | Value::Other => Vec::new(),
        };
        entries.into_iter().filter_map(read).collect()
    }
}

impl<'a, T> FromIterator<Value<'a, T>> for List<'a, T> {
    fn from_iter<I: IntoIterator<Item = Value<'a, T>>>(entries: I) -> Self {
        Self(Value::List(entries.into_iter().collect()))
    }
}

impl<'a, T> From<Option<&'a str>> for Value<'a, T> {
    fn from(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, |text| Self::Text(Cow::Borrowed(text)))
    }
}

impl<T> From<Option<i64>> for Value<'_, T> {
    fn from(number: Option<i64>) -> Self {
        number.map_or(Self::Null, Self::Whole)
    }
}

impl<T: Serialize> Serialize for Value<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Whole(number) => serializer.serialize_i64(*number),
            Self::Digits(digits) => match digits.parse() {
                Ok(number) => serializer.serialize_u64(number),
                Err(_) => serializer.serialize_str(digits),
            },
            Self::Object(object) => object.serialize(serializer),
            Self::List(entries) => entries.serialize(serializer),
            Self::Null | Self::Other => serializer.serialize_unit(),
        }
    }
}

impl<'de: 'a, 'a, T: Deserialize<'de>> Deserialize<'de> for Value<'a, T> {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Reader::new(false).deserialize(deserializer)
    }
}

impl<'de: 'a, 'a, T: Deserialize<'de>> Deserialize<'de> for List<'a, T> {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Reader::new(true).deserialize(deserializer).map(Self)
    }
}

/// How a value is read.
struct Reader<T> {
    /// Whether a list belongs here, and no object. The other of the two is passed over: nothing in it is
    /// looked at, nor kept.
    takes_list: bool,
    object: PhantomData<T>,
}

impl<T> Reader<T> {
    const fn new(takes_list: bool) -> Self {
        Self { takes_list, object: PhantomData }
    }
}

impl<'de, T: Deserialize<'de>> Reader<T> {
    /// Reads the text of one valid value; fails for a text with half of a surrogate pair and for a number
    /// beyond a double.
    fn exactly(self, raw: &'de str) -> Result<Value<'de, T>, Error> {
        Ok(match raw.as_bytes() {
            [b'"', ..] => Value::Text(Cow::Owned(serde_json::from_str(raw)?)),
            [b'-' | b'0'..=b'9', ..] if raw.parse().is_ok_and(f64::is_infinite) => {
                return Err(serde::de::Error::custom("a number out of range"));
            }
            [b'-' | b'0'..=b'9', ..] => Value::Digits(Cow::Borrowed(raw)),
            [b'{', ..] if !self.takes_list => Value::Object(serde_json::from_str(raw)?),
            [b'[', ..] if self.takes_list => {
                let entries: Vec<&RawValue> = serde_json::from_str(raw)?;
                let entries = entries.into_iter().map(|raw| Self::new(false).exactly(raw.get()));
                Value::List(entries.collect::<Result<_, _>>()?)
            }
            [b'n', ..] => Value::Null,
            _ => Value::Other,
        })
    }
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Reader<T> {
    type Value = Value<'de, T>;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        if !EXACTLY.get() {
            return deserializer.deserialize_any(self);
        }
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        // What the inner parser says is left out: it counts from the value's start.
        self.exactly(raw).map_err(|_| D::Error::custom("a value of ours cannot be read"))
    }
}

/// The quick reading.
impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
    type Value = Value<'de, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'de, T>, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'de, T>, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value<'de, T>, E> {
        Ok(Value::Whole(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value<'de, T>, E> {
        let digits = |_| Value::Digits(Cow::Owned(number.to_string()));
        Ok(i64::try_from(number).map_or_else(digits, Value::Whole))
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Value<'de, T>, E> {
        Err(E::custom("its digits are lost"))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value<'de, T>, E> {
        Ok(Value::Other)
    }

    fn visit_unit<E>(self) -> Result<Value<'de, T>, E> {
        Ok(Value::Null)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value<'de, T>, A::Error> {
        if self.takes_list {
            IgnoredAny.visit_map(map)?;
            return Ok(Value::Other);
        }
        T::deserialize(MapAccessDeserializer::new(map)).map(Value::Object)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value<'de, T>, A::Error> {
        if !self.takes_list {
            IgnoredAny.visit_seq(list)?;
            return Ok(Value::Other);
        }
        let mut entries = Vec::new();
        while let Some(entry) = list.next_element()? {
            entries.push(entry);
        }
        Ok(Value::List(entries))
    }
}
