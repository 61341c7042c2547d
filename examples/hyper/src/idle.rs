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
            if timeout(time, count.wait_for(|count| *count > 0)).await.is_err() {
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
