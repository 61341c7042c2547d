//! What happens to a call, and what must come of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use trtc_call_inbox::{Filter, Inbox, Job, JobError, State, StoreError};
use trtc_call_webhook::CallEnded;

/// A call, what is wrong with its work, and how it goes.
pub(in crate::demo) struct Scene {
    pub(in crate::demo) with: &'static str,
    /// A callback for each, by the seconds that it says were talked.
    pub(super) talks: &'static [u32],
    pub(super) trouble: Trouble,
    pub(in crate::demo) story: &'static str,
}

/// What is wrong with a call's work.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Trouble {
    #[default]
    None,
    /// The process ends in it.
    Ends,
    /// The handler fails so often.
    Fails(u32),
    /// The handler cannot do it, until it is mended.
    ForGood,
}

/// In the order in which they are sent.
pub(super) const SCENES: [Scene; 5] = [
    Scene {
        with: "process ends",
        talks: &[42],
        trouble: Trouble::Ends,
        story: "a process ends in attempt 1, attempt 2 bills 42 s",
    },
    Scene {
        with: "duplicate",
        talks: &[42, 42],
        trouble: Trouble::None,
        story: "attempt 1 bills 42 s",
    },
    Scene {
        with: "fails twice",
        talks: &[42],
        trouble: Trouble::Fails(2),
        story: "attempt 1 fails, attempt 2 fails, attempt 3 bills 42 s",
    },
    Scene {
        with: "fails for good",
        talks: &[42],
        trouble: Trouble::ForGood,
        story: "attempt 1 gives up, 1 dead is replayed, attempt 1 bills 42 s",
    },
    Scene {
        with: "disputed",
        talks: &[42, 4200],
        trouble: Trouble::None,
        story: "2 disputed are resolved, attempt 1 bills 42 s",
    },
];

impl Scene {
    /// What a person does about a call, if there is something to be done. Says whether its items are all
    /// done.
    pub(super) async fn decide(
        &self,
        inbox: &Inbox,
        diary: &Diary,
        call_id: &str,
    ) -> Result<bool, StoreError> {
        let items = inbox.list(Filter::all().call_id(call_id), usize::MAX).await?;
        let are = |state| items.iter().filter(move |item| item.state == state);
        let count = |state| are(state).count();
        if let Some(first) = are(State::Disputed).next() {
            diary.add(call_id, &format!("{} disputed are resolved", count(State::Disputed)));
            inbox.resolve(first.id).await?;
        }
        if count(State::Dead) > 0 {
            diary.add(call_id, &format!("{} dead is replayed", count(State::Dead)));
            diary.trouble(call_id, Trouble::None);
            inbox.replay(are(State::Dead).map(|item| item.id).collect()).await?;
        }
        Ok(!items.is_empty() && count(State::Done) == items.len())
    }
}

/// Where stands what became of each call.
#[derive(Clone, Default)]
pub(super) struct Diary(Arc<Mutex<HashMap<String, Entry>>>);

#[derive(Default)]
struct Entry {
    trouble: Trouble,
    story: Vec<String>,
}

impl Diary {
    /// What the handler does.
    pub(super) fn work(&self, job: &Job<CallEnded>) -> Result<(), JobError> {
        let mut calls = self.calls();
        let entry = calls.entry(job.call_id.clone()).or_default();
        let attempt = job.attempt();
        let (does, done) = match entry.trouble {
            Trouble::ForGood => ("gives up".to_owned(), Err(JobError::dead("no such tariff"))),
            Trouble::Fails(times) if attempt <= times => {
                ("fails".to_owned(), Err("the bank is closed".into()))
            }
            _ => (format!("bills {} s", job.billing().seconds().unwrap_or_default()), Ok(())),
        };
        entry.story.push(format!("attempt {attempt} {does}"));
        done
    }

    pub(super) fn add(&self, call_id: &str, what: &str) {
        self.calls().entry(call_id.to_owned()).or_default().story.push(what.to_owned());
    }

    pub(super) fn trouble(&self, call_id: &str, trouble: Trouble) {
        self.calls().entry(call_id.to_owned()).or_default().trouble = trouble;
    }

    pub(super) fn story(&self, call_id: &str) -> String {
        self.calls().get(call_id).map_or_else(String::new, |entry| entry.story.join(", "))
    }

    fn calls(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
