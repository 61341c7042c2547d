//! What is counted, where the feature is on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit, with_local_recorder,
};
use tokio::runtime::Builder;
use trtc_call_inbox::trtc_call_webhook::CallEnded;
use trtc_call_inbox::{Inbox, Job, JobError, StoreErrorKind};

use crate::calls::{HOUR, LEASE, SECOND, ended, ended_otherwise};
use crate::fake::{Fake, Fate, Op};

/// The sum of all that was recorded, by name and labels, and how often.
#[derive(Clone, Default)]
struct Sums(Arc<Mutex<BTreeMap<String, (f64, usize)>>>);

/// One of them.
struct Sum(Sums, String);

impl Sum {
    fn add(&self, value: f64) {
        let mut sums = self.0.0.lock().unwrap();
        let sum = sums.entry(self.1.clone()).or_default();
        *sum = (sum.0 + value, sum.1 + 1);
    }
}

impl CounterFn for Sum {
    fn increment(&self, value: u64) {
        self.add(value as f64);
    }

    fn absolute(&self, _: u64) {
        panic!("nothing sets a counter");
    }
}

impl GaugeFn for Sum {
    fn increment(&self, value: f64) {
        self.add(value);
    }

    fn decrement(&self, value: f64) {
        self.add(-value);
    }

    fn set(&self, _: f64) {
        panic!("nothing sets a gauge");
    }
}

impl HistogramFn for Sum {
    fn record(&self, value: f64) {
        assert!((0.0..60.0).contains(&value), "{} is in seconds: {value}", self.1);
        self.add(0.0);
    }
}

impl Sums {
    fn of(&self, key: &Key) -> Arc<Sum> {
        let labels: Vec<&str> = key.labels().map(|label| label.value()).collect();
        Arc::new(Sum(self.clone(), [&[key.name()], &*labels].concat().join(" ")))
    }
}

impl Recorder for Sums {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.of(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.of(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.of(key))
    }
}

#[test]
fn what_is_accepted_and_what_came_of_jobs_is_counted_and_timed() {
    let sums = Sums::default();
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    with_local_recorder(&sums, || {
        runtime.block_on(async {
            let (inbox, fake, clock) = Fake::new();
            for call in ["done", "retried", "dead", "lost"] {
                assert!(inbox.accept(&ended(call)).await.is_durable());
            }
            assert!(inbox.accept(&ended("done")).await.is_durable());
            for call in [ended("disputed"), ended_otherwise("disputed")] {
                assert!(inbox.accept(&call).await.is_durable());
            }
            fake.tell(Op::Put, Fate::Fails(StoreErrorKind::Full, 1));
            assert!(!inbox.accept(&ended("failed")).await.is_durable());

            let other = Inbox::from(fake.clone());
            let handler = move |job: Job<CallEnded>| {
                let (other, clock) = (other.clone(), clock.clone());
                async move {
                    match job.call_id.as_str() {
                        "done" => Ok(()),
                        "retried" => Err(JobError::retry_in(HOUR, "later")),
                        "dead" => Err(JobError::dead("never")),
                        _ => {
                            clock.advance(LEASE + SECOND);
                            let ran = other.worker().run_due().await.unwrap();
                            assert_eq!(ran.dead, 1);
                            Ok(())
                        }
                    }
                }
            };
            inbox.worker().on(handler).run_due().await.unwrap();
        });
    });
    let sums = sums.0.lock().unwrap();
    let sums: Vec<(&str, (f64, usize))> =
        sums.iter().map(|(name, sum)| (name.as_str(), *sum)).collect();
    assert_eq!(
        sums,
        [
            ("trtc_call_inbox_accept_seconds", (0.0, 8)),
            ("trtc_call_inbox_accepted_total disputed", (1.0, 1)),
            ("trtc_call_inbox_accepted_total duplicate", (1.0, 1)),
            ("trtc_call_inbox_accepted_total failed", (1.0, 1)),
            ("trtc_call_inbox_accepted_total stored", (5.0, 5)),
            ("trtc_call_inbox_job_seconds", (0.0, 5)),
            ("trtc_call_inbox_jobs_running", (0.0, 10)),
            // One of them in the other process.
            ("trtc_call_inbox_jobs_total dead", (2.0, 2)),
            ("trtc_call_inbox_jobs_total done", (1.0, 1)),
            ("trtc_call_inbox_jobs_total lost", (1.0, 1)),
            ("trtc_call_inbox_jobs_total retried", (1.0, 1)),
        ]
    );
}
