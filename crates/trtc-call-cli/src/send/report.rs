//! What is printed of a plan, of one exchange, and of all of them.

use std::fmt::Write as _;
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};

use super::burst::Sent;
use super::plan::Plan;
use super::tally::Tally;
use crate::client::{Endpoint, Reply};
use crate::out::{BAD, BOLD, DIM, GOOD, plain, styled};
use crate::verdict::Verdict;

/// The longest body that is printed, in characters.
const MAX_BODY: usize = 1024;

/// Where it goes: without the query, which is a secret.
pub(super) fn heading(endpoint: &Endpoint, plan: &Plan) -> String {
    let post = styled(BOLD, &format!("POST {endpoint}"));
    format!("{post}  app {}\n", plan.sdk_app_id())
}

/// A callback, its answer, and what Tencent would make of it.
pub(super) fn exchange(sent: &Sent, verdict: &Verdict) -> String {
    let mut text = format!("\n{}\n", plain(&sent.what.text));
    if let Reply::Answer(answer) = &sent.reply {
        let kind = answer.content_type.as_deref().unwrap_or("no content-type");
        let body = String::from_utf8_lossy(&answer.body);
        let cut: String = body.chars().take(MAX_BODY).collect();
        let dots = if cut.len() < body.len() { " …" } else { "" };
        let head = format!("HTTP {}  {}  {:.2?}", answer.status, plain(kind), answer.took);
        // Writing to a string has no way to fail.
        let _ = writeln!(text, "{}\n{}{dots}", styled(DIM, &head), plain(&cut));
    }
    let word = if verdict.is_delivered { styled(GOOD, "yes") } else { styled(BAD, "no") };
    let _ = writeln!(text, "delivered: {word} — {}", verdict.why);
    for note in &verdict.undocumented {
        let _ = writeln!(text, "not as documented: {note}");
    }
    text
}

/// All exchanges of a run that took so long.
pub(super) fn summary(tally: &Tally, took: Duration) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    for (kind, count) in tally.kinds() {
        table.add_row([count.to_string().as_str(), kind]);
    }
    if let Some(counts) = table.column_mut(0) {
        counts.set_cell_alignment(CellAlignment::Right);
    }
    let total = tally.total();
    let delivered = format!("{} of {total}", tally.delivered());
    let style = if tally.delivered() == total { GOOD } else { BAD };
    let mut text = format!("\n{}\ndelivered: {}", table.trim_fmt(), styled(style, &delivered));
    // Writing to a string has no way to fail.
    let _ = write!(text, " in {took:.2?}");
    if let Ok(count) = u32::try_from(total) {
        let _ = write!(text, ", {:.0} in a second", f64::from(count) / took.as_secs_f64());
    }
    let latencies: Vec<_> =
        tally.quantiles().map(|(name, time)| format!("{name} {time:.2?}")).collect();
    if !latencies.is_empty() {
        let _ = write!(text, "\nlatency: {}", latencies.join("  "));
    }
    text.push('\n');
    text
}
