//! Tables, and what stands in them.

use std::path::Path;
use std::process::Command;

use comfy_table::{CellAlignment, Table, presets};
use hdrhistogram::Histogram;

use crate::Result;
use crate::puts::WAITING;

/// What the figures depend on.
const MACHINE: &str = r#"
echo "- processor:$(grep -m1 '^model name' /proc/cpuinfo | cut -d: -f2), $(nproc) cores"
echo "- system: $(uname -sr), $(stat -f -c %T .), load average $(cut -d' ' -f1 /proc/loadavg) at the start"
echo "- compiler: $(rustc -V), commit: $(git describe --always --dirty)"
"#;

/// What the figures depend on, as a list.
pub(crate) fn machine(home: &Path) -> Result<String> {
    let machine = Command::new("sh").args(["-c", MACHINE]).current_dir(home).output()?;
    Ok(String::from_utf8(machine.stdout)?)
}

/// Says what comes next, for whoever waits.
pub(crate) fn step(name: &str) {
    eprintln!("{name} …");
}

pub(crate) fn met(is_met: bool) -> String {
    if is_met { "yes" } else { "no" }.into()
}

/// A header with a column for each number of waiting puts.
pub(crate) fn by_waiting(first: &str) -> String {
    WAITING.iter().fold(first.to_owned(), |header, waiting| format!("{header} | {waiting}"))
}

pub(crate) fn percentiles(micros: &Histogram<u64>) -> Vec<String> {
    [0.5, 0.99, 0.999, 1.0].map(|quantile| millis(micros, quantile)).into()
}

pub(crate) fn millis(micros: &Histogram<u64>, quantile: f64) -> String {
    format!("{:.2}", micros.value_at_quantile(quantile) as f64 / 1e3)
}

pub(crate) fn spread(values: &[f64]) -> String {
    let (median, least, most) = middle(values);
    format!("{median:.2} ({least:.2} to {most:.2})")
}

pub(crate) fn spread_of(values: &[f64]) -> String {
    let (median, least, most) = middle(values);
    format!("{median:.0} ({least:.0} to {most:.0})")
}

pub(crate) fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

/// The median, the least and the most.
pub(crate) fn middle(values: &[f64]) -> (f64, f64, f64) {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let last = values.len() - 1;
    (f64::midpoint(values[last / 2], values[values.len() / 2]), values[0], values[last])
}

/// A table that is read in a terminal and as Markdown alike.
pub(crate) fn table(title: &str, header: &str, rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(header.split(" | ")).add_rows(rows);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!("\n## {title}\n\n{table}\n")
}
