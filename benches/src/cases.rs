//! The callbacks that are measured.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use trtc_call_webhook::sender::Request;
use trtc_call_webhook::{
    ActionType, CallEnded, CallResult, CallType, Callback, MediaType, Member, MemberChange,
    MemberChanged, MemberStatus, OtherCallback, RoomId, RoomIdType, Token, UnixMillis, UnixSeconds,
};

/// The app that every variant serves.
pub(crate) const APP: u64 = 1_400_000_001;

/// An app that none serves.
const FOREIGN_APP: u64 = 1_400_000_002;

/// The app's token: the one that the documents print.
pub(crate) const TOKEN: &str = "xxxxyyyy";

/// When the callbacks are sent, where the clock can be chosen.
pub(crate) const NOW: u64 = 1_741_231_296;

/// The answer that every variant gives to an accepted callback.
pub(crate) const ANSWER: &str = r#"{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}"#;

/// The replay window of every variant, in seconds. Wider than the default, so that one signature
/// lasts for a whole run.
pub(crate) const WINDOW: u64 = 3600;

/// What a callback holds, which decides how it is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    CallEnded,
    /// A call that ended, with escapes in its strings.
    Escaped,
    MemberChanged,
    /// A command that nobody knows.
    Unknown,
}

/// One signed callback.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) kind: Kind,
    pub(crate) query: String,
    pub(crate) body: String,
    /// The query's `Sign` and `RequestTime` alone.
    pub(crate) sign: String,
    pub(crate) request_time: u64,
}

/// The cases of the table, by name.
pub(crate) const ALL: [&str; 6] =
    ["members-2", "members-9", "members-500", "escapes", "member-changed", "unknown-command"];

/// The case by which most targets go.
pub(crate) const MAIN: &str = "members-2";

impl Case {
    /// A case by its name, sent at [`NOW`]. `members-N` has any number of members.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::sent_at(name, NOW)
    }

    /// A case by its name, sent now, for those who look at the clock by themselves.
    pub(crate) fn sent_now(name: &str) -> Option<Self> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::sent_at(name, since.as_secs())
    }

    fn sent_at(name: &str, seconds: u64) -> Option<Self> {
        let (kind, callback): (Kind, Callback) = match name {
            "escapes" => (Kind::Escaped, call_ended(escaped_names()).into()),
            "member-changed" => (Kind::MemberChanged, member_changed().into()),
            "unknown-command" => (Kind::Unknown, unknown().into()),
            _ => {
                let members = name.strip_prefix("members-")?.parse().ok()?;
                (Kind::CallEnded, call_ended(plain_names(members)).into())
            }
        };
        let token = Token::from(TOKEN);
        let now = UNIX_EPOCH + Duration::from_secs(seconds);
        let request = Request::new(APP, callback).signed(&token, now);
        Some(Self {
            kind,
            query: request.query(),
            body: String::from_utf8(request.body().to_vec()).ok()?,
            sign: token.sign(seconds).to_hex(),
            request_time: seconds,
        })
    }

    /// The same callback for an app that nobody serves.
    pub(crate) fn foreign(&self) -> Self {
        let query = self.query.replace(&APP.to_string(), &FOREIGN_APP.to_string());
        Self { query, ..self.clone() }
    }

    /// The same callback with a signature that is well-formed and wrong.
    pub(crate) fn badly_signed(&self) -> Self {
        let wrong: String = self.sign.chars().rev().collect();
        self.signed(wrong)
    }

    /// The same callback with another digit at one place of its signature.
    pub(crate) fn with_wrong_digit(&self, place: usize) -> Option<Self> {
        let digit = self.sign.chars().nth(place)?.to_digit(16)?;
        let mut wrong = self.sign.clone();
        wrong.replace_range(place..=place, &format!("{:x}", digit ^ 1));
        Some(self.signed(wrong))
    }

    /// The same callback with this for its signature.
    pub(crate) fn signed(&self, sign: String) -> Self {
        Self { query: self.query.replace(&self.sign, &sign), sign, ..self.clone() }
    }

    pub(crate) fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.request_time)
    }
}

/// The documents' call, with as many members as asked for.
fn call_ended(members: Vec<String>) -> CallEnded {
    let mut call = CallEnded::new("055662e1-bc8a-469c-a334-1126c8c17d58");
    call.caller = members.first().cloned();
    call.media_type = Some(MediaType::Audio);
    call.call_type = Some(CallType::SingleCall);
    call.start_time = Some(UnixSeconds::new(1_741_231_146));
    call.end_time = Some(UnixSeconds::new(1_741_231_296));
    call.accept_time = Some(UnixSeconds::new(1_741_231_156));
    call.result = Some(CallResult::NormalEnd);
    call.members = members.into_iter().collect();
    call.room_id = Some(RoomId::from("roomid-1434"));
    call.room_id_type = Some(RoomIdType::Text);
    call.event_time = Some(UnixMillis::new(1_741_231_296_780));
    call
}

fn plain_names(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("user-{}", 10_001 + n)).collect()
}

fn escaped_names() -> Vec<String> {
    ["an\t\"quoted\" name", "back\\slash\nline", "\u{1}control", "/plain/"]
        .map(str::to_owned)
        .into()
}

fn member_changed() -> MemberChanged {
    let mut event = MemberChanged::new("055662e1-bc8a-469c-a334-1126c8c17d58");
    event.members =
        ["user1", "user2"].map(|name| Member::new(name).with_status(MemberStatus::Calling)).into();
    event.changes = vec![MemberChange::new("user2").with_action(ActionType::Accept)];
    event.event_time = Some(UnixMillis::new(1_740_464_128_807));
    event
}

/// A call that ended, under a command that is none of Call's.
fn unknown() -> OtherCallback {
    let command = "Call.CallbackAfterRecording";
    let Case { body, .. } = Case::named(MAIN).unwrap();
    OtherCallback::new(command, body.replace("Call.CallbackAfterEndCall", command))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_has_the_size_of_the_documents_sample() {
        let case = Case::named(MAIN).unwrap();
        assert!((200..220).contains(&case.query.len()), "{}", case.query.len());
        assert!((350..450).contains(&case.body.len()), "{}", case.body.len());
    }

    #[test]
    fn the_escaped_case_has_escapes() {
        assert!(Case::named("escapes").unwrap().body.matches('\\').count() > 4);
    }
}
