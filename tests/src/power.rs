//! What a power cut could leave of the files of an inbox, and whether all is there that was
//! acknowledged. Killing a process does not tell: what it wrote is there, synced or not.
//!
//! A [`recorder::Recorder`] runs the program `power_writer` under strace. The [`trace`] says what it
//! wrote and synced and, by the lines of a ledger outside, what was acknowledged when. The [`disk`]
//! follows it and rebuilds, for a cut at any point, what could be left: what was synced, and any part
//! of the rest. The [`judge`] opens that and compares it with the ledger. The [`search`] does so for
//! many cuts.

pub mod disk;
pub mod judge;
pub mod recorder;
pub mod search;
pub mod trace;
pub mod work;
