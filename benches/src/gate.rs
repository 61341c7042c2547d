//! What must hold: instruction counts near the recorded ones, ours against what others take for the
//! same, and a signature's check that does not tell where it is wrong.

use std::fs;

use benches::names;

use crate::tools::{count, said, valgrind};

/// What all of a signed call end of 2 members may take, by what another takes: the price of reading
/// JSON in the simple way.
const LIMITS: [(&str, f64); 2] = [("floor", 1.45), ("hand-written", 0.68)];
const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.txt");

/// Counts, compares and says whether all is well; or rewrites the record.
pub(crate) fn run(record: bool) -> Result<bool, String> {
    let version = said("rustc", &["-V"]).ok_or("there is no rustc")?;
    let compiler = format!("{version} on {} {}", std::env::consts::ARCH, std::env::consts::OS);
    let text = fs::read_to_string(PATH).map_err(|error| error.to_string())?;
    if !record && !text.lines().any(|line| line == compiler) {
        return skipped(&format!("recorded with another compiler than {compiler}"));
    }
    if let Err(why) = valgrind() {
        return skipped(&why);
    }
    let held = names::held();
    let all = [&held[..], &names::compared()].concat();
    let (counts, mut is_well) = count("*::gate_*", "Ir", &all)?;
    if record {
        let mut text = format!(
            "# Instructions of one run of each operation, under callgrind, with the hash in \
             software.\n# Written by `cargo run --release -p benches -- gate --record`.\n{compiler}\n"
        );
        for name in &held {
            text += &format!("{name:<36} {:.0}\n", counts[name]);
        }
        return fs::write(PATH, text).map(|()| true).map_err(|error| error.to_string());
    }
    for name in &held {
        let recorded = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        let percent = (counts[name] / recorded.unwrap_or(0.0) - 1.0) * 100.0;
        println!("{name:<36} {:>8.0}  {percent:>+6.1} %", counts[name]);
    }
    let [ours, hand_written, floor] = names::compared().map(|name| counts[&name]);
    for ((other, most), count) in LIMITS.into_iter().zip([floor, hand_written]) {
        println!("ours/{other}: {:.2} of at most {most:.2}", ours / count);
        is_well &= ours / count <= most;
    }
    if !is_well {
        println!("failed: what is meant must be recorded in the same commit, with `gate --record`");
    }
    Ok(is_well)
}

/// Whether a signature's check takes the same wherever the first wrong digit is, and whichever of
/// several tokens matches.
pub(crate) fn constant_time() -> Result<bool, String> {
    if let Err(why) = valgrind() {
        return skipped(&why);
    }
    let mut is_constant = true;
    let (digits, tokens) = (names::wrong_digits(), names::matching_tokens());
    for (pattern, names) in [("*::wrong_digit_*", digits), ("*::matching_token_*", tokens)] {
        let (counts, _) = count(pattern, "Ir", &names)?;
        let least = counts.values().copied().fold(f64::INFINITY, f64::min);
        let most = counts.values().copied().fold(0.0, f64::max);
        println!("{pattern}: {} variants, {least} to {most} instructions", counts.len());
        is_constant &= least == most;
    }
    Ok(is_constant)
}

fn skipped(why: &str) -> Result<bool, String> {
    println!("skipped: instruction counts ({why})");
    Ok(true)
}
