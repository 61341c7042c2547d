//! With an inbox: what is stored is acknowledged, whoever reads the lines about it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::State;
use axum::routing::{MethodRouter, any};
use trtc_call_inbox::{Acceptance, Inbox};
use trtc_call_webhook_axum::{Ack, Callback, Delivery, Undecoded, Webhook};

use super::{Listener, line};
use crate::out;

/// Stores every callback that is authentic, also one that does not decode.
pub(super) fn handler(inbox: Inbox) -> MethodRouter<Listener> {
    let missed = Arc::new(AtomicU64::new(0));
    any(|State(listener): State<Listener>, Webhook(callback): Webhook<Undecoded>| async move {
        listener.note_signature(callback.signature());
        let acceptance = inbox.accept(&callback).await;
        match &acceptance {
            Acceptance::Failed(error) => {
                listener.note(format!("a callback is not stored: {error}"));
            }
            stored => tell(&listener, &callback, stored, &missed),
        }
        Ack::from(acceptance)
    })
}

/// Has the line printed, unless too many wait for somebody to read them: then that is told, once.
fn tell(
    listener: &Listener,
    callback: &Delivery<Undecoded>,
    acceptance: &Acceptance,
    missed: &AtomicU64,
) {
    let decoded = callback.decode::<Callback>();
    let event = decoded.as_ref().map(Option::as_ref);
    let line = match line::line(callback, event, Some(acceptance), listener.json) {
        Ok(line) => line,
        Err(error) => return listener.note(format!("a line cannot be written: {error}")),
    };
    let notes = listener.notes.clone();
    let is_told = listener.lines.note(move || {
        if let Err(error) = line.print() {
            notes.note(move || out::note(&format!("a line is not printed: {error}")));
        }
    });
    if !is_told && missed.fetch_add(1, Ordering::Relaxed) == 0 {
        listener.note(
            "nobody reads standard output: lines are left out, and their callbacks stored"
                .to_owned(),
        );
    } else if is_told {
        let missed = missed.swap(0, Ordering::Relaxed);
        if missed > 0 {
            listener.note(format!("{missed} lines were left out: `trtc-call inbox list` has them"));
        }
    }
}
