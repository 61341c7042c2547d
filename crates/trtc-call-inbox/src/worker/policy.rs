//! What becomes of an item.

use std::time::Duration;

use super::Unhandled;
use crate::confirm::Confirm;
use crate::item::DoneAs;
use crate::job_error::{JobError, Then};
use crate::store::{LeasedItem, Outcome, Retention};

/// No retry comes sooner, whatever the dice or the handler say: none is hot.
const SHORTEST_DELAY: Duration = Duration::from_millis(100);

/// The longest delay after the first attempt, which doubles with each, and the longest of all.
const FIRST_DELAY: Duration = Duration::from_secs(1);
const LONGEST_DELAY: Duration = Duration::from_secs(60 * 60);

/// What the builder was told.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    pub(super) concurrency: usize,
    pub(super) term: Duration,
    pub(super) retry_for: Duration,
    pub(super) max_attempts: u32,
    pub(super) max_lost_leases: u32,
    pub(super) timeout: Duration,
    pub(super) ordered_by_call: bool,
    pub(super) unhandled: Unhandled,
    pub(super) retention: Retention,
    pub(super) confirm: Confirm,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            concurrency: 16,
            term: Duration::from_secs(30),
            retry_for: Duration::from_secs(3 * 24 * 60 * 60),
            max_attempts: u32::MAX,
            max_lost_leases: 5,
            timeout: Duration::from_secs(5 * 60),
            ordered_by_call: false,
            unhandled: Unhandled::default(),
            retention: Retention::default(),
            confirm: Confirm::default(),
        }
    }
}

impl Policy {
    /// What becomes of an item after its handler's word.
    pub(super) fn outcome(&self, item: &LeasedItem, word: Result<DoneAs, JobError>) -> Outcome {
        let error = match word {
            Ok(done) => return Outcome::Done(done),
            Err(error) => error,
        };
        let (then, error) = (error.then, error.into_text());
        match then {
            Then::Dead => Outcome::Dead { error },
            Then::RetryIn(after) => {
                Outcome::Retry { after: after.max(SHORTEST_DELAY), counted: false, error }
            }
            Then::Retry => {
                let after = delay(item.attempt);
                let is_late = item.since_first_attempt.saturating_add(after) > self.retry_for;
                if is_late || item.attempt >= self.max_attempts {
                    return Outcome::Dead { error };
                }
                Outcome::Retry { after, counted: true, error }
            }
        }
    }
}

/// Exponential with full jitter: what failed at one moment does not come back at one moment.
fn delay(attempt: u32) -> Duration {
    let longest = longest_delay(attempt);
    longest.mul_f64(fastrand::f64()).max(SHORTEST_DELAY)
}

fn longest_delay(attempt: u32) -> Duration {
    let times = 2_u32.saturating_pow(attempt.saturating_sub(1));
    FIRST_DELAY.saturating_mul(times).min(LONGEST_DELAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_delay_doubles_from_a_second_to_an_hour() {
        let seconds = |attempt| longest_delay(attempt).as_secs();
        let of = [1, 2, 3, 4, 11, 12, 13, 33, u32::MAX].map(seconds);
        assert_eq!(of, [1, 2, 4, 8, 1024, 2048, 3600, 3600, 3600]);
    }

    #[test]
    fn a_delay_is_anywhere_below_the_longest_and_never_hot() {
        fastrand::seed(1);
        for attempt in [1, 5, 40] {
            let delays: Vec<Duration> = (0..1000).map(|_| delay(attempt)).collect();
            let longest = longest_delay(attempt);
            assert!(delays.iter().all(|delay| (SHORTEST_DELAY..=longest).contains(delay)));
            let below =
                |share: f64| delays.iter().filter(|delay| **delay < longest.mul_f64(share)).count();
            assert!((450..550).contains(&below(0.5)), "{}", below(0.5));
            assert!((850..950).contains(&below(0.9)), "{}", below(0.9));
        }
    }
}
