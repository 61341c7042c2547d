//! `trtc-call record` and `trtc-call records`: what the vendor says of calls that ended.

use std::process::ExitCode;
use std::time::SystemTime;

use serde::Deserialize;
use serde_json::value::RawValue;
use trtc_call_api::Record;
use trtc_call_webhook::{Billing, CallEnded, CallResult};

use crate::api::Api;
use crate::args::{RecordArgs, RecordsArgs};
use crate::event::in_words;
use crate::failure::Failure;
use crate::out::plain;
use crate::{out, table, time};

const HEADER: [&str; 6] = ["call", "caller", "callees", "result", "start", "talk seconds"];

pub(crate) fn one(args: RecordArgs) -> Result<ExitCode, Failure> {
    let api = Api::new(args.api)?;
    let Some(record) = api.run(api.client.record(&args.call_id))? else {
        out::note(
            "trtc-call: the vendor has no such record: it keeps them for seven days, from five \
             seconds after the end on",
        );
        return Ok(ExitCode::FAILURE);
    };
    if api.is_json {
        out::print_line(json(&record)?)?;
    } else {
        out::print(&text(&record)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn several(args: RecordsArgs) -> Result<ExitCode, Failure> {
    let until = args.until.unwrap_or_else(SystemTime::now);
    if args.since > until {
        return Err(Failure::new(
            "--since must be before --until, which is now if it is not given",
        ));
    }
    let api = Api::new(args.api)?;
    let mut records = api.client.records(args.since..until);
    let mut calls: Vec<CallEnded> = Vec::new();
    let mut is_found = false;
    while let Some(record) = api.wait(records.next()) {
        let record = record?;
        is_found = true;
        if api.is_json {
            out::print_line(json(&record)?)?;
        } else {
            calls.push(record.call().clone());
        }
    }
    let unreadable = records.unreadable();
    if unreadable > 0 && !is_found {
        return Err(Failure::new(format!(
            "{unreadable} records cannot be read, and there are no others"
        )));
    }
    if unreadable > 0 {
        out::note(&format!("records that cannot be read: {unreadable}"));
    }
    if !is_found {
        out::note("trtc-call: the vendor has no record of that time");
        return Ok(ExitCode::FAILURE);
    }
    if !api.is_json {
        calls.sort_by_key(|call| call.start_time);
        let lines = table::lines(HEADER, calls.iter().map(row));
        out::print(&format!("{}\n", lines.join("\n")))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn row(call: &CallEnded) -> [String; 6] {
    let text = |text: Option<&str>| text.map_or_else(|| "-".to_owned(), |text| plain(text).into());
    let callees: Vec<_> = call.callees().map(plain).collect();
    let start = call.start_time.and_then(|start| start.to_system_time());
    [
        plain(&call.call_id).into_owned(),
        text(call.caller.as_deref()),
        callees.join(", "),
        text(call.result.as_ref().map(CallResult::as_str)),
        start.map_or_else(|| "-".to_owned(), time::text),
        match call.billing() {
            Billing::AskRecord(reason) => reason.to_string(),
            known => known.seconds().map_or_else(String::new, |seconds| seconds.to_string()),
        },
    ]
}

/// The vendor's record with `talk_seconds` in it, in one line without the line feed.
///
/// It is not read and written again: a number may be another one then.
fn json(record: &Record) -> Result<Vec<u8>, Failure> {
    let seconds = record.call().billing().seconds();
    let seconds = seconds.map_or_else(|| "null".to_owned(), |seconds| seconds.to_string());
    // A line feed in JSON is white space, or escaped.
    let fields = raw(record)?.trim_end().replace(['\n', '\r'], " ");
    let fields = fields.strip_suffix('}').unwrap_or(&fields).trim_end();
    Ok(format!("{fields},\"talk_seconds\":{seconds}}}").into_bytes())
}

/// The vendor's record for people, and what may be billed.
fn text(record: &Record) -> Result<String, Failure> {
    let fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(raw(record)?)
        .map_err(|error| Failure::new(format!("the record cannot be read: {error}")))?;
    let mut text = String::new();
    for (name, value) in &fields {
        let time = value.as_i64().filter(|time| name.ends_with("Time") && *time > 0);
        let time = time.and_then(time::from_unix).map(time::text).unwrap_or_default();
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let line = format!("{:<19} {}  {time}", plain(name), plain(&value));
        text.push_str(&format!("{}\n", line.trim_end()));
    }
    let billing = match record.call().billing() {
        Billing::AskRecord(reason) => format!("the record does not tell: {reason}"),
        known => in_words(known),
    };
    text.push_str(&format!("{:<19} {billing}\n", "billing"));
    Ok(text)
}

/// The vendor's own text of a record.
fn raw(record: &Record) -> Result<&str, Failure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Body<'a> {
        #[serde(borrow)]
        call_record: &'a RawValue,
    }

    let body: Body<'_> = serde_json::from_slice(record.body())
        .map_err(|error| Failure::new(format!("the record cannot be read: {error}")))?;
    Ok(body.call_record.get())
}
