//! The inbox as its users see it: what `accept` answers, and what a worker does.

mod accept;
mod admin;
mod calls;
mod confirm;
mod fake;
mod handlers;
#[cfg(feature = "metrics")]
mod metrics;
mod renewal;
mod retries;
mod running;
mod settling;
mod stopping;
mod suspects;
