//! What valgrind counted, to be looked up by operation.

use crate::op::Name;
use crate::valgrind::{Count, Valgrind};

/// Counts of operations; empty without valgrind.
#[derive(Debug, Default)]
pub(crate) struct Counts(Vec<((Name, Count), f64)>);

impl Counts {
    /// Counts all of the jobs.
    pub(crate) fn of(
        valgrind: Option<&Valgrind>,
        jobs: Vec<(Name, Count)>,
    ) -> Result<Self, String> {
        let Some(valgrind) = valgrind else { return Ok(Self::default()) };
        let counts = valgrind.count(&jobs)?;
        Ok(Self(jobs.into_iter().zip(counts).collect()))
    }

    /// The count of an operation, if it was counted.
    pub(crate) fn get(&self, name: &Name, count: Count) -> Option<f64> {
        let job = self.0.iter().find(|((other, what), _)| other == name && *what == count);
        job.map(|(_, counted)| *counted)
    }

    pub(crate) fn instructions(&self, name: &Name) -> Option<f64> {
        self.get(name, Count::Instructions)
    }

    pub(crate) fn allocations(&self, name: &Name) -> Option<f64> {
        self.get(name, Count::Allocations)
    }
}
