//! Waiting for the lock that another connection holds.
//!
//! SQLite asks a function whether to try again. It has no state but the thread's.

use std::cell::Cell;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;

/// The pause between two tries.
const PAUSE: Duration = Duration::from_micros(500);

thread_local! {
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Has a connection wait as [`wait_until`] says.
pub(crate) fn install(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_handler(Some(|_| {
        let goes_on = DEADLINE.get().is_some_and(|deadline| Instant::now() < deadline);
        if goes_on {
            thread::sleep(PAUSE);
        }
        goes_on
    }))
}

/// From now on, connections of this thread wait for locks until then.
pub(crate) fn wait_until(deadline: Instant) {
    DEADLINE.set(Some(deadline));
}

/// From now on, connections of this thread wait for no lock.
pub(crate) fn do_not_wait() {
    DEADLINE.set(None);
}

/// So long from now.
pub(crate) fn after(patience: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(patience).unwrap_or(now)
}
