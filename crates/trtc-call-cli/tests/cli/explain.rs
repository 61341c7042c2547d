//! `trtc-call explain`: every form of a capture, and every row that can fail.

use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::common::{APP, TOKEN, sentence, stdout, trtc_call, with_input};

/// The vector of the documents: made by [`TOKEN`] at [`TIME`].
const SIGN: &str = "17773bc39a671d7b9aa835458704d2a6db81360a5940292b587d6d760d484061";
const TIME: &str = "1669872112";
const BODY: &str =
    r#"{"CallbackCommand":"Call.CallbackAfterEndCall","CallRecord":{"CallId":"a-1"}}"#;

fn query() -> String {
    format!(
        "SdkAppid={APP}&CallbackCommand=Call.CallbackAfterEndCall&contenttype=json\
         &ClientIP=127.0.0.1&OptPlatform=Android&Sign={SIGN}&RequestTime={TIME}"
    )
}

fn url() -> String {
    format!("https://example.com/callback?{}", query())
}

fn raw(headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST /callback?{} HTTP/1.1\r\n{headers}Content-Length: {length}\r\n\r\n{body}",
        query()
    )
}

/// With the app, the token and the time of the vector, unless `more` says otherwise.
fn command(more: &[&str]) -> Command {
    let mut command = trtc_call(["explain"].iter().chain(more));
    command.env("SDK_APP_ID", APP).env("CALLBACK_TOKEN", TOKEN);
    if !more.contains(&"--at") {
        command.args(["--at", TIME]);
    }
    command
}

/// No secret is in anything that was printed.
#[track_caller]
fn is_discreet(output: &Output) {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    let text = String::from_utf8(text).unwrap().to_lowercase();
    for secret in [SIGN, &SIGN[..16], TOKEN, "sign=", "contenttype=", "t0ken", "53cret"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}

/// The object of `--json`, if it ended with this status.
#[track_caller]
fn report(more: &[&str], input: impl AsRef<[u8]>, status: i32) -> Value {
    let text = with_input(command(more), input.as_ref());
    is_discreet(&text);
    let output = with_input(command(&[more, &["--json"]].concat()), input.as_ref());
    is_discreet(&output);
    let report: Value = serde_json::from_str(&stdout(&output, status)).unwrap();
    // What people read says the same.
    let text = String::from_utf8(text.stdout).unwrap();
    for step in report["steps"].as_array().unwrap() {
        let word = step["result"].as_str().unwrap().replace("failed", "FAILED");
        let line = format!("{:>2}  {:<9}  {word}", step["row"], step["name"].as_str().unwrap());
        assert!(text.contains(&line), "{line}: {text}");
        for hint in step["hints"].as_array().unwrap() {
            assert!(text.contains(hint.as_str().unwrap()), "{hint}: {text}");
        }
    }
    report
}

/// It is acknowledged, and what was understood says this.
#[track_caller]
fn is_understood(more: &[&str], input: impl AsRef<[u8]>, note: &str) -> Value {
    let report = report(more, input, 0);
    let notes = report["understood"].to_string();
    assert!(notes.contains(note), "{note:?} is not in {notes}");
    assert_eq!(report["acknowledged"], true);
    assert_eq!(report["delivered"], true);
    report
}

/// This row fails and no other, with this status, and its reason or a hint says this.
#[track_caller]
fn fails(more: &[&str], input: impl AsRef<[u8]>, row: u64, status: u64, hint: &str) -> Value {
    let report = report(more, input, 1);
    let steps = report["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 10);
    for (step, number) in steps.iter().zip(1..) {
        assert_eq!(step["row"], number);
        let result = match number {
            1 if row > 1 && report["request"]["method"].is_null() => "not known",
            _ if number < row => "passed",
            _ if number == row => "failed",
            _ => "not reached",
        };
        assert_eq!(step["result"], result, "{step}");
        assert_eq!(step["kind"].is_string(), number == row, "{step}");
    }
    let index = usize::try_from(row).unwrap() - 1;
    let said = format!("{} {}", steps[index]["reason"], steps[index]["hints"]);
    assert!(said.contains(hint), "{hint:?} is not in {said}");
    assert_eq!(report["answer"]["status"], status);
    assert_eq!(report["answer"]["content_type"], "application/json");
    assert_eq!(report["acknowledged"], false);
    assert_eq!(report["delivered"], false);
    assert_eq!(report["handler_runs"], false);
    report
}

#[test]
fn a_raw_request_is_taken_to_the_byte() {
    let request = raw("Host: example.com\r\n", BODY);
    let report = is_understood(&[], &request, "a raw HTTP request");
    assert_eq!(report["request"]["method"], "POST");
    is_understood(&["-"], request.replace('\r', ""), "a raw HTTP request");
    let absolute = request.replace("POST /", "POST https://example.com/");
    is_understood(&[], absolute, "a raw HTTP request");
    is_understood(&[], format!("{request}\n"), "a raw HTTP request");
    let head = request.strip_suffix(&format!("\r\n{BODY}")).unwrap();
    is_understood(&["--body", BODY], head, "a raw HTTP request");
    let chunked = format!("POST /c?{} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", query());
    is_understood(&[], format!("{chunked}{BODY}"), "a raw HTTP request");
    let in_chunks = format!("{chunked}4d\r\n{BODY}\r\n0\r\n\r\n");
    is_understood(&["--body", BODY], in_chunks, "--body has it in one piece");
    let endless = request.replace("Content-Length", "X-Length");
    is_understood(&[], endless, "a server would take no body");
    let broken = with_input(command(&[]), request.replace("Host", "H\u{1}").as_bytes());
    assert!(sentence(&broken).contains("a server's parser refuses this head"));
}

#[test]
fn a_url_and_a_body_are_understood() {
    let url = url();
    let path = url.replace("https://example.com", "");
    for url in
        [&url, &format!(" '{url}'\n"), &format!("<{url}>"), &format!("{url}#top"), &path, &query()]
    {
        let report = is_understood(&["--url", url, "--body", BODY], "", "a URL");
        assert_eq!(report["request"]["method"], Value::Null);
        assert_eq!(report["steps"][0]["result"], "not known");
        is_understood(&["--url", "@-", "--body", BODY], url, "a URL");
        is_understood(&["--body", BODY], url, "a URL");
        let post = ["--url", url, "--body", BODY, "--method", "POST"];
        assert_eq!(is_understood(&post, "", "a URL")["steps"][0]["result"], "passed");
    }
    is_understood(&[], format!("{url}\n\n{BODY}\n"), "a URL");
    let report = is_understood(&[], format!("POST {url}\n{BODY}"), "a URL");
    assert_eq!(report["request"]["method"], "POST");
    is_understood(&["--url", &url, "--body", &format!("\u{feff}{BODY}\r\n")], "", "a URL");
}

/// Whatever a text is, the URL is found in it, and a method if it names one.
#[test]
fn the_url_and_the_method_are_found_in_any_text() {
    let path = url().replace("https://example.com", "");
    let note = "paste the URL and the body";
    for text in [
        format!("::1 - - [01/Dec/2022:13:21:55 +0800] \"POST {path} HTTP/1.1\" 403 63\n"),
        format!("Dec 1 lb fe be/s 10/0 200 ---- 1/1/1/1/0 0/0 POST {path} HTTP/1.1"),
        format!("ts=1 method=post uri={path}, status=403"),
        format!(r#"{{"request":{{"method":"POST","uri":"{path}"}},"status":403}}"#),
        format!(r#"{{"httpRequest":{{"requestMethod":"POST","requestUrl":"{}"}}}}"#, url()),
        format!(":method: POST\n:path: {path}\ncontent-type: a/b"),
        format!("GET /?x=y 200\nPOST {path} 403\n"),
        format!("curl -X POST '{}' -d '{{}}'", url()),
        format!("* Trying\n> POST {path} HTTP/1.1\n> Host: example.com"),
    ] {
        let report = is_understood(&["--body", BODY], &text, note);
        assert_eq!(report["request"]["method"], "POST", "{text}");
    }
    for text in [format!("the post went to {}", url()), format!("uri={path} method: unknown")] {
        let report = is_understood(&["--body", BODY], &text, note);
        assert_eq!(report["request"]["method"], Value::Null, "{text}");
        assert_eq!(report["steps"][0]["result"], "not known");
    }
    let got = format!("t=1 method=GET uri={path} status=405");
    fails(&[], &got, 1, 405, "the vendor posts");
    fails(&["--body", BODY], format!("INFO GET {path} 405"), 1, 405, "the vendor posts");
}

#[test]
fn without_a_body_what_is_known_is_told() {
    let report = report(&["--method", "POST"], url(), 2);
    let results: Vec<&Value> =
        report["steps"].as_array().unwrap().iter().map(|step| &step["result"]).collect();
    assert!(results[..6].iter().all(|result| **result == "passed"), "{report}");
    assert!(results[6..].iter().all(|result| **result == "not reached"), "{report}");
    for unknown in ["answer", "acknowledged", "handler_runs", "delivered"] {
        assert_eq!(report[unknown], Value::Null, "{unknown}");
    }
}

#[test]
fn files_are_read() {
    let folder = std::env::temp_dir().join(format!("trtc-call-explain-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, text: &str| {
        let file = folder.join(name);
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let request = write("request", &raw("", BODY));
    let url = write("url", &url());
    let body = write("body", &format!("{BODY}\r\n"));
    is_understood(&[&request], "", "a raw HTTP request");
    is_understood(&[&format!("@{request}")], "", "a raw HTTP request");
    is_understood(&["--url", &format!("@{url}"), "--body", &format!("@{body}")], "", "a URL");
    std::fs::remove_dir_all(&folder).unwrap();
    let gone = command(&["--url", "@/no/such/file"]).output().unwrap();
    assert!(sentence(&gone).contains("cannot read /no/such/file"));
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let url = url();
    let url = url.as_str();
    for (args, input, says) in [
        (&[][..], "", "paste the URL and the body"),
        (&[], BODY, "paste the URL and the body"),
        (&["request.text"], "", "neither a file"),
        (&["/"], "", "--body"),
        (&["--url", url], "", "--body"),
        (&["--url", url, "--replay-window", "0"], "", "replay_window"),
        (&["--url", url, "--body-limit", "0"], "", "body_limit"),
        (&["--url", url, "--sdk-app-id", "01"], "", "--sdk-app-id"),
        (&["--url", url, "--token", "53cret,"], "", "--token"),
        (&["--url", "@-", "--body", "@-"], url, "only once"),
        (&["--body", "@-"], url, "only once"),
        (&["--url", url, "--method", ""], "", "--method"),
        (&["--url", url, "--method", "a b"], "", "--method"),
        (&["--url", url, "--at", "2022-12-01"], "", "--at"),
    ] {
        let output = with_input(command(args), input.as_bytes());
        is_discreet(&output);
        if args != ["/"] {
            assert!(String::from_utf8_lossy(&output.stderr).contains(says), "{args:?}");
            assert_eq!(output.status.code(), Some(2), "{args:?}");
        }
    }
    let mut unsigned = trtc_call(["explain", "--url", url, "--report-only"]);
    assert!(sentence(&unsigned.output().unwrap()).contains("--report-only needs a --token"));
}

/// Whatever is wrong with a command line, none of its values is repeated.
#[test]
fn no_secret_is_repeated() {
    let url = url();
    let at_file = format!("@{url}");
    let in_path = format!("/cb/{TOKEN}?SdkAppid={APP}");
    for args in [
        &[&url[..], &url][..],
        &["--url", &url, &url],
        &["--53cret", &url],
        &[&at_file],
        &[SIGN],
        &["--url", &url, "--replay-window", TOKEN],
        &["--url", &url, "--takes", TOKEN],
        &["--url", &in_path],
        &["--url", &format!("/cb/{SIGN}?SdkAppid={APP}")],
        &["curl", &url, "-d", TOKEN],
    ] {
        let output = command(args).output().unwrap();
        is_discreet(&output);
        assert!(matches!(output.status.code(), Some(1 | 2)), "{args:?}");
    }
    for args in [&["send", "--url", &url, &url][..], &[&url], &["listen", &url], &["demo", &url]] {
        let output = trtc_call(args).output().unwrap();
        is_discreet(&output);
        sentence(&output);
    }
}

#[test]
fn row_1_the_method() {
    for method in ["GET", "post", "PUT"] {
        let args = ["--url", &url(), "--body", BODY, "--method", method];
        let report = fails(&args, "", 1, 405, "the vendor posts");
        assert_eq!(report["answer"]["allow"], "POST");
        fails(&[], raw("", BODY).replace("POST", method), 1, 405, "the vendor posts");
    }
}

#[test]
fn rows_2_to_4_the_query() {
    let query = query();
    for (query, row, hint) in [
        (format!("{query}&SdkAppid=1400000002"), 2, "`SdkAppid` is given twice"),
        (format!("{query}&sign=53cret"), 2, "a URL that is configured with parameters"),
        (format!("CallbackCommand=%ff&{query}"), 2, "`CallbackCommand` is not UTF-8"),
        (format!("{query}&x={}", "x".repeat(8192)), 2, "8192 bytes"),
        (query.replace(APP, ""), 3, "plain decimal"),
        (query.replace(APP, "1%26Sign%3D53cret"), 3, "plain decimal"),
        ("/callback".to_owned(), 3, "a shell cuts"),
    ] {
        fails(&["--url", &query, "--body", BODY], "", row, 400, hint);
    }
    let args = ["--url", &url(), "--body", BODY, "--sdk-app-id", "1400000002"];
    fails(&args, "", 4, 403, "the URL has 1400000001");
    // Without an app, the URL's is taken for one's own, and that is told.
    let mut command = command(&["--url", &url(), "--body", BODY]);
    let text = stdout(&command.env_remove("SDK_APP_ID").output().unwrap(), 0);
    assert!(text.contains("1400000001 is taken for yours"), "{text}");
}

#[test]
fn row_5_the_signature() {
    let with = |from: &str, to: &str| query().replace(from, to);
    for (query, hint) in [
        (query().split("&Sign").next().unwrap().to_owned(), "not switched on"),
        (with(SIGN, &SIGN[..63]), "a SHA-256 in hex"),
        (with(TIME, "1669872112.5"), "is not 1 to 19 digits"),
        (with("&RequestTime", "&x"), "something drops one"),
        (with("&Sign", "&x"), "something drops one"),
        (with(TIME, "1669872113"), "tokens that were tried: 1"),
    ] {
        let args = ["--url", &query, "--body", BODY];
        let refused = fails(&args, "", 5, 403, hint);
        // Where it is only reported the same is told, and the other rows with it.
        let reported = report(&[&args[..], &["--report-only"]].concat(), "", 0);
        let (refused, reported) = (&refused["steps"][4], &reported["steps"][4]);
        assert_eq!(reported["result"], "passed");
        assert!(reported["reason"].as_str().unwrap().ends_with("; that is only reported"));
        assert_eq!(reported["hints"], refused["hints"]);
    }
    let mut open = command(&["--url", &url(), "--body", BODY]);
    let text = stdout(&open.env_remove("CALLBACK_TOKEN").output().unwrap(), 0);
    assert!(text.contains("there is no token"), "{text}");
}

/// Tokens are told by their place, and how they would be right.
#[test]
fn row_5_a_token_that_is_nearly_right() {
    for (token, hint) in [
        ("'xxxxyyyy'", "token 2 would be right without the quotes"),
        ("XXXXyyyy", "token 2 would be right in lower case"),
        ("xxxx%79yyy", "token 2 would be right percent-decoded"),
        ("t0ken-53cret", "every byte counts"),
    ] {
        let tokens = format!("t0ken-a,{token},t0ken-b");
        let args = ["--url", &url(), "--body", BODY, "--token", &tokens];
        fails(&args, "", 5, 403, hint);
        fails(&args, "", 5, 403, "tokens that were tried: 3");
    }
    let right = ["--url", &url(), "--body", BODY, "--token", "t0ken-a,xxxxyyyy"];
    let reason = report(&right, "", 0)["steps"][4]["reason"].clone();
    assert_eq!(reason, "made by token 2 of 2");
}

#[test]
fn row_5_a_stale_signature() {
    let url = url();
    let args = |at| ["--url", &url, "--body", BODY, "--at", at];
    for (at, hints) in [
        ("1669872173", ["is 61 s behind the clock", "verifier's clock is fast"]),
        ("1669872051", ["is 61 s ahead of the clock", "verifier's clock is slow"]),
        ("2022-12-01T13:21:53Z", ["28801 s behind the clock", "about 8 h"]),
        ("2022-12-01T04:21:52Z", ["3600 s ahead of the clock", "about 1 h"]),
    ] {
        for hint in hints.into_iter().chain(["token 1 made it", "it would be acknowledged"]) {
            fails(&args(at), "", 5, 403, hint);
        }
    }
    report(&args("1669872172"), "", 0);
    report(&[&args("1669879312")[..], &["--replay-window", "7200"]].concat(), "", 0);
}

/// The clock is that of now unless somebody says otherwise, and then a capture is old.
#[test]
fn row_5_an_old_capture_is_told_from_a_stale_request() {
    for (body, then) in
        [(BODY, "it would be acknowledged"), ("{", "row 8 would fail: malformed body")]
    {
        let args =
            ["explain", "--url", &url(), "--body", body, "--sdk-app-id", APP, "--token", TOKEN];
        let output = trtc_call(args).output().unwrap();
        is_discreet(&output);
        let text = stdout(&output, 1);
        let says = format!(
            "if only the capture is old, --at {TIME}, which is 2022-12-01T05:21:52Z and when it was \
             signed: {then}"
        );
        assert!(text.contains(&says), "{text}");
    }
}

#[test]
fn rows_6_and_7_the_length() {
    fails(&["--url", &url(), "--body", BODY, "--body-limit", "10"], "", 6, 413, "limit is 10");
    fails(&["--body-limit", "10"], raw("", BODY), 6, 413, "more bytes are announced");
    let mut cut = raw("", BODY);
    cut.truncate(cut.len() - 5);
    fails(&[], cut, 7, 400, "only the capture is cut");
}

#[test]
fn row_8_the_json() {
    let escaped = serde_json::to_string(BODY).unwrap();
    for (body, hint) in [
        ("", "it is empty"),
        (r#"{"CallRecord":{"CallId":"#, "too early at line 1 column 24"),
        (&escaped, "paste it as it was sent"),
        ("{\"a\":1, // the first\n \"b\":1}", "samples on the vendor's pages are no valid JSON"),
        (r#"{"CallRecord":{"CallId":"a","CallId":"b"}}"#, "cannot be read at line 1 column 42"),
        ("CallId=53cret&x=y", "no JSON object"),
    ] {
        fails(&[], raw("", body), 8, 400, hint);
    }
    let gzip = [raw("", "").replace(": 0", ": 4").as_bytes(), b"\x1f\x8b\x08\x00"].concat();
    fails(&[], gzip, 8, 400, "it is compressed");
}

#[test]
fn row_9_the_command() {
    let with = |command: &str| BODY.replace("\"Call.CallbackAfterEndCall\"", command);
    for (command, hint) in [
        (
            "\"Call.CallbackAfterStartCall\"",
            "the URL says Call.CallbackAfterEndCall, the body Call.CallbackAfterStartCall",
        ),
        ("\"53cret&Sign=1\"", "the body another text"),
        ("7", "the body no text"),
    ] {
        fails(&["--url", &url(), "--body", &with(command)], "", 9, 400, hint);
    }
    let url = url().replace("CallbackCommand", "x");
    fails(&["--url", &url, "--body", "{}"], "", 9, 400, "neither the URL nor the body");
    report(&["--url", &url, "--body", BODY], "", 0);
}

#[test]
fn row_10_the_call_id() {
    for body in ["{}", r#"{"CallRecord":{"CallId":""}}"#, r#"{"CallInfo":{"CallId":"x"}}"#] {
        fails(&["--url", &url(), "--body", body], "", 10, 422, "have it in CallRecord");
    }
}

/// Who is served depends on what the handler takes.
#[test]
fn the_handler_counts() {
    let started = url().replace("AfterEndCall", "AfterStartCall");
    let args = |takes| ["--url", &started, "--body", "{}", "--takes", takes];
    let ended = report(&args("CallEnded"), "", 0);
    assert_eq!((&ended["handler_runs"], &ended["event"]), (&false.into(), &Value::Null));
    assert_eq!(ended["steps"][9]["reason"], "a handler of CallEnded does not take this command");
    assert_eq!(report(&args("Callback"), "", 0)["handler_runs"], true);
    fails(&args("CallStarted"), "", 10, 422, "in CallInfo");
    let report = report(&["--url", &url(), "--body", "no JSON", "--takes", "Undecoded"], "", 0);
    assert_eq!((&report["handler_runs"], &report["event"]), (&true.into(), &Value::Null));
    for row in 7..10 {
        assert_eq!(report["steps"][row]["result"], "not reached");
    }
}

/// The event, what of the body is not in it, and what a biller may take from it.
#[test]
fn the_event_comes_out() {
    let body = r#"{"CallRecord":{"CallId":"a-1","New":{"x":1},"CallMediaType":"Audio",
        "CallResult":"NormalEnd","StartTime":1741231151,"AcceptTime":1741231156,
        "EndTime":1741231296,"CalleeList_Account":["1",{"Age":2}]},"Odd.Key":0}"#;
    let args = ["--url", &url(), "--body", body];
    let ended = report(&args, "", 0);
    let event = &ended["event"]["CallEnded"];
    assert_eq!((&event["call_id"], &event["media_type"]), (&"a-1".into(), &"Audio".into()));
    let unknown = json!(["CallRecord.CalleeList_Account[].Age", "CallRecord.New", "Odd.Key"]);
    assert_eq!(ended["unknown_fields"], unknown);
    assert_eq!(ended["billing"], "connected for 140 s");
    let text = stdout(&with_input(command(&args), b""), 0);
    for line in [
        "event       CallEnded\n",
        "            call_id: \"a-1\"\n",
        "not known   CallRecord.New\n",
        "billing     connected for 140 s\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let asked = report(&["--url", &url(), "--body", BODY], "", 0);
    assert_eq!(asked["unknown_fields"], json!([]));
    let says = "ask the record: no accept time, and no result that is known";
    assert_eq!(asked["billing"], says);

    let started = url().replace("AfterEndCall", "AfterStartCall");
    let body = r#"{"CallInfo":{"CallId":"a","MediaType":"Audio","CallMediaType":"Audio"},
        "UserList":[{"User_Account":"1","Age":3},{"Age":4},"2"]}"#;
    let started = report(&["--url", &started, "--body", body, "--takes", "Callback"], "", 0);
    assert_eq!(started["unknown_fields"], json!(["UserList[].Age"]));
    assert_eq!(started["billing"], Value::Null);
}

/// No field that the documents have is called unknown.
#[test]
fn the_documented_samples_are_known_whole() {
    use trtc_call_webhook::Command;
    use trtc_call_webhook::sender::Request;

    for command in [Command::CallEnded, Command::CallStarted, Command::MemberChanged] {
        let request = Request::sample(1_400_000_001, command.clone());
        let url = request.url("https://example.com/callback");
        let body = str::from_utf8(request.body()).unwrap();
        let args = ["--url", &url, "--body", body, "--takes", "Callback", "--json"];
        let mut explain = trtc_call(["explain"].iter().chain(&args));
        let report: Value = serde_json::from_str(&stdout(&explain.output().unwrap(), 0)).unwrap();
        assert_eq!(report["unknown_fields"], json!([]), "{command}");
    }
}

/// What the vendor sees is what a server answers, to the byte.
#[test]
fn the_answer_is_the_receivers() {
    let report = report(&[], raw("", BODY), 0);
    assert_eq!(report["answer"]["status"], 200);
    assert_eq!(report["answer"]["body"], r#"{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}"#);
    assert_eq!(report["delivered_why"], "HTTP 200 and a JSON body");
    assert_eq!(report["handler_runs"], true);
    let text = stdout(&with_input(command(&[]), raw("", "{").as_bytes()), 1);
    let end = "HTTP 400  application/json\n\
               {\"ActionStatus\":\"FAIL\",\"ErrorInfo\":\"malformed body\",\"ErrorCode\":400}\n\
               delivered: no — HTTP 400, not 200\n";
    assert!(text.ends_with(end), "{text}");
}

/// A peer's text cannot steer the terminal of whoever explains it.
#[test]
fn control_characters_are_not_printed() {
    let url = "/\u{1b}[2J?SdkAppid=1400000001&CallbackCommand=%1b[2J&\u{1b}=1";
    for (body, method) in [
        ("{}", "\u{1b}"),
        ("{\"CallbackCommand\":\"\u{1b}\"}", "POST"),
        (r#"{"\u001b":1,"CallRecord":{"CallId":"\u001b"}}"#, "POST"),
    ] {
        let url = if body.contains("CallRecord") {
            "SdkAppid=1400000001&CallbackCommand=Call.CallbackAfterEndCall"
        } else {
            url
        };
        let args = ["--url", url, "--body", body, "--report-only", "--method", method];
        let output = command(&args).output().unwrap();
        assert!(!output.stdout.contains(&0x1b) && !output.stderr.contains(&0x1b), "{output:?}");
    }
}
