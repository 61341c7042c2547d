//! Whether two bodies of one idempotency key would be billed the same.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use trtc_call_webhook::{Billing, CallEnded, CallStarted, Callback, Command, decode};

/// The rule that decides here. A later version may add values; one that is missing does not differ.
const RULE: u32 = 1;

/// How many bytes of a user id's SHA-256 are kept.
const HASH_BYTES: usize = 16;

/// What of a body is compared with another one under the same key: the verdict, the caller, the members
/// without the caller as a set, the media and the call type. A value that is missing does not differ.
///
/// It is kept with the key for longer than the body is, so user ids stand in it as hashes. Empty for
/// what does not decode, and for callbacks whose key holds all that matters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared {
    #[serde(rename = "v", default)]
    rule: u32,
    /// `unanswered`, `ask`, or the seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    verdict: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    caller: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    members: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    media: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    call_type: Option<String>,
    /// Whether the vendor's record says so: then nothing else is compared any more.
    #[serde(rename = "record", default, skip_serializing_if = "is_false")]
    is_record: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's form of a predicate")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl Compared {
    /// What is compared of a callback.
    #[must_use]
    pub fn of(callback: &Callback) -> Self {
        match callback {
            Callback::CallEnded(call) => Self::of_ended(call),
            Callback::CallStarted(call) => Self::of_started(call),
            // The key of a member change holds the changes, that of any other the whole body.
            _ => Self { rule: RULE, ..Self::default() },
        }
    }

    fn of_ended(call: &CallEnded) -> Self {
        let verdict = match call.billing() {
            Billing::Connected(time) => time.as_secs().to_string(),
            Billing::Unanswered => "unanswered".to_owned(),
            Billing::AskRecord(_) => "ask".to_owned(),
        };
        Self {
            rule: RULE,
            verdict: Some(verdict),
            caller: call.caller.as_deref().map(hash),
            members: set(call.members.iter().map(String::as_str)),
            media: call.media_type.as_ref().map(|media| media.as_str().to_owned()),
            call_type: call.call_type.as_ref().map(|call_type| call_type.as_str().to_owned()),
            is_record: false,
        }
    }

    /// What is compared of the vendor's record. One that does not tell what to bill decides nothing.
    pub(crate) fn of_record(call: &CallEnded) -> Self {
        let is_record = !matches!(call.billing(), Billing::AskRecord(_));
        Self { is_record, ..Self::of_ended(call) }
    }

    /// What is compared of a stored body; nothing, of one that does not decode.
    #[must_use]
    pub fn of_body(command: Option<&Command>, body: &[u8]) -> Self {
        let callback = decode::<Callback>(command, body).ok().flatten();
        callback.as_ref().map(Self::of).unwrap_or_default()
    }

    /// Whether it is the vendor's record, and tells what to bill.
    #[must_use]
    pub fn is_record(&self) -> bool {
        self.is_record
    }

    fn of_started(call: &CallStarted) -> Self {
        Self {
            rule: RULE,
            members: set(call.members.iter().map(|member| member.account.as_str())),
            media: call.media_type.as_ref().map(|media| media.as_str().to_owned()),
            ..Self::default()
        }
    }

    /// Whether the two would be billed differently.
    #[must_use]
    pub fn differs(&self, other: &Self) -> bool {
        fn differ(one: Option<&String>, other: Option<&String>) -> bool {
            one.is_some_and(|one| other.is_some_and(|other| one != other))
        }
        differ(self.verdict.as_ref(), other.verdict.as_ref())
            || differ(self.caller.as_ref(), other.caller.as_ref())
            || differ(self.media.as_ref(), other.media.as_ref())
            || differ(self.call_type.as_ref(), other.call_type.as_ref())
            || self.members_differ(other)
    }

    /// The caller may stand among the members or not, and only one side may know who that is.
    fn members_differ(&self, other: &Self) -> bool {
        let callers = [self.caller.as_ref(), other.caller.as_ref()];
        let callees = |members: &[String]| -> Vec<String> {
            members.iter().filter(|member| !callers.contains(&Some(*member))).cloned().collect()
        };
        let is_known = !self.members.is_empty() && !other.members.is_empty();
        is_known && callees(&self.members) != callees(&other.members)
    }
}

/// A set as it is compared: sorted, each once.
fn set<'a>(members: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut hashes: Vec<String> = members.map(hash).collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

fn hash(user: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(user).into();
    let (kept, _) = digest.split_at(HASH_BYTES);
    base16ct::lower::encode_string(kept)
}

/// How many bodies of one key are compared with a new one. A call has one; more come from somebody who
/// makes them up, and what comes beyond these is disputed unless it is the same to the byte.
const MAX_COMPARED: usize = 16;

/// What is compared of all bodies that were stored under one key, as the key's row keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ComparedBodies(Vec<Compared>);

impl ComparedBodies {
    /// Of the first body of a key.
    #[must_use]
    pub fn first(compared: Compared) -> Self {
        Self(vec![compared])
    }

    /// Reads what [`to_json`](Self::to_json) has written. What cannot be read compares as nothing, so
    /// that a damaged row disputes whatever comes next instead of losing it.
    #[must_use]
    pub fn from_json(json: &str) -> Self {
        serde_json::from_str(json).unwrap_or_default()
    }

    /// For the key's row.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether a body would be billed as one of these, or the vendor's record has decided.
    #[must_use]
    pub fn have(&self, compared: &Compared) -> bool {
        self.0.iter().any(|known| known.is_record || !known.differs(compared))
    }

    /// Whether every one of these would be billed as this one.
    #[must_use]
    pub fn all_agree_with(&self, compared: &Compared) -> bool {
        self.0.iter().all(|known| !known.differs(compared))
    }

    /// Whether the vendor's record has decided: then what stands here is that record.
    #[must_use]
    pub fn are_decided(&self) -> bool {
        self.0.iter().any(Compared::is_record)
    }

    /// Has the vendor's record decide, so that nothing that comes later is disputed.
    pub fn decide(&mut self, record: Compared) {
        self.0 = vec![record];
    }

    /// Adds a body that is disputed. Says whether there was room.
    pub fn add(&mut self, compared: Compared) -> bool {
        let has_room = self.0.len() < MAX_COMPARED;
        if has_room {
            self.0.push(compared);
        }
        has_room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended() -> CallEnded {
        CallEnded::new("a")
            .with_caller("1")
            .with_members(["1", "2", "3"])
            .with_result("NormalEnd")
            .with_media_type("Video")
            .with_call_type("MultiCall")
            .with_accept_time(1_741_231_156)
            .with_end_time(1_741_231_296)
    }

    fn differ(one: CallEnded, other: CallEnded) -> bool {
        let [one, other] = [one, other].map(|call| Compared::of(&Callback::CallEnded(call)));
        assert_eq!(one.differs(&other), other.differs(&one), "it is symmetric");
        assert!(!one.differs(&one) && !other.differs(&other), "it is reflexive");
        one.differs(&other)
    }

    #[test]
    fn what_would_be_billed_differently_differs() {
        assert!(differ(ended(), ended().with_end_time(1_741_231_297)));
        assert!(differ(ended(), ended().with_result("Reject")), "it says to ask");
        assert!(differ(ended(), ended().with_caller("2")));
        assert!(differ(ended(), ended().with_members(["1", "2"])));
        assert!(differ(ended(), ended().with_media_type("Audio")));
        assert!(differ(ended(), ended().with_call_type("SingleCall")));
    }

    #[test]
    fn what_is_billed_the_same_does_not_differ() {
        assert!(!differ(ended(), ended().with_members(["3", "2", "2"])));
        assert!(!differ(ended(), ended().with_event_time(1)));
        assert!(!differ(ended(), ended().with_result("Offline")));
        let unanswered = |result: &str| CallEnded::new("a").with_result(result);
        assert!(!differ(unanswered("Cancel"), unanswered("Reject").with_end_time(7)));
    }

    #[test]
    fn what_is_missing_on_one_side_does_not_differ() {
        let mut sparse = ended();
        (sparse.caller, sparse.media_type, sparse.call_type) = (None, None, None);
        assert!(!differ(ended(), sparse.clone()), "the caller may be among its members");
        sparse.members.clear();
        assert!(!differ(ended(), sparse.clone()));
        assert!(differ(ended(), sparse.with_end_time(1_741_231_200)), "there is always a verdict");
    }

    #[test]
    fn a_key_of_many_bodies_keeps_a_few() {
        let compared = |seconds: i64| {
            Compared::of(&Callback::CallEnded(ended().with_end_time(1_741_231_296 + seconds)))
        };
        let mut bodies = ComparedBodies::first(compared(0));
        let added = (1..100).filter(|seconds| bodies.add(compared(*seconds))).count();
        assert_eq!(added, MAX_COMPARED - 1);
        assert!(bodies.have(&compared(3)) && !bodies.have(&compared(50)));
        assert_eq!(ComparedBodies::from_json(&bodies.to_json()), bodies);
    }

    #[test]
    fn a_row_of_a_later_rule_is_read() {
        let later = r#"[{"v":2,"verdict":"140","caller":"x","tariff":"night"}]"#;
        let bodies = ComparedBodies::from_json(later);
        assert!(!bodies.have(&Compared::of(&Callback::CallEnded(ended()))), "another caller");
    }
}
