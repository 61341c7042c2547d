//! How much memory a process holds, as Linux counts it.

use std::fs;

use crate::descriptors::skipped;

/// More than any fault may cost, in KiB. The tests send what would fill 100 MiB or more.
const MOST: u64 = 64 << 10;

/// The memory of a process before something is done to it.
pub struct Memory {
    process: u32,
    /// In KiB; `None` where nobody counts it.
    before: Option<u64>,
}

impl Memory {
    /// Counts it now, and lets its peak begin anew.
    #[must_use]
    pub fn of(process: u32) -> Self {
        // Where that cannot be, the peak is the one since the start: that is no less.
        let _ = fs::write(format!("/proc/{process}/clear_refs"), "5");
        Self { process, before: field(process, "VmRSS") }
    }

    /// Prints how far it has grown at its peak since, or a line that says it was not counted.
    ///
    /// # Panics
    ///
    /// If that is 64 MiB or more.
    pub fn has_hardly_grown(&self, server: &str, fault: &str) {
        self.has_grown_by_less(MOST, server, fault);
    }

    /// The same, with another bound, in KiB.
    ///
    /// # Panics
    ///
    /// If it has grown by as much or more.
    pub fn has_grown_by_less(&self, most: u64, server: &str, fault: &str) {
        let Some((before, peak)) = self.before.zip(field(self.process, "VmHWM")) else {
            skipped(&format!("memory of {server}, {fault}: there is no /proc/PID/status"));
            return;
        };
        let growth = peak.saturating_sub(before);
        println!("memory of {server}, {fault}: {before} KiB, at the peak {growth} KiB more");
        assert!(growth < most, "{server}, {fault}: grew by {growth} KiB from {before} KiB");
    }
}

/// A field of the process's status, in KiB: `VmRSS` now, or `VmHWM` at its peak. `None` where nobody
/// counts it.
#[must_use]
pub fn field(process: u32, name: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let value = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    value.trim().strip_suffix(" kB")?.parse().ok()
}
