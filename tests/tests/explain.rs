//! `trtc-call explain` against the table: it says of every request what core and every adapter do,
//! and none of its secrets.

use std::process::Command;
use std::sync::OnceLock;

use conformance::programs::{Programs, output};
use conformance::{Case, Request, Table};
use serde_json::Value;
use trtc_call_webhook::adapter::Query;

/// The cases as they stand, for what [`Table`] keeps to itself.
fn cases() -> Value {
    serde_json::from_str(include_str!("../cases.json")).unwrap()
}

/// The command with a verifier's switches; none if it serves more than one app.
fn explain(verifier: &Value, takes: &str) -> Option<Command> {
    let [app] = verifier["apps"].as_array().unwrap().as_slice() else { return None };
    static PROGRAMS: OnceLock<Programs> = OnceLock::new();
    let programs = PROGRAMS.get_or_init(|| Programs::build_beside(&["trtc-call-cli"]));
    let mut command = programs.command("trtc-call");
    command.args(["explain", "--takes", takes]).env("SDK_APP_ID", app["id"].to_string());
    if let Some(tokens) = app["tokens"].as_array() {
        let tokens: Vec<&str> = tokens.iter().map(|token| token.as_str().unwrap()).collect();
        command.env("CALLBACK_TOKEN", tokens.join(","));
    }
    if app["report_only"] == true {
        command.arg("--report-only");
    }
    for (field, switch) in
        [("body_limit", "--body-limit"), ("replay_window_seconds", "--replay-window")]
    {
        if let Some(number) = verifier[field].as_u64() {
            command.args([switch, &number.to_string()]);
        }
    }
    Some(command)
}

/// A request as it travels.
fn raw(request: &Request) -> Vec<u8> {
    let length = request.announce.unwrap_or(request.body.len().try_into().unwrap());
    let mut raw = format!("{} {} HTTP/1.1\r\n", request.method, request.target());
    for (name, value) in &request.headers {
        raw += &format!("{name}: {value}\r\n");
    }
    raw += &format!("Content-Length: {length}\r\n\r\n");
    [raw.as_bytes(), &request.body].concat()
}

/// What is secret in a request: everything that may be a signature, and the verifier's tokens.
fn secrets(request: &Request, verifier: &Value) -> Vec<String> {
    let pairs = request.query.split('&').filter_map(|pair| pair.split_once('='));
    let signs = pairs.filter(|(key, _)| key.eq_ignore_ascii_case("sign"));
    let tokens = verifier["apps"][0]["tokens"].as_array().into_iter().flatten();
    let mut secrets: Vec<String> = signs.map(|(_, sign)| sign.to_owned()).collect();
    secrets.extend(tokens.map(|token| token.as_str().unwrap().to_owned()));
    // Short ones are words that any text may have.
    secrets.retain(|secret| secret.len() >= 8);
    secrets
}

/// The row of CONTRACT.md that a kind is of.
fn expected_row(kind: &str, request: &Request) -> Value {
    let row = match kind {
        "method not allowed" => 1,
        // Of the two rows with this kind, the third is about the app's number alone.
        "malformed query" if Query::parse(&request.query).is_err() => 2,
        "malformed query" => 3,
        "foreign app" => 4,
        "unsigned" | "bad signature" | "stale signature" => 5,
        "body too large" => 6,
        "unreadable body" => 7,
        "malformed body" => 8,
        "command mismatch" => 9,
        "no call id" => 10,
        kind => panic!("no row is of the kind {kind:?}"),
    };
    row.into()
}

/// Whether it is told as the table has it; none if a captured request cannot hold the case.
fn compare(case: &Case, table: &Table, cases: &Value, as_is: &Value) -> Option<Result<(), String>> {
    let field = |name: &str| as_is.get(name).unwrap_or(&cases["defaults"][name]).as_str().unwrap();
    let verifier = &cases["verifiers"][field("verifier")];
    let request = table.request(case);
    // A line cannot hold another one, and whether a handler fails is not in the request.
    let is_line = !request.query.contains(['\r', '\n']) && !request.method.contains(' ');
    if !is_line || request.method.is_empty() || as_is.get("fail").is_some() {
        return None;
    }
    let text = output(explain(verifier, field("takes"))?, &raw(&request));
    let mut json = explain(verifier, field("takes"))?;
    json.arg("--json");
    let output = output(json, &raw(&request));
    let all = [text.stdout, text.stderr, output.stdout.clone(), output.stderr.clone()].concat();
    let all = String::from_utf8(all).unwrap();
    for secret in secrets(&request, verifier) {
        assert!(!all.contains(&secret), "{}: {all}", case.name);
    }
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    let Ok(report) = serde_json::from_str::<Value>(&text) else {
        return Some(Err(format!("{}: {text} {errors}", case.name)));
    };
    let expect = &as_is["expect"];
    let answer = match &expect["answer"] {
        Value::String(name) => &cases["answers"][name],
        answer => answer,
    };
    let status = answer["status"].as_i64().unwrap();
    let kind = expect.get("kind").or_else(|| answer.get("kind")).unwrap_or(&Value::Null);
    let failed = report["steps"].as_array().unwrap().iter().find(|step| step["result"] == "failed");
    let row = failed.map_or(&Value::Null, |step| &step["row"]);
    let is_right = *row == kind.as_str().map_or(Value::Null, |kind| expected_row(kind, &request))
        && report["answer"]["status"] == status
        && report["answer"]["body"] == answer["body"]
        && failed.map_or(&Value::Null, |step| &step["kind"]) == kind
        && report["handler_runs"] == expect["seen"].is_object()
        && output.status.code() == Some(i32::from(status != 200));
    Some(if is_right { Ok(()) } else { Err(format!("{}: {text}", case.name)) })
}

#[test]
fn it_says_what_every_adapter_does() {
    let (table, cases) = (Table::load(), cases());
    let as_they_are = cases["cases"].as_array().unwrap();
    let pairs = table.cases.iter().zip(as_they_are);
    let compared: Vec<Result<(), String>> =
        pairs.filter_map(|(case, as_is)| compare(case, &table, &cases, as_is)).collect();
    let wrong: Vec<&String> = compared.iter().filter_map(|result| result.as_ref().err()).collect();
    assert!(wrong.is_empty(), "{} are wrong: {wrong:#?}", wrong.len());
    // Only verifiers of several apps and what no line can hold are left out.
    let (all, compared) = (table.cases.len(), compared.len());
    println!("compared {compared} of {all}");
    assert!(compared * 10 > all * 9, "{compared} of {all}");
}
