//! What the vendor says of one call.

use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use trtc_call_webhook::{CallEnded, Command, decode};

use crate::Error;
use crate::reply::Reply;

/// What the vendor says of a call that ended (647/68930).
///
/// It is read by the same types, and as leniently, as the callback of the call's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    call: CallEnded,
    body: Bytes,
}

impl Record {
    /// For how long the vendor keeps it, from the call's end on: 7 days (647/68931).
    pub const KEPT_FOR: Duration = Duration::from_secs(7 * 24 * 60 * 60);

    /// The call. It has no `event_time`, which only a callback has.
    #[must_use]
    pub fn call(&self) -> &CallEnded {
        &self.call
    }

    /// The record as the body of a callback, to be stored and decoded like one:
    /// `{"CallbackCommand":"Call.CallbackAfterEndCall","CallRecord":…}` around the vendor's own bytes.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Fails for a record that has no call id, or where one of our fields cannot be read.
    pub(crate) fn from_raw(record: &RawValue) -> Result<Self, trtc_call_webhook::Error> {
        let (command, record) = (Command::CallEnded, record.get());
        let body = format!(r#"{{"CallbackCommand":"{command}","CallRecord":{record}}}"#);
        let call = decode::<CallEnded>(Some(&command), body.as_bytes())?.unwrap_or_default();
        Ok(Self { call, body: body.into() })
    }

    /// The record of the call that was asked for.
    pub(crate) fn from_reply(reply: &Reply, call_id: &str) -> Result<Self, Error> {
        let wire: Wire<'_> = reply.response()?;
        let Some(record) = wire.call_record else {
            return Err(reply.not_as_documented("it has no CallRecord"));
        };
        let unreadable = |_| reply.not_as_documented("its CallRecord cannot be read");
        let record = Self::from_raw(record).map_err(unreadable)?;
        if record.call.call_id != call_id {
            return Err(reply.not_as_documented("its CallRecord is another call's"));
        }
        Ok(record)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", bound(deserialize = "'de: 'a"))]
struct Wire<'a> {
    #[serde(borrow)]
    call_record: Option<&'a RawValue>,
}
