//! What holds for every event, whatever its body was.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use trtc_call_webhook::adapter::{Head, Receipt, RequestHead};
use trtc_call_webhook::sender::Request;
use trtc_call_webhook::{Callback, Command, Delivery, ErrorKind, Event, Undecoded, decode};

use crate::body::{Kind, Outcome, got};
use crate::verifiers::verifier;

/// An event as users have it.
pub trait Queued: Event + Clone + Debug + PartialEq + Serialize + DeserializeOwned {}

impl<E: Event + Clone + Debug + PartialEq + Serialize + DeserializeOwned> Queued for E {}

/// The app of the verifier `open`.
const APP: u64 = 1_400_000_001;

/// Decodes a body in every way that there is, which have to agree.
///
/// # Panics
///
/// If they do not.
pub fn check<E: Queued + Into<Callback>>(kind: Kind, body: &[u8]) -> Option<E> {
    let command = Command::from(kind.command());
    let decoded = decode::<E>(Some(&command), body);
    // The other ways in.
    assert_eq!(got(deliver::<E>(&command, body)), got(decoded.clone()));
    assert_eq!(got(undecoded(&command, body).decode::<E>()), got(decoded.clone()));
    if !body.starts_with(b"\xef\xbb\xbf") {
        let marked = [b"\xef\xbb\xbf", body].concat();
        assert_eq!(got(decode::<E>(Some(&command), &marked)), got(decoded.clone()));
    }
    // All of them at once.
    let all = decode::<Callback>(Some(&command), body);
    match &decoded {
        Ok(event) => assert_eq!(all.unwrap(), event.clone().map(Into::into)),
        Err(error) if error.kind() == ErrorKind::NoCallId => {
            assert!(matches!(all, Ok(Some(Callback::Other(other))) if other.command == command));
        }
        Err(error) => assert_eq!(got(all), Outcome::Refused(error.kind())),
    }
    let event = decoded.ok()??;
    queue(&event);
    send(&event);
    Some(event)
}

fn deliver<E: Event + Clone>(
    command: &Command,
    body: &[u8],
) -> Result<Option<E>, trtc_call_webhook::Error> {
    let Receipt::Deliver(delivery) = head(&query(command)).receive::<E>(body)? else {
        return Ok(None);
    };
    assert_eq!(delivery.body(), body);
    let key = delivery.idempotency_key();
    assert_eq!(key, undecoded(command, body).idempotency_key());
    assert!(key.as_str().len() < 1024 && !key.as_str().contains(char::is_control), "{key}");
    Ok(Some(delivery.into_event()))
}

fn undecoded(command: &Command, body: &[u8]) -> Delivery<Undecoded> {
    match head(&query(command)).receive::<Undecoded>(body) {
        Ok(Receipt::Deliver(delivery)) => delivery,
        other => panic!("the undecoded form takes everything: {other:?}"),
    }
}

fn head(query: &str) -> Head {
    verifier("open").verifier.check(RequestHead::new("POST", query)).unwrap()
}

fn query(command: &Command) -> String {
    format!("SdkAppid={APP}&CallbackCommand={command}")
}

/// An event reads back from one's own queue.
fn queue<E: Queued>(event: &E) {
    let queued = serde_json::to_string(event).unwrap();
    assert_eq!(serde_json::from_str::<E>(&queued).unwrap(), *event);
}

/// An event that came can be sent, and comes again.
fn send<E: Queued + Into<Callback>>(event: &E) {
    let request = Request::new(APP, event.clone());
    match head(&request.query()).receive::<E>(request.body()) {
        Ok(Receipt::Deliver(delivery)) => assert_eq!(delivery.event(), event),
        other => panic!("not as it was sent: {other:?}"),
    }
}
