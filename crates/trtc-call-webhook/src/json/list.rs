//! Lists of members.

use std::borrow::Cow;

use serde::de::{MapAccess, SeqAccess};

use super::{Mode, Shape, ValueSeed};
use crate::user_ids::UserIds;

/// A list of members. One string or number alone is a list of one; entries of another type are
/// skipped, and a value of another type is an empty list.
pub(crate) struct List<T>(Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> List<T> {
    pub(super) fn into_vec(self) -> Vec<T> {
        self.0
    }
}

/// An entry of a list of members.
pub(crate) trait Entry<'de>: Sized {
    /// An entry that is a string or a number.
    fn of_account(account: String) -> Self;

    /// An entry that is an object, if it has what it needs.
    fn of_map<A: MapAccess<'de>>(map: A, mode: Mode) -> Result<Option<Self>, A::Error>;
}

/// `None` is an entry of another type.
impl<'de, T: Entry<'de>> Shape<'de> for Option<T> {
    const TAKES_MAP: bool = true;

    fn text(&mut self, text: Cow<'de, str>) {
        *self = Some(T::of_account(text.into_owned()));
    }

    fn map<A: MapAccess<'de>>(&mut self, map: A, mode: Mode) -> Result<(), A::Error> {
        *self = T::of_map(map, mode)?;
        Ok(())
    }
}

impl<'de, T: Entry<'de>> Shape<'de> for List<T> {
    const TAKES_SEQ: bool = true;

    fn text(&mut self, text: Cow<'de, str>) {
        self.0.push(T::of_account(text.into_owned()));
    }

    fn seq<A: SeqAccess<'de>>(&mut self, mut seq: A, mode: Mode) -> Result<(), A::Error> {
        loop {
            let mut entry: Option<T> = None;
            if seq.next_element_seed(ValueSeed { shape: &mut entry, mode })?.is_none() {
                return Ok(());
            }
            self.0.extend(entry);
        }
    }
}

/// The same for a list of nothing but user ids.
impl<'de> Shape<'de> for UserIds {
    const TAKES_SEQ: bool = true;

    fn text(&mut self, id: Cow<'de, str>) {
        self.push(&id);
    }

    fn seq<A: SeqAccess<'de>>(&mut self, mut seq: A, mode: Mode) -> Result<(), A::Error> {
        let shape = &mut OneOf(self);
        while seq.next_element_seed(ValueSeed { shape, mode })?.is_some() {}
        Ok(())
    }
}

/// One entry of a list of user ids. An array in the array is of a wrong type.
struct OneOf<'s>(&'s mut UserIds);

impl<'de> Shape<'de> for OneOf<'_> {
    #[inline]
    fn text(&mut self, id: Cow<'de, str>) {
        self.0.push(&id);
    }
}
