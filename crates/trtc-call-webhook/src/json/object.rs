//! Objects with keys that we know.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor,
};
use serde_json::value::RawValue;

use super::scalar::string;
use super::{Id, Integer, List, Mode, Scalar, Shape, ValueSeed, Word, to_be_read_exactly};
use crate::user_ids::UserIds;

/// An object with keys that we know. A key that is none of its own is passed over with its value.
pub(crate) trait Object<'de>: Default {
    /// One of its keys.
    type Key;

    /// Which of its keys this is.
    fn find(key: &str) -> Option<Self::Key>;

    /// Takes the value of a key out of `map`.
    fn take<A: MapAccess<'de>>(
        &mut self,
        key: Self::Key,
        map: &mut A,
        mode: Mode,
    ) -> Result<(), A::Error>;
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

        const _: () = {
            #[allow(non_camel_case_types, reason = "the names of the fields")]
            pub(crate) enum Key {
                $($field,)*
            }

            impl<'de> $crate::json::Object<'de> for $name<'de> {
                type Key = Key;

                fn find(key: &str) -> Option<Key> {
                    match key {
                        $($key => Some(Key::$field),)*
                        _ => None,
                    }
                }

                fn take<A: serde::de::MapAccess<'de>>(
                    &mut self,
                    key: Key,
                    map: &mut A,
                    mode: $crate::json::Mode,
                ) -> Result<(), A::Error> {
                    match key {
                        $(Key::$field => self.$field.fill(map, mode),)*
                    }
                }
            }
        };
    };
}
pub(crate) use object;

/// The value of one of our keys, which an object may have once.
#[derive(Default)]
pub(crate) struct Slot<T> {
    value: T,
    is_given: bool,
}

impl<T> Slot<T> {
    pub(crate) fn fill<'de, A>(&mut self, map: &mut A, mode: Mode) -> Result<(), A::Error>
    where
        T: Shape<'de>,
        A: MapAccess<'de>,
    {
        if self.is_given {
            return Err(A::Error::custom("a key of ours is given twice"));
        }
        self.is_given = true;
        map.next_value_seed(ValueSeed { shape: &mut self.value, mode })
    }
}

impl<'a> Slot<Scalar<'a>> {
    /// The value; one that is absent is the same as `null`.
    pub(crate) const fn scalar(&self) -> &Scalar<'a> {
        &self.value
    }

    /// The value, to keep.
    pub(crate) fn into_scalar(self) -> Scalar<'a> {
        self.value
    }
}

impl Slot<Id> {
    pub(crate) fn id(self) -> Option<String> {
        self.value.0
    }
}

impl<T> Slot<Word<T>> {
    pub(crate) fn word(self) -> Option<T> {
        self.value.0
    }

    /// This word, unless it is unusable: absent, empty, or of a wrong type. Then the other, for keys
    /// that the documents spell in two ways.
    pub(crate) fn word_or(self, other: Self) -> Option<T>
    where
        T: AsRef<str>,
    {
        match (self.word(), other.word()) {
            (Some(word), Some(other)) if word.as_ref().is_empty() => Some(other),
            (word, other) => word.or(other),
        }
    }
}

impl Slot<Integer> {
    pub(crate) const fn integer(&self) -> Option<i64> {
        self.value.0
    }
}

impl<T> Slot<Nested<T>> {
    /// The object; without a key of its own where there is none.
    pub(crate) fn object(self) -> T {
        self.value.0
    }
}

impl Slot<UserIds> {
    pub(crate) fn user_ids(self) -> UserIds {
        self.value
    }
}

impl<T> Slot<List<T>> {
    pub(crate) fn list(self) -> Vec<T> {
        self.value.into_vec()
    }
}

/// An object inside an object. A value of another type is the same as an empty object.
#[derive(Default)]
pub(crate) struct Nested<T>(T);

impl<'de, T: Object<'de>> Shape<'de> for Nested<T> {
    const TAKES_MAP: bool = true;

    fn map<A: MapAccess<'de>>(&mut self, map: A, mode: Mode) -> Result<(), A::Error> {
        FieldsVisitor { object: &mut self.0, mode }.visit_map(map)
    }
}

/// The only key of a number under `serde_json`'s feature `arbitrary_precision`.
const NUMBER: &str = "$serde_json::private::Number";

/// Reads the fields of an object into it.
pub(crate) struct FieldsVisitor<'s, T> {
    pub(crate) object: &'s mut T,
    pub(crate) mode: Mode,
}

impl<'de, T: Object<'de>> Visitor<'de> for FieldsVisitor<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key_seed(KeySeed::<T>::new(self.mode))? {
            match key {
                Some(key) => self.object.take(key, &mut map, self.mode)?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// Reads a key, unescaped: one of ours, or `None`.
struct KeySeed<T> {
    mode: Mode,
    object: PhantomData<T>,
}

impl<T> KeySeed<T> {
    const fn new(mode: Mode) -> Self {
        Self { mode, object: PhantomData }
    }
}

impl<'de, T: Object<'de>> DeserializeSeed<'de> for KeySeed<T> {
    type Value = Option<T::Key>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        match self.mode {
            Mode::Quick => deserializer.deserialize_str(self),
            Mode::Exact => exact_key::<T, D>(deserializer),
        }
    }
}

/// The key of an exact reading, out of the way of the quick one.
#[cold]
fn exact_key<'de, T: Object<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T::Key>, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?.get();
    // A key that is no text, by an escaped lone surrogate, is none of ours.
    Ok(string(raw).ok().and_then(|key| T::find(&key)))
}

impl<'de, T: Object<'de>> Visitor<'de> for KeySeed<T> {
    type Value = Option<T::Key>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        let found = T::find(key);
        if found.is_none() && key == NUMBER {
            // Some other crate has switched `serde_json`'s `arbitrary_precision` on, and this is a
            // number in the guise of an object.
            return Err(to_be_read_exactly());
        }
        Ok(found)
    }
}
