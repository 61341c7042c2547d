//! Lists of members.

use std::borrow::Cow;

use serde::de::{MapAccess, SeqAccess};

use super::{Mode, Scalar, Seed, Shape, skip_map};

/// A list of members. One string or number alone is a list of one; entries of another type are
/// skipped, and a value of another type is an empty list.
pub(crate) struct List<T>(Vec<T>);

impl<T> List<T> {
    pub(super) fn into_vec(self) -> Vec<T> {
        self.0
    }
}

/// An entry of a list of members.
pub(crate) trait Entry<'de>: Sized {
    /// An entry that is a string or a number.
    fn of_account(account: String) -> Self;

    /// An entry that is an object, if it may be one.
    fn of_map<A: MapAccess<'de>>(map: A, _: Mode) -> Result<Option<Self>, A::Error> {
        skip_map(map)?;
        Ok(None)
    }
}

impl Entry<'_> for String {
    fn of_account(account: String) -> Self {
        account
    }
}

/// `None` is an entry of another type.
impl<'de, T: Entry<'de>> Shape<'de> for Option<T> {
    fn scalar(scalar: Scalar<'de>) -> Self {
        scalar.text().map(|text| T::of_account(Cow::into_owned(text)))
    }

    fn map<A: MapAccess<'de>>(map: A, mode: Mode) -> Result<Self, A::Error> {
        T::of_map(map, mode)
    }
}

impl<'de, T: Entry<'de>> Shape<'de> for List<T> {
    fn scalar(scalar: Scalar<'de>) -> Self {
        Self(Option::<T>::scalar(scalar).into_iter().collect())
    }

    fn seq<A: SeqAccess<'de>>(mut seq: A, mode: Mode) -> Result<Self, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = seq.next_element_seed(Seed::<Option<T>>::new(mode))? {
            entries.extend(entry);
        }
        Ok(Self(entries))
    }
}
