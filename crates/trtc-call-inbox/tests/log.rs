//! What an operator is told: a test binary of its own, since each line is loud once a minute in a
//! process.
#![cfg(feature = "tracing")]

#[path = "inbox/calls.rs"]
#[expect(dead_code, reason = "others need the rest")]
mod calls;
#[path = "inbox/fake.rs"]
#[expect(dead_code, reason = "others need the rest")]
mod fake;

use std::fmt::{Debug, Write as _};
use std::future::{pending, ready};
use std::sync::{Arc, Mutex};

use tokio::time::sleep;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use trtc_call_inbox::trtc_call_webhook::CallEnded;
use trtc_call_inbox::{Inbox, Job, JobError, StoreErrorKind};

use self::calls::{ENDED, HOUR, LEASE, MINUTE, SECOND, callback, ended, ended_otherwise, put};
use self::fake::{Fake, Fate, Op};

/// What was logged, a line each: level, message, and fields.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "trtc_call_inbox"
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line { text: event.metadata().level().to_string(), fields: String::new() };
        event.record(&mut line);
        self.0.lock().unwrap().push(line.text + &line.fields);
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        panic!("there are no spans: {span:?}")
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Line {
    text: String,
    fields: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            write!(self.text, " {value:?}").unwrap();
        } else {
            write!(self.fields, " {}={value:?}", field.name()).unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_kind_of_line_is_loud_once_and_none_holds_what_a_callback_says() {
    let lines = Lines::default();
    let _guard = tracing::subscriber::set_default(lines.clone());
    let expect = |expected: &[&str]| assert_eq!(lines.take(), expected);

    let (inbox, fake, clock) = Fake::new();
    put(&inbox, [ended("s3cret-1"), ended("s3cret-1")]).await;
    expect(&[]);
    put(&inbox, [ended_otherwise("s3cret-1")]).await;
    expect(&["WARN callback disputed: another one of its key would be billed differently; \
        neither is worked sdk_app_id=1400000001 item=2 since=0"]);
    fake.tell(Op::Put, Fate::Fails(StoreErrorKind::Full, 2));
    assert!(!inbox.accept(&ended("s3cret-2")).await.is_durable());
    assert!(!inbox.accept(&ended("s3cret-2")).await.is_durable());
    expect(&[
        "ERROR callback not stored sdk_app_id=1400000001 error=as it was told since=0",
        "DEBUG callback not stored sdk_app_id=1400000001 error=as it was told",
    ]);

    let other = Inbox::from(fake.clone());
    let (thief, moved) = (other.clone(), clock.clone());
    let handler = move |job: Job<CallEnded>| {
        let (thief, clock) = (thief.clone(), moved.clone());
        async move {
            match job.id().get() {
                3 => Err(JobError::retry_in(HOUR, "later")),
                4 => Err(JobError::dead("never")),
                5 => {
                    job.complete().await?;
                    Err(JobError::from("too late"))
                }
                6 => {
                    clock.advance(LEASE + SECOND);
                    let done = |_: Job<CallEnded>| ready(Ok::<_, JobError>(()));
                    assert_eq!(thief.worker().on(done).run_due().await.unwrap().done, 1);
                    Ok(())
                }
                7 => {
                    put(&thief, [ended_otherwise(&job.call_id)]).await;
                    Err(JobError::from("whatever"))
                }
                _ => Ok(()),
            }
        }
    };
    put(&inbox, (3..=6).map(|number| ended(&format!("s3cret-{number}")))).await;
    inbox.worker().on(handler.clone()).run_due().await.unwrap();
    expect(&[
        "INFO job failed, tried again in 3600s \
            sdk_app_id=1400000001 item=3 attempt=1 error=\"later\" since=0",
        "ERROR dead letter sdk_app_id=1400000001 item=4 attempt=1 error=\"never\" since=0",
        "WARN handler failed after it had completed its job, which stays done \
            sdk_app_id=1400000001 item=5 attempt=1 error=\"too late\" since=0",
        "WARN job worked, but its lease was lost before: it may be worked again \
            sdk_app_id=1400000001 item=6 attempt=1 since=0",
    ]);

    put(&inbox, [ended("s3cret-7")]).await;
    inbox.worker().on(handler.clone()).run_due().await.unwrap();
    put(&inbox, [ended_otherwise("s3cret-6")]).await;
    expect(&[
        "DEBUG callback disputed: another one of its key would be billed differently; \
            neither is worked sdk_app_id=1400000001 item=8",
        "WARN the lease of a job was lost before it ended \
            sdk_app_id=1400000001 item=7 attempt=1 since=0",
        "WARN callback disputed, and the other one of its key is done: it may have been billed \
            wrongly sdk_app_id=1400000001 item=9 since=0",
    ]);

    put(&inbox, [callback(ENDED, r#"{"CallRecord":"s3cret-10""#)]).await;
    inbox.worker().on(handler.clone()).run_due().await.unwrap();
    let line = lines.take().remove(0);
    assert!(line.starts_with("DEBUG dead letter sdk_app_id=1400000001 item=10 attempt=1 error="));
    assert!(!line.contains("s3cret"), "{line}");

    // A process that ends in the middle, as often as it may.
    put(&inbox, [ended("s3cret-11")]).await;
    for _ in 0..2 {
        let process = Inbox::from(fake.clone());
        let worker = process.worker().on(|_: Job<CallEnded>| pending::<Result<(), JobError>>());
        let until_it_hangs = tokio::time::timeout(SECOND, worker.run_due());
        until_it_hangs.await.unwrap_err();
        clock.advance(LEASE + SECOND);
    }
    inbox.worker().max_lost_leases(2).on(handler.clone()).run_due().await.unwrap();
    expect(&["ERROR dead letter: its leases ended without a word item=11 since=0"]);

    put(&inbox, [ended("s3cret-12")]).await;
    let process = Inbox::from(fake.clone());
    let worker = process.worker().on(|_: Job<CallEnded>| pending::<Result<(), JobError>>());
    tokio::time::timeout(SECOND, worker.run_due()).await.unwrap_err();
    clock.advance(LEASE + SECOND);
    for op in [Op::Lease, Op::Settle, Op::Renew, Op::Prune] {
        fake.tell(op, Fate::Fails(StoreErrorKind::Unavailable, 1));
    }
    let slow = |_: Job<CallEnded>| async {
        sleep(2 * MINUTE).await;
        Ok::<_, JobError>(())
    };
    let worker = inbox.worker().on(slow).start();
    sleep(3 * MINUTE).await;
    worker.stop(SECOND).await;
    expect(&[
        "WARN nothing can be leased, tried again error=as it was told since=0",
        "WARN there are items whose lease ended without a word: each runs alone, and others wait \
            for it since=0",
        "WARN leases cannot be renewed, tried again error=as it was told since=0",
        "WARN what is old cannot be removed, tried again error=as it was told since=0",
        "WARN what came of jobs cannot be stored, tried again error=as it was told since=0",
        "INFO worker stopped given_back=0",
    ]);

    put(&inbox, [ended("s3cret-13")]).await;
    let completes = |job: Job<CallEnded>| async move {
        job.complete().await?;
        pending::<Result<(), JobError>>().await
    };
    let worker = inbox.worker().on(completes).start();
    sleep(SECOND).await;
    worker.stop(SECOND).await;
    expect(&["INFO worker stopped given_back=0"]);
}
