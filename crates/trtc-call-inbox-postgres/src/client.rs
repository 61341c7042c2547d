//! Connections for transactions of the user's.

use std::fmt;
use std::ops::{Deref, DerefMut};

use crate::pool::Lent;

/// A connection to the inbox's database, for a transaction of your own. It goes back when it is dropped,
/// with whatever was set in its session.
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
        if let Some(lent) = self.0.take() {
            lent.give_back();
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}
