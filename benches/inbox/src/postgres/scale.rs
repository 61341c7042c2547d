//! How much of everything on PostgreSQL.

use std::time::Duration;

/// How much of everything on PostgreSQL.
pub(crate) struct Scale {
    /// How many turns each store has with each number of waiting puts.
    pub(crate) rounds: usize,
    /// How long a turn takes.
    pub(crate) turn: Duration,
    /// What a worker works off in one turn.
    pub(crate) jobs: u64,
    /// What is done already beside what is leased.
    pub(crate) done: u64,
    /// How often a batch is leased and settled.
    pub(crate) leases: usize,
    /// How many workers wait.
    pub(crate) workers: usize,
    /// For how long they are looked at.
    pub(crate) idle: Duration,
    /// What is weighed.
    pub(crate) weighed: u64,
}

impl Scale {
    pub(crate) const FULL: Self = Self {
        rounds: 3,
        turn: Duration::from_millis(1200),
        jobs: 10_000,
        done: 10_000_000,
        leases: 200,
        workers: 100,
        idle: Duration::from_secs(20),
        weighed: 100_000,
    };

    pub(crate) const QUICK: Self = Self {
        rounds: 1,
        turn: Duration::from_millis(60),
        jobs: 300,
        done: 10_000,
        leases: 20,
        workers: 10,
        idle: Duration::from_secs(2),
        weighed: 2_000,
    };
}
