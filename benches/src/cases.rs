//! The callbacks that are measured.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use trtc_call_webhook::sender::Request;
use trtc_call_webhook::{OtherCallback, Token};

/// The app that every variant serves.
pub(crate) const APP: u64 = 1_400_000_001;
/// The app's token: the one that the documents print.
pub(crate) const TOKEN: &str = "xxxxyyyy";
/// When the callbacks are sent, where the clock can be chosen.
const NOW: u64 = 1_741_231_296;
/// The answer that every variant gives to an accepted callback.
pub(crate) const ANSWER: &str = r#"{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}"#;
/// The replay window of every variant, in seconds. Wider than the default, so that one signature
/// lasts for a whole run.
pub(crate) const WINDOW: u64 = 3600;
/// The cases of the table, by name.
pub const ALL: [&str; 6] =
    ["members-2", "members-9", "members-500", "escapes", "member-changed", "unknown-command"];
/// The case by which most targets go.
pub const MAIN: &str = "members-2";

/// What a callback holds, which decides how it is decoded. `Escaped` is a call that ended, with
/// escapes in its strings.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    CallEnded,
    Escaped,
    MemberChanged,
    Unknown,
}

/// One signed callback.
#[derive(Clone)]
pub struct Case {
    pub(crate) kind: Kind,
    /// What stands behind the `?`.
    pub query: String,
    /// The body.
    pub body: String,
    pub(crate) sign: String,
    pub(crate) request_time: u64,
}

impl Case {
    /// A case by its name, sent when the clock is told to be. `members-N` has any number of members.
    pub(crate) fn named(name: &str) -> Self {
        Self::sent_at(name, NOW)
    }

    /// A case by its name, sent now, for those who look at the clock by themselves.
    pub fn sent_now(name: &str) -> Self {
        Self::sent_at(name, SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs())
    }

    fn sent_at(name: &str, seconds: u64) -> Self {
        let count = name.strip_prefix("members-").map_or(2, |count| count.parse().unwrap());
        let names: Vec<_> = (0..count).map(|n| format!("user-{}", 10_001 + n)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let odd = ["an\t\"quoted\" name", "back\\slash\nline", "\u{1}control", "/plain/"];
        let (ended, changed) = ("Call.CallbackAfterEndCall", "Call.CallbackAfterMemberChanged");
        let unknown = "Call.CallbackAfterRecording";
        let (kind, command, body) = match name {
            "escapes" => (Kind::Escaped, ended, call_ended(ended, &odd)),
            "member-changed" => (Kind::MemberChanged, changed, MEMBER_CHANGED.to_owned()),
            "unknown-command" => (Kind::Unknown, unknown, call_ended(unknown, &names)),
            _ => (Kind::CallEnded, ended, call_ended(ended, &names)),
        };
        let (token, now) = (Token::from(TOKEN), UNIX_EPOCH + Duration::from_secs(seconds));
        let request = Request::new(APP, OtherCallback::new(command, body.clone()));
        let query = request.signed(&token, now).query();
        Self { kind, query, body, sign: token.sign(seconds).to_hex(), request_time: seconds }
    }

    /// The same callback for an app that nobody serves.
    pub fn foreign(&self) -> Self {
        let query = self.query.replace(&APP.to_string(), "1400000002");
        Self { query, ..self.clone() }
    }

    /// The same callback with a signature that is well-formed and wrong.
    pub fn badly_signed(&self) -> Self {
        self.signed(self.sign.chars().rev().collect())
    }

    /// The same callback with another digit at one place of its signature.
    pub(crate) fn with_wrong_digit(&self, place: &str) -> Self {
        let place = place.parse().unwrap();
        let digit = self.sign.chars().nth(place).unwrap().to_digit(16).unwrap();
        let mut wrong = self.sign.clone();
        wrong.replace_range(place..=place, &format!("{:x}", digit ^ 1));
        self.signed(wrong)
    }

    /// The same callback with this for its signature.
    pub(crate) fn signed(&self, sign: String) -> Self {
        // So much memory has pages of its own: a search in it takes some instructions more or less
        // by where it begins, and these are compared to the last one.
        let mut query = String::with_capacity(1 << 20);
        query.push_str(&self.query.replace(&self.sign, &sign));
        Self { query, sign, ..self.clone() }
    }

    pub(crate) fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.request_time)
    }
}

/// The documents' call, with these members.
fn call_ended(command: &str, members: &[&str]) -> String {
    let json = |value| serde_json::to_string(value).unwrap();
    let (caller, members) = (json(&members[..1]), json(members));
    let caller = &caller[1..caller.len() - 1];
    format!(
        r#"{{"CallbackCommand":"{command}","CallRecord":{{"CallId":"055662e1-bc8a-469c-a334-1126c8c17d58","Caller_Account":{caller},"MediaType":"Audio","CallType":"SingleCall","StartTime":1741231146,"EndTime":1741231296,"AcceptTime":1741231156,"CallResult":"NormalEnd","CalleeList_Account":{members},"RoomId":"roomid-1434","RoomIdType":2}},"EventTime":1741231296780}}"#
    )
}

const MEMBER_CHANGED: &str = r#"{"CallbackCommand":"Call.CallbackAfterMemberChanged","CallId":"055662e1-bc8a-469c-a334-1126c8c17d58","UserList":[{"User_Account":"user1","Status":"Calling"},{"User_Account":"user2","Status":"Calling"}],"ChangedUserList":[{"User_Account":"user2","ActionType":"Accept"}],"EventTime":1740464128807}"#;
