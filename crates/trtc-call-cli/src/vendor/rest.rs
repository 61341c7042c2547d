//! The API: callback settings (647/68937 to 68939), records (647/68930, 68931) and addresses (1047/36742).

use std::time::SystemTime;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, Uri};
use axum::response::Response;
use serde_json::{Value, json};
use trtc_call_webhook::UnixMillis;

use super::Vendor;
use super::book::{Filter, Moment, Settings};
use super::call::Call;
use super::reply::{Payload, Refusal, reply};
use super::request::Request;
use crate::client::Endpoint;

/// How many records are on a page unless told otherwise (647/68931).
const PAGE: usize = 10;

/// And at most. The page names no bound; this one catches who would rely on there being none.
const MAX_PAGE: usize = 100;

/// Answers whatever is not the fake's own.
pub(super) async fn answer(
    State(vendor): State<Vendor>,
    method: Method,
    uri: Uri,
    body: Bytes,
) -> Response {
    let request = Request::read(&vendor.0.setup, &method, &uri, &body);
    reply(request.and_then(|request| vendor.answer(&request)))
}

impl Vendor {
    fn answer(&self, request: &Request) -> Result<Payload, Refusal> {
        if let Some(code) = self.drawn_error() {
            return Err(Refusal { code, text: "this error was asked for" });
        }
        match &*request.api {
            "call_config/set_callback" => self.set_callback(request),
            "call_config/get_callback" => self.get_callback(),
            "call_config/delete_callback" => self.set(None),
            "call_record_http_srv/get_record_by_callid" => self.record(request),
            "call_record_http_srv/get_record_by_filter" => self.records(request),
            "ConfigSvc/GetIPList" => addresses(request),
            _ => Err(Refusal::WRONG_PATH),
        }
    }

    /// An error that `--error` asks for.
    fn drawn_error(&self) -> Option<i64> {
        let mut state = self.state();
        let mut drawn = self.0.setup.errors.iter().filter(|(_, rate)| state.errors.f64() < *rate);
        drawn.next().map(|(code, _)| *code)
    }

    fn set_callback(&self, request: &Request) -> Result<Payload, Refusal> {
        let settings: Settings = serde_json::from_value(Value::Object(request.body.clone()))
            .map_err(|_| Refusal::WRONG_SETTING)?;
        if settings.commands.is_empty() || Endpoint::parse(&settings.url).is_err() {
            return Err(Refusal::WRONG_SETTING);
        }
        self.set(Some(settings))
    }

    fn set(&self, settings: Option<Settings>) -> Result<Payload, Refusal> {
        self.state().book.set(settings).map_err(|_| Refusal::INTERNAL)?;
        Ok(Payload::Nothing)
    }

    fn get_callback(&self) -> Result<Payload, Refusal> {
        let state = self.state();
        let settings = state.book.settings().ok_or(Refusal::NO_CALLBACK)?;
        Ok(Payload::Response(json!(settings)))
    }

    fn record(&self, request: &Request) -> Result<Payload, Refusal> {
        let id = request.optional("CallId", Value::as_str)?.filter(|id| !id.is_empty());
        let id = id.ok_or(Refusal::WRONG_PARAMETER)?;
        let state = self.state();
        let call = state.book.find(id, self.moment()).ok_or(Refusal::NO_RECORD)?;
        Ok(Payload::Response(json!({ "CallRecord": call.record() })))
    }

    /// A span in which nothing is found is an empty list: what the vendor says then is not documented.
    fn records(&self, request: &Request) -> Result<Payload, Refusal> {
        let number = |key| request.optional(key, Value::as_i64);
        let text = |key| Ok(request.optional(key, Value::as_str)?.map(str::to_owned));
        let filter = Filter {
            start: number("StartTime")?,
            end: number("EndTime")?,
            result: text("CallResult")?,
            call_type: text("CallType")?,
        };
        let whole = |value: &Value| usize::try_from(value.as_u64()?).ok().filter(|n| *n > 0);
        let page = request.optional("Page", whole)?.unwrap_or(1);
        let per_page = request.optional("NumberPerPage", whole)?.unwrap_or(PAGE);
        if per_page > MAX_PAGE {
            return Err(Refusal::WRONG_PARAMETER);
        }
        let state = self.state();
        let calls = state.book.select(&filter, self.moment());
        let skipped = page.saturating_sub(1).saturating_mul(per_page);
        let on_page = calls.iter().copied().skip(skipped).take(per_page);
        let list: Vec<Value> = on_page.map(Call::record).collect();
        Ok(Payload::Response(
            json!({ "TotalNum": calls.len(), "Page": page, "CallRecordList": list }),
        ))
    }

    fn moment(&self) -> Moment {
        let now = UnixMillis::from(SystemTime::now());
        Moment { now, record_delay: self.0.setup.record_delay }
    }
}

/// Callbacks come from this machine, everything else from nowhere.
fn addresses(request: &Request) -> Result<Payload, Refusal> {
    let net_type = request.query.get("nettype").map_or("0", String::as_str);
    let list = match net_type {
        "0" | "5" | "6" => json!(["127.0.0.1", "::1/128"]),
        "1" | "2" | "3" | "4" => json!([]),
        _ => return Err(Refusal::NOT_HTTP),
    };
    Ok(Payload::Top("IPList", list))
}
