//! What is logged, by this crate and by those below it: a test binary of its own, since a line is loud once
//! a minute in a process.
#![cfg(feature = "tracing")]

#[path = "api/support.rs"]
#[expect(dead_code, reason = "others need the rest")]
mod support;

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};

use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use trtc_call_api::CallbackSettings;
use trtc_call_api::trtc_call_webhook::Command;

use self::support::{Answer, KEY, Received, Vendor, record, seconds};

/// What was logged, a line each: target, level, message, and fields.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn push(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }

    fn ours(&self) -> Vec<String> {
        let lines = std::mem::take(&mut *self.0.lock().unwrap());
        lines.iter().filter_map(|line| line.strip_prefix("trtc_call_api ")).map(timeless).collect()
    }
}

/// The line without the time that a request took, and where a wait is random.
fn timeless(line: &str) -> String {
    let words = line.split(' ').map(|word| match word.split_once('=') {
        Some(("milliseconds", _)) => "milliseconds=N",
        _ => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

impl Subscriber for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let text = format!("{} {}", metadata.target(), metadata.level());
        let mut line = Line { text, fields: String::new() };
        event.record(&mut line);
        self.push(line.text + &line.fields);
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.push(format!("{span:?}"));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, record: &Record<'_>) {
        self.push(format!("{record:?}"));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The HTTP client logs by another facade.
impl log::Log for Lines {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        self.push(format!("{} {} {}", record.target(), record.level(), record.args()));
    }

    fn flush(&self) {}
}

struct Line {
    text: String,
    fields: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            write!(self.text, " {value:?}").unwrap();
        } else {
            write!(self.fields, " {}={value:?}", field.name()).unwrap();
        }
    }
}

fn answer(number: usize, request: &Received) -> Answer {
    match number {
        0 => Answer::json(&json!({ "ErrorCode": 60008, "ErrorInfo": request.head })),
        1 => Answer::code(100_301),
        2 => {
            Answer::response(&json!({ "TotalNum": 3, "CallRecordList": [{}, 1, record("user-1")] }))
        }
        3 => Answer::ok(),
        // A second that changes each time that it is read.
        _ => {
            let list: Vec<_> = (0..100).map(|call| record(&format!("{number}-{call}"))).collect();
            let list = if request.json()["Page"] == 3 { Vec::new() } else { list };
            let total = list.len() + number;
            Answer::response(&json!({ "TotalNum": total, "CallRecordList": list }))
        }
    }
}

#[tokio::test]
async fn each_request_is_a_quiet_line_and_no_line_holds_a_secret() {
    let lines = Lines::default();
    let _guard = tracing::subscriber::set_default(lines.clone());
    log::set_logger(Box::leak(Box::new(lines.clone()))).unwrap();
    log::set_max_level(log::LevelFilter::Trace);

    let vendor = Vendor::start(answer).await;
    let client = vendor.builder().retry_for(std::time::Duration::from_secs(60)).build().unwrap();
    client.callback().await.unwrap();
    let mut records = client.records(seconds(1)..seconds(2));
    records.next().await.unwrap().unwrap();
    client
        .set_callback(&CallbackSettings::new("https://h/s3cret", [Command::CallEnded]))
        .await
        .unwrap();
    let all = lines.0.lock().unwrap().join("\n");
    assert!(all.contains("reqwest"), "the client's own lines are seen");
    let received = vendor.received();
    for secret in [KEY, "s3cret", "user-1", "usersig=e", received[0].parameter("usersig")] {
        assert!(!all.contains(secret), "{secret} is in {all}");
    }
    let get = "path=\"v4/call_config/get_callback\"";
    let ours = lines.ours();
    let again =
        ours[0].strip_prefix(&format!("DEBUG vendor asked {get} code=60008 milliseconds=N error="));
    assert!(again.is_some_and(|error| error.starts_with("the vendor refused")), "{ours:#?}");
    assert!(ours[1].starts_with(&format!("DEBUG vendor asked again later {get} error=")));
    assert_eq!(
        ours[2..],
        [
            format!("DEBUG vendor asked {get} code=100301 request_id=\"Id-1\" milliseconds=N \
                error=the vendor refused with code 100301, no callback is set: told (request id Id-1)"),
            "DEBUG vendor asked path=\"v4/call_record_http_srv/get_record_by_filter\" code=0 \
                request_id=\"Id-1\" milliseconds=N".to_owned(),
            // The other one is quiet.
            "WARN call record cannot be read: left out error=no call id: the event has no call id since=0".to_owned(),
            "DEBUG vendor asked path=\"v4/call_config/set_callback\" code=0 milliseconds=N".to_owned(),
        ]
    );

    let mut records = client.records(seconds(1)..seconds(2));
    while let Some(record) = records.next().await {
        record.unwrap();
    }
    let ours = lines.ours();
    let warnings: Vec<_> = ours.iter().filter(|line| line.starts_with("WARN")).collect();
    assert_eq!(
        warnings,
        [
            "WARN call records changed each time that they were read: one may be missing from=1 to=2 since=0"
        ]
    );
}
