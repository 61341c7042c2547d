//! Where an inbox is: in a SQLite file, or in a PostgreSQL database.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::time::timeout;
use trtc_call_inbox::store::StoreError;
use trtc_call_inbox::{Inbox, StoreErrorKind};
use trtc_call_inbox_postgres::PostgresInbox;
use trtc_call_inbox_sqlite::SqliteInbox;

use crate::failure::Failure;

/// How long a database may take to open. A server that is away is known sooner: this is for tables that
/// somebody has locked.
const PATIENCE: Duration = Duration::from_secs(10);

/// What `--inbox` names. Not `Debug`, and never printed: a URL may have a password in it.
pub(crate) enum Place {
    File(PathBuf),
    Database(String),
}

impl Place {
    /// None for what is neither: paths are printed, and a misspelt URL must not be.
    pub(crate) fn read(text: &str) -> Option<Self> {
        if ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme)) {
            return Some(Self::Database(text.to_owned()));
        }
        let lower = text.to_lowercase();
        let is_path = !["://", "postgres:", "postgresql:", "password="]
            .iter()
            .any(|part| lower.contains(part));
        is_path.then(|| Self::File(text.into()))
    }
}

/// An inbox that is open.
pub(crate) enum Store {
    Sqlite { path: PathBuf, inbox: SqliteInbox },
    Postgres(PostgresInbox),
}

impl Store {
    /// Opens an inbox, and makes it unless it must exist. It works on the runtime, which comes back.
    pub(crate) fn open(
        place: Place,
        must_exist: bool,
        runtime: Runtime,
    ) -> Result<(Self, Runtime), Failure> {
        match runtime.block_on(open(place, must_exist)) {
            Ok(store) => Ok((store, runtime)),
            Err(failure) => {
                // A look-up of a name that hangs is not waited for.
                runtime.shutdown_background();
                Err(failure)
            }
        }
    }

    pub(crate) fn inbox(&self) -> Inbox {
        match self {
            Self::Sqlite { inbox, .. } => inbox.clone().into(),
            Self::Postgres(inbox) => inbox.clone().into(),
        }
    }

    /// Its name for people.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Sqlite { path, .. } => path.display().to_string(),
            Self::Postgres(inbox) => inbox.place().to_owned(),
        }
    }

    /// The bytes of a file and of its log.
    pub(crate) fn file_sizes(&self) -> Option<[u64; 2]> {
        let Self::Sqlite { path, .. } = self else { return None };
        let size = |path: &Path| fs::metadata(path).map_or(0, |file| file.len());
        let mut log = path.clone().into_os_string();
        log.push("-wal");
        Some([size(path), size(Path::new(&log))])
    }

    /// What is damaged in it.
    pub(crate) async fn integrity(&self) -> Result<Vec<String>, StoreError> {
        match self {
            Self::Sqlite { inbox, .. } => inbox.integrity().await,
            Self::Postgres(inbox) => inbox.integrity().await,
        }
    }

    /// What to do about damage.
    pub(crate) const fn against_damage(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => {
                "stop what has the file open, copy it and its -wal, and recover it with `sqlite3 .recover`"
            }
            Self::Postgres(_) => {
                "copy it with `pg_dump --schema trtc_call`, then mend it, or restore it from a backup"
            }
        }
    }
}

async fn open(place: Place, must_exist: bool) -> Result<Store, Failure> {
    match place {
        Place::File(path) => {
            let options = SqliteInbox::options();
            let options = if must_exist { options.must_exist() } else { options };
            match options.open(&path) {
                Ok(inbox) => Ok(Store::Sqlite { path, inbox }),
                Err(error) if error.kind() == StoreErrorKind::NotFound && must_exist => {
                    Err(Failure::new(format!(
                        "there is no inbox {}: a server makes it, or `trtc-call listen --inbox`",
                        path.display()
                    )))
                }
                Err(error) => Err(in_words(error)),
            }
        }
        Place::Database(url) => {
            let options = PostgresInbox::options();
            let options = if must_exist { options.must_exist() } else { options };
            match timeout(PATIENCE, options.connect(&url)).await {
                Ok(inbox) => inbox.map(Store::Postgres).map_err(in_words),
                Err(_) => Err(Failure::new(format!(
                    "PostgreSQL has not let the inbox be opened for {} seconds: somebody has locked it",
                    PATIENCE.as_secs()
                ))),
            }
        }
    }
}

fn in_words(error: StoreError) -> Failure {
    match error.kind() {
        StoreErrorKind::SchemaTooNew => {
            Failure::new(format!("{error}; a later version of this command may do"))
        }
        _ => error.into(),
    }
}
