//! Users and signals, as Unix has them. Elsewhere there are no servers of the tests' own.

use std::io;
use std::path::Path;
use std::process::Command;

use super::installed::User;

/// Has another user run a command.
#[cfg(unix)]
pub(super) fn run_as(command: &mut Command, user: Option<User>) {
    use std::os::unix::process::CommandExt;

    if let Some(User { id, group }) = user {
        command.uid(id).gid(group);
    }
}

/// What a terminal says to the tests is not said to the command.
#[cfg(unix)]
pub(super) fn leave_terminal(command: &mut Command) {
    use std::os::unix::process::CommandExt;

    command.process_group(0);
}

/// Makes a folder one user's alone.
#[cfg(unix)]
pub(super) fn give(folder: &Path, user: Option<User>) -> io::Result<()> {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::{PermissionsExt, chown};

    set_permissions(folder, Permissions::from_mode(0o700))?;
    match user {
        Some(User { id, group }) => chown(folder, Some(id), Some(group)),
        None => Ok(()),
    }
}

/// Makes a file that of its folder's user alone.
#[cfg(unix)]
pub(super) fn give_as(file: &Path, folder: &Path) -> io::Result<()> {
    use std::fs::{Permissions, metadata, set_permissions};
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

    let owner = metadata(folder)?;
    chown(file, Some(owner.uid()), Some(owner.gid()))?;
    set_permissions(file, Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
pub(super) fn run_as(_: &mut Command, _: Option<User>) {}

#[cfg(not(unix))]
pub(super) fn leave_terminal(_: &mut Command) {}

#[cfg(not(unix))]
pub(super) fn give(_: &Path, _: Option<User>) -> io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
pub(super) fn give_as(_: &Path, _: &Path) -> io::Result<()> {
    Ok(())
}
