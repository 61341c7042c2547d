//! A file that only grows, and what is in it survives a loss of power.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::report;

/// The file, open for one process alone: another one that writes it would be cut off.
pub(crate) struct Durable {
    file: File,
    /// The same, to cut it: Windows does not let a handle that appends do that.
    cutter: File,
    /// Up to here everything is whole and on the disk.
    length: u64,
    /// Whether something may stand behind that, of an append that failed.
    is_torn: bool,
}

impl Durable {
    /// Opens or makes the file. `read` reads one piece of it at a time and says whether it was
    /// whole; what is behind the last whole one, half written when a process or a machine died,
    /// is moved to a file beside, since nothing that was received is ever thrown away.
    pub(crate) fn open(
        path: &Path,
        mut read: impl FnMut(&mut BufReader<&File>) -> io::Result<bool>,
    ) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let cutter = OpenOptions::new().write(true).open(path)?;
        sync_folder_of(path)?;
        let length = file.metadata()?.len();
        let mut reader = BufReader::new(&file);
        let mut whole = 0;
        while whole < length && read(&mut reader)? {
            whole = reader.stream_position()?;
        }
        if whole < length {
            let path_of_rest = beside(path, ".cut");
            let mut rest = OpenOptions::new().append(true).create(true).open(&path_of_rest)?;
            reader.seek(SeekFrom::Start(whole))?;
            let moved = io::copy(&mut reader, &mut rest)?;
            rest.sync_all()?;
            sync_folder_of(&path_of_rest)?;
            cutter.set_len(whole)?;
            cutter.sync_all()?;
            let (path, rest) = (path.display(), path_of_rest.display());
            report(format_args!("{path}: cut at byte {whole}, {moved} bytes moved to {rest}"));
        }
        Ok(Self { file, cutter, length: whole, is_torn: false })
    }

    /// Up to where everything is on the disk.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Appends, and returns once it is on the disk. On an error none of it is there for whoever
    /// reads: it is cut off before the next append, or at the next start.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.cut()?;
        self.is_torn = true;
        self.file.write_all(bytes)?;
        // If this fails, trying again may succeed without anything being on the disk: cut instead.
        self.file.sync_data()?;
        self.length = self.file.metadata()?.len();
        self.is_torn = false;
        Ok(())
    }

    /// Finds out whether the disk takes anything, and leaves nothing behind.
    pub(crate) fn probe(&mut self) -> io::Result<()> {
        let length = self.length;
        self.append(b"\n")?;
        self.length = length;
        self.is_torn = true;
        self.cut()
    }

    fn cut(&mut self) -> io::Result<()> {
        // A device has no length that could be set.
        if self.is_torn && self.file.metadata()?.len() != self.length {
            self.cutter.set_len(self.length)?;
        }
        self.is_torn = false;
        Ok(())
    }
}

/// A new file is there after a loss of power only if its folder is on the disk too.
fn sync_folder_of(path: &Path) -> io::Result<()> {
    // Windows has no such thing.
    if cfg!(unix) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

/// The path with an ending more.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}
