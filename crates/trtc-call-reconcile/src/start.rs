//! The tasks that reconcile and confirm, and how they end.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use trtc_call_api::Client;
use trtc_call_inbox::Confirm;

use crate::confirm::Asker;
use crate::error::Error;
use crate::log;
use crate::pass::{Pass, new_owner};
use crate::progress::{OVERLAP, before};
use crate::reconcile::Shared;

/// How often to look whether whoever leads still does, and the pause after a failure.
const PAUSE: Duration = Duration::from_secs(30);

/// Reconciles and confirms until it is stopped. One that is dropped ends at once.
#[derive(Debug)]
#[must_use = "it ends when it is dropped"]
pub struct Reconciler {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Reconciler {
    /// Its tasks: for each app one that reconciles, and one that confirms if anything is to be confirmed.
    pub(crate) fn start(shared: &Arc<Shared>) -> Self {
        let (stop, stopping) = watch::channel(false);
        let mut tasks = JoinSet::new();
        for client in &shared.clients {
            tasks.spawn(reconcile(Arc::clone(shared), client.clone(), stopping.clone()));
            if shared.confirm != Confirm::Never {
                let asker = Asker::new(Arc::clone(shared), client.clone());
                tasks.spawn(confirm(asker, stopping.clone()));
            }
        }
        Self { stop, tasks }
    }

    /// Ends, and lets others go on where it was. Waits at most so long for questions that are on their way.
    pub async fn stop(mut self, patience: Duration) {
        self.stop.send_replace(true);
        let all = async { while self.tasks.join_next().await.is_some() {} };
        let _ = timeout(patience, all).await;
    }
}

async fn reconcile(shared: Arc<Shared>, client: Client, mut stopping: watch::Receiver<bool>) {
    let (app, owner) = (client.sdk_app_id(), new_owner());
    let work = async {
        loop {
            let pause = match step(&shared, &client, owner).await {
                Ok(pause) => pause,
                Err(error) => {
                    log::cannot_reconcile(app, &error);
                    PAUSE
                }
            };
            tokio::time::sleep(pause).await;
        }
    };
    let stop = async {
        let _ = stopping.wait_for(|stop| *stop).await;
    };
    tokio::select! {
        () = work => {}
        () = stop => {}
    }
    // Nobody has to wait for the term, if this is the one who leads.
    let _ = shared.inbox.store().lead(app, owner, Duration::ZERO).await;
}

/// Reads records if that is due, and says when it is again.
async fn step(shared: &Shared, client: &Client, owner: i64) -> Result<Duration, Error> {
    let Some(mut pass) = Pass::begin(shared, client, owner).await? else {
        return Ok(PAUSE.min(shared.every));
    };
    let done = go_on(shared, client, &mut pass).await;
    pass.end().await;
    done
}

async fn go_on(shared: &Shared, client: &Client, pass: &mut Pass<'_>) -> Result<Duration, Error> {
    let now = client.now();
    let due_in = pass.progress.due_in(shared.every, now);
    if due_in > Duration::ZERO {
        return Ok(due_in);
    }
    let since = pass.progress.since(shared.since, now);
    // That is not to move if this reading fails.
    pass.keep().await?;
    let (from, is_all) = pass.progress.next(shared.wide_every, now);
    if is_all {
        // The last ones first: all of them may take so long that somebody ends it.
        pass.read(before(now, OVERLAP)..now, since..now).await?;
        pass.progress.has_read(now, false);
        pass.keep().await?;
    }
    pass.read(from..now, since..now).await?;
    pass.progress.has_read(now, is_all);
    pass.keep().await?;
    Ok(shared.every)
}

async fn confirm(mut asker: Asker, mut stopping: watch::Receiver<bool>) {
    let app = asker.app();
    loop {
        // What was taken is asked about to its end, also when this is to stop.
        let pause = match asker.turn().await {
            Ok(pause) => pause,
            Err(error) => {
                log::cannot_confirm(app, &error);
                PAUSE
            }
        };
        if timeout(pause, stopping.wait_for(|stop| *stop)).await.is_ok() {
            return;
        }
    }
}
