//! Why a store could not do something.

use std::error::Error;
use std::fmt;

/// Why a store could not do something.
///
/// Its text names no secret and holds nothing of a body. A cause stands in [`source`](Error::source).
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    text: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// Somebody else holds it, or the connection is lost: it may pass by itself.
    Unavailable,
    /// It did not answer in time.
    TimedOut,
    /// There is no room.
    Full,
    /// It cannot be written.
    ReadOnly,
    /// It is not there.
    NotFound,
    /// It is something else than an inbox.
    NotAnInbox,
    /// It was made by a version that this one cannot work with.
    SchemaTooNew,
    /// It is damaged.
    Corrupt,
    /// It was removed or replaced under us.
    Replaced,
    /// It is closed.
    Closed,
    /// The lease is lost: somebody else has the item, or it is disputed.
    LeaseLost,
    /// Something else.
    Other,
}

impl StoreError {
    /// With a sentence for people.
    pub fn new(kind: StoreErrorKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), source: None }
    }

    /// A settlement or completion that came too late.
    #[must_use]
    pub fn lease_lost() -> Self {
        Self::new(
            StoreErrorKind::LeaseLost,
            "the lease is lost: somebody else has the item, or it is disputed",
        )
    }

    /// With what it came from.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What kind of failure it is.
    #[must_use]
    pub const fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// Whether it may pass by itself, so that trying again within a second may help.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self.kind, StoreErrorKind::Unavailable | StoreErrorKind::Replaced)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| -> &(dyn Error + 'static) { source })
    }
}
