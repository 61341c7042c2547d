//! Which handler gets an item, and what its word does.

use std::convert::Infallible;
use std::future::ready;
use std::sync::{Arc, Mutex};

use trtc_call_inbox::trtc_call_webhook::{
    CallEnded, CallStarted, Callback, Event, MemberChanged, Undecoded,
};
use trtc_call_inbox::{DoneAs, Item, Job, JobError, Source, State, Unhandled};

use crate::calls::{
    APP, DAY, ENDED, STARTED, callback, ended, ended_otherwise, inbox, item, items, put, started,
};

const BROKEN: &str = r#"{"CallRecord":"#;

/// What ran, in its order.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    fn add(&self, note: impl Into<String>) {
        self.0.lock().unwrap().push(note.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// A handler that notes its name.
    fn handler<E: Event>(
        &self,
        name: &'static str,
    ) -> impl Fn(Job<E>) -> std::future::Ready<Result<(), Infallible>> + Send + Sync + use<E> {
        let notes = self.clone();
        move |_| {
            notes.add(name);
            ready(Ok(()))
        }
    }
}

fn done_as(item: &Item) -> Option<DoneAs> {
    item.done.map(|(done, _)| done)
}

#[tokio::test]
async fn a_handler_sees_the_event_and_all_that_is_known_of_the_item() {
    let (inbox, _, clock) = inbox();
    put(&inbox, [ended("a")]).await;
    let (stored_at, stored) = (clock.now(), item(&inbox).await);
    clock.advance(DAY);
    let key = ended("a").idempotency_key().as_str().to_owned();
    let ran = inbox.worker().on(move |job: Job<CallEnded>| {
        assert_eq!(job.call_id, "a");
        assert_eq!(job.event().call_id, "a");
        assert_eq!(job.id(), stored.id);
        assert_eq!(job.lease().item, stored.id);
        assert_eq!(job.key(), key);
        assert_eq!(job.sdk_app_id().get(), APP);
        assert_eq!(job.command().unwrap().as_str(), ENDED);
        assert_eq!(job.body(), ended("a").body());
        assert_eq!(job.received_at(), stored_at);
        assert_eq!((job.attempt(), job.source(), job.replaces()), (1, Source::Callback, None));
        async { Ok::<_, Infallible>(()) }
    });
    assert_eq!(ran.run_due().await.unwrap().done, 1);
    assert_eq!(done_as(&item(&inbox).await), Some(DoneAs::Handled));
}

#[tokio::test]
async fn the_first_handler_that_takes_the_command_gets_the_item() {
    let (inbox, _, _) = inbox();
    let notes = Notes::default();
    put(&inbox, [ended("a"), started("b"), callback("Call.New", "{}")]).await;
    let worker = inbox
        .worker()
        .on(notes.handler::<MemberChanged>("changed"))
        .on(notes.handler::<CallEnded>("ended"))
        .on(notes.handler::<CallEnded>("ended, too late"))
        .on(notes.handler::<Callback>("anything"))
        .on(notes.handler::<Undecoded>("anything, too late"));
    assert_eq!(worker.run_due().await.unwrap().done, 3);
    assert_eq!(notes.take(), ["ended", "anything", "anything"]);
}

#[tokio::test]
async fn what_does_not_decode_is_dead_at_once_with_the_reason() {
    for command in [ENDED, ""] {
        let (inbox, _, _) = inbox();
        let notes = Notes::default();
        put(&inbox, [callback(command, BROKEN)]).await;
        // Whoever does not take what has no handler does not lose what nobody can read.
        let worker = inbox
            .worker()
            .on(notes.handler::<CallStarted>("started"))
            .on(notes.handler::<CallEnded>("ended"))
            .unhandled(Unhandled::Done);
        assert_eq!(worker.run_due().await.unwrap().dead, 1);
        let item = item(&inbox).await;
        assert_eq!((item.state, item.attempts), (State::Dead, 1));
        let error = item.last_error.unwrap();
        assert!(error.contains("JSON"), "{error}");
        assert!(notes.take().is_empty());
    }
}

#[tokio::test]
async fn what_no_handler_takes_is_dead_or_done_as_the_worker_is_told() {
    let (inbox, _, _) = inbox();
    let notes = Notes::default();
    let body = format!(r#"{{"CallbackCommand":"{STARTED}","CallInfo":{{"CallId":"b"}}}}"#);
    put(&inbox, [started("a"), callback("", &body), callback(STARTED, BROKEN)]).await;
    let worker = || inbox.worker().on(notes.handler::<CallEnded>("ended"));

    assert_eq!(worker().run_due().await.unwrap().dead, 3);
    for item in items(&inbox).await {
        assert_eq!(item.last_error.as_deref(), Some("no handler takes its command"));
    }

    let dead = items(&inbox).await.iter().map(|item| item.id).collect();
    assert_eq!(inbox.replay(dead).await.unwrap(), [true; 3]);
    assert_eq!(worker().unhandled(Unhandled::Done).run_due().await.unwrap().done, 3);
    for item in items(&inbox).await {
        assert_eq!(done_as(&item), Some(DoneAs::NoHandler));
    }
    assert!(notes.take().is_empty());
}

#[tokio::test]
async fn a_handler_of_the_undecoded_form_takes_everything() {
    let (inbox, _, _) = inbox();
    let notes = Notes::default();
    let bodies = [("", BROKEN), ("", "not JSON"), (STARTED, BROKEN), ("Call.New", "[]")];
    put(&inbox, bodies.map(|(command, body)| callback(command, body))).await;
    let worker = inbox
        .worker()
        .on(notes.handler::<CallEnded>("ended"))
        .on(notes.handler::<Undecoded>("undecoded"));
    assert_eq!(worker.run_due().await.unwrap().done, 4);
    assert_eq!(notes.take(), ["undecoded"; 4]);
}

#[tokio::test]
async fn a_body_of_a_command_that_is_taken_is_not_for_a_later_handler_if_it_is_broken() {
    let (inbox, _, _) = inbox();
    let notes = Notes::default();
    put(&inbox, [callback(ENDED, BROKEN)]).await;
    let worker = inbox
        .worker()
        .on(notes.handler::<CallEnded>("ended"))
        .on(notes.handler::<Undecoded>("undecoded"));
    assert_eq!(worker.run_due().await.unwrap().dead, 1);
    assert!(notes.take().is_empty());
}

#[tokio::test]
async fn a_panic_is_an_error_wherever_it_comes() {
    let (inbox, _, _) = inbox();
    put(&inbox, [ended("at once"), ended("later"), ended("with a number")]).await;
    let worker = inbox.worker().max_attempts(1).on(|job: Job<CallEnded>| {
        assert!(job.call_id != "at once", "the call fails");
        async move {
            tokio::task::yield_now().await;
            assert!(job.call_id != "later", "the future fails {}", 7);
            std::panic::panic_any(7);
            #[expect(unreachable_code, reason = "it has a type")]
            Ok::<_, Infallible>(())
        }
    });
    assert_eq!(worker.run_due().await.unwrap().dead, 3);
    let errors: Vec<_> =
        items(&inbox).await.into_iter().map(|item| item.last_error.unwrap()).collect();
    assert_eq!(
        errors,
        [
            "the handler panicked: the call fails",
            "the handler panicked: the future fails 7",
            "the handler panicked: no message"
        ]
    );
}

#[tokio::test]
async fn an_error_after_completing_changes_nothing() {
    let (inbox, _, _) = inbox();
    put(&inbox, [ended("a"), ended("b")]).await;
    let worker = inbox.worker().on(|job: Job<CallEnded>| async move {
        job.complete().await?;
        assert!(job.call_id == "a", "b fails in its own way");
        Err(JobError::dead("after the completion"))
    });
    assert_eq!(worker.run_due().await.unwrap().done, 2);
    for item in items(&inbox).await {
        assert_eq!((done_as(&item), &item.last_error), (Some(DoneAs::Handled), &None));
    }
}

#[tokio::test]
async fn a_job_that_is_disputed_while_it_runs_is_not_done() {
    let (inbox, _, _) = inbox();
    put(&inbox, [ended("a")]).await;
    let other = inbox.clone();
    let worker = inbox.worker().on(move |job: Job<CallEnded>| {
        let inbox = other.clone();
        async move {
            put(&inbox, [ended_otherwise(&job.call_id)]).await;
            let error = job.complete().await.unwrap_err();
            assert!(error.to_string().contains("the lease is lost"), "{error}");
            Ok::<_, Infallible>(())
        }
    });
    let ran = worker.run_due().await.unwrap();
    assert_eq!((ran.done, ran.lost), (0, 1));
    let states: Vec<State> = items(&inbox).await.iter().map(|item| item.state).collect();
    assert_eq!(states, [State::Disputed, State::Disputed]);
}
