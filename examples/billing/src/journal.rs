//! The journal: where a callback is kept before it is answered.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use tokio::sync::{mpsc, oneshot};

use crate::durable::Durable;
use crate::record::Record;
use crate::report;

/// How many callbacks share one write to the disk, and how many more may wait for the next; with
/// bodies of the limit's size, 16 MiB each. Whoever finds no room waits on its own connection.
const BATCH: usize = 64;

/// The way to the thread that writes the journal.
#[derive(Clone)]
pub(crate) struct Journal {
    queue: mpsc::Sender<Append>,
    is_well: Arc<AtomicBool>,
}

/// What is to be written.
struct Append {
    /// A record; empty to find out whether one could be written.
    bytes: Vec<u8>,
    /// Dropped if it is not on the disk.
    stored: oneshot::Sender<()>,
}

impl Journal {
    /// Opens the journal, and starts its thread: the disk must not hold up what is async.
    ///
    /// The thread ends with the last clone of the result. Up to where the journal is on the disk is
    /// received each time that it has grown, at once for what is there already; and the end when
    /// nothing more will come.
    pub(crate) fn open(path: &Path) -> io::Result<(Self, Receiver<u64>)> {
        let mut file = Durable::open(path, |file| Ok(Record::read(file)?.is_some()))?;
        let (queue, appends) = mpsc::channel(BATCH);
        let (grown, stored) = channel();
        // A disk that is full does not keep the server from billing what it has, and may have room
        // again by the time that a callback comes.
        let is_well = Arc::new(AtomicBool::new(succeeded(file.probe())));
        let journal = Self { queue, is_well: Arc::clone(&is_well) };
        thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || write(file, appends, &grown, &is_well))?;
        Ok((journal, stored))
    }

    /// Whether the record is on the disk. If it is not, nobody may be told that it is.
    ///
    /// Whoever stops to wait, since the peer has gone away, may leave a record that is stored and
    /// not acknowledged: it is billed, and known again if it is delivered again.
    pub(crate) async fn store(&self, record: &Record) -> bool {
        match record.to_bytes() {
            Ok(bytes) => self.append(bytes).await,
            Err(error) => succeeded(Err(error)),
        }
    }

    /// Whether the last write succeeded; if not, whether one would now.
    pub(crate) async fn is_well(&self) -> bool {
        self.is_well.load(Ordering::Relaxed) || self.append(Vec::new()).await
    }

    async fn append(&self, bytes: Vec<u8>) -> bool {
        let (stored, is_stored) = oneshot::channel();
        self.queue.send(Append { bytes, stored }).await.is_ok() && is_stored.await.is_ok()
    }
}

/// The journal's thread. While the disk is busy with one batch, the next one gathers.
fn write(
    mut file: Durable,
    mut appends: mpsc::Receiver<Append>,
    grown: &Sender<u64>,
    is_well: &AtomicBool,
) {
    // The worker outlives this thread; if it did not, the next start would make good for it.
    let _ = grown.send(file.length());
    let mut batch = Vec::with_capacity(BATCH);
    while appends.blocking_recv_many(&mut batch, BATCH) > 0 {
        let bytes: Vec<_> = batch.iter().map(|append| append.bytes.as_slice()).collect();
        let bytes = bytes.concat();
        let written = if bytes.is_empty() { file.probe() } else { file.append(&bytes) };
        let is_written = succeeded(written);
        is_well.store(is_written, Ordering::Relaxed);
        for append in batch.drain(..).filter(|_| is_written) {
            // Who asked may have gone away.
            let _ = append.stored.send(());
        }
        let _ = grown.send(file.length());
    }
}

fn succeeded(written: io::Result<()>) -> bool {
    written.inspect_err(|error| report(format_args!("the journal is not written: {error}"))).is_ok()
}
