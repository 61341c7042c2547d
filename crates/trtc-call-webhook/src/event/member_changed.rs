//! `Call.CallbackAfterMemberChanged`, and the members of a running call.

use serde::{Deserialize, Serialize};

use super::{ActionType, MemberStatus, UnixMillis};

/// Members of a running call answered, hung up, joined, were invited … (647/69215).
///
/// Only the call id is sure to be there. The names in parentheses are those on the wire; here they
/// all stand at the top of the body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MemberChanged {
    /// The call's id (`CallId`), never empty when it came in a callback.
    pub call_id: String,
    /// Everybody who takes part now (`UserList`).
    #[serde(default)]
    pub members: Vec<Member>,
    /// Who did what (`ChangedUserList`); they need not be among the members.
    #[serde(default)]
    pub changes: Vec<MemberChange>,
    /// When the event came about (`EventTime`).
    pub event_time: Option<UnixMillis>,
}

impl MemberChanged {
    /// An event with nothing but the call's id, for tests and for [`sender`](crate::sender).
    ///
    /// ```
    /// use trtc_call_webhook::{MemberChange, MemberChanged};
    ///
    /// let change = MemberChanged::new("a-1")
    ///     .with_changes([MemberChange::new("user2").with_action("Accept")])
    ///     .with_event_time(1740464128807);
    /// # assert_eq!(change.changes.len(), 1);
    /// ```
    #[must_use]
    pub fn new(call_id: impl Into<String>) -> Self {
        Self { call_id: call_id.into(), ..Self::default() }
    }

    /// Sets everybody who takes part now.
    #[must_use]
    pub fn with_members(mut self, members: impl IntoIterator<Item = Member>) -> Self {
        self.members = members.into_iter().collect();
        self
    }

    /// Sets who did what.
    #[must_use]
    pub fn with_changes(mut self, changes: impl IntoIterator<Item = MemberChange>) -> Self {
        self.changes = changes.into_iter().collect();
        self
    }

    /// Sets when the event came about.
    #[must_use]
    pub fn with_event_time(mut self, event_time: impl Into<UnixMillis>) -> Self {
        self.event_time = Some(event_time.into());
        self
    }
}

/// A member of a running call and what it is doing (`UserList` of 647/68941 and 647/69215).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Member {
    /// User id (`User_Account`).
    pub account: String,
    /// In the call or still called (`Status`).
    pub status: Option<MemberStatus>,
}

impl Member {
    /// A member by its user id.
    #[must_use]
    pub fn new(account: impl Into<String>) -> Self {
        Self { account: account.into(), status: None }
    }

    /// Sets what it is doing.
    #[must_use]
    pub fn with_status(mut self, status: impl Into<MemberStatus>) -> Self {
        self.status = Some(status.into());
        self
    }
}

/// What one member did (`ChangedUserList` of 647/69215).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MemberChange {
    /// User id (`User_Account`).
    pub account: String,
    /// What the member did, or what was done to it (`ActionType`).
    pub action: Option<ActionType>,
}

impl MemberChange {
    /// A change by the member's user id.
    #[must_use]
    pub fn new(account: impl Into<String>) -> Self {
        Self { account: account.into(), action: None }
    }

    /// Sets what the member did.
    #[must_use]
    pub fn with_action(mut self, action: impl Into<ActionType>) -> Self {
        self.action = Some(action.into());
        self
    }
}
