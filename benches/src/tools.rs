//! The libraries that measure, each in a process of its own: `gungraun` counts, `criterion` times.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use benches::TIMES;
use serde_json::Value;

/// The version of `gungraun`, to which its runner's must be equal.
const GUNGRAUN: &str = "0.20.0";
/// Counts, and whether no limit is passed.
type Counted = Result<(Figures, bool), String>;

/// Where `criterion` keeps its estimates.
const ESTIMATES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/criterion");

/// Figures by the names of their operations.
pub(crate) type Figures = BTreeMap<String, f64>;

/// What a program says, if it is there.
pub(crate) fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let here = env!("CARGO_MANIFEST_DIR");
    let output = Command::new(program).args(arguments).current_dir(here).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// What one of the programs in `benches/` prints.
fn bench(name: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(env!("CARGO"))
        .args(["bench", "--quiet", "--locked", "--package", "benches", "--bench", name, "--"])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("CRITERION_HOME", ESTIMATES)
        .output()
        .map_err(|error| error.to_string())?;
    // A limit that is passed is in what `gungraun` prints, too.
    if output.status.success() || !output.stdout.is_empty() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Whether there is what it takes to count; else what is missing.
pub(crate) fn valgrind() -> Result<(), String> {
    said("valgrind", &["--version"]).ok_or("no valgrind")?;
    let is_right = said("gungraun-runner", &["-V"]).is_some_and(|it| it.ends_with(GUNGRAUN));
    if is_right { Ok(()) } else { Err(format!("no gungraun-runner {GUNGRAUN}")) }
}

/// Counts one run of each of these operations, which a pattern selects; and whether no limit is
/// passed.
pub(crate) fn count(pattern: &str, metric: &str, names: &[String]) -> Counted {
    let text = bench("instructions", &[pattern, "--output-format=json"])?;
    let summaries: Vec<Value> = text
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()
        .map_err(|e| e.to_string())?;
    let profiles = summaries.iter().filter_map(|it| it["profiles"].as_array()).flatten();
    let totals: Vec<&Value> = profiles.map(|profile| &profile["data"]["total"]).collect();
    let value = |total: &&Value| total["metrics"][metric]["values"]["new"].as_f64();
    let counts: Vec<f64> = totals.iter().filter_map(value).collect();
    if counts.len() != names.len() {
        return Err(format!("{} counts of {} for {pattern}", counts.len(), names.len()));
    }
    let counts = counts.into_iter().map(|count| count / TIMES as f64);
    let is_within = totals.iter().all(|total| total["regressions"] == Value::Array(Vec::new()));
    Ok((names.iter().cloned().zip(counts).collect(), is_within))
}

/// The times of these operations in nanoseconds, as `criterion` estimates their medians.
pub(crate) fn times(names: &[String]) -> Result<Figures, String> {
    bench("times", &[])?;
    let estimate = |name: &String| {
        let file = Path::new(ESTIMATES).join(name.replace('/', "_")).join("new/estimates.json");
        let estimates: Value = serde_json::from_str(&fs::read_to_string(file).ok()?).ok()?;
        Some((name.clone(), estimates["median"]["point_estimate"].as_f64()?))
    };
    names.iter().map(|name| estimate(name).ok_or_else(|| format!("{name} has no time"))).collect()
}
