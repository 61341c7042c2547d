//! One database on a server.

use std::path::PathBuf;

use tokio_postgres::{Client, Error, Row};

use super::{OWNER, connect, try_connect};

/// Where a server is.
#[derive(Clone)]
pub(super) enum Place {
    /// One of the tests' own.
    Own { folder: PathBuf, port: u16 },
    /// The URL of some database there.
    Given(String),
}

impl Place {
    /// For whoever may do anything, or for the user of the URL.
    pub(super) fn url_of_superuser(&self, database: &str) -> String {
        match self {
            Self::Own { .. } => self.url_by_socket("postgres", database).expect("a socket"),
            Self::Given(_) => self.url(database, None),
        }
    }

    fn url(&self, database: &str, port: Option<u16>) -> String {
        match self {
            Self::Own { port: own, .. } => {
                format!("postgres://{OWNER}@127.0.0.1:{}/{database}", port.unwrap_or(*own))
            }
            Self::Given(url) => {
                let (url, parameters) = url.split_once('?').unwrap_or((url, ""));
                let (scheme, rest) = url.split_once("://").expect("a URL");
                let server = rest.split('/').next().unwrap_or_default();
                format!("{scheme}://{server}/{database}?{parameters}")
            }
        }
    }

    fn url_by_socket(&self, user: &str, database: &str) -> Option<String> {
        let Self::Own { folder, port } = self else { return None };
        let folder = folder.to_str().expect("UTF-8").replace('/', "%2F");
        Some(format!("postgres://{user}@{folder}:{port}/{database}"))
    }
}

/// A database of a test.
#[derive(Clone)]
pub struct Database {
    place: Place,
    name: String,
    url: String,
}

impl Database {
    pub(super) fn new(place: Place, name: &str) -> Self {
        Self { url: place.url(name, None), place, name: name.to_owned() }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Its URL, over TCP, for its owner.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The same, for another port of this machine: that of a relay, say.
    #[must_use]
    pub fn url_at(&self, port: u16) -> String {
        self.place.url(&self.name, Some(port))
    }

    /// The same over a Unix socket. `None` for a server of which only the URL is known.
    #[must_use]
    pub fn url_by_socket(&self) -> Option<String> {
        self.place.url_by_socket(OWNER, &self.name)
    }

    /// A connection of the superuser, or of the user that `TEST_DATABASE_URL` names.
    ///
    /// # Panics
    ///
    /// If it does not come about.
    pub async fn client(&self) -> Client {
        connect(&self.place.url_of_superuser(&self.name)).await
    }

    /// The same, where it may not come about.
    ///
    /// # Errors
    ///
    /// Why it does not.
    pub async fn try_client(&self) -> Result<Client, Error> {
        try_connect(&self.place.url_of_superuser(&self.name)).await
    }

    /// Runs statements.
    ///
    /// # Panics
    ///
    /// If one fails.
    pub async fn run(&self, statements: &str) {
        self.client().await.batch_execute(statements).await.expect("statements");
    }

    /// The rows of a query.
    ///
    /// # Panics
    ///
    /// If it fails.
    pub async fn rows(&self, query: &str) -> Vec<Row> {
        self.client().await.query(query, &[]).await.expect("rows")
    }
}
