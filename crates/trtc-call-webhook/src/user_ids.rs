//! A list of user ids.

use std::fmt;
use std::iter::FusedIterator;

use memchr::memchr;
use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

/// User ids, in their order.
///
/// A group call has hundreds of members, so they lie one behind the other in one piece of memory,
/// and not in a string each.
///
/// ```
/// use trtc_call_webhook::UserIds;
///
/// let members = UserIds::from(["10001", "user2"]);
/// assert_eq!(members.len(), 2);
/// assert!(members.contains("user2"));
/// for member in &members {
///     println!("{member}");
/// }
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct UserIds {
    /// The ids, with [`END`] behind each.
    bytes: Vec<u8>,
    /// How many they are.
    len: usize,
}

/// Stands behind each id: a byte that no text in UTF-8 has.
const END: u8 = 0xff;

/// The room that the first id makes, in bytes.
const FIRST_BYTES: usize = 64;

impl UserIds {
    /// An empty list.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: Vec::new(), len: 0 }
    }

    /// Adds an id at the end.
    pub fn push(&mut self, id: &str) {
        if self.bytes.capacity() == 0 {
            // Enough for the ids of most calls, so that nothing has to grow.
            self.bytes = Vec::with_capacity(FIRST_BYTES);
        }
        self.bytes.extend_from_slice(id.as_bytes());
        self.bytes.push(END);
        self.len = self.len.saturating_add(1);
    }

    /// How many ids there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The ids in their order.
    pub fn iter(&self) -> UserIdsIter<'_> {
        UserIdsIter { bytes: &self.bytes, len: self.len }
    }

    /// Whether an id is among them.
    #[must_use]
    pub fn contains(&self, id: &str) -> bool {
        self.iter().any(|other| other == id)
    }
}

/// The ids of a [`UserIds`], in their order.
#[derive(Clone, Debug)]
#[must_use = "iterators are lazy"]
pub struct UserIdsIter<'a> {
    /// The ids that are left, with [`END`] behind each.
    bytes: &'a [u8],
    /// How many they are.
    len: usize,
}

impl<'a> Iterator for UserIdsIter<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let (id, rest) = self.bytes.split_at_checked(memchr(END, self.bytes)?)?;
        self.bytes = rest.get(1..)?;
        self.len = self.len.saturating_sub(1);
        str::from_utf8(id).ok()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.len, Some(self.len))
    }
}

impl ExactSizeIterator for UserIdsIter<'_> {}

impl FusedIterator for UserIdsIter<'_> {}

impl<'a> IntoIterator for &'a UserIds {
    type Item = &'a str;
    type IntoIter = UserIdsIter<'a>;

    fn into_iter(self) -> UserIdsIter<'a> {
        self.iter()
    }
}

impl<S: AsRef<str>> Extend<S> for UserIds {
    fn extend<I: IntoIterator<Item = S>>(&mut self, ids: I) {
        ids.into_iter().for_each(|id| self.push(id.as_ref()));
    }
}

impl<S: AsRef<str>> FromIterator<S> for UserIds {
    fn from_iter<I: IntoIterator<Item = S>>(ids: I) -> Self {
        let mut list = Self::new();
        list.extend(ids);
        list
    }
}

impl<S: AsRef<str>, const N: usize> From<[S; N]> for UserIds {
    fn from(ids: [S; N]) -> Self {
        ids.into_iter().collect()
    }
}

impl fmt::Debug for UserIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Serialize for UserIds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for UserIds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Ids;

        impl<'de> Visitor<'de> for Ids {
            type Value = UserIds;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of user ids")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<UserIds, A::Error> {
                let mut ids = UserIds::new();
                while let Some(id) = seq.next_element::<String>()? {
                    ids.push(&id);
                }
                Ok(ids)
            }
        }

        deserializer.deserialize_seq(Ids)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_keep_their_order_and_their_bounds() {
        let ids = ["", "a", "", "bc", "令牌", ""];
        let list = UserIds::from(ids);
        assert_eq!(list.iter().collect::<Vec<_>>(), ids);
        assert_eq!((list.len(), list.iter().len()), (6, 6));
        assert!(list.contains("") && list.contains("bc") && !list.contains("ab"));
        assert_ne!(UserIds::from(["ab", "c"]), UserIds::from(["a", "bc"]));
        assert_eq!(format!("{list:?}"), format!("{ids:?}"));
        assert!(UserIds::new().is_empty() && UserIds::new().iter().next().is_none());
    }
}
