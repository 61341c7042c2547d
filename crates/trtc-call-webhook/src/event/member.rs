//! A member of a running call.

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::json::{self, Entry, Id, Mode, Word, object};
use crate::names::MemberStatus;
use crate::wire;

/// A member of a running call and what it is doing (`UserList` of 647/68941 and 647/69215).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Member {
    /// User id (`User_Account`).
    pub account: String,
    /// In the call or still called (`Status`).
    pub status: Option<MemberStatus>,
}

impl Member {
    /// A member by its user id and status.
    #[must_use]
    pub fn new(account: impl Into<String>, status: impl Into<Option<MemberStatus>>) -> Self {
        Self { account: account.into(), status: status.into() }
    }
}

object! {
    struct MemberFields {
        account: Id = wire::ACCOUNT,
        status: Word<MemberStatus> = wire::STATUS,
    }
}

/// A member without a user id is skipped; a user id alone is a member without a status.
impl<'de> Entry<'de> for Member {
    fn of_account(account: String) -> Self {
        Self::new(account, None)
    }

    fn of_map<A: MapAccess<'de>>(map: A, mode: Mode) -> Result<Option<Self>, A::Error> {
        let mut fields = MemberFields::default();
        json::FieldsVisitor { object: &mut fields, mode }.visit_map(map)?;
        let status = fields.status.word();
        Ok(fields.account.id().map(|account| Self { account, status }))
    }
}
