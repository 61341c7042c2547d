//! What can fail, and what a caller is told. No text has a password, nor anything of a callback.

use std::error::Error;
use std::io;
use std::sync::Arc;

use tokio_postgres::error::{DbError, SqlState};
use trtc_call_inbox::store::{StoreError, StoreErrorKind};

/// The errors of the functions in `schema.sql`.
const SCHEMA_TOO_NEW: &str = "TC001";
pub(crate) const TO_BE_COMPARED: &str = "TC002";
const LEASE_LOST: &str = "TC003";

/// A failure that several callers may wait for: each of them is told.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    kind: StoreErrorKind,
    text: String,
    code: Option<SqlState>,
    source: Option<Arc<io::Error>>,
    spares_connection: bool,
}

impl Failure {
    /// With a sentence that goes on after the server's name.
    pub(crate) fn new(kind: StoreErrorKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), code: None, source: None, spares_connection: false }
    }

    /// Nobody said anything in time.
    pub(crate) fn timed_out(text: &str) -> Self {
        Self::new(StoreErrorKind::TimedOut, text)
    }

    /// Says that the connection is as good as before.
    pub(crate) fn sparing_connection(self) -> Self {
        Self { spares_connection: true, ..self }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether the connection may be used further.
    pub(crate) fn spares_connection(&self) -> bool {
        self.spares_connection
    }

    /// Whether it may be for one of several items that were put together: a key that somebody holds, for
    /// example.
    pub(crate) fn is_of_an_item(&self) -> bool {
        self.spares_connection && self.kind != StoreErrorKind::SchemaTooNew
    }

    /// The same for those that may be innocent of it.
    pub(crate) fn tried_again(self) -> Self {
        Self { kind: StoreErrorKind::Unavailable, ..self }
    }

    /// Whether one of the functions has raised this.
    pub(crate) fn is(&self, code: &str) -> bool {
        self.code.as_ref().is_some_and(|known| known.code() == code)
    }

    /// For a caller.
    pub(crate) fn at(self, place: &str) -> StoreError {
        let error = StoreError::new(self.kind, format!("{place}: {}", self.text));
        match self.source {
            Some(source) => error.with_source(source),
            None => error,
        }
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        if let Some(error) = error.as_db_error() {
            return Self::from(error);
        }
        if error.is_closed() {
            return Self::new(StoreErrorKind::Unavailable, "the connection is closed");
        }
        // What it came from: the network, TLS, or a name that was not found.
        let mut text = error.to_string();
        let mut kind = StoreErrorKind::Other;
        let mut source = None;
        let mut cause = error.source();
        while let Some(error) = cause {
            if !text.contains(&error.to_string()) {
                text = format!("{text}: {error}");
            }
            if let Some(io) = error.downcast_ref::<io::Error>() {
                kind = StoreErrorKind::Unavailable;
                source = Some(Arc::new(io::Error::new(io.kind(), io.to_string())));
            }
            cause = error.source();
        }
        Self { source, ..Self::new(kind, text) }
    }
}

impl From<&DbError> for Failure {
    /// Leaves out the detail, which may have values of rows.
    fn from(error: &DbError) -> Self {
        let code = error.code();
        let (kind, spares_connection) = classify(code);
        let text = match kind {
            StoreErrorKind::NotAnInbox => {
                format!("there is no inbox, or a part of it is missing: {}", error.message())
            }
            _ if code.code() == "55P03" => {
                format!("somebody else holds it for too long: {}", error.message())
            }
            _ => error.message().to_owned(),
        };
        Self {
            kind,
            text: format!("{text} (SQLSTATE {})", code.code()),
            code: Some(code.clone()),
            source: None,
            spares_connection,
        }
    }
}

/// What a SQLSTATE means here, and whether the connection is as good as before.
fn classify(code: &SqlState) -> (StoreErrorKind, bool) {
    use StoreErrorKind as Kind;

    match code.code() {
        SCHEMA_TOO_NEW => (Kind::SchemaTooNew, true),
        LEASE_LOST => (Kind::LeaseLost, true),
        TO_BE_COMPARED => (Kind::Other, true),
        // Lock not available, serialization failure, deadlock, query cancelled.
        "55P03" | "40001" | "40P01" | "57014" => (Kind::Unavailable, true),
        // Disk full.
        "53100" => (Kind::Full, true),
        // Read only: after a failover, another server may be the one to write to.
        "25006" => (Kind::ReadOnly, false),
        // Unknown database.
        "3D000" => (Kind::NotFound, false),
        // Unknown schema, table, function, or column.
        "3F000" | "42P01" | "42883" | "42703" => (Kind::NotAnInbox, true),
        "XX001" | "XX002" => (Kind::Corrupt, false),
        code => match code.get(..2) {
            // Values, constraints, rights, limits.
            Some("22" | "23" | "42" | "54") => (Kind::Other, true),
            // Connections, resources, and what an operator or a crash does.
            Some("08" | "53" | "57" | "58") => (Kind::Unavailable, false),
            _ => (Kind::Other, false),
        },
    }
}

/// It was closed, with the runtime that it was opened on, for example.
pub(crate) fn closed() -> StoreError {
    StoreError::new(StoreErrorKind::Closed, "the inbox is closed")
}
