//! How a server is connected to.

use trtc_call_inbox::store::StoreError;

use crate::inbox::PostgresInbox;

/// How a server is connected to.
#[derive(Clone, Debug, Default)]
#[must_use = "nothing is connected yet"]
pub struct PostgresOptions {
    pub(crate) must_exist: bool,
    pub(crate) takes_insecure_settings: bool,
}

impl PostgresOptions {
    /// Fails if there is no inbox in the database, and makes none: for tools, and for a role that may not
    /// create anything.
    pub fn must_exist(mut self) -> Self {
        self.must_exist = true;
        self
    }

    /// Takes a server that loses what it has acknowledged when it crashes: with `fsync` or
    /// `full_page_writes` off, or with unlogged tables. For tests.
    pub fn insecure_settings(mut self) -> Self {
        self.takes_insecure_settings = true;
        self
    }

    /// Connects, and makes the schema `trtc_call` if it is not there.
    ///
    /// The URL is `postgres://user:password@host:5432/database`; several hosts are separated by commas, and
    /// the one that can be written to is used. Its parameters are those of `tokio-postgres`, and
    /// `sslmode` and `sslrootcert` as libpq has them: over a network say `sslmode=verify-full`, since with
    /// less nobody verifies who the server is. The certificates that are trusted are the system's, or those
    /// in the file that `sslrootcert` names.
    ///
    /// # Errors
    ///
    /// By [`kind`](StoreError::kind): `Unavailable` if the server cannot be reached; `NotFound` if the
    /// database, or with [`must_exist`](Self::must_exist) the schema, is not there; `NotAnInbox` if a schema
    /// of that name is something else; `SchemaTooNew` if it was made by a version that this one cannot work
    /// with; `ReadOnly` for a standby; `Other`, also for a URL that cannot be used and for settings of the
    /// server that would lose data. No error shows the password.
    pub async fn connect(self, url: &str) -> Result<PostgresInbox, StoreError> {
        PostgresInbox::connect_with(self, url).await
    }
}
