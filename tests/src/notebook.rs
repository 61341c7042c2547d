//! What a handler saw, written down.

use std::any::Any;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::watch;
use trtc_call_webhook::{
    Ack, Billing, CallEnded, CallStarted, Callback, Delivery, Event, MemberChanged, Params,
    Signature, Undecoded,
};

/// An event as the suite's handlers take it.
pub trait Taken: Event + Serialize + DeserializeOwned + PartialEq + Debug {}

impl<E: Event + Serialize + DeserializeOwned + PartialEq + Debug> Taken for E {}

/// Shared by a handler, which writes, and the suite, which reads. One for each endpoint.
#[derive(Clone, Default)]
pub struct Notebook(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    ack: Ack,
    mood: Mood,
    seen: Vec<Seen>,
}

/// What a handler does between writing a delivery down and answering.
#[derive(Clone, Default)]
pub enum Mood {
    /// Nothing.
    #[default]
    Answers,
    /// It panics.
    Panics,
    /// It waits until the gate is open, without keeping its thread.
    WaitsFor(Gate),
}

/// What handlers wait for. It is closed until it is opened, and stays open.
#[derive(Clone, Default)]
pub struct Gate(watch::Sender<bool>);

impl Gate {
    /// Lets everybody through, now and later.
    pub fn open(&self) {
        self.0.send_replace(true);
    }

    /// How many handlers wait for it.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0.receiver_count()
    }

    async fn pass(&self) {
        // Waiting cannot fail: the sender lives as long as `self`.
        let _ = self.0.subscribe().wait_for(|is_open| *is_open).await;
    }
}

/// One run of a handler.
#[derive(Clone, PartialEq)]
pub(crate) struct Seen {
    /// The body that the delivery holds.
    pub(crate) body: Vec<u8>,
    /// Everything else, by the names that the table uses.
    pub(crate) facts: Value,
}

impl Notebook {
    /// What the handler is to answer from now on.
    pub fn set_ack(&self, ack: Ack) {
        self.0.lock().unwrap().ack = ack;
    }

    /// What handlers are to do from now on; those that run already stay as they are.
    pub fn set_mood(&self, mood: Mood) {
        self.0.lock().unwrap().mood = mood;
    }

    /// The whole of a handler: writes the delivery down, does as its mood is, and answers.
    pub async fn handle<E: Taken>(&self, delivery: &Delivery<E>) -> Ack {
        let ack = self.note(delivery);
        let mood = self.0.lock().unwrap().mood.clone();
        match mood {
            Mood::Answers => {}
            Mood::Panics => panic!("a handler panics, as the test wants it to"),
            Mood::WaitsFor(gate) => gate.pass().await,
        }
        ack
    }

    /// The whole of a handler where nothing can wait.
    pub(crate) fn note<E: Taken>(&self, delivery: &Delivery<E>) -> Ack {
        let seen = Seen { body: delivery.body().to_vec(), facts: facts(delivery) };
        let mut inner = self.0.lock().unwrap();
        inner.seen.push(seen);
        inner.ack.clone()
    }

    /// How often the handler ran since the notebook was read last.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.read().len()
    }

    /// The bodies that the handler saw since the notebook was read last.
    #[must_use]
    pub fn bodies(&self) -> Vec<Vec<u8>> {
        self.read().into_iter().map(|seen| seen.body).collect()
    }

    pub(crate) fn read(&self) -> Vec<Seen> {
        std::mem::take(&mut self.0.lock().unwrap().seen)
    }
}

fn facts<E: Taken>(delivery: &Delivery<E>) -> Value {
    let event = delivery.event();
    let mut facts = json!({
        "event": to_value(event),
        "signature": signature(delivery.signature()),
        "idempotency_key": delivery.idempotency_key().as_str(),
        "params": params(delivery.params()),
    });
    let event: &dyn Any = event;
    match (event.downcast_ref::<CallEnded>(), event.downcast_ref::<Callback>()) {
        (Some(event), _) | (_, Some(Callback::CallEnded(event))) => {
            facts["billing"] = billing(event.billing());
            facts["ringing_seconds"] = json!(event.ringing_time().map(|time| time.as_secs()));
            facts["callees"] = json!(event.callees().collect::<Vec<_>>());
            facts["room"] = json!(event.room());
        }
        _ => {}
    }
    if event.is::<Undecoded>() {
        facts["decoded"] = json!({
            "CallEnded": decoded::<E, CallEnded>(delivery),
            "CallStarted": decoded::<E, CallStarted>(delivery),
            "MemberChanged": decoded::<E, MemberChanged>(delivery),
            "Callback": decoded::<E, Callback>(delivery),
        });
    }
    facts
}

fn signature(signature: Signature) -> String {
    match signature {
        Signature::Invalid(reason) => format!("invalid: {}", reason.kind()),
        other => other.as_str().to_owned(),
    }
}

fn billing(billing: Billing) -> Value {
    match billing {
        Billing::Connected(time) => json!({"connected": time.as_secs()}),
        Billing::Unanswered => json!("unanswered"),
        Billing::AskRecord(reason) => json!({"ask": format!("{reason:?}")}),
    }
}

fn decoded<E, D: Taken>(delivery: &Delivery<E>) -> Value {
    match delivery.decode::<D>() {
        Ok(Some(event)) => to_value(&event),
        Ok(None) => json!("not taken"),
        Err(error) => json!(error.kind().to_string()),
    }
}

/// The event by its own `Serialize`, which must read back as the same event: users queue them.
fn to_value<E: Taken>(event: &E) -> Value {
    let text = serde_json::to_string(event).expect("an event can be queued");
    let back: E = serde_json::from_str(&text).expect("a queued event can be read");
    assert_eq!(&back, event, "a queued event reads back as itself");
    serde_json::from_str(&text).expect("valid JSON")
}

fn params(params: &Params) -> Value {
    json!({
        "sdk_app_id": params.sdk_app_id(),
        "command": params.command().map(|command| command.as_str()),
        "content_type": params.content_type().map(|kind| kind.as_str()),
        "client_ip": params.client_ip().map(ToString::to_string),
        "client_ip_is_address": params.client_ip().map(|ip| ip.ip().is_some()),
        "platform": params.platform().map(|platform| platform.as_str()),
        "has_sign": params.sign().is_some(),
        "has_request_time": params.request_time().is_some(),
    })
}
