//! What a program did to a folder, read from what strace has recorded of it.

use std::collections::HashMap;
use std::path::PathBuf;

/// How strace has to be told to record: threads too, the path of each descriptor, and all texts in
/// full, as hexadecimal bytes.
pub const SWITCHES: [&str; 5] = ["-f", "-y", "-xx", "-s", "16777216"];

/// The calls that strace has to record: those that change a folder, and those that could do so in a
/// way that is not understood here. `?` is before those that not every machine has.
pub const CALLS: &str = "openat,mmap,write,pwrite64,ftruncate,fsync,fdatasync,unlinkat,?unlink,\
    ?open,?creat,?openat2,writev,pwritev,?pwritev2,truncate,fallocate,sync_file_range,?rename,\
    ?renameat,renameat2,?link,linkat,symlinkat,?symlink,sendfile,copy_file_range,splice,\
    ?io_uring_setup";

/// How the names of files end that processes share as memory. `SQLite` makes such a file anew when the
/// first process opens the database: what is in it after a power cut is no matter.
pub const SHARED_MEMORY: &str = "-shm";

/// What is watched: the files of a folder, and a file outside.
#[derive(Debug)]
pub struct Watched {
    /// The folder, without links in its path.
    pub folder: PathBuf,
    /// The ledger.
    pub ledger: PathBuf,
}

/// What happened, in the order in which it happened.
#[derive(Debug)]
pub enum Step {
    /// A call was begun. It has a number of its own.
    Begun(usize, Call),
    /// The call of this number has returned, and has done what it was to do.
    Ended(usize),
}

impl Step {
    /// The number of its call.
    #[must_use]
    pub const fn number(&self) -> usize {
        match self {
            Self::Begun(number, _) | Self::Ended(number) => *number,
        }
    }
}

/// A call that changes the folder, or the ledger.
#[derive(Debug)]
pub enum Call {
    /// Opens a file of this name, which is made if it is not there.
    Create(String),
    /// Takes a name away.
    Remove(String),
    /// Writes bytes into a file.
    Write {
        /// Its name.
        file: String,
        /// Where the bytes go.
        offset: usize,
        /// What is written.
        bytes: Vec<u8>,
    },
    /// Cuts a file, or makes it longer.
    Resize {
        /// Its name.
        file: String,
        /// The length from now on.
        length: usize,
    },
    /// Waits until a file's content is on the disk.
    Sync(String),
    /// Waits until the names of the folder are on the disk.
    SyncFolder,
    /// Writes a line into the ledger.
    Note(String),
}

/// Reads a record; the numbers of its calls begin with `first`. What a kill came before was not done.
///
/// # Errors
///
/// A line that does something to the folder that is not understood.
pub fn read(record: &str, watched: &Watched, first: usize) -> Result<Vec<Step>, String> {
    // A call that other threads' calls interrupt stands in two lines. Its place is kept by `None`,
    // since only the second one says whether it has failed.
    let mut steps: Vec<Option<Step>> = Vec::new();
    let mut unfinished: HashMap<&str, (usize, &str)> = HashMap::new();
    for line in record.lines() {
        let (thread, text) = line.split_once(' ').ok_or_else(|| shown(line))?;
        let text = text.trim_start();
        if text.starts_with("+++") || text.starts_with("---") {
            continue;
        }
        if let Some(begin) = text.strip_suffix("<unfinished ...>").map(str::trim_end) {
            unfinished.insert(thread, (steps.len(), begin));
            steps.push(None);
            continue;
        }
        let (place, text) = match text.strip_prefix("<... ") {
            None => {
                steps.push(None);
                (steps.len() - 1, text.to_owned())
            }
            Some(rest) => {
                let (place, begin) = unfinished.remove(thread).ok_or_else(|| shown(line))?;
                let (_, rest) = rest.split_once(" resumed>").ok_or_else(|| shown(line))?;
                (place, format!("{begin}{rest}"))
            }
        };
        if let Some(call) = parse(&text, watched).ok_or_else(|| shown(&text))? {
            steps[place] = Some(Step::Begun(first + place, call));
            steps.push(Some(Step::Ended(first + place)));
        }
    }
    Ok(steps.into_iter().flatten().collect())
}

/// `name(argument, argument) = result`. `Some(None)` if it does nothing to what is watched.
fn parse(text: &str, watched: &Watched) -> Option<Option<Call>> {
    let (name, rest) = text.split_once('(')?;
    let (arguments, result) = rest.rsplit_once(" = ")?;
    // It failed, or was not done.
    if result.starts_with(['-', '?']) {
        return Some(None);
    }
    // No text has a comma or a parenthesis in it: all are hexadecimal.
    let arguments: Vec<&str> = arguments.trim_end().strip_suffix(')')?.split(", ").collect();
    let places: Vec<Place> = arguments.iter().filter_map(|text| watched.place(text)).collect();
    let call = match (name, places.as_slice(), arguments.as_slice()) {
        (_, [], _) if name != "io_uring_setup" => None,
        ("openat", [Place::File(file)], [_, _, flags, ..]) if flags.contains("O_CREAT") => {
            (!flags.contains("O_TRUNC")).then(|| Some(Call::Create(file.clone())))?
        }
        ("openat", [_], _) => None,
        // Reading what is mapped is no matter.
        ("mmap", [Place::File(_)], [_, _, protection, kind, ..])
            if !(kind.contains("MAP_SHARED") && protection.contains("PROT_WRITE")) =>
        {
            None
        }
        ("write", [Place::Ledger], [_, bytes, _]) => {
            Some(Call::Note(String::from_utf8(hexadecimal(bytes)?).ok()?))
        }
        ("pwrite64", [Place::File(file)], [_, bytes, _, offset]) => {
            let mut bytes = hexadecimal(bytes)?;
            // It may write less than it is given.
            bytes.truncate(result.parse().ok()?);
            Some(Call::Write { file: file.clone(), offset: offset.parse().ok()?, bytes })
        }
        ("ftruncate", [Place::File(file)], [_, length]) => {
            Some(Call::Resize { file: file.clone(), length: length.parse().ok()? })
        }
        ("fsync" | "fdatasync", [Place::File(file)], _) => Some(Call::Sync(file.clone())),
        ("fsync" | "fdatasync", [Place::Folder], _) => Some(Call::SyncFolder),
        ("fsync" | "fdatasync", [Place::Ledger], _) => None,
        ("unlink" | "unlinkat", [Place::File(file)], _) => Some(Call::Remove(file.clone())),
        _ => return None,
    };
    Some(call)
}

/// What an argument names.
enum Place {
    Folder,
    File(String),
    Ledger,
}

impl Watched {
    /// `"path"`, or `descriptor<path>`.
    fn place(&self, argument: &str) -> Option<Place> {
        let text = match argument.split_once('<') {
            Some((_, path)) => path.strip_suffix('>')?,
            // What is written looks the same, but seldom begins with a slash.
            None => argument.strip_prefix('"').filter(|text| text.starts_with("\\x2f"))?,
        };
        let path = PathBuf::from(String::from_utf8(hexadecimal(text)?).ok()?);
        if path == self.ledger {
            return Some(Place::Ledger);
        }
        let name = path.strip_prefix(&self.folder).ok()?;
        let name = name.to_str()?;
        (!name.ends_with(SHARED_MEMORY)).then(|| match name {
            "" => Place::Folder,
            name => Place::File(name.to_owned()),
        })
    }
}

/// `\x61\x62`, between quotes or not.
fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_matches('"').as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let byte = |text: &[u8]| match text {
        [b'\\', b'x', high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    text.chunks(4).map(byte).collect()
}

/// The beginning of a line that is not understood.
fn shown(line: &str) -> String {
    format!("not understood: {}", line.chars().take(300).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(record: &str) -> Result<String, String> {
        let watched = Watched { folder: "/f".into(), ledger: "/l".into() };
        read(record, &watched, 0).map(|steps| format!("{steps:?}"))
    }

    #[test]
    fn a_call_in_two_lines_begins_with_the_first_and_ends_with_the_second() {
        let record = "7  pwrite64(3<\\x2f\\x66\\x2f\\x61>, \"\\x01\", 1, 8 <unfinished ...>\n\
            8  write(4<\\x2f\\x6c>, \"\\x62\", 1) = 1\n\
            7  <... pwrite64 resumed>) = 1\n\
            7  fsync(3<\\x2f\\x66\\x2f\\x61>) = ?\n\
            7  +++ killed by SIGKILL +++\n";
        let wanted = "[Begun(0, Write { file: \"a\", offset: 8, bytes: [1] }), Begun(1, Note(\"b\")), \
            Ended(1), Ended(0)]";
        assert_eq!(steps(record).as_deref(), Ok(wanted));
    }

    #[test]
    fn what_is_not_understood_is_an_error_and_what_failed_did_nothing() {
        let failed = "7 unlink(\"\\x2f\\x66\\x2f\\x61\") = -1 ENOENT (No such file or directory)";
        assert_eq!(steps(failed).as_deref(), Ok("[]"));
        for odd in [
            "7 rename(\"\\x2f\\x66\\x2f\\x61\", \"\\x2f\\x62\") = 0",
            "7 write(3<\\x2f\\x66\\x2f\\x61>, \"\\x01\\x02\", 2) = 2",
            "7 mmap(NULL, 8, PROT_READ|PROT_WRITE, MAP_SHARED, 3<\\x2f\\x66\\x2f\\x61>, 0) = 0x7f0",
        ] {
            assert!(steps(odd).is_err(), "{odd}");
        }
    }
}
