//! PostgreSQL servers of the tests' own, and what happens to them.
//!
//! `TEST_DATABASE_URL` names a server that is there already: it is asked instead where nothing happens to
//! it. Its user must be allowed to make databases.

mod cluster;
mod database;
mod guard;
mod installed;
mod pgbouncer;
mod relay;
mod system;

use std::os::unix::process::parent_id;
use std::path::Path;
use std::sync::{Once, OnceLock};
use std::time::Duration;
use std::{env, fs};

use tokio_postgres::{Client, Error, NoTls};

pub use database::Database;
pub use pgbouncer::PgBouncer;
pub use relay::Relay;

use crate::descriptors::skipped;
use cluster::Cluster;
use database::Place;
use installed::Installed;

/// Who owns the databases: not a superuser, who would get through where others do not.
const OWNER: &str = "app";

/// A server. One of the tests' own ends with the test process, however that ends.
pub struct Server {
    place: Place,
    own: Option<Cluster>,
}

impl Server {
    /// The one that all tests of a process share. `None` where there is none: a line has said so.
    #[must_use]
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Server>> = OnceLock::new();
        let shared = SHARED.get_or_init(|| match env::var("TEST_DATABASE_URL") {
            Ok(url) => Some(Self { place: Place::Given(url), own: None }),
            Err(_) => Some(Self::of(Cluster::start(installed()?, &[]))),
        });
        shared.as_ref()
    }

    /// One of the test's own, with these settings. `None` where there is none: a line has said so.
    #[must_use]
    pub fn start(settings: &[(&str, &str)]) -> Option<Self> {
        Some(Self::of(Cluster::start(own()?, settings)))
    }

    /// One whose log and whose databases are on a disk of their own of so many MiB, which can be
    /// [filled](Self::fill_disk). `None` also where such a disk cannot be had.
    #[must_use]
    pub fn start_on_small_disk(mebibytes: u32) -> Option<Self> {
        let cluster = Cluster::start_on_small_disk(own()?, mebibytes);
        if cluster.is_none() {
            skipped("PostgreSQL on a full disk (only root can mount one)");
        }
        cluster.map(Self::of)
    }

    /// A standby that follows this server under this name, for `synchronous_standby_names`.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn standby(&self, name: &str) -> Self {
        Self::of(self.own().standby(name))
    }

    fn of(cluster: Cluster) -> Self {
        let place = Place::Own { folder: cluster.folder().to_owned(), port: cluster.port() };
        Self { place, own: Some(cluster) }
    }

    /// A new and empty database.
    ///
    /// # Panics
    ///
    /// If it cannot be made.
    pub async fn database(&self, name: &str) -> Database {
        let client = self.client().await;
        let run = async |sql: String| client.batch_execute(&sql).await.expect("a new database");
        run(format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)")).await;
        let mut ownership = String::new();
        if let Some(cluster) = &self.own {
            run(format!(
                "DO $$ BEGIN CREATE ROLE {OWNER} LOGIN;
                EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
            ))
            .await;
            ownership = format!("OWNER {OWNER}");
            if cluster.has_small_disk() {
                let folder = cluster.folder().join("disk/tables");
                run(format!("CREATE TABLESPACE small LOCATION '{}'", folder.display())).await;
                ownership.push_str(" TABLESPACE small");
            }
        }
        run(format!("CREATE DATABASE \"{name}\" {ownership}")).await;
        Database::new(self.place.clone(), name)
    }

    /// The same database on this server: on a standby, say, that was promoted.
    #[must_use]
    pub fn same(&self, database: &Database) -> Database {
        Database::new(self.place.clone(), database.name())
    }

    /// A connection of the superuser, or of the user that `TEST_DATABASE_URL` names.
    ///
    /// # Panics
    ///
    /// If it does not come about.
    pub async fn client(&self) -> Client {
        connect(&self.place.url_of_superuser("postgres")).await
    }

    /// Changes settings, for all that is begun from now on.
    ///
    /// # Panics
    ///
    /// If the server does not take them.
    pub async fn set(&self, settings: &[(&str, &str)]) {
        const LOADED: &str = "SELECT pg_conf_load_time()::text";
        let loaded = async || self.client().await.query_one(LOADED, &[]).await.expect("a time");
        let before: String = loaded().await.get(0);
        self.own().set(settings);
        // A new connection has the settings that the server had when it came.
        while loaded().await.get::<_, String>(0) == before {
            tokio::time::sleep(cluster::PAUSE).await;
        }
    }

    /// Has it offer TLS with this certificate.
    ///
    /// # Panics
    ///
    /// If it does not take it.
    pub async fn install_certificate(&self, certificate: &str, key: &str) {
        self.own().install_certificate(certificate, key);
        self.set(&[("ssl", "on")]).await;
    }

    /// A standby becomes a server that writes.
    ///
    /// # Panics
    ///
    /// If it does not.
    pub async fn promote(&self) {
        let row = self.client().await.query_one("SELECT pg_promote()", &[]).await;
        assert!(row.expect("an answer").get::<_, bool>(0), "it is not promoted");
    }

    /// Stops it as an administrator does, without waiting for its clients.
    pub fn stop(&self) {
        self.own().stop();
    }

    /// Starts it again after [`stop`](Self::stop) or [`kill`](Self::kill).
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn start_again(&self) {
        self.own().start_again();
    }

    /// Starts it again if it has ended by itself.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn start_if_down(&self) {
        self.own().start_if_down();
    }

    /// Stops it and starts it again.
    pub fn restart(&self) {
        self.stop();
        self.start_again();
    }

    /// Ends all its processes at once, as a power cut does but for the disk. It stays down.
    pub fn kill(&self) {
        self.own().kill();
    }

    /// All its processes stand still: connections stay open, new ones are not answered.
    pub fn pause(&self) {
        self.own().pause();
    }

    /// Its processes go on.
    pub fn resume(&self) {
        self.own().resume();
    }

    /// Writes to its small disk until nothing more fits.
    pub fn fill_disk(&self) {
        self.own().fill_disk();
    }

    /// There is room on its small disk again.
    pub fn free_disk(&self) {
        self.own().free_disk();
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        self.own().log()
    }

    /// Its port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.own().port()
    }

    /// The folder of its Unix socket.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.own().folder()
    }

    fn own(&self) -> &Cluster {
        self.own.as_ref().expect("a server of the tests' own")
    }
}

/// The programs, for a server to which something happens.
fn own() -> Option<&'static Installed> {
    static SAID: Once = Once::new();
    if env::var_os("TEST_DATABASE_URL").is_some() {
        SAID.call_once(|| skipped("faults of PostgreSQL (TEST_DATABASE_URL is not ours to stop)"));
        return None;
    }
    installed()
}

/// The programs.
fn installed() -> Option<&'static Installed> {
    static INSTALLED: OnceLock<Option<Installed>> = OnceLock::new();
    let installed = INSTALLED.get_or_init(|| {
        let found = Installed::find();
        if found.is_none() && is_first() {
            skipped("PostgreSQL (initdb and postgres are not installed)");
        }
        found
    });
    installed.as_ref()
}

/// Whether no other process that the same `cargo test` has started has asked before: all of them would say
/// the same.
fn is_first() -> bool {
    const ANOTHER_RUN: Duration = Duration::from_secs(3600);

    let mark = env::temp_dir().join(format!("trtc-call-tests-of-{}", parent_id()));
    // The number may have been another one's before.
    let is_marked = fs::metadata(&mark)
        .and_then(|mark| mark.modified())
        .is_ok_and(|marked| marked.elapsed().is_ok_and(|age| age < ANOTHER_RUN));
    if !is_marked {
        // Where it cannot be written, each says so.
        let _ = fs::write(&mark, "");
    }
    !is_marked
}

async fn connect(url: &str) -> Client {
    try_connect(url).await.expect("a connection")
}

async fn try_connect(url: &str) -> Result<Client, Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    // It ends with the client, or with the server.
    tokio::spawn(connection);
    Ok(client)
}
