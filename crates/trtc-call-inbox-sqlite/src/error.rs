//! What can fail, and what a caller is told.

use std::path::Path;
use std::sync::Arc;

use rusqlite::ffi::{self, ErrorCode};
use trtc_call_inbox::store::{StoreError, StoreErrorKind};

/// A failure of a transaction that several callers wait for: each of them is told.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    kind: StoreErrorKind,
    text: String,
    source: Option<Arc<rusqlite::Error>>,
    spares_connection: bool,
}

impl Failure {
    /// With a sentence that goes on after the file's name.
    pub(crate) fn new(kind: StoreErrorKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), source: None, spares_connection: false }
    }

    /// Says that the connection is as good as before.
    pub(crate) fn sparing_connection(self) -> Self {
        Self { spares_connection: true, ..self }
    }

    pub(crate) fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// Whether the connection may be used further. Any other one is closed, and the file opened again.
    pub(crate) fn spares_connection(&self) -> bool {
        self.spares_connection
    }

    /// Whether a constraint was not met: with statements of users, whose neighbours are innocent.
    pub(crate) fn is_constraint(&self) -> bool {
        let code = self.source.as_ref().and_then(|error| error.sqlite_error_code());
        code == Some(ErrorCode::ConstraintViolation)
    }

    /// For a caller.
    pub(crate) fn at(self, path: &Path) -> StoreError {
        let error = StoreError::new(self.kind, format!("{}: {}", path.display(), self.text));
        match self.source {
            Some(source) => error.with_source(source),
            None => error,
        }
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        let (kind, text) = describe(&error);
        let spares_connection = matches!(
            error.sqlite_error_code(),
            Some(
                ErrorCode::DatabaseBusy
                    | ErrorCode::DatabaseLocked
                    | ErrorCode::DiskFull
                    | ErrorCode::ConstraintViolation
            )
        );
        Self { kind, text, source: Some(Arc::new(error)), spares_connection }
    }
}

fn describe(error: &rusqlite::Error) -> (StoreErrorKind, String) {
    use StoreErrorKind as Kind;

    let (kind, text) = match error.sqlite_error() {
        Some(sqlite) if sqlite.extended_code == ffi::SQLITE_READONLY_DBMOVED => {
            (Kind::Replaced, "it was removed or replaced while it was open")
        }
        Some(sqlite) => match sqlite.code {
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
                (Kind::Unavailable, "somebody else has been writing to it for too long")
            }
            ErrorCode::DiskFull => (Kind::Full, "the disk is full"),
            ErrorCode::ReadOnly | ErrorCode::PermissionDenied => {
                (Kind::ReadOnly, "it cannot be written")
            }
            ErrorCode::NotADatabase => (Kind::NotAnInbox, "not an inbox"),
            ErrorCode::DatabaseCorrupt => (Kind::Corrupt, "it is damaged"),
            ErrorCode::SystemIoFailure => (Kind::Other, "the disk fails"),
            _ => return (Kind::Other, error.to_string()),
        },
        None => return (Kind::Other, error.to_string()),
    };
    (kind, format!("{text} ({error})"))
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind;

        let kind = match error.kind() {
            ErrorKind::NotFound => StoreErrorKind::NotFound,
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => StoreErrorKind::ReadOnly,
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreErrorKind::Full,
            _ => StoreErrorKind::Other,
        };
        Self::new(kind, error.to_string())
    }
}

/// The writer's thread has ended.
pub(crate) fn closed() -> StoreError {
    StoreError::new(StoreErrorKind::Closed, "the inbox is closed")
}
