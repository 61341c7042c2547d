//! Stores calls and bills them, and writes into a ledger what it may rely on, each line when it may: for
//! the test `power`, which records what this program writes and syncs.
//!
//! ```sh
//! cargo run -p conformance --example power_writer -- FOLDER LEDGER DAY CALLS [normal] [unsynced]
//! ```

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::{env, thread};

use conformance::power::work::{BILLS, FILE, Fact, bill, delivery, options};
use trtc_call_inbox::store::Store;
use trtc_call_inbox::{Acceptance, DoneAs, Filter, Inbox, Job, JobError};
use trtc_call_webhook::CallEnded;

/// How many calls come at the same time at most, and are worked after that.
const AT_ONCE: u32 = 4;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime").block_on(work());
    // Until all threads have ended, and closed the file: what they were in the middle of would be half
    // done, and nobody could say how much of it.
    while fs::read_dir("/proc/self/task").expect("a list").count() > 1 {
        thread::yield_now();
    }
}

async fn work() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [folder, ledger, day, calls, switches @ ..] = arguments.as_slice() else {
        panic!("a folder, a ledger, a day and a number of calls");
    };
    let ledger = OpenOptions::new().append(true).create(true).open(ledger).expect("a ledger");
    let ledger = Ledger(Arc::new(ledger));

    let mut options = options(day.parse().expect("a day"));
    for switch in switches {
        options = match switch.as_str() {
            "normal" => options.insecure_synchronous("NORMAL"),
            "unsynced" => options.insecure_without_commit_at_opening(),
            _ => panic!("no such switch: {switch}"),
        };
    }
    let store = options.open(Path::new(folder).join(FILE)).expect("an inbox");
    ledger.add(Fact::Opened);
    // What is read may be relied on too, whoever wrote it.
    for item in store.list(Filter::all(), usize::MAX, false).await.expect("a list") {
        let call = item.call_id.and_then(|call| call.parse().ok()).expect("a number");
        ledger.add(Fact::Stored(call));
        if item.done.is_some_and(|(done, _)| done == DoneAs::Handled) {
            ledger.add(Fact::Billed(call));
        }
    }
    store.write(|sql| sql.execute_batch(BILLS)).await.expect("a table");

    let inbox = Inbox::of(Arc::new(store));
    let handler_ledger = ledger.clone();
    let worker = inbox.worker().on::<CallEnded, _, _, JobError>(move |job: Job<CallEnded>| {
        let ledger = handler_ledger.clone();
        async move {
            bill(&job).await?;
            ledger.add(Fact::Billed(job.call_id.parse()?));
            Ok(())
        }
    });
    let calls: u32 = calls.parse().expect("a number");
    let mut next = 0;
    while next < calls {
        let together = calls.min(next + 1 + next % AT_ONCE);
        let mut puts = tokio::task::JoinSet::new();
        for call in next..together {
            let (inbox, ledger) = (inbox.clone(), ledger.clone());
            puts.spawn(async move {
                match inbox.accept(&delivery(call)).await {
                    Acceptance::Stored | Acceptance::Duplicate => ledger.add(Fact::Stored(call)),
                    other => panic!("{other:?}"),
                }
            });
        }
        puts.join_all().await;
        worker.run_due().await.expect("work");
        next = together;
    }
}

/// A file outside of the folder.
#[derive(Clone)]
struct Ledger(Arc<File>);

impl Ledger {
    /// Writes a line, in one call.
    fn add(&self, fact: Fact) {
        (&*self.0).write_all(fact.line().as_bytes()).expect("a line");
    }
}
