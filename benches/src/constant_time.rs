//! The check of a signature takes the same instructions wherever the first wrong digit is, and
//! whichever of several tokens matches: who measures it learns nothing of either.

use std::process::ExitCode;

use crate::cases::MAIN;
use crate::op::{Name, What};
use crate::ours::TOKENS;
use crate::valgrind::{Count, Valgrind};

/// The hex digits of a signature.
const DIGITS: usize = 64;

/// Counts, and compares. Without valgrind it is skipped.
pub(crate) fn run() -> Result<ExitCode, String> {
    if cfg!(debug_assertions) {
        return Err("optimized code is what is trusted: run it with --release".to_owned());
    }
    let Some(valgrind) = Valgrind::find() else {
        println!("skipped: constant time (no valgrind)");
        return Ok(ExitCode::SUCCESS);
    };
    let digits: Vec<What> = (0..DIGITS).map(What::WrongDigit).collect();
    let tokens: Vec<What> = (0..TOKENS.len()).map(What::MatchingToken).collect();
    let mut is_constant = true;
    for (text, group) in [("place of the wrong digit", digits), ("token that matches", tokens)] {
        let jobs: Vec<_> =
            group.iter().map(|what| (Name::new(*what, MAIN), Count::Instructions)).collect();
        // A fraction is of the start of the process, which depends on the length of its arguments.
        let counts: Vec<f64> = valgrind.count(&jobs)?.into_iter().map(f64::round).collect();
        let least = counts.iter().copied().fold(f64::INFINITY, f64::min);
        let most = counts.iter().copied().fold(0.0, f64::max);
        println!("{text}: {} variants, {least} to {most} instructions", counts.len());
        for ((name, _), count) in jobs.iter().zip(&counts).filter(|_| least < most) {
            println!("{name:<36} {count}");
        }
        is_constant &= least == most;
    }
    Ok(if is_constant { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
