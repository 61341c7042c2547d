//! When a request is tried again.

use std::time::Duration;

use tokio::time::Instant;

/// How long the first wait is at most, and any other.
const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(4);

/// Exponential back-off with full jitter, for a while.
#[derive(Debug)]
pub(crate) struct Backoff {
    /// From when on there is no further try; `None` if there always is one.
    until: Option<Instant>,
    longest: Duration,
}

impl Backoff {
    pub(crate) fn new(retry_for: Duration) -> Self {
        Self { until: Instant::now().checked_add(retry_for), longest: FIRST }
    }

    /// How long to wait before the next try, if there is to be one.
    pub(crate) fn next(&mut self) -> Option<Duration> {
        let longest = u64::try_from(self.longest.as_millis()).unwrap_or(u64::MAX);
        self.longest = self.longest.saturating_mul(2).min(LONGEST);
        let wait = Duration::from_millis(fastrand::u64(..=longest));
        let now = Instant::now();
        match (self.until, now.checked_add(wait)) {
            (Some(until), Some(then)) if then >= until => None,
            _ => Some(wait),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waits_grow_to_a_limit_and_end_with_the_time() {
        let (mut longest, mut tries, start) = (Duration::ZERO, 0, Instant::now());
        let mut backoff = Backoff::new(Duration::from_secs(600));
        while let Some(wait) = backoff.next() {
            assert!(tries > 0 || wait <= FIRST);
            (longest, tries) = (longest.max(wait), tries + 1);
            tokio::time::advance(wait).await;
        }
        assert!(longest <= LONGEST && longest > LONGEST / 2, "{longest:?}");
        assert!(start.elapsed() < Duration::from_secs(600));
        // Around 300, for waits of 2 s in the middle.
        assert!((150..600).contains(&tries), "{tries}");
    }

    #[tokio::test(start_paused = true)]
    async fn without_time_there_is_no_second_try() {
        assert_eq!(Backoff::new(Duration::ZERO).next(), None);
    }
}
