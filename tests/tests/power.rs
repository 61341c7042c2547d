//! After a power cut all is there that was acknowledged, and billed exactly once, whatever the disk did
//! with what was not synced.

use std::ops::Range;

use conformance::power::recorder::{Ended, Kill, Recorder};
use conformance::power::search::{Findings, Search};
use conformance::power::trace::{Call, Step};

const TMPDIR: &str = env!("CARGO_TARGET_TMPDIR");

/// The writes among which a long run is killed: there are commits and checkpoints in them.
const LONG_AFTER: Range<u32> = 3000..9000;

/// For how many steps a program that is started again has, without a commit at opening, synced nothing
/// yet.
const FIRST_STEPS: usize = 80;

#[test]
fn from_the_first_second_of_a_new_file_on_nothing_is_lost() {
    new_file(100);
}

#[test]
fn over_checkpoints_and_restarts_of_the_log_and_a_kill_nothing_is_lost() {
    long_run(20);
}

#[test]
fn what_killed_processes_left_unsynced_is_not_acknowledged_and_then_lost() {
    killed(10);
}

#[test]
#[ignore = "takes minutes"]
fn at_very_many_moments_nothing_is_lost() {
    new_file(usize::MAX);
    for _ in 0..3 {
        long_run(100);
        killed(100);
    }
}

#[test]
fn without_waiting_for_the_disk_a_loss_is_found() {
    let Some(mut recorder) = Recorder::new(TMPDIR, "normal") else { return };
    recorder.run(2, &[]);
    let from = recorder.steps().len();
    recorder.run(6, &["normal"]);
    let findings = search("synchronous=NORMAL", &recorder, from, 30);
    assert_ne!(findings.losses(), 0);
    // The last commits are gone, and nothing is half.
    assert_eq!(findings.others(), Vec::<&_>::new());
}

#[test]
fn without_a_commit_at_opening_a_loss_is_found() {
    for kill in kills() {
        let Some(mut recorder) = Recorder::new(TMPDIR, "unsynced") else { return };
        // So many that the thread that writes comes to each of the kills.
        recorder.run_killed_at(kill, 8, &["unsynced"]);
        let from = recorder.steps().len();
        recorder.run(3, &["unsynced"]);
        let name = format!("without a commit at opening, after {kill:?}");
        let within = from..from + FIRST_STEPS;
        let search = Search { name, within, moments: FIRST_STEPS };
        if search.run(recorder.steps()).losses() > 0 {
            return;
        }
    }
    panic!("no loss is found");
}

/// Where runs are killed that open a new file and store the first calls: in place of each sync, and of
/// some of the writes.
fn kills() -> impl Iterator<Item = Kill> {
    let syncs = (1..=15).map(|number| Kill("fsync,fdatasync", number));
    syncs.chain((3..60).step_by(8).map(|number| Kill("pwrite64", number)))
}

/// Cuts the power at so many moments of a run, from this step on.
fn search(name: &str, recorder: &Recorder, from: usize, moments: usize) -> Findings {
    let within = from..recorder.steps().len();
    Search { name: name.to_owned(), within, moments }.run(recorder.steps())
}

fn new_file(moments: usize) {
    let Some(mut recorder) = Recorder::new(TMPDIR, &format!("new-{moments}")) else { return };
    recorder.run(6, &[]);
    search("a new file", &recorder, 0, moments).are_none(TMPDIR);
}

fn long_run(moments: usize) {
    let Some(mut recorder) = Recorder::new(TMPDIR, &format!("long-{moments}")) else { return };
    let kill = Kill("pwrite64", fastrand::u32(LONG_AFTER));
    recorder.run_killed_at(kill, 400, &[]);
    recorder.run(400, &[]);
    // It was closed, and is opened again.
    recorder.run(410, &[]);
    let begins = recorder.steps().iter().filter(|step| begins_the_log(step)).count();
    assert!(begins > 3, "the log was begun {begins} times: that is not enough work");
    search(&format!("a long run, after {kill:?}"), &recorder, 0, moments).are_none(TMPDIR);
}

/// The log is begun anew after a checkpoint.
fn begins_the_log(step: &Step) -> bool {
    matches!(step, Step::Begun(_, Call::Write { file, offset: 0, .. }) if file.ends_with("-wal"))
}

fn killed(moments: usize) {
    let mut killed = 0;
    for kill in kills() {
        let Some(mut recorder) = Recorder::new(TMPDIR, &format!("killed-{moments}")) else {
            return;
        };
        if recorder.run_killed_at(kill, 3, &[]) == Ended::Killed {
            killed += 1;
        }
        // The cuts before the kill are those of a new file.
        let from = recorder.steps().len();
        let second = fastrand::choice(kills().collect::<Vec<_>>()).expect("a kill");
        recorder.run_killed_at(second, 4, &[]);
        recorder.run(6, &[]);
        let name = format!("after {kill:?} and {second:?}");
        search(&name, &recorder, from, moments).are_none(TMPDIR);
    }
    assert!(killed > kills().count() / 2, "only {killed} runs were killed");
}
