//! The calls that the vendor knows, against the inbox. Nothing is changed.

use std::collections::HashSet;
use std::ops::Range;
use std::time::{Duration, SystemTime};

use trtc_call_api::{Client, Error};
use trtc_call_inbox::store::StoreError;
use trtc_call_inbox::{Filter, Inbox};
use trtc_call_webhook::{Command, SdkAppId};

use super::probe::Signatures;
use super::report::{Check, Report};

/// The calls of the last hour, or if there is none of the last day: done items may be gone after longer.
const SPANS: [(&str, Duration); 2] =
    [("hour", Duration::from_secs(60 * 60)), ("day", Duration::from_secs(24 * 60 * 60))];

/// A callback may be under way for so long, and clocks be apart.
const SLACK: Duration = Duration::from_secs(60);

/// How many items are read at a time.
const BATCH: usize = 200;

/// How many calls are named.
const MAX_NAMED: usize = 5;

/// Looks for the last calls in the inbox.
pub(super) async fn check(
    vendor: &Client,
    inbox: &Inbox,
    signatures: Option<Signatures>,
    report: &mut Report,
) {
    let now = SystemTime::now();
    let mut just_now = 0_usize;
    for (name, length) in SPANS {
        let since = now.checked_sub(length).unwrap_or(now);
        let ended = match ended(vendor, since..now).await {
            Ok(ended) => ended,
            Err(error) => {
                return report.skip(Check::Calls, format!("the vendor's records: {error}"));
            }
        };
        just_now = just_now.max(ended.just_now);
        let ended = ended.calls;
        if ended.is_empty() {
            continue;
        }
        let kept = match kept(inbox, vendor.sdk_app_id(), since).await {
            Ok(kept) => kept,
            Err(error) => {
                let advice = "`trtc-call inbox check` says what is wrong with it";
                return report.find(Check::Calls, format!("the inbox: {error}"), advice);
            }
        };
        return compare(name, &ended, &kept, signatures, report);
    }
    if just_now > 0 {
        let text =
            format!("{just_now} ended less than a minute ago: their callbacks may be on their way");
        return report.skip(Check::Calls, text);
    }
    report.skip(
        Check::Calls,
        "the vendor has no record of a call that ended in the last day: only calls by the clients' calls() \
         have callbacks, not those by call() or groupCall()",
    );
}

fn compare(
    span: &str,
    ended: &[String],
    kept: &HashSet<String>,
    signatures: Option<Signatures>,
    report: &mut Report,
) {
    let missing: Vec<&str> =
        ended.iter().filter(|id| !kept.contains(*id)).map(String::as_str).collect();
    let total = ended.len();
    let Some(named) = missing.get(..missing.len().min(MAX_NAMED)).filter(|ids| !ids.is_empty())
    else {
        return report.ok(Check::Calls, format!("all {total} of the last {span} are in the inbox"));
    };
    let more = if named.len() < missing.len() { ", …" } else { "" };
    let text = format!(
        "{} of {total} that ended in the last {span} are not in the inbox: {}{more}",
        missing.len(),
        named.join(", ")
    );
    let why = match signatures {
        Some(Signatures::Required) => {
            "; are they refused? The endpoint requires signatures, and that the vendor signs is not \
             documented: see its log, or try `insecure_report_only`"
        }
        _ => "; were they refused, or sent elsewhere? The endpoint's log says the one",
    };
    report.find(
        Check::Calls,
        text,
        format!("`trtc-call reconcile` puts them there, ten minutes after their end{why}"),
    );
}

/// Calls that ended in a span.
struct Ended {
    /// Their ids.
    calls: Vec<String>,
    /// How many more ended just now.
    just_now: usize,
}

async fn ended(vendor: &Client, span: Range<SystemTime>) -> Result<Ended, Error> {
    let latest = span.end.checked_sub(SLACK).unwrap_or(span.end);
    let times = span.start..=latest;
    let mut records = vendor.records(span);
    let mut ended = Ended { calls: Vec::new(), just_now: 0 };
    while let Some(record) = records.next().await {
        let record = record?;
        let end = record.call().end_time.and_then(|end| end.to_system_time());
        match end {
            Some(end) if times.contains(&end) => ended.calls.push(record.call().call_id.clone()),
            Some(end) if end > latest => ended.just_now = ended.just_now.saturating_add(1),
            _ => {}
        }
    }
    Ok(ended)
}

/// The ids of the calls whose end was told since then.
async fn kept(
    inbox: &Inbox,
    app: SdkAppId,
    since: SystemTime,
) -> Result<HashSet<String>, StoreError> {
    let since = since.checked_sub(SLACK).unwrap_or(since);
    let mut filter = Filter::all().sdk_app_id(app).since(since);
    let mut kept = HashSet::new();
    loop {
        let page = inbox.store().list(filter.clone(), BATCH, false).await?;
        let Some(last) = page.last() else { return Ok(kept) };
        filter.after = Some(last.id);
        let ends = page.into_iter().filter(|item| item.command == Some(Command::CallEnded));
        kept.extend(ends.filter_map(|item| item.call_id));
    }
}
