//! How often requests are sent.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

/// Lets requests through one after the other, in the order in which they came.
#[derive(Debug)]
pub(crate) struct RateLimit {
    interval: Duration,
    /// When the next may go. Whoever waits for that time holds the lock: if it is dropped, no turn is lost.
    next: Mutex<Instant>,
}

impl RateLimit {
    /// So many a second; `None` if none.
    pub(crate) fn new(per_second: u32) -> Option<Self> {
        let interval = Duration::from_secs(1).checked_div(per_second)?;
        Some(Self { interval, next: Mutex::new(Instant::now()) })
    }

    /// Waits until a request may be sent.
    pub(crate) async fn acquire(&self) {
        let mut next = self.next.lock().await;
        sleep_until(*next).await;
        // A timer that is late by less than a turn does not slow down the rest.
        let now = Instant::now();
        let due = if now.saturating_duration_since(*next) < self.interval { *next } else { now };
        *next = due.checked_add(self.interval).unwrap_or(due);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn so_many_a_second_go_in_the_order_in_which_they_came() {
        let limit = Arc::new(RateLimit::new(10).unwrap());
        let start = Instant::now();
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        for number in 0_u128..30 {
            let (limit, sender) = (Arc::clone(&limit), sender.clone());
            tokio::spawn(async move {
                limit.acquire().await;
                sender.send((number, start.elapsed().as_millis())).unwrap();
            });
        }
        for number in 0..30 {
            assert_eq!(receiver.recv().await.unwrap(), (number, number * 100));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_saves_up_no_burst() {
        let limit = RateLimit::new(10).unwrap();
        limit.acquire().await;
        tokio::time::advance(Duration::from_secs(60)).await;
        let start = Instant::now();
        for _ in 0..11 {
            limit.acquire().await;
        }
        assert_eq!(start.elapsed(), Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_goes_away_takes_no_turn() {
        let limit = RateLimit::new(1).unwrap();
        limit.acquire().await;
        let start = Instant::now();
        for _ in 0..9 {
            let waited = tokio::time::timeout(Duration::from_millis(100), limit.acquire()).await;
            assert!(waited.is_err());
        }
        limit.acquire().await;
        assert_eq!(start.elapsed(), Duration::from_secs(1));
    }
}
