//! Rows 8 to 10 of the contract, "Who is served" and "Values".

use serde::Serialize;
use serde_json::{Value, json};
use trtc_call_webhook::{Error, ErrorKind, Event};

use crate::json::{self, Json};

/// What comes of a body.
#[derive(Debug, PartialEq)]
pub enum Outcome {
    /// An event, by its own names.
    Event(Value),
    /// The command is another one than those that are taken.
    NotTaken,
    /// It is refused.
    Refused(ErrorKind),
}

/// What did come of it.
#[must_use]
pub fn got<E: Event + Serialize>(decoded: Result<Option<E>, Error>) -> Outcome {
    match decoded {
        Ok(Some(event)) => Outcome::Event(serde_json::to_value(event).unwrap()),
        Ok(None) => Outcome::NotTaken,
        Err(error) => {
            assert_eq!(error.reason().kind(), error.kind());
            Outcome::Refused(error.kind())
        }
    }
}

/// The events of the documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Kind {
    CallEnded,
    CallStarted,
    MemberChanged,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::CallEnded, Self::CallStarted, Self::MemberChanged];

    /// `CallbackCommand`.
    #[must_use]
    pub const fn command(self) -> &'static str {
        match self {
            Self::CallEnded => "Call.CallbackAfterEndCall",
            Self::CallStarted => "Call.CallbackAfterStartCall",
            Self::MemberChanged => "Call.CallbackAfterMemberChanged",
        }
    }
}

/// What a handler takes.
#[derive(Clone, Copy, Debug)]
pub enum Takes {
    /// One event.
    Only(Kind),
    /// `Callback`.
    All,
}

/// What has to come of a body; `None` for one that is too deep for the oracle.
#[must_use]
pub fn expect(takes: Takes, in_url: Option<&str>, body: &[u8]) -> Option<Outcome> {
    let malformed = Some(Outcome::Refused(ErrorKind::MalformedBody));
    let Ok(text) = std::str::from_utf8(body) else { return malformed };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match json::parse(text) {
        Ok(Json::Object(members)) => {
            Some(read(takes, in_url, &members, text).unwrap_or_else(Outcome::Refused))
        }
        Err(hifijson::Error::Depth) => None,
        Ok(_) | Err(_) => malformed,
    }
}

fn read(
    takes: Takes,
    in_url: Option<&str>,
    body: &Members<'_>,
    text: &str,
) -> Result<Outcome, ErrorKind> {
    let in_url = in_url.filter(|command| !command.is_empty());
    let in_body = get(body, "CallbackCommand")?;
    let command = match (in_url, in_body) {
        (Some(command), _) => command,
        (None, Json::Text(Some(command))) if !command.is_empty() => command,
        _ => return Err(ErrorKind::CommandMismatch),
    };
    let kind = Kind::ALL.into_iter().find(|kind| kind.command() == command);
    let taken = match takes {
        Takes::Only(only) => kind.filter(|kind| *kind == only),
        Takes::All => kind,
    };
    // Row 8 holds for the values of the fields, before row 9 holds for the command's.
    let event = taken.map(|kind| event(kind, body)).transpose()?.flatten();
    let agrees = match in_body {
        Json::Null => true,
        Json::Text(Some(in_body)) => in_body.is_empty() || in_body == command,
        _ => false,
    };
    match (agrees, takes, taken, event) {
        (false, ..) => Err(ErrorKind::CommandMismatch),
        (_, Takes::Only(_), None, _) => Ok(Outcome::NotTaken),
        (_, Takes::Only(_), Some(_), None) => Err(ErrorKind::NoCallId),
        (_, Takes::Only(_), Some(_), Some(event)) => Ok(Outcome::Event(event)),
        (_, Takes::All, Some(kind), Some(event)) => {
            Ok(Outcome::Event(json!({ format!("{kind:?}"): event })))
        }
        (_, Takes::All, ..) => {
            Ok(Outcome::Event(json!({"Other": {"command": command, "json": text}})))
        }
    }
}

/// The event, unless it has no call id.
fn event(kind: Kind, body: &Members<'_>) -> Result<Option<Value>, ErrorKind> {
    let event_time = integer(get(body, "EventTime")?);
    match kind {
        Kind::CallEnded => {
            let Json::Object(record) = get(body, "CallRecord")? else { return Ok(None) };
            let field = |key| get(record, key);
            let call_id = id(field("CallId")?);
            let kind = integer(field("RoomIdType")?);
            let accept = Accept::read(field("AcceptTime")?);
            let event = json!({
                "call_id": call_id,
                "caller": id(field("Caller_Account")?),
                "media_type": media(field("MediaType")?, field("CallMediaType")?),
                "call_type": id(field("CallType")?),
                "start_time": integer(field("StartTime")?),
                "accept_time": accept.time(),
                "accept_time_unreadable": accept == Accept::Unreadable,
                "end_time": integer(field("EndTime")?),
                "result": id(field("CallResult")?),
                "members": entries(field("CalleeList_Account")?)?
                    .into_iter()
                    .filter_map(id)
                    .collect::<Vec<_>>(),
                "room_id": room(field("RoomId")?, kind),
                "room_id_type": kind,
                "event_time": event_time,
            });
            Ok(call_id.filter(|id| !id.is_empty()).and(Some(event)))
        }
        Kind::CallStarted => {
            let members = accounts(get(body, "UserList")?, "Status", "status", id)?;
            let Json::Object(info) = get(body, "CallInfo")? else { return Ok(None) };
            let field = |key| get(info, key);
            let call_id = id(field("CallId")?);
            let kind = integer(field("RoomIdType")?);
            let event = json!({
                "call_id": call_id,
                "media_type": media(field("MediaType")?, field("CallMediaType")?),
                "chat_group_id": id(field("ChatGroupId")?),
                "room_id": room(field("RoomId")?, kind),
                "room_id_type": kind,
                "members": members,
                "event_time": event_time,
            });
            Ok(call_id.filter(|id| !id.is_empty()).and(Some(event)))
        }
        Kind::MemberChanged => {
            let call_id = id(get(body, "CallId")?);
            let event = json!({
                "call_id": call_id,
                "members": accounts(get(body, "UserList")?, "Status", "status", id)?,
                "changes": accounts(get(body, "ChangedUserList")?, "ActionType", "action", action)?,
                "event_time": event_time,
            });
            Ok(call_id.filter(|id| !id.is_empty()).and(Some(event)))
        }
    }
}

/// What stands where the accept time is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Accept {
    /// Absent, `null`, an empty string, or 0 or less.
    None,
    /// Anything else that is no time.
    Unreadable,
    /// A time.
    At(i64),
}

impl Accept {
    pub(crate) fn read(value: &Json<'_>) -> Self {
        match (value, integer(value)) {
            (_, Some(time)) if time > 0 => Self::At(time),
            (_, Some(_)) | (Json::Null, _) => Self::None,
            (Json::Text(Some(text)), _) if text.is_empty() => Self::None,
            _ => Self::Unreadable,
        }
    }

    pub(crate) const fn time(self) -> Option<i64> {
        match self {
            Self::At(time) => Some(time),
            Self::None | Self::Unreadable => None,
        }
    }
}

pub(crate) type Members<'a> = [(json::Text<'a>, Json<'a>)];

/// The value of a known key: given once, and readable. Every other key of the object must be text.
pub(crate) fn get<'j, 'a>(object: &'j Members<'a>, key: &str) -> Result<&'j Json<'a>, ErrorKind> {
    if object.iter().any(|(key, _)| key.is_none()) {
        return Err(ErrorKind::MalformedBody);
    }
    let mut values = object.iter().filter(|(other, _)| other.as_deref() == Some(key));
    match (values.next(), values.next()) {
        (None, _) => Ok(&Json::Null),
        (Some((_, value)), None) => readable(value),
        (Some(_), Some(_)) => Err(ErrorKind::MalformedBody),
    }
}

/// In a known field, a lone surrogate or a number beyond the range of a double is malformed.
fn readable<'j, 'a>(value: &'j Json<'a>) -> Result<&'j Json<'a>, ErrorKind> {
    match value {
        Json::Text(None) => Err(ErrorKind::MalformedBody),
        Json::Number(digits) if digits.parse::<f64>().unwrap().is_infinite() => {
            Err(ErrorKind::MalformedBody)
        }
        value => Ok(value),
    }
}

/// A string, or a number's digits. It does for words too, where each has one spelling.
pub(crate) fn id(value: &Json<'_>) -> Option<String> {
    match value {
        Json::Text(Some(text)) => Some(text.to_string()),
        Json::Number(digits) => Some((*digits).to_owned()),
        _ => None,
    }
}

/// `ActionType`, whose words have several.
fn action(value: &Json<'_>) -> Option<String> {
    id(value).map(|word| match word.as_str() {
        "Answer" => "Accept".to_owned(),
        "HangUp" | "Hang Up" => "Hangup".to_owned(),
        "Invited" => "Invite".to_owned(),
        "Canncel_Invite" => "Cancel_Invite".to_owned(),
        _ => word,
    })
}

/// Digits with a minus or without, of 64 bits.
pub(crate) fn integer(value: &Json<'_>) -> Option<i64> {
    let text = id(value)?;
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, &*text),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let distance: i128 = digits.parse().ok()?;
    i64::try_from(if is_negative { -distance } else { distance }).ok()
}

/// The documented spelling if it is usable, else the other.
fn media(media: &Json<'_>, call_media: &Json<'_>) -> Option<String> {
    let (documented, other) = (id(media), id(call_media));
    if documented.as_deref().is_some_and(|word| !word.is_empty()) {
        documented
    } else {
        other.or(documented)
    }
}

/// Type 1 is a number, 2 is a text, and without either it is what it is in JSON; what is not
/// written as a number is stays a text.
fn room(value: &Json<'_>, kind: Option<i64>) -> Option<Value> {
    let text = id(value)?;
    let may_be_number = match kind {
        Some(1) => true,
        Some(2) => false,
        _ => matches!(value, Json::Number(_)),
    };
    let number = text.parse::<u64>().ok().filter(|number| number.to_string() == text);
    Some(match number {
        Some(number) if may_be_number => json!({"number": number}),
        _ => json!({"text": text}),
    })
}

/// The entries of a list of members; one alone is a list of one.
fn entries<'j, 'a>(value: &'j Json<'a>) -> Result<Vec<&'j Json<'a>>, ErrorKind> {
    match value {
        Json::Array(entries) => entries.iter().map(readable).collect(),
        Json::Text(_) | Json::Number(_) => Ok(vec![value]),
        _ => Ok(Vec::new()),
    }
}

/// A list of accounts, alone or each with a word beside it.
fn accounts(
    value: &Json<'_>,
    key: &str,
    name: &str,
    word: fn(&Json<'_>) -> Option<String>,
) -> Result<Vec<Value>, ErrorKind> {
    let mut accounts = Vec::new();
    for entry in entries(value)? {
        let (account, word) = match entry {
            Json::Object(fields) => (id(get(fields, "User_Account")?), word(get(fields, key)?)),
            alone => (id(alone), None),
        };
        accounts.extend(account.map(|account| json!({"account": account, name: word})));
    }
    Ok(accounts)
}
