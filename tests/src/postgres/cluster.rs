//! The processes and the files of one server.

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::guard::Guard;
use super::installed::Installed;
use super::system;

/// How long it may take to start, or to stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// How soon it is looked again.
pub(super) const PAUSE: Duration = Duration::from_millis(10);

/// What every server is started with. Commits are synced, as by default.
const SETTINGS: [(&str, &str); 7] = [
    ("listen_addresses", "127.0.0.1"),
    ("max_connections", "300"),
    ("shared_buffers", "16MB"),
    ("min_wal_size", "32MB"),
    ("max_wal_size", "64MB"),
    ("log_line_prefix", "%m [%p] "),
    ("timezone", "UTC"),
];

/// The signal that ends it at once, and after five seconds what of it stands still.
const AT_ONCE: &str = "QUIT";

/// Makes its files.
const INITDB: &str = r#""$PROGRAMS/initdb" --no-sync --auth=trust --encoding=UTF8 --locale=C \
    --username=postgres --pgdata="$FOLDER/data""#;

/// A server that was started.
pub(super) struct Cluster {
    installed: &'static Installed,
    folder: PathBuf,
    port: u16,
    has_small_disk: bool,
    state: Mutex<State>,
}

struct State {
    guard: Guard,
    settings: BTreeMap<String, String>,
    /// The first of its processes, of which all others are children. `None` while it is stopped.
    postmaster: Option<String>,
    /// Those that stand still.
    paused: Vec<String>,
}

impl Cluster {
    pub(super) fn start(installed: &'static Installed, settings: &[(&str, &str)]) -> Self {
        let mut guard = Guard::start(installed, AT_ONCE);
        guard.succeed(&INITDB.replace("\\\n", ""));
        Self::of(installed, guard, settings, false)
    }

    pub(super) fn start_on_small_disk(
        installed: &'static Installed,
        mebibytes: u32,
    ) -> Option<Self> {
        let mut guard = Guard::start_with_disk(installed, AT_ONCE, mebibytes)?;
        guard.succeed(r#"mkdir "$FOLDER/disk/tables""#);
        let initdb = INITDB.replace("\\\n", "");
        // Small segments, as the disk is small.
        guard.succeed(&format!(r#"{initdb} --waldir="$FOLDER/disk/log" --wal-segsize=1"#));
        let settings = [("min_wal_size", "2MB"), ("max_wal_size", "8MB")];
        Some(Self::of(installed, guard, &settings, true))
    }

    pub(super) fn standby(&self, name: &str) -> Self {
        let mut guard = Guard::start(self.installed, AT_ONCE);
        let primary = format!("host={} port={} user=postgres", self.folder.display(), self.port);
        guard.succeed(&format!(
            r#""$PROGRAMS/pg_basebackup" --no-sync --checkpoint=fast --pgdata="$FOLDER/data" --dbname="{primary}""#
        ));
        guard.succeed(r#": >"$FOLDER/data/standby.signal""#);
        let primary = format!("{primary} application_name={name}");
        Self::of(self.installed, guard, &[("primary_conninfo", &primary)], false)
    }

    fn of(
        installed: &'static Installed,
        guard: Guard,
        settings: &[(&str, &str)],
        has_small_disk: bool,
    ) -> Self {
        let folder = guard.folder().to_owned();
        let port = free_port();
        let own = [("port", &*port.to_string()), ("unix_socket_directories", text(&folder))];
        let settings = SETTINGS.iter().chain(&own).chain(settings);
        let settings =
            settings.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let state = State { guard, settings, postmaster: None, paused: Vec::new() };
        let state = Mutex::new(state);
        let cluster = Self { installed, folder, port, has_small_disk, state };
        cluster.write_settings();
        cluster.start_again();
        cluster
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    pub(super) const fn has_small_disk(&self) -> bool {
        self.has_small_disk
    }

    pub(super) fn log(&self) -> String {
        self.state().guard.log()
    }

    pub(super) fn start_again(&self) {
        let start = Instant::now();
        // What was killed may hold on to its memory or its port for a moment.
        while !self.state().tries_to_start(&self.folder) {
            assert!(start.elapsed() < PATIENCE, "it does not start: {}", self.log());
            thread::sleep(PAUSE);
        }
    }

    pub(super) fn start_if_down(&self) {
        let ended = {
            let mut state = self.state();
            let ended = state.postmaster.as_deref().is_none_or(has_ended);
            if ended && state.postmaster.is_some() {
                state.reap();
            }
            ended
        };
        if ended {
            self.start_again();
        }
    }

    pub(super) fn stop(&self) {
        let mut state = self.state();
        signal("-INT", state.postmaster.as_slice());
        state.reap();
    }

    pub(super) fn kill(&self) {
        let mut state = self.state();
        let all = state.stop_all();
        signal("-KILL", &all);
        state.reap();
    }

    pub(super) fn pause(&self) {
        let mut state = self.state();
        state.paused = state.stop_all();
    }

    pub(super) fn resume(&self) {
        signal("-CONT", &std::mem::take(&mut self.state().paused));
    }

    pub(super) fn set(&self, settings: &[(&str, &str)]) {
        for (name, value) in settings {
            self.state().settings.insert((*name).to_owned(), (*value).to_owned());
        }
        self.write_settings();
        signal("-HUP", self.state().postmaster.as_slice());
    }

    /// Puts its certificate where it looks for one. Only its user may read the key.
    pub(super) fn install_certificate(&self, certificate: &str, key: &str) {
        let data = self.folder.join("data");
        for (name, text) in [("server.crt", certificate), ("server.key", key)] {
            let file = data.join(name);
            fs::write(&file, text).expect("a certificate");
            system::give_as(&file, &data).expect("its user's alone");
        }
    }

    pub(super) fn fill_disk(&self) {
        let fill = r#"dd if=/dev/zero of="$FOLDER/disk/filler" bs=4k oflag=append conv=notrunc"#;
        self.state().guard.run(&format!("{fill} 2>/dev/null; echo full"));
    }

    pub(super) fn free_disk(&self) {
        self.state().guard.succeed(r#"rm "$FOLDER/disk/filler""#);
    }

    fn write_settings(&self) {
        let line = |(name, value): (&String, &String)| {
            format!("{name} = '{}'\n", value.replace('\'', "''"))
        };
        let lines: String = self.state().settings.iter().map(line).collect();
        fs::write(self.folder.join("data/postgresql.conf"), lines).expect("its settings");
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A test that failed leaves it as it was.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether it takes connections. It has ended if not.
    fn tries_to_start(&mut self, folder: &Path) -> bool {
        let postmaster = self.guard.run(
            r#""$PROGRAMS/postgres" -D "$FOLDER/data" >>"$FOLDER/log" 2>&1 & server=$!; echo $server"#,
        );
        self.postmaster = Some(postmaster.clone());
        let start = Instant::now();
        while !is_ready(folder, &postmaster) {
            if has_ended(&postmaster) {
                self.reap();
                return false;
            }
            assert!(start.elapsed() < PATIENCE, "it is not ready: {}", self.guard.log());
            thread::sleep(PAUSE);
        }
        true
    }

    /// Waits until the first process has ended.
    fn reap(&mut self) {
        self.guard.run("wait $server; server=; echo ended");
        self.postmaster = None;
        self.paused.clear();
    }

    /// All processes, which stand still now.
    fn stop_all(&self) -> Vec<String> {
        let postmaster = self.postmaster.clone().expect("a server that runs");
        // From here on it has no more children.
        signal("-STOP", std::slice::from_ref(&postmaster));
        let output = Command::new("pgrep").args(["-P", &postmaster]).output().expect("pgrep");
        let children = String::from_utf8_lossy(&output.stdout).into_owned();
        let children: Vec<String> = children.lines().map(str::to_owned).collect();
        signal("-STOP", &children);
        [children, vec![postmaster]].concat()
    }
}

/// What the server itself says in its file, as `pg_ctl` reads it.
fn is_ready(folder: &Path, postmaster: &str) -> bool {
    let text = fs::read_to_string(folder.join("data/postmaster.pid")).unwrap_or_default();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.first() == Some(&postmaster) && matches!(lines.get(7), Some(&("ready" | "standby")))
}

/// Whether it only waits for its parent to look.
fn has_ended(process: &str) -> bool {
    let output = Command::new("ps").args(["-o", "stat=", "-p", process]).output().expect("ps");
    let state = String::from_utf8_lossy(&output.stdout);
    state.trim().is_empty() || state.starts_with('Z')
}

/// A process that is gone already has had what it needed.
fn signal(signal: &str, processes: &[String]) {
    let _ = Command::new("kill").arg(signal).args(processes).output().expect("kill");
}

/// Below those that the system gives to clients: after a restart it must be free still.
pub(super) fn free_port() -> u16 {
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    std::iter::repeat_with(|| fastrand::u16(10_000..32_000)).find(is_free).expect("a port")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}
