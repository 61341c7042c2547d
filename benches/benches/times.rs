//! Times of the operations, by `criterion`. The program `benches` starts it, and reads its
//! estimates.

use std::time::{Duration, Instant};

use benches::{Op, names};
use criterion::Criterion;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(50)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(700))
        .nresamples(2_000)
        .configure_from_args();
    for name in names::timed() {
        let mut op = Op::named(&name);
        criterion.bench_function(&name, |bencher| {
            bencher.iter_custom(|times| {
                let start = Instant::now();
                op.run(times);
                start.elapsed()
            });
        });
    }
}
