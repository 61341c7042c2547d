//! What the figures were measured on.
//!
//! The benches say the same in their own words: a crate for both would be `conformance`, and its
//! dependencies would switch on features of what the benches measure.

use std::env::consts::OS;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::available_parallelism;

/// A list of what the figures depend on.
pub(crate) fn describe() -> String {
    let cores = available_parallelism().map_or(1, usize::from);
    let unknown = || "unknown".to_owned();
    let kernel = read("/proc/sys/kernel/osrelease").unwrap_or_else(unknown);
    let lines = [
        ("processor", format!("{}, {cores} cores", processor().unwrap_or_else(unknown))),
        ("system", format!("{OS} {kernel}")),
        ("load average at the start", load_average().unwrap_or_else(unknown)),
        ("compiler", said("rustc", &["-V"]).unwrap_or_else(unknown)),
        ("commit", said("git", &["describe", "--always", "--dirty"]).unwrap_or_else(unknown)),
    ];
    lines.map(|(what, text)| format!("- {what}: {text}\n")).concat()
}

fn processor() -> Option<String> {
    let text = read("/proc/cpuinfo")?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn load_average() -> Option<String> {
    Some(read("/proc/loadavg")?.split_whitespace().next()?.to_owned())
}

fn read(path: &str) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.trim().to_owned())
}

fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(program).args(arguments).current_dir(here).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
