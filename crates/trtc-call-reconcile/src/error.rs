//! Why something could not be reconciled.

use std::fmt;

use trtc_call_inbox::StoreError;

/// Why something could not be reconciled.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The vendor did not answer, or refused.
    Vendor(trtc_call_api::Error),
    /// The store failed.
    Store(StoreError),
    /// Another process reconciles this app at the moment.
    Busy,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vendor(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
            Self::Busy => f.write_str("another process reconciles this app at the moment"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // Their own texts stand in this one's.
        match self {
            Self::Vendor(error) => error.source(),
            Self::Store(error) => error.source(),
            Self::Busy => None,
        }
    }
}

impl From<trtc_call_api::Error> for Error {
    fn from(error: trtc_call_api::Error) -> Self {
        Self::Vendor(error)
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
