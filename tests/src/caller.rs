//! Who sends calls to billing examples that something happens to, and keeps a ledger of what was
//! acknowledged.

use std::time::{Duration, Instant};

use crate::billing::{self, body, health, not_stored, post};
use crate::books::Books;
use crate::example::Example;
use crate::programs::Programs;
use crate::raw::ok;

/// How long the vendor waits for an answer.
const VENDOR_WAITS: Duration = Duration::from_secs(2);

/// How long it may take until all is well again, once it can be.
const RECOVERY: Duration = Duration::from_secs(20);

/// How long each attempt of a job takes, in milliseconds, where it is to come into a fault.
pub const DELAY: (&str, &str) = ("BILL_DELAY_MS", "800");

/// Sends calls, each with an id of its own, to the examples in turn.
pub struct Caller<'a> {
    /// What the examples keep.
    pub books: &'a Books,
    /// Those that are called.
    pub examples: Vec<Example>,
    /// How many calls were sent.
    pub sent: usize,
    /// The calls that were acknowledged.
    pub acknowledged: Vec<String>,
}

impl<'a> Caller<'a> {
    /// Calls examples that run.
    #[must_use]
    pub fn of(books: &'a Books, examples: Vec<Example>) -> Self {
        Self { books, examples, sent: 0, acknowledged: Vec::new() }
    }

    /// Starts so many examples on these books.
    ///
    /// # Panics
    ///
    /// If one ends instead.
    #[must_use]
    pub fn start(
        programs: &Programs,
        books: &'a Books,
        examples: usize,
        switches: &[(&str, &str)],
    ) -> Self {
        let start = |_| billing::start_with(programs, books, switches);
        Self::of(books, (0..examples).map(start).collect())
    }

    /// The first of the examples.
    #[must_use]
    pub fn example(&self) -> &Example {
        &self.examples[0]
    }

    /// Sends the next call, and says whether it is acknowledged. The answer comes in time, and what is
    /// acknowledged is there.
    ///
    /// # Panics
    ///
    /// If that is not so.
    pub async fn call(&mut self) -> bool {
        let call_id = format!("{:05}", self.sent);
        let example = &self.examples[self.sent % self.examples.len()];
        self.sent += 1;
        let start = Instant::now();
        let answer = post(example.address(), body(&call_id, 9)).await;
        let took = start.elapsed();
        assert!(took < VENDOR_WAITS, "{answer:?} after {took:?}");
        if answer == ok() {
            assert!(self.books.holds(body(&call_id, 9)), "{call_id} is not stored");
            self.acknowledged.push(call_id);
            return true;
        }
        assert_eq!(answer, not_stored());
        false
    }

    /// The next call is acknowledged.
    ///
    /// # Panics
    ///
    /// If it is not.
    pub async fn is_kept(&mut self) {
        assert!(self.call().await, "it is not kept");
    }

    /// Some calls are kept, and are about to be billed: what happens now comes between.
    ///
    /// # Panics
    ///
    /// If that is not so.
    pub async fn has_jobs_running(&mut self) {
        for _ in 0..5 {
            self.is_kept().await;
        }
        self.books.until("all are handed out", |books| books.count("waiting") == 0).await;
    }

    /// The next call is not acknowledged.
    ///
    /// # Panics
    ///
    /// If it is.
    pub async fn fails(&mut self) {
        assert!(!self.call().await, "it is acknowledged");
    }

    /// Three calls fail, and more if that takes no second: long enough for jobs to fail, too.
    ///
    /// # Panics
    ///
    /// If one does not.
    pub async fn fails_for_a_while(&mut self) {
        let (start, sent) = (Instant::now(), self.sent);
        while self.sent < sent + 3 || start.elapsed() < Duration::from_secs(1) {
            self.fails().await;
        }
    }

    /// Each example acknowledges again, without any help, before long.
    ///
    /// # Panics
    ///
    /// If one does not.
    pub async fn recovers(&mut self) {
        let start = Instant::now();
        for index in 0..self.examples.len() {
            self.sent = self.sent.next_multiple_of(self.examples.len()) + index;
            while !self.call().await {
                assert!(start.elapsed() < RECOVERY, "it does not recover");
                self.sent = self.sent.next_multiple_of(self.examples.len()) + index;
            }
            while health(&self.examples[index]).await != 200 {
                assert!(start.elapsed() < RECOVERY, "its health does not recover");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    /// All is worked off, and all that was acknowledged is billed, once. What was not may be, too.
    ///
    /// # Panics
    ///
    /// If that is not so.
    pub async fn settles(self) {
        self.books.until("all is worked off", |books| books.count_open() == 0).await;
        let bills = self.books.bills();
        assert!(bills.iter().all(|bill| bill.times_billed == 1), "{bills:?}");
        let billed: Vec<String> = bills.into_iter().map(|bill| bill.call_id).collect();
        let is_owed = |call_id: &&String| billed.binary_search(call_id).is_err();
        let owed: Vec<&String> = self.acknowledged.iter().filter(is_owed).collect();
        assert!(owed.is_empty(), "acknowledged and not billed: {owed:?}");
        for example in self.examples {
            assert_eq!(example.stop("-TERM").status, Some(0));
        }
    }
}
