//! Connections for transactions of the user's.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_postgres::SimpleQueryMessage;

use crate::pool::Lent;

/// How long it may take to find out how a connection was left.
const PATIENCE: Duration = Duration::from_secs(1);

/// True where it begins a transaction of its own: what came before is over. By the simple protocol, in which
/// both are taken at one moment.
const IS_IDLE: &str = "SELECT now() = statement_timestamp()";

/// A connection to the inbox's database, for a transaction of your own. When it is dropped it goes back,
/// with whatever was set in its session; one with a transaction that is still open is closed.
pub struct Client(Option<Lent>);

impl Client {
    pub(crate) fn new(lent: Lent) -> Self {
        Self(Some(lent))
    }
}

#[expect(clippy::expect_used, reason = "it is there until this is dropped")]
impl Deref for Client {
    type Target = tokio_postgres::Client;

    fn deref(&self) -> &Self::Target {
        &self.0.as_ref().expect("a connection").connection.client
    }
}

#[expect(clippy::expect_used, reason = "it is there until this is dropped")]
impl DerefMut for Client {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0.as_mut().expect("a connection").connection.client
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let (Some(lent), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(async move {
                if timeout(PATIENCE, is_idle(&lent)).await == Ok(true) {
                    lent.give_back();
                }
            });
        }
    }
}

async fn is_idle(lent: &Lent) -> bool {
    let messages = lent.connection.client.simple_query(IS_IDLE).await.unwrap_or_default();
    messages.iter().any(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0) == Some("t"),
        _ => false,
    })
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}
