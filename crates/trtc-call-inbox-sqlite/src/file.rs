//! The file and those beside it: made, and known again.
//!
//! Nothing here opens a database that is there: to close it would take away the locks that SQLite has on
//! it in this process. It is only asked for its inode.

use std::ffi::OsString;
use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use trtc_call_inbox::store::StoreErrorKind;

use crate::error::Failure;

/// Which files an open connection has.
#[derive(Debug)]
pub(crate) struct Identity {
    path: PathBuf,
    database: FileId,
    /// SQLite's log, and the memory that its users share; they stand beside what the path leads to.
    companions: [(PathBuf, FileId); 2],
}

impl Identity {
    /// Of the files as they are: asked before the connection is open, and after.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let database = FileId::of(&fs::metadata(path)?);
        let real = fs::canonicalize(path)?;
        let companion = |suffix| {
            let path = beside(&real, suffix);
            let id = FileId::of(&fs::metadata(&path)?);
            Ok::<_, io::Error>((path, id))
        };
        let companions = [companion("-wal")?, companion("-shm")?];
        Ok(Self { path: path.to_owned(), database, companions })
    }

    /// Whether the paths still lead to the files that are open. What is written to others is lost.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let is_there = self.database.is_at(&self.path)
            && self.companions.iter().all(|(path, id)| id.is_at(path));
        if is_there { Ok(()) } else { Err(replaced()) }
    }

    /// Fails if the log stands where it was, and the database does not. Another one would take the log
    /// for its own, and what was acknowledged and is in it would be lost.
    pub(crate) fn check_log(&self) -> Result<(), Failure> {
        let [(log, id), _] = &self.companions;
        if self.database.is_at(&self.path) || !id.is_at(log) {
            return Ok(());
        }
        let text = "its log stands there, beside another file: put its own back, or remove the log";
        Err(Failure::new(StoreErrorKind::Replaced, text))
    }

    /// Renames the log, so that another database can stand where its own was. Says how it is called now.
    pub(crate) fn put_log_aside(&self, now: i64) -> io::Result<PathBuf> {
        let [(log, _), (index, _)] = &self.companions;
        let aside = beside(log, &format!(".of-lost-file-{now}"));
        fs::rename(log, &aside)?;
        // The index of the log, which is made anew.
        match fs::remove_file(index) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(aside),
        }
    }

    /// Whether the database is this one.
    pub(crate) fn is_of(&self, database: &FileId) -> bool {
        self.database == *database
    }
}

/// The file is another one than it was.
pub(crate) fn replaced() -> Failure {
    Failure::new(StoreErrorKind::Replaced, "it was removed or replaced while it was open")
}

/// What tells a file from every other one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FileId {
    #[cfg(unix)]
    device: u64,
    #[cfg(unix)]
    inode: u64,
}

impl FileId {
    /// Of what a path leads to.
    #[cfg(unix)]
    pub(crate) fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;

        Self { device: metadata.dev(), inode: metadata.ino() }
    }

    /// An open file can be neither removed nor replaced here.
    #[cfg(not(unix))]
    pub(crate) fn of(_: &Metadata) -> Self {
        Self {}
    }

    /// Whether a path leads to it.
    fn is_at(&self, path: &Path) -> bool {
        fs::metadata(path).is_ok_and(|metadata| Self::of(&metadata) == *self)
    }
}

/// Whether SQLite's log stands beside a file.
pub(crate) fn has_log(path: &Path) -> bool {
    log_of(path).exists()
}

/// Fails if a log stands there without its file: SQLite would remove it, with what was acknowledged and
/// is in it.
pub(crate) fn check_no_log_alone(path: &Path) -> Result<(), Failure> {
    let has_bytes = |path: &Path| fs::metadata(path).is_ok_and(|metadata| metadata.len() > 0);
    // In this order: a file that another process makes has bytes before it has a log.
    if !has_bytes(&log_of(path)) || has_bytes(path) {
        return Ok(());
    }
    let text = "its log stands there without it: put it back, or remove the log";
    Err(Failure::new(StoreErrorKind::NotFound, text))
}

fn log_of(path: &Path) -> PathBuf {
    beside(&fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()), "-wal")
}

/// Makes an empty file that only its owner can read. SQLite gives those beside it the same rights.
pub(crate) fn create_if_missing(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(file) => {
            // At once: another thread may open it from now on, and to close it takes its locks away.
            drop(file);
            sync_folder(path)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Has the disk keep the file's name.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    fs::File::open(folder)?.sync_all()
}

/// A folder cannot be opened here.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}
