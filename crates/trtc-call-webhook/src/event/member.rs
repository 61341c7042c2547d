//! A member of a running call.

use serde::{Deserialize, Serialize};

use crate::json::{self, Entry, Scalar, object};
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
    struct Fields {
        account: Scalar<'de> = wire::ACCOUNT,
        status: Scalar<'de> = wire::STATUS,
    }
}

/// A member without a user id is skipped; a user id alone is a member without a status.
impl<'a> Entry<'a> for Member {
    fn read(raw: &'a str) -> Result<Option<Self>, serde_json::Error> {
        if !raw.starts_with('{') {
            return Ok(String::read(raw)?.map(|account| Self::new(account, None)));
        }
        let fields = json::read::<Fields<'a>>(raw)?;
        let status = fields.status.word();
        Ok(fields.account.id().map(|account| Self { account, status }))
    }
}
