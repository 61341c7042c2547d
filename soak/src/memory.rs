//! Whether a server's memory stays flat.

/// How many samples a run has.
const SAMPLES: u64 = 1000;

/// How much the last tenth may be above the first, in per cent and in KiB.
///
/// A server that has just started has not touched all that it needs, the buffers of connections and
/// the stacks of threads; that is once, and does not grow with the run.
const PERCENT: u64 = 10;
const KIB: u64 = 1024;

/// The resident memory in the first and in the last tenth of a run, in KiB.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    first: Vec<u64>,
    last: Vec<u64>,
}

impl Memory {
    /// Samples before this callback, if it is its turn.
    pub(crate) fn sample<E>(
        &mut self,
        number: u64,
        callbacks: u64,
        resident: impl FnOnce() -> Result<u64, E>,
    ) -> Result<(), E> {
        let tenth = callbacks / 10;
        if number.is_multiple_of((callbacks / SAMPLES).max(1)) {
            if number < tenth {
                self.first.push(resident()?);
            } else if number >= callbacks - tenth {
                self.last.push(resident()?);
            }
        }
        Ok(())
    }

    /// The medians of the first and of the last tenth.
    pub(crate) fn medians(&self) -> (u64, u64) {
        (median(&self.first), median(&self.last))
    }

    /// Whether the last tenth's median is within the bounds.
    pub(crate) fn is_flat(&self) -> bool {
        let (first, last) = self.medians();
        last <= first + first * PERCENT / 100 + KIB
    }
}

fn median(samples: &[u64]) -> u64 {
    let mut samples = samples.to_vec();
    samples.sort_unstable();
    samples.get(samples.len() / 2).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run in which the memory is a function of the callback.
    fn run(callbacks: u64, resident: impl Fn(u64) -> u64) -> Memory {
        let mut memory = Memory::default();
        for number in 0..callbacks {
            memory.sample(number, callbacks, || Ok::<_, ()>(resident(number))).unwrap();
        }
        memory
    }

    #[test]
    fn the_tenths_at_both_ends_are_sampled() {
        let memory = run(100_000, |number| number);
        assert_eq!((memory.first.len(), memory.last.len()), (100, 100));
        assert_eq!(memory.medians(), (5_000, 95_000));
        assert_eq!(run(10, |number| number).medians(), (0, 9));
    }

    #[test]
    fn memory_that_grows_with_the_callbacks_is_not_flat() {
        assert!(run(100_000, |_| 8_000).is_flat());
        assert!(run(100_000, |number| 8_000 + number % 50).is_flat());
        assert!(!run(100_000, |number| 8_000 + number / 40).is_flat());
    }

    #[test]
    fn the_last_tenth_may_be_a_little_above() {
        for (last, is_flat) in [(12_024, true), (12_025, false)] {
            let memory = run(1_000, |number| if number < 500 { 10_000 } else { last });
            assert_eq!(memory.is_flat(), is_flat, "{last}");
        }
    }
}
