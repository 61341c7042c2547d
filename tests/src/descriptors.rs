//! Room for many sockets: a process may have only so many descriptors.

use std::env;
use std::io::{self, Write};
use std::process::Command;

/// Set in the process that was started with more room.
const RAISED: &str = "CONFORMANCE_DESCRIPTORS_RAISED";

/// The exit status of a shell that could not raise the limit.
const TOO_LOW: i32 = 77;

/// Whether this process may have so many descriptors, and the test is to go on.
///
/// If it may not, the test is done when this returns: it has passed in another process, with a
/// raised limit, or a line says that it was skipped.
///
/// # Panics
///
/// If the test failed there.
#[must_use]
pub fn are_enough(needed: u32, test: &str) -> bool {
    if limit().is_none_or(|limit| limit >= needed) {
        return true;
    }
    let script = format!("ulimit -S -n {needed} || exit {TOO_LOW}; exec \"$@\"");
    let output = Command::new("sh")
        .args(["-c", &script, "sh"])
        .arg(env::current_exe().expect("this program"))
        .args([test, "--exact", "--nocapture"])
        .env(RAISED, "1")
        .output()
        .expect("a shell");
    if output.status.code() == Some(TOO_LOW) || env::var_os(RAISED).is_some() {
        skipped(&format!("{test}: it needs {needed} descriptors"));
        return false;
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let is_passed = output.status.success() && said.contains("1 passed");
    assert!(is_passed, "{said}{}", String::from_utf8_lossy(&output.stderr));
    false
}

/// The soft limit; `None` if there is none.
fn limit() -> Option<u32> {
    let output = Command::new("sh").args(["-c", "ulimit -S -n"]).output().expect("a shell");
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}

/// Says that something was not tested, where it is seen although the test passes.
pub fn skipped(what: &str) {
    // The test harness keeps what `eprintln!` writes to itself.
    let _ = writeln!(io::stderr(), "skipped: {what}");
}
