//! A disk that loses what was not synced.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet};

use fastrand::Rng;

use super::trace::{Call, Step};

/// What a disk writes at once, in bytes.
pub const SECTOR: usize = 512;

/// No write has two parts.
const WHOLE: usize = usize::MAX;

/// The content of each file of a folder, by its name.
pub type Folder = BTreeMap<String, Vec<u8>>;

/// A folder on a disk, by the calls that made it.
///
/// It promises no more than POSIX does. A call is on the disk once a sync of its file has returned that
/// was begun after the call had. Names are synced with the folder, and not with the file that they
/// name. All else may be there or not, in any order, and of a write any part.
#[derive(Debug, Default)]
pub struct Disk<'a> {
    /// Every file that ever was, whatever became of its name.
    files: Vec<File<'a>>,
    names: BTreeMap<String, Name>,
    ended: HashSet<usize>,
    syncs: HashMap<usize, Sync<'a>>,
}

#[derive(Debug, Default)]
struct File<'a> {
    synced: Vec<u8>,
    unsynced: Vec<(usize, &'a Call)>,
}

/// Which file has the name, if any has.
#[derive(Debug, Default)]
struct Name {
    synced: Option<usize>,
    unsynced: Vec<(usize, Option<usize>)>,
}

impl Name {
    fn file(&self) -> Option<usize> {
        self.unsynced.last().map_or(self.synced, |(_, file)| *file)
    }
}

/// A sync that has begun, with the calls that had ended by then.
#[derive(Debug)]
enum Sync<'a> {
    File(usize, Vec<(usize, &'a Call)>),
    Names(HashSet<usize>),
}

/// What a power cut does to what was not synced.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cut {
    /// All of it is lost.
    All,
    /// None of it is.
    None,
    /// What came after some call is, and of that call itself a part.
    After,
    /// Each call is lost or not. The share that is kept lies between 0 and 1.
    Any(f64),
    /// Each part of a write that begins at a multiple of so many bytes is lost or not.
    Torn(f64, usize),
}

impl<'a> Disk<'a> {
    /// Something happens.
    pub fn take(&mut self, step: &'a Step) {
        match step {
            Step::Begun(number, call) => self.begin(*number, call),
            Step::Ended(number) => {
                self.ended.insert(*number);
                match self.syncs.remove(number) {
                    Some(Sync::File(file, calls)) => self.files[file].sync(&calls),
                    Some(Sync::Names(calls)) => {
                        self.names.values_mut().for_each(|name| name.sync(&calls));
                    }
                    None => {}
                }
            }
        }
    }

    fn begin(&mut self, number: usize, call: &'a Call) {
        match call {
            Call::Create(name) => {
                let name = self.names.entry(name.clone()).or_default();
                if name.file().is_none() {
                    name.unsynced.push((number, Some(self.files.len())));
                    self.files.push(File::default());
                }
            }
            Call::Remove(name) => {
                self.names.entry(name.clone()).or_default().unsynced.push((number, None));
            }
            Call::Write { file, .. } | Call::Resize { file, .. } => {
                let file = self.file(file);
                self.files[file].unsynced.push((number, call));
            }
            Call::Sync(file) => {
                let file = self.file(file);
                let calls = self.files[file].unsynced.iter().copied();
                let calls = calls.filter(|(call, _)| self.ended.contains(call)).collect();
                self.syncs.insert(number, Sync::File(file, calls));
            }
            Call::SyncFolder => {
                self.syncs.insert(number, Sync::Names(self.ended.clone()));
            }
            Call::Note(_) => {}
        }
    }

    fn file(&self, name: &str) -> usize {
        self.names.get(name).and_then(Name::file).expect("a file is made before it is written")
    }

    /// What a power cut now could leave.
    #[must_use]
    pub fn after(&self, cut: Cut, rng: &mut Rng) -> Folder {
        let unsynced = self.files.iter().flat_map(|file| &file.unsynced);
        let numbers: Vec<usize> = unsynced.map(|(number, _)| *number).collect();
        let last = rng.choice(numbers).unwrap_or_default();
        let grows = rng.bool();
        let mut folder = Folder::new();
        for (text, name) in &self.names {
            let kept = match cut {
                Cut::All => 0,
                Cut::None => name.unsynced.len(),
                // The names of a folder change in their order.
                _ => rng.usize(..=name.unsynced.len()),
            };
            let file = kept.checked_sub(1).map_or(name.synced, |last| name.unsynced[last].1);
            let Some(file) = file.map(|file| &self.files[file]) else { continue };
            let mut content = file.synced.clone();
            for (number, call) in &file.unsynced {
                let (unit, share) = match cut {
                    Cut::All => (WHOLE, 0.0),
                    Cut::None => (WHOLE, 1.0),
                    Cut::After => match number.cmp(&last) {
                        Ordering::Less => (WHOLE, 1.0),
                        Ordering::Equal => (SECTOR, 0.5),
                        Ordering::Greater => (WHOLE, 0.0),
                    },
                    Cut::Any(share) => (WHOLE, share),
                    Cut::Torn(share, unit) => (unit, share),
                };
                apply(call, &mut content, unit, || rng.f64() < share);
                // Of a write that is lost, the new length of the file may still be kept.
                if let Call::Write { offset, bytes, .. } = call
                    && grows
                    && !matches!(cut, Cut::All | Cut::After)
                {
                    grow(&mut content, offset + bytes.len());
                }
            }
            folder.insert(text.clone(), content);
        }
        folder
    }
}

impl File<'_> {
    fn sync(&mut self, calls: &[(usize, &Call)]) {
        for (_, call) in calls {
            apply(call, &mut self.synced, WHOLE, || true);
        }
        let numbers: HashSet<usize> = calls.iter().map(|(number, _)| *number).collect();
        self.unsynced.retain(|(number, _)| !numbers.contains(number));
    }
}

impl Name {
    fn sync(&mut self, calls: &HashSet<usize>) {
        self.unsynced.retain(|(number, file)| {
            let is_synced = calls.contains(number);
            if is_synced {
                self.synced = *file;
            }
            !is_synced
        });
    }
}

/// Does what the call does, in parts that begin at multiples of `unit`, as far as they are kept.
fn apply(call: &Call, content: &mut Vec<u8>, unit: usize, mut is_kept: impl FnMut() -> bool) {
    match call {
        Call::Write { offset, bytes, .. } => {
            let (mut from, end) = (*offset, offset + bytes.len());
            while from < end {
                let to = (from / unit).saturating_add(1).saturating_mul(unit).min(end);
                if is_kept() {
                    grow(content, to);
                    content[from..to].copy_from_slice(&bytes[from - offset..to - offset]);
                }
                from = to;
            }
        }
        Call::Resize { length, .. } if is_kept() => content.resize(*length, 0),
        _ => {}
    }
}

fn grow(content: &mut Vec<u8>, length: usize) {
    content.resize(content.len().max(length), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(number: usize, byte: u8) -> [Step; 2] {
        let call = Call::Write { file: "a".to_owned(), offset: 0, bytes: vec![byte; 2] };
        [Step::Begun(number, call), Step::Ended(number)]
    }

    fn left(steps: &[Step], cut: Cut) -> Folder {
        let mut disk = Disk::default();
        steps.iter().for_each(|step| disk.take(step));
        disk.after(cut, &mut Rng::with_seed(1))
    }

    #[test]
    fn a_sync_keeps_what_had_ended_when_it_began_and_only_once_it_has_ended() {
        let mut steps = vec![
            Step::Begun(0, Call::Create("a".to_owned())),
            Step::Ended(0),
            Step::Begun(1, Call::SyncFolder),
            Step::Ended(1),
        ];
        steps.extend(write(2, 2));
        steps.push(Step::Begun(3, Call::Sync("a".to_owned())));
        steps.extend(write(4, 4));
        assert!(left(&steps, Cut::All)["a"].is_empty());
        steps.push(Step::Ended(3));
        assert_eq!(left(&steps, Cut::All)["a"], [2; 2]);
        assert_eq!(left(&steps, Cut::None)["a"], [4; 2]);
    }

    #[test]
    fn a_name_is_there_once_its_folder_is_synced() {
        let mut steps = vec![Step::Begun(0, Call::Create("a".to_owned())), Step::Ended(0)];
        steps.extend(write(1, 1));
        steps.extend([Step::Begun(2, Call::Sync("a".to_owned())), Step::Ended(2)]);
        assert_eq!(left(&steps, Cut::All), Folder::new());
        steps.extend([Step::Begun(3, Call::SyncFolder), Step::Ended(3)]);
        assert_eq!(left(&steps, Cut::All)["a"], [1; 2]);
        steps.extend([Step::Begun(4, Call::Remove("a".to_owned())), Step::Ended(4)]);
        assert_eq!(left(&steps, Cut::All)["a"], [1; 2]);
        assert_eq!(left(&steps, Cut::None), Folder::new());
    }
}
