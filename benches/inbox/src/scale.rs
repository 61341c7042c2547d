//! How much of everything.

use std::time::Duration;

/// How much of everything.
pub(crate) struct Scale {
    /// How many turns each store has with each number of waiting puts.
    pub(crate) rounds: usize,
    /// How long a turn takes.
    pub(crate) turn: Duration,
    /// How long puts go on beside something else.
    pub(crate) beside: Duration,
    /// What waits after an outage.
    pub(crate) million: u64,
    /// What is pruned.
    pub(crate) pruned: u64,
    /// What is weighed.
    pub(crate) weighed: u64,
    /// What a worker works off in one turn.
    pub(crate) jobs: u64,
    /// How often a file is opened.
    pub(crate) starts: usize,
}

impl Scale {
    pub(crate) const FULL: Self = Self {
        rounds: 5,
        turn: Duration::from_millis(1200),
        beside: Duration::from_secs(5),
        million: 1_000_000,
        pruned: 100_000,
        weighed: 100_000,
        jobs: 20_000,
        starts: 9,
    };

    pub(crate) const QUICK: Self = Self {
        rounds: 1,
        turn: Duration::from_millis(60),
        beside: Duration::from_millis(200),
        million: 5_000,
        pruned: 2_000,
        weighed: 2_000,
        jobs: 1_000,
        starts: 3,
    };
}
