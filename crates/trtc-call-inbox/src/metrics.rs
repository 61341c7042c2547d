//! What is counted, through the `metrics` facade. Without the feature nothing is.

#[cfg(feature = "metrics")]
use std::time::Instant;

use crate::acceptance::Acceptance;
use crate::worker::Conclusion;

/// Times an `accept`.
pub(crate) struct Accept {
    #[cfg(feature = "metrics")]
    start: Instant,
}

impl Accept {
    pub(crate) fn start() -> Self {
        Self {
            #[cfg(feature = "metrics")]
            start: Instant::now(),
        }
    }

    #[cfg(feature = "metrics")]
    pub(crate) fn end(self, acceptance: &Acceptance) {
        let result = match acceptance {
            Acceptance::Stored => "stored",
            Acceptance::Duplicate => "duplicate",
            Acceptance::Disputed => "disputed",
            Acceptance::Failed(_) => "failed",
        };
        metrics::counter!("trtc_call_inbox_accepted_total", "result" => result).increment(1);
        metrics::histogram!("trtc_call_inbox_accept_seconds").record(self.start.elapsed());
    }

    #[cfg(not(feature = "metrics"))]
    pub(crate) fn end(self, _: &Acceptance) {}
}

/// A handler that runs, until it is dropped.
pub(crate) struct Job {
    #[cfg(feature = "metrics")]
    start: Instant,
}

impl Job {
    pub(crate) fn start() -> Self {
        #[cfg(feature = "metrics")]
        metrics::gauge!("trtc_call_inbox_jobs_running").increment(1);
        Self {
            #[cfg(feature = "metrics")]
            start: Instant::now(),
        }
    }
}

#[cfg(feature = "metrics")]
impl Drop for Job {
    fn drop(&mut self) {
        metrics::gauge!("trtc_call_inbox_jobs_running").decrement(1);
        metrics::histogram!("trtc_call_inbox_job_seconds").record(self.start.elapsed());
    }
}

/// What came of a job.
#[cfg(feature = "metrics")]
pub(crate) fn job(conclusion: Conclusion) {
    let outcome = match conclusion {
        Conclusion::Done => "done",
        Conclusion::Retried => "retried",
        Conclusion::Dead => "dead",
        Conclusion::GivenBack => "given_back",
        Conclusion::Asked => "asked",
        Conclusion::Lost => "lost",
    };
    metrics::counter!("trtc_call_inbox_jobs_total", "outcome" => outcome).increment(1);
}

#[cfg(not(feature = "metrics"))]
pub(crate) fn job(_: Conclusion) {}
