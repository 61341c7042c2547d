//! After a power cut all is there that was acknowledged, and billed exactly once, whatever the disk did
//! with what was not synced.

#![cfg(target_os = "linux")]

use conformance::power::recorder::{Ended, Recorder};
use conformance::power::search::{Findings, Search};
use conformance::power::trace::{Call, Step};

const TMPDIR: &str = env!("CARGO_TARGET_TMPDIR");

/// In how many places a run is killed: those of opening a new file, and of its first commits.
const KILLS: u32 = 16;

/// Cuts the power at so many moments of a run, from a step on.
fn search(name: &str, recorder: &Recorder, from: usize, moments: usize) -> Findings {
    Search { name: name.to_owned(), from, moments }.run(recorder.steps())
}

#[test]
fn from_the_first_second_of_a_new_file_on_nothing_is_lost() {
    a_new_file(1000);
}

#[test]
fn over_checkpoints_and_restarts_of_the_log_nothing_is_lost() {
    a_long_run(30);
}

#[test]
fn what_a_killed_process_left_unsynced_is_not_acknowledged_and_then_lost() {
    killed(10);
}

#[test]
#[ignore = "takes minutes"]
fn at_very_many_moments_nothing_is_lost() {
    a_new_file(100_000);
    a_long_run(1000);
    killed(1000);
}

#[test]
fn without_waiting_for_the_disk_a_loss_is_found() {
    let Some(mut recorder) = Recorder::new(TMPDIR, "normal") else { return };
    recorder.run(6, &["normal"]);
    let findings = search("synchronous=NORMAL", &recorder, 0, 100);
    assert_ne!(findings.losses(), 0);
    // It loses the last commits, and no more than that.
    assert_eq!(findings.others(), "");
}

#[test]
fn without_a_commit_at_opening_a_loss_is_found() {
    let mut losses = 0;
    for sync in 1..=KILLS {
        let Some(mut recorder) = Recorder::new(TMPDIR, &format!("unsynced-{sync}")) else { return };
        recorder.run_killed_at(sync, 3, &["unsynced"]);
        let from = recorder.steps().len();
        recorder.run(3, &["unsynced"]);
        let name = format!("no commit at opening, killed at sync {sync}");
        losses += search(&name, &recorder, from, 20).losses();
    }
    assert_ne!(losses, 0);
}

fn a_new_file(moments: usize) {
    let Some(mut recorder) = Recorder::new(TMPDIR, &format!("new-{moments}")) else { return };
    recorder.run(6, &[]);
    search("a new file", &recorder, 0, moments).are_none(TMPDIR);
}

fn a_long_run(moments: usize) {
    let Some(mut recorder) = Recorder::new(TMPDIR, &format!("long-{moments}")) else { return };
    recorder.run(400, &[]);
    // Closed, and opened again.
    recorder.run(410, &[]);
    let is_restart = |step: &&Step| matches!(step, Step::Begun(_, Call::Write { file, offset: 0, .. }) if file.ends_with("-wal"));
    let restarts = recorder.steps().iter().filter(is_restart).count();
    assert!(restarts > 3, "the log was begun {restarts} times: that is not enough work");
    search("a long run", &recorder, 0, moments).are_none(TMPDIR);
}

fn killed(moments: usize) {
    let mut kills = 0;
    for sync in 1..=KILLS {
        let name = format!("killed-{moments}-{sync}");
        let Some(mut recorder) = Recorder::new(TMPDIR, &name) else { return };
        if recorder.run_killed_at(sync, 3, &[]) == Ended::Killed {
            kills += 1;
        }
        // The cuts before the kill are those of a new file.
        let from = recorder.steps().len();
        recorder.run(6, &[]);
        search(&format!("killed at sync {sync}"), &recorder, from, moments).are_none(TMPDIR);
    }
    assert!(kills > KILLS / 2, "only {kills} runs were killed");
}
