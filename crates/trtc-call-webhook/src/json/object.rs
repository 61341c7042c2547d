//! Objects with keys that we know.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor,
};
use serde_json::value::RawValue;

use super::scalar::string;
use super::{List, Mode, Scalar, Seed, Shape};

/// An object with keys that we know. A key that is none of its own is passed over with its value.
pub(crate) trait Object<'de>: Default {
    /// Takes the value of `key` out of `map` if the key is one of this object's.
    fn take<A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        mode: Mode,
    ) -> Result<Taken, A::Error>;
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
                mode: $crate::json::Mode,
            ) -> Result<$crate::json::Taken, A::Error> {
                match key {
                    $($key => self.$field.fill(map, mode)?,)*
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
    pub(crate) fn fill<'de, A>(&mut self, map: &mut A, mode: Mode) -> Result<(), A::Error>
    where
        T: Shape<'de>,
        A: MapAccess<'de>,
    {
        if self.0.is_some() {
            return Err(A::Error::custom("a key of ours is given twice"));
        }
        self.0 = Some(map.next_value_seed(Seed::new(mode))?);
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
        self.scalar().integer()
    }
}

impl<T> Slot<Nested<T>> {
    pub(crate) fn object(self) -> Option<T> {
        self.0?.0
    }
}

impl<T> Slot<List<T>> {
    pub(crate) fn list(self) -> Vec<T> {
        self.0.map(List::into_vec).unwrap_or_default()
    }
}

/// An object inside an object, if it is one.
pub(crate) struct Nested<T>(Option<T>);

impl<'de, T: Object<'de>> Shape<'de> for Nested<T> {
    fn scalar(_: Scalar<'de>) -> Self {
        Self(None)
    }

    fn map<A: MapAccess<'de>>(map: A, mode: Mode) -> Result<Self, A::Error> {
        fields(map, mode).map(|object| Self(Some(object)))
    }
}

/// Reads the fields of an object.
pub(crate) fn fields<'de, T: Object<'de>, A: MapAccess<'de>>(
    map: A,
    mode: Mode,
) -> Result<T, A::Error> {
    ObjectVisitor::new(mode).visit_map(map)
}

pub(super) struct ObjectVisitor<T> {
    mode: Mode,
    object: PhantomData<T>,
}

impl<T> ObjectVisitor<T> {
    pub(super) const fn new(mode: Mode) -> Self {
        Self { mode, object: PhantomData }
    }
}

impl<'de, T: Object<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let mut object = T::default();
        while let Some(key) = map.next_key_seed(KeySeed(self.mode))? {
            if let Taken::No = object.take(&key, &mut map, self.mode)? {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(object)
    }
}

/// Reads a key, unescaped.
struct KeySeed(Mode);

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        match self.0 {
            Mode::Quick => deserializer.deserialize_str(self),
            Mode::Exact => {
                let raw = <&RawValue>::deserialize(deserializer)?.get();
                // A key that is no text, by an escaped lone surrogate, is none of ours.
                Ok(string(raw).unwrap_or(Cow::Borrowed("")))
            }
        }
    }
}

impl<'de> Visitor<'de> for KeySeed {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E>(self, key: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}
