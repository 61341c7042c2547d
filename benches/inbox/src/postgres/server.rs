//! A server of the run's own: it ends with the run, and its folder goes.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tempfile::{TempDir, tempdir};

use crate::Result;

/// By default there are 100, too few for three processes with 64 each.
const CONNECTIONS: &str = "max_connections=300";

const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Server {
    process: Child,
    folder: TempDir,
}

impl Server {
    /// Its settings are the defaults, so it syncs; it is reached by a socket in its folder.
    pub(crate) async fn start() -> Result<Self> {
        let (programs, folder) = (programs()?, tempdir()?);
        let user = user(folder.path())?;
        if let Some((user, group)) = user {
            chown(folder.path(), Some(user), Some(group))?;
        }
        let command = |program: &str| {
            let mut command = Command::new(programs.join(program));
            // Where its log is, since the run's may be out of its reach.
            command.current_dir(folder.path());
            if let Some((user, group)) = user {
                command.uid(user).gid(group);
            }
            command
        };
        let data = folder.path().join("data");
        let made = command("initdb")
            .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8"])
            .arg("--pgdata")
            .arg(&data)
            .output()?;
        if !made.status.success() {
            return Err(String::from_utf8_lossy(&made.stderr).into());
        }
        let log = File::create(folder.path().join("log"))?;
        let process = command("postgres")
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(folder.path())
            .args(["-c", "listen_addresses=", "-c", CONNECTIONS])
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let server = Self { process, folder };
        let start = Instant::now();
        while let Err(error) = server.connect("postgres").await {
            if start.elapsed() > PATIENCE {
                return Err(error);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(server)
    }

    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres:///{database}?user=postgres&host={}", self.folder.path().display())
    }

    pub(crate) async fn connect(&self, database: &str) -> Result<PgConnection> {
        Ok(PgConnection::connect(&self.url(database)).await?)
    }

    /// A new database; gives its URL.
    pub(crate) async fn create(&self, database: &str) -> Result<String> {
        let mut connection = self.connect("postgres").await?;
        connection.execute(AssertSqlSafe(format!("CREATE DATABASE {database}"))).await?;
        Ok(self.url(database))
    }

    /// The process that all others of the server come from.
    pub(crate) fn process(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let process = self.process.id().to_string();
        let _ = Command::new("kill").args(["-QUIT", &process]).status();
        let _ = self.process.wait();
    }
}

/// Where the server's programs are: those of the newest version.
fn programs() -> Result<PathBuf> {
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let version = |path: &PathBuf| {
        path.file_name().and_then(OsStr::to_str).and_then(|name| name.parse::<u32>().ok())
    };
    let newest = installed.map(|entry| entry.path()).max_by_key(version);
    if let Some(newest) = newest {
        return Ok(newest.join("bin"));
    }
    let told = Command::new("pg_config").arg("--bindir").output()?;
    Ok(String::from_utf8(told.stdout)?.trim().into())
}

/// Whom the server runs as, if not as whoever made this folder: it refuses to be root.
fn user(folder: &Path) -> Result<Option<(u32, u32)>> {
    if fs::metadata(folder)?.uid() != 0 {
        return Ok(None);
    }
    let id = |which: &str| -> Result<u32> {
        let told = Command::new("id").args([which, "postgres"]).output()?;
        Ok(String::from_utf8(told.stdout)?.trim().parse()?)
    };
    Ok(Some((id("-u")?, id("-g")?)))
}
