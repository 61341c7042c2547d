//! Recording what `power_writer` does to its files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Once, OnceLock};

use fastrand::Rng;

use super::disk::{Cut, Disk};
use super::trace::{self, Step, Watched};
use crate::descriptors::skipped;
use crate::programs::Programs;

/// The program.
const WRITER: &str = "power_writer";

/// Runs of the program on one folder, one after the other.
pub struct Recorder {
    programs: &'static Programs,
    folder: PathBuf,
    watched: Watched,
    days: u32,
    steps: Vec<Step>,
}

/// In place of which call a run is killed: what it has written by then may be unsynced.
#[derive(Clone, Copy, Debug)]
pub struct Kill(pub &'static str, pub u32);

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The program has done its work.
    Done,
    /// It was killed.
    Killed,
}

impl Recorder {
    /// An empty folder in `tmpdir`, which is a test's `CARGO_TARGET_TMPDIR`. `None` if nothing can be
    /// recorded here: a line has said so.
    ///
    /// # Panics
    ///
    /// If there can be no such folder, or the program does not compile.
    #[must_use]
    pub fn new(tmpdir: &str, name: &str) -> Option<Self> {
        static PROGRAMS: OnceLock<Programs> = OnceLock::new();
        static SAID: Once = Once::new();
        if let Err(reason) = can_record() {
            let text = format!("strace ({reason}): nothing of power cuts is tested");
            SAID.call_once(|| skipped(&text));
            return None;
        }
        let programs = PROGRAMS.get_or_init(|| Programs::build_example(tmpdir, WRITER));
        let folder = Path::new(tmpdir).join("power").join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("inbox")).expect("a folder");
        let folder = folder.canonicalize().expect("a folder");
        let watched = Watched { folder: folder.join("inbox"), ledger: folder.join("ledger") };
        Some(Self { programs, folder, watched, days: 0, steps: Vec::new() })
    }

    /// Runs it until it has stored so many calls.
    ///
    /// # Panics
    ///
    /// If it fails, or does what is not understood.
    pub fn run(&mut self, calls: u32, switches: &[&str]) {
        let ended = self.record(&[], calls, switches);
        assert_eq!(ended, Ended::Done);
    }

    /// Runs it and kills it in place of the n-th call of this name in one of its threads, if it comes
    /// so far.
    ///
    /// # Panics
    ///
    /// If it fails, or does what is not understood.
    pub fn run_killed_at(&mut self, kill: Kill, calls: u32, switches: &[&str]) -> Ended {
        let Kill(name, number) = kill;
        let inject = format!("inject={name}:signal=KILL:when={number}");
        self.record(&["-e", &inject], calls, switches)
    }

    fn record(&mut self, strace: &[&str], calls: u32, switches: &[&str]) -> Ended {
        let record = self.folder.join("record");
        let mut command = Command::new("strace");
        command.args(trace::SWITCHES).args(["-e", &format!("trace={}", trace::CALLS)]).args(strace);
        command.arg("-o").arg(&record).arg(self.programs.path(WRITER));
        command.arg(&self.watched.folder).arg(&self.watched.ledger);
        command.args([self.days.to_string(), calls.to_string()]).args(switches);
        let Output { status, stderr, .. } = command.output().expect("strace");
        // strace ends as the program does: by a signal, if that was killed.
        let ended = match status.code() {
            Some(0) => Ended::Done,
            None => Ended::Killed,
            Some(_) => panic!("{status}: {}", String::from_utf8_lossy(&stderr)),
        };
        let record = fs::read_to_string(record).expect("a record");
        let first = self.steps.iter().map(Step::number).max().map_or(0, |last| last + 1);
        let steps = trace::read(&record, &self.watched, first);
        self.steps.extend(steps.unwrap_or_else(|odd| panic!("{odd}")));
        self.is_complete();
        self.days += 1;
        ended
    }

    /// Whatever was done to the files was recorded, and understood.
    fn is_complete(&self) {
        let mut disk = Disk::default();
        self.steps.iter().for_each(|step| disk.take(step));
        let mut recorded = disk.after(Cut::None, &mut Rng::new());
        for entry in fs::read_dir(&self.watched.folder).expect("a folder") {
            let path = entry.expect("a file").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            if !name.ends_with(trace::SHARED_MEMORY) {
                let is_recorded = recorded.remove(&name) == Some(fs::read(path).expect("a file"));
                assert!(is_recorded, "{name} is not as recorded");
            }
        }
        assert!(recorded.is_empty(), "recorded, but not there: {:?}", recorded.keys());
    }

    /// All that the runs did.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// Whether strace is there and may follow a program.
fn can_record() -> Result<(), String> {
    let output = Command::new("strace").args(["-f", "-o", "/dev/null", "true"]).output();
    let output = output.map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(said.lines().next().unwrap_or("it fails").to_owned())
}
