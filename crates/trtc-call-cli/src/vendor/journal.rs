//! What survives a restart: a line of JSON for each change, written before anybody is told of it.
//!
//! A line that a kill has cut belongs to nothing that was told. A power cut may take more.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::book::Settings;
use super::call::Call;
use crate::failure::Failure;

/// A change.
#[derive(Serialize, Deserialize)]
pub(super) enum Entry {
    Call(Box<Call>),
    /// None where the setting was deleted.
    Callback(Option<Settings>),
}

pub(super) struct Journal {
    file: File,
    /// How much of the file is whole lines, in bytes.
    whole: u64,
}

impl Journal {
    /// Opens a file, makes it if it is not there, and gives what is in it.
    pub(super) fn open(path: &Path) -> Result<(Self, Vec<Entry>), Failure> {
        let failure = |why: &str| Failure::new(format!("cannot use {}: {why}", path.display()));
        let io = |error: io::Error| failure(&error.to_string());
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        // The URL of callbacks is in it.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(io)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(io)?;
        let foreign = || failure("it is no state of `trtc-call vendor`");
        let mut entries = Vec::new();
        let mut whole = 0_u64;
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let Some(entry) = line.strip_suffix(b"\n") else {
                // Somebody else's file is not cut.
                if !is_begun(line) {
                    return Err(foreign());
                }
                break;
            };
            entries.push(serde_json::from_slice(entry).map_err(|_| foreign())?);
            whole = whole.saturating_add(u64::try_from(line.len()).unwrap_or(u64::MAX));
        }
        let mut journal = Self { file, whole };
        journal.cut().map_err(io)?;
        Ok((journal, entries))
    }

    /// Writes entries, all of them or none.
    pub(super) fn write(&mut self, entries: &[Entry]) -> io::Result<()> {
        let mut lines = Vec::new();
        for entry in entries {
            serde_json::to_writer(&mut lines, entry)?;
            lines.push(b'\n');
        }
        if let Err(error) = self.file.write_all(&lines) {
            // Else the next line would be a part of this one.
            self.cut()?;
            return Err(error);
        }
        self.whole = self.whole.saturating_add(u64::try_from(lines.len()).unwrap_or(u64::MAX));
        Ok(())
    }

    fn cut(&mut self) -> io::Result<()> {
        self.file.set_len(self.whole)?;
        self.file.seek(SeekFrom::End(0)).map(|_| ())
    }
}

/// Whether an entry may begin so. A callback's body begins with `{"CallbackCommand"`.
fn is_begun(line: &[u8]) -> bool {
    let begins: [&[u8]; 2] = [br#"{"Call":"#, br#"{"Callback":"#];
    begins.iter().any(|begin| line.starts_with(begin) || begin.starts_with(line))
}
