//! A shell that outlives the test process by a moment: it ends what was started for it, and removes its
//! folder.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use super::installed::{Installed, User};
use super::system;

/// Runs the lines that it reads. When no more can come, since whoever wrote them is gone, it ends `$server`
/// by `$SIGNAL`. Where a process stands still, the system sends a SIGHUP to those that are left.
const SHELL: &str = r#"
trap '' HUP
while read -r line; do eval "$line" </dev/null; done
[ -z "$server" ] || { kill -CONT $server; kill -$SIGNAL $server; wait $server; } 2>>"$FOLDER/log"
cd / && rm -rf "$FOLDER"
"#;

/// Has a disk of its own at `$FOLDER/disk`. Nobody else sees it, and it is gone with its last process.
const SHELL_WITH_DISK: &str = r#"
unshare --mount --propagation private sh -c '
    mount -t tmpfs -o "$DISK" small "$FOLDER/disk" &&
    exec setpriv --reuid $OWNER --regid $GROUP --clear-groups sh -c "$SHELL_OF_OWNER"
'
cd / && rm -rf "$FOLDER"
"#;

/// The shell, and the pipe that it holds on to.
pub(super) struct Guard {
    folder: PathBuf,
    shell: Child,
    lines: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Guard {
    /// A shell in a new folder, as the user that runs PostgreSQL. The signal ends its server at once.
    pub(super) fn start(installed: &Installed, signal: &str) -> Self {
        let folder = new_folder(installed.user);
        let mut command = shell(installed, &folder, SHELL);
        command.env("SIGNAL", signal);
        system::run_as(&mut command, installed.user);
        Self::of(folder, command)
    }

    /// Like [`start`](Self::start), with a small disk. `None` where that cannot be.
    pub(super) fn start_with_disk(
        installed: &Installed,
        signal: &str,
        mebibytes: u32,
    ) -> Option<Self> {
        // Nobody but root can mount one.
        let User { id, group } = installed.user?;
        let folder = new_folder(installed.user);
        fs::create_dir(folder.join("disk")).expect("a folder");
        let mut command = shell(installed, &folder, SHELL_WITH_DISK);
        command
            .env("DISK", format!("size={mebibytes}m,mode=0700,uid={id},gid={group}"))
            .envs([("OWNER", id.to_string()), ("GROUP", group.to_string())])
            .envs([("SHELL_OF_OWNER", SHELL), ("SIGNAL", signal)]);
        let mut guard = Self::of(folder, command);
        (guard.try_run("echo mounted")? == "mounted").then_some(guard)
    }

    fn of(folder: PathBuf, mut command: Command) -> Self {
        let mut shell = command.spawn().expect("a shell");
        let lines = shell.stdin.take();
        let answers = BufReader::new(shell.stdout.take().expect("a pipe"));
        Self { folder, shell, lines, answers }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Has it run a line that prints one.
    pub(super) fn run(&mut self, line: &str) -> String {
        self.try_run(line).expect("a shell that runs")
    }

    /// Has it run a command, which must succeed.
    pub(super) fn succeed(&mut self, command: &str) {
        let status = self.run(&format!("{command} >>\"$FOLDER/log\" 2>&1; echo $?"));
        assert_eq!(status, "0", "{command}: {}", self.log());
    }

    pub(super) fn log(&self) -> String {
        let log = fs::read(self.folder.join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    fn try_run(&mut self, line: &str) -> Option<String> {
        writeln!(self.lines.as_mut()?, "{line}").ok()?;
        let mut answer = String::new();
        let length = self.answers.read_line(&mut answer).ok()?;
        (length > 0).then(|| answer.trim_end().to_owned())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.lines.take());
        let _ = self.shell.wait();
    }
}

fn shell(installed: &Installed, folder: &Path, script: &str) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", script])
        .current_dir(folder)
        // What the environment says to PostgreSQL is not meant for this one.
        .env_clear()
        .env("PATH", env::var_os("PATH").unwrap_or_default())
        .envs([("LC_ALL", "C"), ("TZ", "UTC")])
        .env("PROGRAMS", &installed.programs)
        .env("FOLDER", folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    system::leave_terminal(&mut command);
    command
}

/// Where nobody else looks, and where the path of a socket is short enough.
fn new_folder(user: Option<User>) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("pg-{}-{number}-{:04x}", std::process::id(), fastrand::u16(..));
    let folder = env::temp_dir().join(name);
    fs::create_dir(&folder).expect("a new folder");
    system::give(&folder, user).expect("its owner");
    folder
}
