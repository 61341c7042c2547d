//! The conformance suite: one [`Table`] of requests and of what has to come of them, and the few
//! things that are needed to run it against core and against every adapter.
//!
//! `cases.json` is the table. A [`Driver`] plugs one way of receiving a request into it; an adapter
//! is one file in `src/driver/`.

#![allow(
    missing_debug_implementations,
    clippy::missing_panics_doc,
    reason = "a test that cannot go on has to stop, loudly"
)]

pub mod billing;
pub mod books;
pub mod caller;
pub mod chapter;
pub mod client;
pub mod crashes;
pub mod descriptors;
pub mod driver;
pub mod example;
pub mod memory;
mod notebook;
pub mod package;
pub mod postgres;
pub mod power;
pub mod programs;
pub mod raw;
mod request;
mod run;
pub mod sending;
pub mod stores;
pub mod strace;
pub mod table;
pub mod vendor;

pub use notebook::{Gate, Mood, Notebook, Taken};
pub use request::{Answer, Kind, Request, Sent};
pub use run::run;
pub use table::{Case, Table, VerifierConfig, percent, signature};

use std::net::SocketAddr;

use trtc_call_webhook::Verifier;

/// The servers in the repository's README compile.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

/// One way of receiving requests: core itself, or a framework with the adapter plugged in.
#[allow(async_fn_in_trait, reason = "nothing here needs to be sent to another thread")]
pub trait Driver {
    /// What [`open`](Self::open) makes.
    type Endpoint: Endpoint;

    /// What the report calls it.
    fn name(&self) -> String;

    /// Opens an endpoint with a handler that takes `E` and writes what it sees into `notebook`.
    async fn open<E: Taken>(&self, verifier: Verifier, notebook: Notebook) -> Self::Endpoint;
}

/// A receiver with a handler behind it.
#[allow(async_fn_in_trait, reason = "nothing here needs to be sent to another thread")]
pub trait Endpoint {
    /// Sends one request.
    ///
    /// # Errors
    ///
    /// There is no answer, and why.
    async fn answer(&mut self, request: &Request) -> Result<Answer, String>;
}

/// A framework's server on a loopback port. [`client::Loopback`] makes a [`Driver`] of it.
#[allow(async_fn_in_trait, reason = "nothing here needs to be sent to another thread")]
pub trait Serve {
    /// What the report calls it.
    fn name(&self) -> &'static str;

    /// Serves [`PATH`] with a handler that takes `E` and writes what it sees into `notebook`.
    async fn serve<E: Taken>(&self, verifier: Verifier, notebook: Notebook) -> Server;
}

/// The path that every server has its handler at.
pub const PATH: &str = "/callback";

/// A server that runs until it is dropped.
pub struct Server {
    address: SocketAddr,
    stop: Option<Box<dyn FnOnce() + Send>>,
}

impl Server {
    /// A server by its address and by how it is stopped.
    #[must_use]
    pub fn new(address: SocketAddr, stop: impl FnOnce() + Send + 'static) -> Self {
        Self { address, stop: Some(Box::new(stop)) }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            stop();
        }
    }
}
