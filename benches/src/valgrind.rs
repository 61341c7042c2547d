//! What valgrind says of one operation: its instructions, by callgrind, and its allocations, by
//! memcheck. Neither depends on what else the machine does.
//!
//! The operation runs in a process of its own, this program's `op`, twice: the difference of the
//! two runs has nothing of the start in it. Nothing is built into the program for it, so the
//! timings are of the same code.

use std::env;
use std::fs;
use std::process::{Command, Stdio};

use crate::op::Name;

/// Valgrind, if it is there.
#[derive(Clone, Debug)]
pub(crate) struct Valgrind {
    version: String,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Count {
    Instructions,
    /// Calls of `malloc` and its like; one that grows a block in place counts too.
    Allocations,
}

impl Valgrind {
    /// Looks for it on the path.
    pub(crate) fn find() -> Option<Self> {
        let output = Command::new("valgrind").arg("--version").output().ok()?;
        let version = String::from_utf8(output.stdout).ok()?.trim().to_owned();
        (output.status.success() && !version.is_empty()).then_some(Self { version })
    }

    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// Counts for one run of each operation, as many at a time as there are cores.
    ///
    /// # Errors
    ///
    /// What valgrind said, if it does not say a count.
    pub(crate) fn count(&self, jobs: &[(Name, Count)]) -> Result<Vec<f64>, String> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut counts = Vec::new();
        for some in jobs.chunks(cores) {
            let some: Result<Vec<f64>, String> = std::thread::scope(|scope| {
                let threads: Vec<_> =
                    some.iter().map(|(name, count)| scope.spawn(|| once(name, *count))).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            counts.extend(some?);
        }
        Ok(counts)
    }
}

impl Valgrind {
    /// What callgrind writes of a whole process that runs the operation so often.
    ///
    /// # Errors
    ///
    /// What valgrind said, if it writes nothing.
    pub(crate) fn profile(&self, name: &Name, times: u64) -> Result<String, String> {
        let file = env::temp_dir().join(format!("benches-{}-{times}.out", std::process::id()));
        let option = format!("--callgrind-out-file={}", file.display());
        run(&["--tool=callgrind", &option], name, times)?;
        let profile = fs::read_to_string(&file).map_err(|error| error.to_string());
        // It is only in the way.
        let _ = fs::remove_file(&file);
        profile
    }
}

fn once(name: &Name, count: Count) -> Result<f64, String> {
    // Fewer runs where one run is long.
    let members: u64 = name.case.strip_prefix("members-").and_then(|n| n.parse().ok()).unwrap_or(2);
    let (few, many) = if members > 40 { (2, 12) } else { (10, 110) };
    let difference = total(name, many, count)?.saturating_sub(total(name, few, count)?);
    Ok(difference as f64 / (many - few) as f64)
}

/// What a whole process takes.
fn total(name: &Name, times: u64, count: Count) -> Result<u64, String> {
    let (arguments, label): (&[&str], &str) = match count {
        Count::Instructions => {
            (&["--tool=callgrind", "--callgrind-out-file=/dev/null"], "Collected :")
        }
        Count::Allocations => (
            &["--tool=memcheck", "--leak-check=no", "--undef-value-errors=no"],
            "total heap usage:",
        ),
    };
    let said = run(arguments, name, times)?;
    number_behind(&said, label).ok_or_else(|| format!("valgrind has no count of {name}: {said}"))
}

/// Runs the operation so often under valgrind, and gives what that says.
fn run(arguments: &[&str], name: &Name, times: u64) -> Result<String, String> {
    let output = Command::new("valgrind")
        .args(arguments)
        .arg(env::current_exe().map_err(|error| error.to_string())?)
        .args(["op", &name.to_string(), &times.to_string()])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() {
        Ok(said)
    } else {
        Err(format!("valgrind fails with {name}: {said}"))
    }
}

/// The number behind a label, with or without commas between its digits.
fn number_behind(text: &str, label: &str) -> Option<u64> {
    let (_, behind) = text.split_once(label)?;
    behind.split_whitespace().next()?.replace(',', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_found_in_what_valgrind_says() {
        let callgrind = "==7== Events    : Ir\n==7== Collected : 1234567\n==7==\n";
        assert_eq!(number_behind(callgrind, "Collected :"), Some(1_234_567));
        let memcheck = "==7==   total heap usage: 1,234 allocs, 1,200 frees, 5 bytes allocated";
        assert_eq!(number_behind(memcheck, "total heap usage:"), Some(1234));
        assert_eq!(number_behind("", "Collected :"), None);
    }
}
