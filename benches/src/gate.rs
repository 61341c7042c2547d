//! The gate: instruction counts of a fixed set of operations against the recorded ones, and ours
//! against what others take for the same.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::adapters::{Framework, Variant};
use crate::cases::MAIN;
use crate::counts::Counts;
use crate::op::{Name, Step, What, Who};
use crate::table::{by, ratio};
use crate::valgrind::{Count, Valgrind};

/// How far a count may be from the recorded one.
const TOLERANCE: f64 = 0.05;

/// What all of a signed call end of 2 members may take, by what another takes: the price of reading
/// JSON in the simple way.
pub(crate) const LIMITS: [(Who, f64); 2] = [(Who::Floor, 1.45), (Who::HandWritten, 0.68)];

/// All of a signed call end of 2 members.
fn all(who: Who) -> Name {
    Name::new(What::Core(Step::All, who), MAIN)
}

/// Ours by another, for all of a signed call end of 2 members, in instructions.
pub(crate) fn ratio_to(who: Who, counts: &Counts) -> Option<f64> {
    by(counts.instructions(&all(Who::Ours)), counts.instructions(&all(who)))
}

/// The operations that are held.
fn operations() -> Vec<Name> {
    let ours = |step| What::Core(step, Who::Ours);
    let adapter = |framework| What::Adapter(framework, Variant::Ours);
    [
        (ours(Step::Head), MAIN),
        (ours(Step::All), MAIN),
        (ours(Step::All), "member-changed"),
        (ours(Step::All), "unknown-command"),
        (What::Foreign, MAIN),
        (What::BadlySigned, MAIN),
        (adapter(Framework::Axum), MAIN),
        (adapter(Framework::ActixWeb), MAIN),
        (adapter(Framework::Tower), MAIN),
    ]
    .map(|(what, case)| Name::new(what, case))
    .into()
}

/// Compares, or rewrites the record.
pub(crate) fn run(record: bool) -> Result<ExitCode, String> {
    if cfg!(debug_assertions) {
        return Err("the gate counts optimized code: run it with --release".to_owned());
    }
    let compiler = compiler()?;
    let Some(valgrind) = Valgrind::find() else { return Ok(skipped("no valgrind")) };
    let recorded = fs::read_to_string(path()).map(|text| Record::parse(&text));
    if !record {
        match &recorded {
            Err(error) => return Err(format!("the record cannot be read: {error}")),
            Ok(recorded) if recorded.compiler != compiler => {
                let why = format!("recorded with {}, this is {compiler}", recorded.compiler);
                return Ok(skipped(&why));
            }
            Ok(_) => {}
        }
    }
    let operations = operations();
    let others = LIMITS.map(|(who, _)| all(who));
    let jobs = operations.iter().chain(&others).map(|name| (name.clone(), Count::Instructions));
    let counts = Counts::of(Some(&valgrind), jobs.collect())?;
    let counted = operations.iter().filter_map(|name| {
        let count = counts.instructions(name)?;
        Some((name.to_string(), count))
    });
    let counted = Record { compiler, counts: counted.collect() };
    if record {
        fs::write(path(), counted.to_text()).map_err(|error| error.to_string())?;
        print!("{}", counted.to_text());
        return Ok(ExitCode::SUCCESS);
    }
    let verdicts = recorded.map_err(|error| error.to_string())?.compare(&counted);
    for (text, _) in &verdicts {
        println!("{text}");
    }
    let is_within_limits = LIMITS.map(|(who, limit)| is_within(who, limit, &counts));
    let update = "record them with `cargo run --release -p benches -- gate --record`";
    if verdicts.iter().any(|(_, verdict)| *verdict == Verdict::Fails) {
        println!("failed: what is meant must be recorded in the same commit: {update}");
        return Ok(ExitCode::FAILURE);
    }
    if is_within_limits.contains(&false) {
        println!("failed: ours takes more than was agreed");
        return Ok(ExitCode::FAILURE);
    }
    if verdicts.iter().any(|(_, verdict)| *verdict == Verdict::Shrunk) {
        println!("some operations have shrunk: {update}");
    }
    Ok(ExitCode::SUCCESS)
}

/// Holds a ratio to its limit, and says so.
fn is_within(who: Who, limit: f64, counts: &Counts) -> bool {
    let measured = ratio_to(who, counts).unwrap_or(f64::INFINITY);
    let is_within = measured <= limit;
    let word = if is_within { "" } else { "  is too much" };
    let what = format!("{MAIN}, all: ours/{}", who.text());
    println!("{what:<36} {:>8} of {:>8}{word}", ratio(measured), ratio(limit));
    is_within
}

fn skipped(why: &str) -> ExitCode {
    println!("skipped: instruction counts ({why})");
    ExitCode::SUCCESS
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("instructions.txt")
}

/// What the counts depend on besides the code: `rustc -V` and the platform.
fn compiler() -> Result<String, String> {
    let output = Command::new("rustc").arg("-V").output();
    let output = output.map_err(|error| format!("rustc -V: {error}"))?;
    let version = String::from_utf8_lossy(&output.stdout);
    Ok(format!("{} on {} {}", version.trim(), std::env::consts::ARCH, std::env::consts::OS))
}

/// Counts, and the compiler that they are for.
#[derive(Debug, PartialEq)]
struct Record {
    compiler: String,
    counts: Vec<(String, f64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Passes,
    Shrunk,
    Fails,
}

impl Record {
    /// The first line that is no comment is the compiler, the others are a name and a count each.
    fn parse(text: &str) -> Self {
        let mut lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let compiler = lines.next().unwrap_or_default().to_owned();
        let counts = lines.filter_map(|line| {
            let (name, count) = line.split_once(char::is_whitespace)?;
            Some((name.to_owned(), count.trim().parse().ok()?))
        });
        Self { compiler, counts: counts.collect() }
    }

    fn to_text(&self) -> String {
        let mut text = format!(
            "# Instructions of one run of each operation, under callgrind, with the hash in \
             software.\n# Written by `cargo run --release -p benches -- gate --record`.\n{}\n",
            self.compiler
        );
        for (name, count) in &self.counts {
            let _ = writeln!(text, "{name:<36} {count:.0}");
        }
        text
    }

    fn compare(&self, now: &Self) -> Vec<(String, Verdict)> {
        let compare = |(name, count): &(String, f64)| {
            let Some((_, recorded)) = self.counts.iter().find(|(other, _)| other == name) else {
                return (format!("{name:<36} {count:>8.0}  is not recorded"), Verdict::Fails);
            };
            let ratio = count / recorded;
            let (verdict, word) = match ratio {
                _ if ratio > 1.0 + TOLERANCE => (Verdict::Fails, "  has grown"),
                _ if ratio < 1.0 - TOLERANCE => (Verdict::Shrunk, "  has shrunk"),
                _ => (Verdict::Passes, ""),
            };
            let percent = (ratio - 1.0) * 100.0;
            (
                format!("{name:<36} {recorded:>8.0} -> {count:>8.0}  {percent:>+6.1} %{word}"),
                verdict,
            )
        };
        now.counts.iter().map(compare).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(counts: &[(&str, f64)]) -> Record {
        let counts = counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        Record { compiler: "rustc 1.0.0".to_owned(), counts }
    }

    #[test]
    fn a_record_is_read_as_it_is_written() {
        let written = record(&[("core/a/all/ours", 100.0), ("hash", 7.0)]);
        assert_eq!(Record::parse(&written.to_text()), written);
    }

    #[test]
    fn growth_beyond_the_tolerance_fails() {
        let recorded = record(&[("a", 1000.0), ("b", 1000.0), ("c", 1000.0), ("gone", 1.0)]);
        let now = record(&[("a", 1050.0), ("b", 1051.0), ("c", 949.0), ("new", 1.0)]);
        let verdicts: Vec<_> =
            recorded.compare(&now).into_iter().map(|(_, verdict)| verdict).collect();
        use Verdict::{Fails, Passes, Shrunk};
        assert_eq!(verdicts, [Passes, Fails, Shrunk, Fails]);
    }

    #[test]
    fn every_operation_can_be_found_again() {
        for name in operations() {
            assert_eq!(Name::parse(&name.to_string()), Some(name));
        }
    }
}
