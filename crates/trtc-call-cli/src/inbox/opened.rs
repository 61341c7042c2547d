//! An inbox that is there, and what keeps it from being opened.

use std::future::Future;
use std::path::{Path, PathBuf};

use tokio::runtime::Runtime;
use trtc_call_inbox::store::StoreError;
use trtc_call_inbox::{Filter, Inbox, Item, ItemId, StoreErrorKind};
use trtc_call_inbox_sqlite::SqliteInbox;

use crate::failure::Failure;
use crate::{server, settings};

/// How many items are read or changed at a time: so few that nobody waits long for them.
pub(super) const BATCH: usize = 200;

pub(super) struct Opened {
    pub(super) path: PathBuf,
    pub(super) sqlite: SqliteInbox,
    pub(super) inbox: Inbox,
    pub(super) is_json: bool,
    runtime: Runtime,
}

impl Opened {
    /// Opens one that is there: a name that is misspelt makes no file.
    pub(super) fn new(flag: Option<String>, is_json: bool) -> Result<Self, Failure> {
        let path = settings::inbox(flag)?.ok_or_else(no_inbox)?;
        let runtime = server::runtime()?;
        let sqlite = SqliteInbox::options().must_exist().open(&path);
        let sqlite = sqlite.map_err(|error| in_words(&path, error))?;
        Ok(Self { path, inbox: sqlite.clone().into(), sqlite, is_json, runtime })
    }

    pub(super) fn run<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, Failure> {
        Ok(self.runtime.block_on(work)?)
    }

    /// The items that a filter lets through, a few at a time.
    pub(super) fn pages(
        &self,
        mut filter: Filter,
        with_bodies: bool,
    ) -> impl Iterator<Item = Result<Vec<Item>, Failure>> {
        std::iter::from_fn(move || {
            let page = self.run(self.inbox.store().list(filter.clone(), BATCH, with_bodies));
            if let Ok(page) = &page {
                filter.after = Some(page.last()?.id);
            }
            Some(page)
        })
    }

    /// How many items there are, for a bar.
    pub(super) fn total(&self, filter: &Filter) -> Result<u64, Failure> {
        let stats = self.run(self.inbox.stats(filter.sdk_app_id))?;
        let states = trtc_call_inbox::State::ALL.iter();
        Ok(states.map(|state| stats.count(*state)).fold(0, u64::saturating_add))
    }
}

fn no_inbox() -> Failure {
    Failure::new("there is no inbox: --inbox PATH names one, or INBOX in the environment")
}

/// What keeps a file from being opened.
fn in_words(path: &Path, error: StoreError) -> Failure {
    match error.kind() {
        StoreErrorKind::NotFound => Failure::new(format!(
            "there is no inbox {}: a server makes it, or `trtc-call listen --inbox`",
            path.display()
        )),
        StoreErrorKind::SchemaTooNew => {
            Failure::new(format!("{error}; a later version of this command may do"))
        }
        _ => error.into(),
    }
}

/// The numbers of items, for people: `3, 4, 9`.
pub(super) fn numbers(items: &[ItemId]) -> String {
    items.iter().map(ItemId::to_string).collect::<Vec<_>>().join(", ")
}
