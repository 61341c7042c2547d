//! When a connection has been without a request for too long.
//!
//! HTTP/1 in hyper has a time-out for the next head. This is for what that does not cover: before
//! it is known which HTTP the peer speaks, and HTTP/2.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

/// Counts the requests in flight on one connection.
#[derive(Clone)]
pub(crate) struct InFlight(watch::Sender<usize>);

impl InFlight {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    /// A request is in flight as long as the result lives.
    pub(crate) fn enter(&self) -> Entered {
        self.0.send_modify(|count| *count = count.saturating_add(1));
        Entered(self.clone())
    }

    /// Completes once there was no request in flight for `time`.
    pub(crate) async fn idle(&self, time: Duration) {
        let mut count = self.0.subscribe();
        loop {
            // The sender lives in `self`: waiting fails never.
            let _ = count.wait_for(|count| *count == 0).await;
            // Any change starts the time anew: a request may come and go between two looks.
            if timeout(time, count.changed()).await.is_err() {
                return;
            }
        }
    }
}

pub(crate) struct Entered(InFlight);

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count = count.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::sleep;

    const TIME: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn requests_that_come_and_go_keep_a_connection() {
        let in_flight = InFlight::new();
        let idle = tokio::spawn({
            let in_flight = in_flight.clone();
            async move { in_flight.idle(TIME).await }
        });
        for _ in 0..20 {
            sleep(TIME / 4).await;
            drop(in_flight.enter());
            assert!(!idle.is_finished());
        }
        sleep(TIME + Duration::from_secs(1)).await;
        assert!(idle.is_finished());
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_in_flight_keeps_a_connection_however_long_it_takes() {
        let in_flight = InFlight::new();
        let entered = in_flight.enter();
        assert!(timeout(TIME * 10, in_flight.idle(TIME)).await.is_err());
        drop(entered);
        assert!(timeout(TIME * 2, in_flight.idle(TIME)).await.is_ok());
    }
}
