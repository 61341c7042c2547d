//! Why a handler could not do its job.

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// The most of an error's text that is kept, in bytes.
const MAX_TEXT: usize = 1024;

/// Why a handler could not do its job, and what is to become of the item.
///
/// Every error becomes one by `?`, and so do texts and boxed errors: then the item is tried again, later
/// and later. What must not be tried again is [`dead`](Self::dead).
///
/// It is no [`std::error::Error`] itself, so that it can be made of all of them.
#[derive(Debug)]
pub struct JobError {
    pub(crate) then: Then,
    text: String,
}

/// What becomes of the item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// Tried again as the worker's policy says.
    Retry,
    /// Tried again after so long; the attempt does not count.
    RetryIn(Duration),
    /// Not tried again by itself.
    Dead,
}

impl JobError {
    /// It is not tried again by itself, whatever the policy says: the item is dead, with this reason,
    /// until a person replays or discards it.
    pub fn dead(reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { then: Then::Dead, ..Self::from(reason) }
    }

    /// It is tried again after so long, and this attempt does not count: for a server that says when it
    /// takes requests again, or a record that is not there yet.
    pub fn retry_in(delay: Duration, reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { then: Then::RetryIn(delay), ..Self::from(reason) }
    }

    /// The error with its causes, at most 1 KiB.
    pub(crate) fn into_text(self) -> String {
        self.text
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for JobError {
    fn from(error: E) -> Self {
        let error = error.into();
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let _ = fmt::Write::write_fmt(&mut text, format_args!(": {error}"));
            cause = error.source();
        }
        let mut end = text.len().min(MAX_TEXT);
        while !text.is_char_boundary(end) {
            end = end.saturating_sub(1);
        }
        text.truncate(end);
        Self { then: Then::Retry, text }
    }
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}
