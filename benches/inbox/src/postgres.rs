//! The inbox on PostgreSQL beside other ways to keep callbacks there, on a server of the run's own.

mod bytes;
mod done;
mod idle;
mod jobs;
mod puts;
mod report;
mod scale;
mod server;
mod stores;

use clap::Subcommand;

pub(crate) use self::report::run;

use crate::Result;

/// What a process of its own does.
#[derive(Subcommand)]
pub(crate) enum Part {
    /// Puts callbacks for a while, once it is told to begin.
    Put(puts::Part),
    /// Has workers wait for jobs, for ever.
    Idle(idle::Part),
}

impl Part {
    pub(crate) async fn run(self) -> Result<()> {
        match self {
            Self::Put(part) => part.run().await,
            Self::Idle(part) => part.run().await,
        }
    }
}
