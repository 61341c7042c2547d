//! One operation that is measured, found by its name.

use std::hint::black_box;

use tokio::runtime::Builder;

use crate::cases::Case;
use crate::{adapters, floor, hand_written, ours, peers};

/// How often an operation is run where it is counted, so that what calls it does not count.
pub const TIMES: u64 = 100;

/// An operation that runs as often as it is told.
pub struct Op(Box<dyn FnMut(u64)>);

impl Op {
    /// An operation on a case. What it makes is dropped within what is measured.
    pub(crate) fn new<T>(case: Case, mut operation: impl FnMut(&Case) -> T + 'static) -> Self {
        Self::repeated(move |times| {
            for _ in 0..times {
                black_box(operation(black_box(&case)));
            }
        })
    }

    /// An operation that does the repeating by itself.
    pub(crate) fn repeated(run: impl FnMut(u64) + 'static) -> Self {
        Self(Box::new(run))
    }

    /// An operation that is a future, in a runtime that is not part of it.
    pub(crate) fn awaited(once: impl AsyncFn() + 'static) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        Self::repeated(move |times| {
            runtime.block_on(async {
                for _ in 0..times {
                    once().await;
                }
            });
        })
    }

    /// Runs it so often.
    pub fn run(&mut self, times: u64) {
        (self.0)(times);
    }

    /// The operation of a name, which is one of [`names`](crate::names).
    pub fn named(name: &str) -> Self {
        let named = Case::named;
        match name.split('/').collect::<Vec<_>>()[..] {
            ["core", case, step, "ours"] => ours::op(step, named(case)),
            ["core", case, step, "hand-written"] => hand_written::op(step, named(case)),
            ["core", case, step, "floor"] => floor::op(step, named(case)),
            ["peer", case, peer] => peers::op(peer, named(case)),
            ["refused", case, "foreign"] => ours::op("head", named(case).foreign()),
            ["refused", case, _] => ours::op("head", named(case).badly_signed()),
            ["wrong-digit", case, place] => ours::op("head", named(case).with_wrong_digit(place)),
            ["matching-token", case, place] => ours::rotation(&named(case), place),
            ["adapter", case, framework, handler] => {
                adapters::run(framework, handler, Some(&Case::sent_now(case))).unwrap()
            }
            _ => panic!("no operation is called {name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::MAIN;
    use crate::names;

    /// Those of the adapters hold every answer to 200 by themselves.
    #[test]
    fn every_operation_runs() {
        let signed = [names::wrong_digits(), names::matching_tokens()].concat();
        for name in [names::counted(), names::allocating(), names::held(), signed].concat() {
            Op::named(&name).run(2);
        }
    }

    #[test]
    fn every_peer_takes_the_right_and_refuses_the_wrong() {
        let case = Case::sent_now(MAIN);
        for accepts in [ours::accepts_now, hand_written::accepts_now, floor::accepts_now] {
            assert!(accepts(&case.query, case.body.as_bytes()));
            assert!(!accepts(&case.query, Case::named("member-changed").body.as_bytes()));
            for wrong in [case.foreign(), case.badly_signed(), Case::named(MAIN)] {
                assert!(!accepts(&wrong.query, wrong.body.as_bytes()));
            }
        }
    }
}
