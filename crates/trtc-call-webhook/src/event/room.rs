//! The TRTC room of a call, and how its id is meant.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// `RoomId`: a number or a string, as `RoomIdType` says (647/68940).
///
/// Where the two are at odds the id is kept as text: type 1 with `roomid-1434`, or with `01434`,
/// which is not how 1434 is written. Without a type of 1 or 2 it is what JSON had.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoomId {
    /// A digit room number.
    Number(u64),
    /// A string room number.
    Text(String),
}

impl RoomId {
    /// An id by its text, as its type says; without one of the two types, as it came. What is not how a
    /// number is written stays a text.
    pub(crate) fn read(text: Cow<'_, str>, kind: Option<RoomIdType>, is_number: bool) -> Self {
        let may_be_number = match kind {
            Some(RoomIdType::Number) => true,
            Some(RoomIdType::Text) => false,
            _ => is_number,
        };
        match text.parse::<u64>() {
            Ok(number) if may_be_number && number.to_string() == text => Self::Number(number),
            _ => Self::Text(text.into_owned()),
        }
    }

    /// How the documents have an id of this kind.
    pub(super) const fn documented_type(&self) -> RoomIdType {
        match self {
            Self::Number(_) => RoomIdType::Number,
            Self::Text(_) => RoomIdType::Text,
        }
    }

    /// Whether it names no room: the vendor sends an empty string before there is one.
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Text(text) if text.is_empty())
    }
}

impl fmt::Display for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

impl From<u64> for RoomId {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<String> for RoomId {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for RoomId {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// `RoomIdType`: how the room's id is meant (647/68940).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "i64", into = "i64")]
#[non_exhaustive]
pub enum RoomIdType {
    /// 1: a number.
    Number,
    /// 2: a string.
    Text,
    /// Anything else; the vendor's own samples have a 0. Made by `From` only.
    #[non_exhaustive]
    Other(i64),
}

impl From<i64> for RoomIdType {
    fn from(number: i64) -> Self {
        match number {
            1 => Self::Number,
            2 => Self::Text,
            other => Self::Other(other),
        }
    }
}

impl From<RoomIdType> for i64 {
    fn from(kind: RoomIdType) -> Self {
        match kind {
            RoomIdType::Number => 1,
            RoomIdType::Text => 2,
            RoomIdType::Other(number) => number,
        }
    }
}

impl fmt::Display for RoomIdType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        i64::from(*self).fmt(f)
    }
}
