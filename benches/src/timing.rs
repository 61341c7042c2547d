//! Time, measured side by side: in each round every operation runs one batch, so that whatever
//! else the machine does meets all of them alike.

use std::time::{Duration, Instant};

use crate::op::Op;
use crate::statistics::median;

/// How long one batch is to take at least.
const BATCH: Duration = Duration::from_micros(300);

/// The times of some operations that were measured together.
#[derive(Clone, Debug)]
pub(crate) struct Times {
    /// Nanoseconds for one run, by operation and by round.
    rounds: Vec<Vec<f64>>,
}

impl Times {
    /// Runs `operations` in so many rounds. Each round starts with another one of them.
    pub(crate) fn measure(operations: &mut [Op], rounds: usize) -> Self {
        let batches: Vec<u64> = operations.iter_mut().map(batch).collect();
        let mut times = vec![Vec::with_capacity(rounds); operations.len()];
        for round in 0..rounds {
            for place in 0..operations.len() {
                let which = (round + place) % operations.len();
                let took = time(&mut operations[which], batches[which]);
                times[which].push(took.as_nanos() as f64 / batches[which] as f64);
            }
        }
        Self { rounds: times }
    }

    /// The median of an operation, in nanoseconds.
    pub(crate) fn median(&self, which: usize) -> f64 {
        median(&self.rounds[which])
    }

    /// The median of the rounds' ratios of one operation to another.
    pub(crate) fn ratio(&self, which: usize, to: usize) -> f64 {
        let pairs = self.rounds[which].iter().zip(&self.rounds[to]);
        median(&pairs.map(|(one, other)| one / other).collect::<Vec<_>>())
    }
}

fn time(operation: &mut Op, times: u64) -> Duration {
    let start = Instant::now();
    operation.run(times);
    start.elapsed()
}

/// How often an operation runs in one batch.
fn batch(operation: &mut Op) -> u64 {
    let mut times = 1;
    while time(operation, times) < BATCH {
        times *= 2;
    }
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_taken_round_by_round() {
        let times = Times { rounds: vec![vec![2.0, 40.0, 6.0], vec![1.0, 10.0, 3.0]] };
        assert_eq!(times.median(0), 6.0);
        assert_eq!(times.ratio(0, 1), 2.0);
    }
}
