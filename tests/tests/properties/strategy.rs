//! How inputs are generated.

pub(crate) mod events;
pub(crate) mod json;
pub(crate) mod peer;
pub(crate) mod query;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// A short text of any characters.
pub(crate) fn text() -> impl Strategy<Value = String> {
    vec(any::<char>(), 0..8).prop_map(String::from_iter)
}

/// One change of a byte.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Edit {
    /// Flips these bits, of which there are some.
    Flip(u8),
    Insert(u8),
    Remove,
}

impl Edit {
    /// Changes any byte. All that are ASCII stay so if `mask` is 127.
    pub(crate) fn any(mask: u8) -> impl Strategy<Value = Self> {
        prop_oneof![
            (1..=mask).prop_map(Self::Flip),
            (0..=mask).prop_map(Self::Insert),
            Just(Self::Remove),
        ]
    }

    /// Changes the byte at a place, of bytes that are not empty.
    pub(crate) fn apply(self, bytes: &[u8], place: Index) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        let length = bytes.len();
        match self {
            Self::Flip(bits) => bytes[place.index(length)] ^= bits,
            Self::Insert(byte) => bytes.insert(place.index(length + 1), byte),
            Self::Remove => _ = bytes.remove(place.index(length)),
        }
        bytes
    }

    /// Changes a text of ASCII into another.
    pub(crate) fn apply_to_text(self, text: &str, place: Index) -> String {
        String::from_utf8(self.apply(text.as_bytes(), place)).expect("ASCII")
    }
}
