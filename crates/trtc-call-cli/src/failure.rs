//! What keeps a task from being done at all: exit status 2.

use std::fmt;

use trtc_call_api::{Code, Error as ApiError};
use trtc_call_inbox::StoreError;
use trtc_call_reconcile::Error as ReconcileError;
use trtc_call_webhook::BuildError;

/// One sentence for the person at the terminal. Holds no token, no signature and no query.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        Self(format!("the verifier cannot work: {error}"))
    }
}

impl From<StoreError> for Failure {
    /// Its text names the file.
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}

impl From<ReconcileError> for Failure {
    fn from(error: ReconcileError) -> Self {
        match error {
            ReconcileError::Vendor(error) => error.into(),
            ReconcileError::Store(error) => error.into(),
            error => Self(error.to_string()),
        }
    }
}

impl From<ApiError> for Failure {
    /// Its text has the vendor's code, what it means, and the request's id.
    fn from(error: ApiError) -> Self {
        Self(match error.code().and_then(Code::advice) {
            Some(advice) => format!("{error}; {advice}"),
            None => error.to_string(),
        })
    }
}
