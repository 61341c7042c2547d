//! Whether puts wait for something else: reads, a prune, other people's statements.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::tempdir_in;
use trtc_call_inbox::store::{LeaseRequest, Outcome, Settlement};
use trtc_call_inbox::{Clock, DoneAs, Filter, Inbox, Retention};
use trtc_call_inbox_sqlite::SqliteInbox;

use crate::callbacks::Callbacks;
use crate::puts::{Turn, put_for};
use crate::scale::Scale;
use crate::stores::Store;
use crate::{Result, jobs, size};

/// How many puts wait meanwhile.
pub(crate) const WAITING: usize = 8;

/// A month and more: what is done by then goes.
const LONG: Duration = Duration::from_secs(40 * 24 * 60 * 60);

/// Puts beside something else.
pub(crate) struct Beside {
    /// Beside what.
    pub(crate) what: &'static str,
    /// How much of that there was.
    pub(crate) done: String,
    pub(crate) puts: Turn,
}

pub(crate) async fn measure(
    scale: &Scale,
    callbacks: &Callbacks,
    folder: &Path,
    million: &Path,
) -> Result<Vec<Beside>> {
    let folder = tempdir_in(folder)?;
    let inbox = Inbox::from(SqliteInbox::open(million)?);
    let nothing = beside("nothing", scale, callbacks, &inbox, async |end| {
        tokio::time::sleep_until(end.into()).await;
        Ok(String::new())
    });
    let nothing = nothing.await?;
    let stats = beside("stats", scale, callbacks, &inbox, async |end| {
        let mut count = 0;
        while Instant::now() < end {
            inbox.stats(None).await?;
            count += 1;
        }
        Ok(format!("{count} times"))
    });
    let stats = stats.await?;
    let list = beside("list", scale, callbacks, &inbox, async |end| {
        let (mut count, mut filter) = (0, Filter::all());
        while Instant::now() < end {
            let page = inbox.list(filter.clone(), 10_000).await?;
            count += page.len();
            filter = page.last().map_or_else(Filter::all, |last| filter.after(last.id));
        }
        Ok(format!("{count} items"))
    });
    let list = list.await?;
    drop(inbox);

    let clock = Clock::manual();
    let options = SqliteInbox::options().clock(clock.clone());
    let inbox = Inbox::from(options.open(folder.path().join("pruned"))?);
    let store = Store::Inbox(inbox.clone());
    size::fill(&store, callbacks, scale.pruned).await?;
    settle_all(&inbox).await?;
    clock.advance(LONG);
    let prune = beside("prune", scale, callbacks, &inbox, async |_| {
        let start = Instant::now();
        let pruned = inbox.prune(Retention::default()).await?;
        let time = start.elapsed().as_secs_f64();
        if pruned.items != scale.pruned {
            return Err(format!("{pruned:?}").into());
        }
        Ok(format!("{} items and {} keys in {time:.1} s", pruned.items, pruned.keys))
    });
    let prune = prune.await?;

    let path = folder.path().join("worked");
    let sqlite = SqliteInbox::open(&path)?;
    jobs::create_bills(&sqlite).await?;
    let inbox = Inbox::from(sqlite);
    size::fill(&Store::Inbox(inbox.clone()), callbacks, scale.jobs).await?;
    let closures = beside("complete_with", scale, callbacks, &inbox, async |end| {
        let worker = jobs::billing(&inbox, &Arc::default()).start();
        tokio::time::sleep_until(end.into()).await;
        worker.stop(Duration::from_secs(10)).await;
        Ok(format!("{} bills", jobs::bills(&path)?))
    });
    Ok(vec![nothing, stats, list, prune, closures.await?])
}

/// Puts for a while, and does something else meanwhile, which is told when the puts end.
async fn beside<F: Future<Output = Result<String>>>(
    what: &'static str,
    scale: &Scale,
    callbacks: &Callbacks,
    inbox: &Inbox,
    other: impl FnOnce(Instant) -> F,
) -> Result<Beside> {
    let store = Store::Inbox(inbox.clone());
    let puts = put_for(scale.beside, &store, callbacks, WAITING);
    let (puts, done) = tokio::join!(puts, other(Instant::now() + scale.beside));
    if puts.failed > 0 {
        return Err(format!("{} puts failed beside {what}", puts.failed).into());
    }
    Ok(Beside { what, done: done?, puts })
}

/// Has all that waits done.
async fn settle_all(inbox: &Inbox) -> Result<()> {
    loop {
        let request = LeaseRequest::new(1, size::BATCH, Duration::from_secs(30), 5);
        let leased = inbox.store().lease(request).await?.items;
        if leased.is_empty() {
            return Ok(());
        }
        let done = leased
            .iter()
            .map(|item| Settlement { lease: item.lease, outcome: Outcome::Done(DoneAs::Handled) });
        inbox.store().settle(done.collect()).await?;
    }
}
