//! Whatever comes, there is an answer, and all forms of an event agree about it.

use std::fmt::Debug;
use std::time::{Duration, UNIX_EPOCH};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestCaseResult;
use trtc_call_webhook::adapter::{Head, Receipt, RequestHead};
use trtc_call_webhook::sender::Request;
use trtc_call_webhook::{
    Callback, Command, Delivery, ErrorKind, Event, SdkApp, Undecoded, Verifier, decode,
};

use crate::config;
use crate::strategy::{Edit, events, text};

const BODY_LIMIT: usize = 400;

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_request_is_answered(
        method in prop_oneof![9 => Just("POST".to_owned()), 1 => text()],
        query in query(),
        content_length in any::<Option<u64>>(),
        seconds in any::<u32>(),
        body in body(),
    ) {
        let verifier = Verifier::builder()
            .app(SdkApp::unsigned(1))
            .app(SdkApp::signed(2, "t"))
            .app(SdkApp::signed(3, "t").insecure_report_only())
            .body_limit(BODY_LIMIT)
            .build()
            .unwrap();
        let now = UNIX_EPOCH + Duration::from_secs(seconds.into());
        for content_length in [content_length, u64::try_from(body.len()).ok(), None] {
            let check = || {
                let head = RequestHead::new(&method, &query).received_at(now);
                let head = content_length.map_or(head, |length| head.content_length(length));
                verifier.check(head)
            };
            let Ok(head) = check() else { continue };
            let undecoded = receive::<Undecoded>(head, &body);
            let all = receive::<Callback>(check().unwrap(), &body);
            let announced = content_length.map(|length| usize::try_from(length).unwrap());
            if announced.is_some_and(|announced| announced > body.len()) {
                prop_assert_eq!(undecoded.err(), Some(ErrorKind::UnreadableBody));
                prop_assert_eq!(all.err(), Some(ErrorKind::UnreadableBody));
                continue;
            }
            let body = &body[..announced.unwrap_or(body.len())];
            if body.len() > BODY_LIMIT {
                prop_assert_eq!(undecoded.err(), Some(ErrorKind::BodyTooLarge));
                prop_assert_eq!(all.err(), Some(ErrorKind::BodyTooLarge));
                continue;
            }
            let undecoded = undecoded.unwrap();
            prop_assert_eq!(&undecoded.body()[..], body);
            let key = undecoded.idempotency_key();
            prop_assert_eq!(all.as_ref().map_or(key, Delivery::idempotency_key), key);
            let decoded = undecoded.decode::<Callback>().map_err(|error| error.kind());
            prop_assert_eq!(all.map(|delivery| Some(delivery.into_event())), decoded);
        }
    }

    #[test]
    fn all_forms_of_an_event_agree(command in command(), body in body()) {
        let body = Body { command, body };
        let all = body.decode::<Callback>();
        // A known command without its key is a callback all the same.
        prop_assert!(!matches!(all, Ok(None) | Err(ErrorKind::NoCallId)), "{:?}", all);
        let all = all.map(Option::unwrap);
        body.agrees(&all, &Command::CallEnded, |all| match all {
            Callback::CallEnded(event) => Some(event),
            _ => None,
        })?;
        body.agrees(&all, &Command::CallStarted, |all| match all {
            Callback::CallStarted(event) => Some(event),
            _ => None,
        })?;
        body.agrees(&all, &Command::MemberChanged, |all| match all {
            Callback::MemberChanged(event) => Some(event),
            _ => None,
        })?;
    }
}

/// The delivery to those who take every command.
fn receive<E: Event>(head: Head, body: &[u8]) -> Result<Delivery<E>, ErrorKind> {
    match head.receive(body).map_err(|error| error.kind())? {
        Receipt::Deliver(delivery) => Ok(delivery),
        Receipt::Acknowledge(_) => panic!("not taken"),
    }
}

/// A body and the command in its URL.
struct Body {
    command: Option<Command>,
    body: Vec<u8>,
}

impl Body {
    fn decode<E: Event>(&self) -> Result<Option<E>, ErrorKind> {
        decode(self.command.as_ref(), &self.body).map_err(|error| error.kind())
    }

    /// Whether those who take one command alone are told the same as those who take all.
    fn agrees<E: Event + PartialEq + Debug>(
        &self,
        all: &Result<Callback, ErrorKind>,
        command: &Command,
        event: fn(&Callback) -> Option<&E>,
    ) -> TestCaseResult {
        let alone = self.decode::<E>();
        match all {
            Ok(callback) if callback.command() == command => match event(callback) {
                Some(event) => prop_assert_eq!(alone.as_ref().map(Option::as_ref), Ok(Some(event))),
                None => prop_assert_eq!(alone, Err(ErrorKind::NoCallId)),
            },
            Ok(_) => prop_assert_eq!(alone, Ok(None)),
            // It may stand in what those do not read who do not take the command.
            Err(kind) => prop_assert!(alone == Err(*kind) || alone == Ok(None), "{:?}", alone),
        }
        Ok(())
    }
}

fn command() -> impl Strategy<Value = Option<Command>> {
    prop_oneof![
        3 => select(Command::KNOWN).prop_map(Some),
        1 => text().prop_map(Command::from).prop_map(Some),
        1 => Just(None),
    ]
}

/// Queries of pieces that are read, right and wrong, and of any others.
fn query() -> impl Strategy<Value = String> {
    let pieces = [
        "SdkAppid=1",
        "SdkAppid=2",
        "SdkAppid=3",
        "sdkappid=%31",
        "SdkAppid=",
        "CallbackCommand=Call.CallbackAfterEndCall",
        "CallbackCommand=Call.CallbackAfterMemberChanged",
        "CallbackCommand=",
        "CallbackCommand=%ff",
        "Sign=",
        "Sign=c12cb024a2e5551cca0e08fce8f1c5e314555cc3fef6329ee994a3db752166ae",
        "RequestTime=1",
        "RequestTime=99999999999999999999",
        "ClientIP=[::1]",
        "OptPlatform=%ff",
        "%",
        "%f",
        "=",
        "&",
        "?",
    ];
    let piece = prop_oneof![9 => select(pieces.to_vec()).prop_map(str::to_owned), 1 => text()];
    let app = (1..=3_u8).prop_map(|app| format!("SdkAppid={app}&"));
    let app = prop_oneof![3 => app, 1 => Just(String::new())];
    (app, vec(piece, 0..5)).prop_map(|(app, pieces)| app + &pieces.join("&"))
}

/// Bodies that were right but for some bytes, bodies of pieces of JSON, and any bytes.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let edits = vec((Edit::any(u8::MAX), any::<Index>()), 0..4);
    let damaged =
        (events::callback(), edits).prop_map(|(callback, edits)| {
            let body = Request::new(1, callback).body().to_vec();
            edits.into_iter().fold(body, |body, (edit, place)| {
                if body.is_empty() { body } else { edit.apply(&body, place) }
            })
        });
    let pieces = [
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        "\\u",
        "d800",
        "null",
        "true",
        "1e999",
        "-1",
        "0.5",
        "18446744073709551616",
        "\u{feff}",
        " ",
        "\"CallbackCommand\":",
        "\"CallRecord\":{",
        "\"CallInfo\":{",
        "\"CallId\":",
        "\"x\"",
        "\"UserList\":[",
        "\"ChangedUserList\":[",
        "\"User_Account\":",
        "\"CalleeList_Account\":",
        "\"EventTime\":",
        "\"RoomId\":",
        "\"Call.CallbackAfterEndCall\"",
        "\"$serde_json::private::Number\":",
    ];
    let piece = select(pieces.to_vec());
    let soup = vec(piece, 0..20).prop_map(|pieces| format!("{{{}", pieces.concat()).into_bytes());
    prop_oneof![4 => damaged, 3 => soup, 1 => any::<Vec<u8>>()]
}
