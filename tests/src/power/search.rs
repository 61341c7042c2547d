//! Looking for a power cut after which something acknowledged is gone.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Instant;
use std::{env, fs, process, thread};

use fastrand::Rng;

use super::disk::{Cut, Disk, Folder, SECTOR};
use super::judge::{Wrong, judge};
use super::trace::{Call, Step};
use super::work::Ledger;

/// What is rebuilt for each moment.
const CUTS: [Cut; 8] = [
    Cut::All,
    Cut::None,
    Cut::After,
    Cut::Any(0.5),
    Cut::Any(0.95),
    Cut::Torn(0.5, SECTOR),
    Cut::Torn(0.95, SECTOR),
    Cut::Torn(0.5, 4096),
];

/// Where the power is cut, and how often.
#[derive(Clone, Debug)]
pub struct Search {
    /// What it is called where it is printed.
    pub name: String,
    /// After which steps of the run it may be cut.
    pub within: Range<usize>,
    /// At how many moments it is cut; of more steps so many are chosen at random.
    pub moments: usize,
}

/// A state that the files could be left in.
struct State {
    name: String,
    folder: Folder,
    ledger: Arc<Ledger>,
}

/// What was found.
pub struct Findings {
    states: usize,
    wrong: Vec<(State, Vec<Wrong>)>,
}

impl Search {
    /// Rebuilds the states, opens each, and compares it with the ledger of its moment.
    ///
    /// # Panics
    ///
    /// If there is no room for the files.
    #[must_use]
    pub fn run(&self, steps: &[Step]) -> Findings {
        let start = Instant::now();
        let seed = env::var("POWER_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = seed.unwrap_or_else(|| fastrand::u64(..));
        let wrong = Mutex::new(Vec::new());
        let states = AtomicUsize::new(0);
        let (sender, receiver) = mpsc::sync_channel::<State>(4);
        // Gone when the last thread is: if all have failed, nobody waits for them.
        let receiver = Arc::new(Mutex::new(receiver));
        thread::scope(|scope| {
            for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
                let receiver = Arc::clone(&receiver);
                let (states, wrong) = (&states, &wrong);
                scope.spawn(move || {
                    while let Some(state) = next(&receiver) {
                        states.fetch_add(1, Ordering::Relaxed);
                        let found = state.judge();
                        if !found.is_empty() {
                            wrong.lock().expect("no panic").push((state, found));
                        }
                    }
                });
            }
            drop(receiver);
            self.rebuild(steps, &mut Rng::with_seed(seed), |state| {
                sender.send(state).expect("somebody judges");
            });
            drop(sender);
        });
        let (states, wrong) = (states.into_inner(), wrong.into_inner().expect("no panic"));
        let (name, found) = (&self.name, wrong.len());
        let time = start.elapsed().as_secs_f32();
        println!(
            "power: {name}: {found} of {states} states are wrong (POWER_SEED={seed}, {time:.1} s)"
        );
        Findings { states, wrong }
    }

    fn rebuild(&self, steps: &[Step], rng: &mut Rng, mut found: impl FnMut(State)) {
        let mut disk = Disk::default();
        let mut ledger = Arc::new(Ledger::default());
        let mut lines = 0_usize;
        let mut seen = HashSet::new();
        for (moment, step) in steps.iter().enumerate() {
            disk.take(step);
            if let Step::Begun(_, Call::Note(line)) = step {
                Arc::make_mut(&mut ledger).add(line);
                lines += 1;
            }
            let is_within = self.within.contains(&moment);
            if !is_within || rng.usize(..self.within.len()) >= self.moments {
                continue;
            }
            for cut in CUTS {
                let folder = disk.after(cut, rng);
                let mut hasher = DefaultHasher::new();
                (&folder, lines).hash(&mut hasher);
                if seen.insert(hasher.finish()) {
                    let name = format!("step {moment} of {}, {cut:?}", steps.len());
                    found(State { name, folder, ledger: Arc::clone(&ledger) });
                }
            }
        }
    }
}

fn next(receiver: &Mutex<mpsc::Receiver<State>>) -> Option<State> {
    receiver.lock().expect("no panic").recv().ok()
}

impl State {
    fn judge(&self) -> Vec<Wrong> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = scratch().join(format!("trtc-call-power-{}-{number}", process::id()));
        self.write(&folder);
        let wrong = judge(&folder, &self.ledger);
        fs::remove_dir_all(folder).expect("a folder");
        wrong
    }

    fn write(&self, folder: &Path) {
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder).expect("a folder");
        for (name, content) in &self.folder {
            fs::write(folder.join(name), content).expect("a file");
        }
    }
}

/// In memory, if possible: what is synced here need not be.
fn scratch() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { memory } else { env::temp_dir() }
}

impl Findings {
    /// After how many cuts something acknowledged was gone.
    #[must_use]
    pub fn losses(&self) -> usize {
        self.wrong.iter().filter(|(_, wrong)| wrong.iter().any(Wrong::is_loss)).count()
    }

    /// What else was found: a file that is refused or not whole, a bill without its
    /// completion.
    #[must_use]
    pub fn others(&self) -> Vec<&Wrong> {
        self.wrong.iter().flat_map(|(_, wrong)| wrong).filter(|wrong| !wrong.is_loss()).collect()
    }

    /// Nothing is wrong.
    ///
    /// # Panics
    ///
    /// If something is, or nothing was looked at. The first such state is left in a folder.
    pub fn are_none(&self, tmpdir: &str) {
        assert_ne!(self.states, 0);
        let Some((first, _)) = self.wrong.first() else { return };
        let folder = Path::new(tmpdir).join("power-found");
        first.write(&folder);
        let mut text =
            format!("the first one is in {}; its ledger: {:?}", folder.display(), first.ledger);
        for (state, wrong) in self.wrong.iter().take(20) {
            let _ = write!(text, "\n{}: {wrong:?}", state.name);
        }
        panic!("{} states are wrong; {text}", self.wrong.len());
    }
}
