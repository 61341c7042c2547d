//! The programs of PostgreSQL, and who runs them.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the programs are, and who is to run them.
pub(super) struct Installed {
    /// The folder with `initdb` and `postgres`.
    pub(super) programs: PathBuf,
    /// Who runs them, if it is not who runs the tests: PostgreSQL refuses to be root.
    pub(super) user: Option<User>,
}

/// A user by its numbers.
#[derive(Clone, Copy)]
pub(super) struct User {
    pub(super) id: u32,
    pub(super) group: u32,
}

impl Installed {
    /// Looks on the path, then where Debian keeps them: the highest version first.
    pub(super) fn find() -> Option<Self> {
        if !cfg!(unix) {
            return None;
        }
        let path = env::var_os("PATH").unwrap_or_default();
        let mut folders: Vec<PathBuf> = env::split_paths(&path).collect();
        folders.extend(versions());
        // What is on the path may be links, of some of the programs only.
        let folder_of = |folder: PathBuf| {
            let program = folder.join("initdb").canonicalize().ok()?;
            let folder = program.parent()?;
            folder.join("postgres").is_file().then(|| folder.to_owned())
        };
        let programs = folders.into_iter().find_map(folder_of)?;
        let user = (number(&["-u"]) == Some(0)).then(|| {
            ["postgres", "nobody"].into_iter().find_map(User::named).expect("a user but root")
        });
        Some(Self { programs, user })
    }
}

impl User {
    fn named(name: &str) -> Option<Self> {
        Some(Self { id: number(&["-u", name])?, group: number(&["-g", name])? })
    }
}

/// A program of another package that works with PostgreSQL.
pub(super) fn program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join(name)).find(|program| program.is_file())
}

fn versions() -> Vec<PathBuf> {
    let folders = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let version = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let mut versions: Vec<(u32, PathBuf)> = folders
        .filter_map(|folder| Some((version(&folder.path())?, folder.path().join("bin"))))
        .collect();
    versions.sort();
    versions.into_iter().rev().map(|(_, folder)| folder).collect()
}

fn number(arguments: &[&str]) -> Option<u32> {
    let output = Command::new("id").args(arguments).output().ok()?;
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}
