//! What the figures were measured on.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::server::Pinning;
use crate::valgrind::Valgrind;

/// A list of what the figures depend on.
pub(crate) fn describe(valgrind: Option<&Valgrind>, pinning: Pinning, is_quick: bool) -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let run = if is_quick { "quick: few rounds, a look and no measurement" } else { "complete" };
    let unknown = || "unknown".to_owned();
    let lines = [
        ("processor", format!("{}, {cores} cores", processor().unwrap_or_else(unknown))),
        ("instructions for the hash", hash_instructions()),
        ("system", format!("{} {}", std::env::consts::OS, kernel().unwrap_or_else(unknown))),
        ("load average at the start", load_average().unwrap_or_else(unknown)),
        ("compiler", said("rustc", &["-V"]).unwrap_or_else(unknown)),
        ("commit", said("git", &["describe", "--always", "--dirty"]).unwrap_or_else(unknown)),
        ("valgrind", valgrind.map_or_else(|| "no valgrind".to_owned(), |v| v.version().to_owned())),
        ("pinning", pinning.text().to_owned()),
        ("run", run.to_owned()),
    ];
    lines.map(|(what, text)| format!("- {what}: {text}\n")).concat()
}

fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn hash_instructions() -> String {
    let flags = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let has = flags.split_whitespace().any(|flag| flag == "sha_ni" || flag == "sha2");
    let text = if has { "the processor's, but under valgrind" } else { "none, in software" };
    text.to_owned()
}

fn kernel() -> Option<String> {
    Some(fs::read_to_string("/proc/sys/kernel/osrelease").ok()?.trim().to_owned())
}

fn load_average() -> Option<String> {
    Some(fs::read_to_string("/proc/loadavg").ok()?.split_whitespace().next()?.to_owned())
}

fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(program).args(arguments).current_dir(here).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
