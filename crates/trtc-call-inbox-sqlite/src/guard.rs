//! What statements of users may not do while they share a transaction.
//!
//! SQLite asks these hooks on the thread that runs the statements.

use std::cell::Cell;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use crate::busy;

/// How long one call's statements may run. Who puts meanwhile waits, and has a second.
const PATIENCE: Duration = Duration::from_millis(500);

/// After how many steps of SQLite's machine the time is looked at.
const STEPS: i32 = 1000;

/// What the names of our tables begin with.
const OURS: &str = "trtc_call_";

thread_local! {
    /// Until when a user's statements may run, while they do.
    static RUNS_UNTIL: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Sets the hooks, once.
pub(crate) fn install(connection: &Connection) -> rusqlite::Result<()> {
    connection.authorizer(Some(authorize))?;
    // Once a statement has ended the transaction, as `INSERT OR ROLLBACK` does, those behind it would
    // commit by themselves, without the completion. Denied here, they are rolled back.
    connection.commit_hook(Some(|| RUNS_UNTIL.get().is_some()))?;
    let is_late = || RUNS_UNTIL.get().is_some_and(|until| Instant::now() >= until);
    connection.progress_handler(STEPS, Some(is_late))
}

/// Runs a user's statements under the hooks.
pub(crate) fn run<T>(statements: impl FnOnce() -> T) -> T {
    /// Lifts them again, also while a panic passes.
    struct Lift;

    impl Drop for Lift {
        fn drop(&mut self) {
            RUNS_UNTIL.set(None);
        }
    }

    RUNS_UNTIL.set(Some(busy::after(PATIENCE)));
    let _lift = Lift;
    statements()
}

fn authorize(context: AuthContext<'_>) -> Authorization {
    if RUNS_UNTIL.get().is_some() && is_denied(context.action) {
        Authorization::Deny
    } else {
        Authorization::Allow
    }
}

fn is_denied(action: AuthAction<'_>) -> bool {
    use AuthAction as A;

    match action {
        A::Transaction { .. }
        | A::Savepoint { .. }
        | A::Attach { .. }
        | A::Detach { .. }
        | A::Pragma { .. }
        | A::Unknown { .. } => true,
        A::Insert { table_name }
        | A::Delete { table_name }
        | A::Update { table_name, .. }
        | A::AlterTable { table_name, .. }
        | A::CreateTable { table_name }
        | A::CreateTempTable { table_name }
        | A::DropTable { table_name }
        | A::DropTempTable { table_name }
        | A::CreateVtable { table_name, .. }
        | A::DropVtable { table_name, .. } => is_ours(table_name),
        A::CreateIndex { index_name: name, table_name }
        | A::CreateTempIndex { index_name: name, table_name }
        | A::DropIndex { index_name: name, table_name }
        | A::DropTempIndex { index_name: name, table_name }
        | A::CreateTrigger { trigger_name: name, table_name }
        | A::CreateTempTrigger { trigger_name: name, table_name }
        | A::DropTrigger { trigger_name: name, table_name }
        | A::DropTempTrigger { trigger_name: name, table_name } => {
            is_ours(name) || is_ours(table_name)
        }
        A::CreateView { view_name: name }
        | A::CreateTempView { view_name: name }
        | A::DropView { view_name: name }
        | A::DropTempView { view_name: name }
        | A::Reindex { index_name: name } => is_ours(name),
        _ => false,
    }
}

/// SQLite does not tell names apart by case.
fn is_ours(name: &str) -> bool {
    name.get(..OURS.len()).is_some_and(|start| start.eq_ignore_ascii_case(OURS))
}
