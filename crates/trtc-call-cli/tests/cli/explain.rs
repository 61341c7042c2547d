//! `trtc-call explain`: every form of a capture, and every row that can fail.

use std::process::{Command, Output};

use serde_json::Value;

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
fn json(more: &[&str], input: impl AsRef<[u8]>, status: i32) -> Value {
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
fn is_understood(more: &[&str], input: impl AsRef<[u8]>, note: &str) {
    let report = json(more, input, 0);
    let notes = report["understood"].to_string();
    assert!(notes.contains(note), "{note:?} is not in {notes}");
    assert_eq!(report["acknowledged"], true);
    assert_eq!(report["delivered"], true);
}

/// This row fails and no other, with this status, and its reason or a hint says this.
#[track_caller]
fn fails(more: &[&str], input: impl AsRef<[u8]>, row: u64, status: u64, hint: &str) -> Value {
    let report = json(more, input, 1);
    let steps = report["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 10);
    for (step, number) in steps.iter().zip(1..) {
        assert_eq!(step["row"], number);
        let result = match number {
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
    is_understood(&[], &request, "a raw HTTP request with 2 headers and lines that end with CRLF");
    is_understood(&["-"], request.replace('\r', ""), "lines that end with LF");
    let absolute = request.replace("POST /", "POST https://example.com/");
    is_understood(&[], absolute, "a raw HTTP request");
    is_understood(&[], format!("{request}\n"), "1 byte behind Content-Length");
    let endless = request.replace("Content-Length", "X-Length");
    is_understood(&[], endless, "no Content-Length is there");
}

#[test]
fn a_body_in_chunks_is_put_together() {
    let head = format!("POST /c?{} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", query());
    let (first, second) = BODY.split_at(20);
    let chunks =
        format!("{:x}\r\n{first}\r\n{:X};x=y\r\n{second}\r\n0\r\n\r\n", first.len(), second.len());
    is_understood(&[], format!("{head}{chunks}"), "a raw HTTP request");
    is_understood(&[], format!("{head}{chunks}").replace('\r', ""), "LF");
    is_understood(&[], format!("{head}{BODY}"), "stands there whole");
    let cut = chunks.strip_suffix("0\r\n\r\n").unwrap();
    fails(&[], format!("{head}{cut}"), 7, 400, "without the last one");
    fails(&[], format!("{head}14\r\nabc"), 7, 400, "end after 3 bytes");
}

#[test]
fn a_log_line_holds_everything_but_the_body() {
    let line = format!(
        "10.0.0.1 - - [01/Dec/2022:13:21:55 +0800] \"POST /callback?{} HTTP/1.1\" 403 63 \"-\" \"x\"\n",
        query()
    );
    is_understood(&["--body", BODY], &line, "a line of an access log");
    let other = "::1 - - [x] \"GET / HTTP/1.1\" 200 1 \"-\" \"-\"\n";
    is_understood(&["--body", BODY], format!("{other}{line}{other}"), "3 lines have a request");
    // What is known is told all the same.
    let report = json(&[], &line, 2);
    let results: Vec<&Value> =
        report["steps"].as_array().unwrap().iter().map(|step| &step["result"]).collect();
    assert!(results[..5].iter().all(|result| **result == "passed"), "{report}");
    assert!(results[5..].iter().all(|result| **result == "not reached"), "{report}");
    for unknown in ["answer", "acknowledged", "handler_runs", "delivered"] {
        assert_eq!(report[unknown], Value::Null, "{unknown}");
    }
    // The log knows when it came.
    let as_logged = trtc_call(["explain", "--body", BODY, "--token", TOKEN]);
    let text = stdout(&with_input(as_logged, line.as_bytes()), 0);
    assert!(text.contains("the clock is the log's"), "{text}");
    assert!(text.contains("clock       2022-12-01T05:21:55Z\n"), "{text}");
    let ipv6 = line.replace("10.0.0.1", "[::1]");
    let as_logged = trtc_call(["explain", "--body", BODY, "--token", TOKEN]);
    stdout(&with_input(as_logged, ipv6.as_bytes()), 0);
    let later = trtc_call(["explain", "--body", BODY, "--token", TOKEN, "--at", "1700000000"]);
    let text = stdout(&with_input(later, line.as_bytes()), 1);
    assert!(
        text.contains("it came at 2022-12-01T05:21:55Z, when RequestTime was 3 s before the"),
        "{text}"
    );
    assert!(text.contains("was answered 403"), "{text}");
    assert!(text.contains("when it was signed, it would be acknowledged"), "{text}");
}

/// A proxy's lines end with the request, behind much else.
#[test]
fn a_log_line_that_ends_with_the_request_is_no_request_line() {
    let path = url().replace("https://example.com", "");
    for prefix in ["Dec  1 05:21:55 lb haproxy[2204]:", "Dec 11 05:21:55 lb", "lb", "<134>lb"] {
        let line = format!(
            "{prefix} 10.0.1.2:33317 [01/Dec/2022:05:21:55.655] fe be/s 10/0/30/69/109 200 2750 - - \
             ---- 1/1/1/1/0 0/0 \"POST {path} HTTP/1.1\""
        );
        is_understood(&["--body", BODY], &line, "a line of an access log");
        let unquoted = line.replace('"', "");
        is_understood(&["--body", BODY], &unquoted, "a line with a URL");
    }
}

/// The clock of an explanation of this, if nobody sets it; none if it is that of now.
#[track_caller]
fn logged_at(line: &str) -> Option<i64> {
    let more = ["explain", "--body", BODY, "--token", TOKEN, "--json"];
    let output = with_input(trtc_call(more), line.as_bytes());
    is_discreet(&output);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let zone = report["understood"].to_string().contains("has no zone: taken as UTC");
    let is_zoned = ["Z", "+0000", "+0800", "+08:00", "UTC"].iter().any(|zone| line.contains(zone));
    let clock = &report["clock"];
    let at = (clock["now"] == false).then(|| clock["unix_seconds"].as_i64().unwrap());
    let is_number = at.is_some() && !line.contains("2022");
    assert_eq!(zone, at.is_some() && !is_zoned && !is_number, "{line}: {report}");
    at
}

/// Neither a process, nor a thread, nor a status, nor an app is a time.
#[test]
fn a_number_in_a_log_line_is_no_time() {
    let path = url().replace("https://example.com", "");
    for (line, has_time) in [
        (
            format!(
                "Dec  1 05:21:55 web1 nginx[1234]: 1.2.3.4 - - [01/Dec/2022:05:21:55 +0000] \
                 \"POST {path} HTTP/1.1\" 200 50"
            ),
            true,
        ),
        (format!("[2022-12-01 05:21:55 +0000] [12] [INFO] POST {path}"), true),
        (format!("[12] [2022-12-01 05:21:55 +0000] [INFO] POST {path}"), true),
        (format!("2022-12-01T05:21:55Z [12345] POST {path}"), true),
        (format!("[1500000000] 2022-12-01T05:21:55Z POST {path}"), true),
        (format!("[403] POST {path}"), false),
        (format!("403 POST {path}"), false),
        (format!("[{APP}] POST {path}"), false),
        (format!("Dec  1 05:21:55 web1 app[7]: POST {path}"), false),
    ] {
        assert_eq!(logged_at(&line), has_time.then_some(1_669_872_115), "{line}");
    }
}

#[test]
fn the_time_of_a_log_line_is_read_in_many_forms() {
    let path = url().replace("https://example.com", "");
    for time in [
        "[01/Dec/2022:05:21:55.655]",
        "[01/Dec/2022 05:21:55]",
        "[01/Dec/2022:13:21:55 +0800]",
        "2022-12-01 05:21:55,123",
        "2022-12-01 05:21:55,123 +0000",
        "[2022-12-01 05:21:55.123456]",
        "[INFO 2022-12-01 05:21:55]",
        "2022-12-01T13:21:55.1+08:00",
        "2022-12-01 13:21:55+0800",
        "2022-12-01 05:21:55 UTC",
        "2022/12/01 05:21:55 [error] 12#12: *1 something,",
        "time=\"2022-12-01T05:21:55Z\" level=info",
        "2022-12-01 05:21:54 2022-12-01T05:21:55Z",
        "https 2022-12-01T05:21:55.186641Z app/lb/50dc6c495c0c9188 192.0.2.1:2817 10.0.0.1:80 0.08 \
         0.02 0.03 200 200 34 366",
        "1669872115",
        "1669872115.123",
        "[1669872115]",
        "[1669872115123]",
    ] {
        for line in
            [format!("{time} \"POST {path} HTTP/1.1\" 200 1"), format!("{time} POST {path}")]
        {
            assert_eq!(logged_at(&line), Some(1_669_872_115), "{line}");
        }
    }
    for time in ["2022-12-01", "05:21:55", "2022-13-01 05:21:55", "1669872115123456", "+1669872115"]
    {
        assert_eq!(logged_at(&format!("{time} POST {path}")), None, "{time}");
    }
    for time in
        ["\"2022-12-01 05:21:55,123\"", "1669872115.25", "1669872115250", "\"1669872115.25\""]
    {
        let line = format!(r#"{{"time":{time},"method":"POST","uri":"{path}"}}"#);
        assert_eq!(logged_at(&line), Some(1_669_872_115), "{line}");
    }
}

#[test]
fn a_log_line_may_be_json_or_have_no_quotes() {
    let path = url().replace("https://example.com", "");
    for (line, note) in [
        (
            format!(
                r#"{{"time_local":"01/Dec/2022:05:21:55 +0000","request":"POST {path} HTTP/1.1","status":"403"}}"#
            ),
            "access log in JSON",
        ),
        (
            format!(
                r#"{{"ts":1669872115.25,"request":{{"method":"POST","uri":"{path}"}},"status":403}}"#
            ),
            "access log in JSON",
        ),
        (
            format!(
                r#"{{"ts":1669872115,"method":"POST","uri":"{}"}}"#,
                path.replace('&', "\\u0026")
            ),
            "access log in JSON",
        ),
        (format!("2022-12-01T05:21:55Z INFO POST {path} 403 12ms"), "a line with a URL"),
        (format!("2022-12-01T05:21:55Z level=info uri={path}, status=403"), "a line with a URL"),
        (format!("> POST {path} HTTP/1.1\n> Host: example.com"), "what curl -v shows"),
        (format!("[2022-12-01T05:21:55Z] :path: {path}"), "a line with a URL"),
    ] {
        is_understood(&["--body", BODY], &line, note);
        if !line.starts_with('>') {
            let as_logged = trtc_call(["explain", "--body", BODY, "--token", TOKEN]);
            stdout(&with_input(as_logged, line.as_bytes()), 0);
        }
    }
    let got = format!("INFO GET {path} 405");
    fails(&["--body", BODY], got, 1, 405, "the vendor posts");
}

#[test]
fn a_curl_command_is_read_as_a_shell_would() {
    let url = url();
    let escaped = BODY.replace('"', "\\\"");
    for command in [
        format!("curl -X POST '{url}' -d '{BODY}'\n"),
        format!("$ curl -sS --data-raw \"{escaped}\" -H 'A: b' -o x \"{url}\" | jq .\n"),
        format!("curl -XPOST \\\n  --url '{url}' \\\n  --data-binary $'{escaped}'"),
        format!("curl '{url}' --json '{BODY}' --max-time 2"),
    ] {
        is_understood(&[], &command, "a curl command");
    }
    is_understood(&[], format!("curl {url} -d '{BODY}'"), "an `&` outside quotes");
    let odd = format!("curl --dns-servers 1.1.1.1 --odd x --range 0-1 '{url}' -d '{BODY}'");
    is_understood(&[], odd, "a curl command");
    for option in ["-F", "-T", "--form", "--upload-file", "--data-urlencode"] {
        let command = with_input(command(&[]), format!("curl '{url}' {option} a=b").as_bytes());
        assert!(sentence(&command).contains("which no callback is"), "{option}");
    }
    fails(&["curl", &url], "", 1, 405, "the vendor posts");
    fails(&[], format!("curl '{url}'"), 1, 405, "the vendor posts");
    fails(&[], format!("curl -G '{url}' -d x=y"), 1, 405, "the vendor posts");
    fails(&[], format!("curl -X POST '{url}'"), 8, 400, "it is empty");
}

/// What tools for developers show of HTTP/2.
#[test]
fn pseudo_headers_are_a_request_too() {
    let path = url().replace("https://example.com", "");
    let head = format!(":method: POST\n:path: {path}\n:scheme: https\ncontent-type: a/b\n");
    is_understood(&[], format!("{head}\n{BODY}\n"), "an HTTP/2 request, by its pseudo-headers");
    is_understood(&[], format!("{head}\n{BODY}").replace('\n', "\r\n"), "end with CRLF");
    is_understood(&["--body", BODY], &head, "nothing is known of the body");
    let got = format!("{head}\n{BODY}").replace("POST", "GET");
    fails(&[], got, 1, 405, "the vendor posts");
    let cut = format!("{head}content-length: 100\n\n{BODY}");
    fails(&[], cut, 7, 400, "of 100 announced bytes");
}

/// As files for HTTP clients have it, and people who write a request down.
#[test]
fn a_request_line_may_lack_its_version() {
    let path = url().replace("https://example.com", "");
    for head in [format!("POST {path}\nContent-Type: a/b\n\n"), format!("POST {path}\n\n")] {
        is_understood(&[], format!("{head}{BODY}\n"), "a request line without its HTTP version");
    }
    let together = format!("POST {}\nContent-Type: a/b\n{BODY}", url());
    is_understood(&[], together, "a request line without its HTTP version");
    is_understood(&[], format!("POST {path}\n{BODY}"), "a request line without its HTTP version");
    // These are lines of a log.
    is_understood(&["--body", BODY], format!("POST {path}"), "a line with a URL");
    let two = format!("POST {path}\nPOST {path}\n");
    is_understood(&["--body", BODY], two, "a line with a URL");
}

/// What `curl -v` shows has no body, but the command in front of it may have.
#[test]
fn what_curl_shows_is_understood() {
    let path = url().replace("https://example.com", "");
    let trace = format!(
        "*   Trying 192.0.2.1:443...\n> POST {path} HTTP/1.1\r\n> Host: example.com\r\n> \
         User-Agent: curl/8.5.0\r\n> Content-Length: {}\r\n> \r\n< HTTP/1.1 403 Forbidden\n< \n\
         {{\"ActionStatus\":\"FAIL\"}}\n",
        BODY.len()
    );
    is_understood(&["--body", BODY], &trace, "what curl -v shows, which holds no body");
    let report = json(&[], &trace, 2);
    assert_eq!(report["request"]["announced_bytes"], BODY.len());
    assert!(report["understood"].to_string().contains("--body gives it"), "{report}");
    for prompt in ["", "$ ", "someone@example:~$ ", "root@example:/# ", "C:\\>"] {
        let all = format!("{prompt}curl -v '{}' -d '{BODY}'\n{trace}", url());
        is_understood(&[], &all, "a curl command");
    }
    let lines = format!("{prompt}curl -v '{}' \\\n -d '{BODY}'\n{trace}", url(), prompt = "$ ");
    is_understood(&[], lines, "a curl command");
}

/// Browsers copy it so on Windows.
#[test]
fn a_curl_command_may_be_for_windows() {
    let url = url();
    let body = BODY.replace('"', "^\\^\"").replace('{', "^{").replace('}', "^}");
    let copied = format!(
        "curl ^\"{}^\" ^\r\n  -X ^\"POST^\" ^\r\n  -H ^\"a: b^\" ^\r\n  --data-raw ^\"{body}^\"",
        url.replace('&', "^&")
    );
    is_understood(&[], &copied, "the carets of Windows' prompt");
    is_understood(&[], copied.replace('\r', ""), "the carets of Windows' prompt");
    let quoted = BODY.replace('"', "\\\"");
    let older = format!("curl.exe \"{}\" ^\n -d \"{quoted}\"", url.replace('&', "^&"));
    is_understood(&[], older, "the carets of Windows' prompt");
    let lines = format!("curl ^\"{}^\" -d ^\"{{^\n\n}}^\"", url.replace('&', "^&"));
    fails(&[], lines, 10, 422, "no CallId");
}

/// As Google Cloud's logs have it.
#[test]
fn a_log_entry_may_have_its_request_inside() {
    let entry = format!(
        "{{\n \"httpRequest\": {{\n  \"requestMethod\": \"POST\",\n  \"requestUrl\": \"{}\",\n  \
         \"status\": 403\n }},\n \"timestamp\": \"2022-12-01T05:21:55.1Z\"\n}}\n",
        url()
    );
    let on_a_line = entry.replace('\n', "");
    for entry in [&entry, &on_a_line, &format!("[{entry}, {entry}]")] {
        is_understood(&["--body", BODY], entry, "access log in JSON");
        assert_eq!(logged_at(entry), Some(1_669_872_115));
        let later = json(&["--body", BODY, "--at", "1700000000"], entry, 1);
        assert!(later["steps"][4]["hints"].to_string().contains("was answered 403"), "{later}");
    }
    let other = on_a_line.replace("SdkAppid", "x");
    is_understood(&["--body", BODY], format!("{other}\n{on_a_line}"), "access log in JSON");
}

#[test]
fn a_wget_command_is_read_too() {
    let url = url();
    for command in [
        format!("wget -qO- --post-data='{BODY}' '{url}'"),
        format!("$ wget --post-data '{BODY}' --header 'A: b' -O - '{url}'"),
        format!("wget '{url}' --method=POST --body-data='{BODY}'"),
    ] {
        is_understood(&[], command, "a wget command");
    }
    fails(&[], format!("wget -O x '{url}'"), 1, 405, "the vendor posts");
}

#[test]
fn a_url_is_taken_out_of_what_is_around_it() {
    let url = url();
    let encoded = url.replace(':', "%3A").replace('/', "%2F").replace('?', "%3F");
    let encoded = encoded.replace('=', "%3D").replace('&', "%26");
    for (url, note) in [
        (url.clone(), "a URL"),
        (format!(" '{url}'\n"), "stood in '"),
        (format!("\"{url}\""), "stood in "),
        (format!("<{url}>"), "stood in <"),
        (format!("`{url}`"), "stood in `"),
        (format!("“{url}”"), "stood in “"),
        (url.replace('&', "\\&").replace('?', "\\?").replace('=', "\\="), "backslashes"),
        (url.replace('&', "&amp;"), "as in HTML"),
        (url.replace('&', "\\u0026"), "as in JSON logs"),
        (url.replace('&', "\\x26"), "as in access logs"),
        (encoded, "percent-encoded as a whole"),
        (url.replace("&Sign", "\n  &Sign"), "broken into lines"),
        (format!("{url}#top"), "behind `#`"),
        (url.replace("https://example.com", ""), "a path without a host"),
        (query(), "a query without a URL"),
    ] {
        is_understood(&["--url", &url, "--body", BODY], "", note);
        if !url.trim().contains('\n') {
            is_understood(&[&url, "--body", BODY], "", note);
            is_understood(&["--body", BODY], &url, note);
        }
    }
    is_understood(&[], format!("{url}\n\n{BODY}\n"), "a URL, and a body behind it");
}

#[test]
fn a_body_is_taken_out_of_what_is_around_it() {
    let escaped = serde_json::to_string(BODY).unwrap();
    for (body, note) in [
        (escaped.clone(), "a JSON text that holds an object"),
        (escaped.trim_matches('"').to_owned(), "escaped as inside a JSON text"),
        (BODY.replace('"', "\\x22"), "escaped as in an access log"),
        (format!("'{BODY}'"), "in a shell's quotes"),
        (format!("'{escaped}'\r\n"), "in a shell's quotes"),
        (BODY.replace('{', "%7B").replace('"', "%22"), "percent-encoded"),
        (format!("{BODY}\r\n"), "a URL"),
        (format!("\u{feff}{BODY}"), "a URL"),
    ] {
        is_understood(&["--url", &url(), "--body", &body], "", note);
        is_understood(&["--url", &url(), "--body", "@-"], &body, note);
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
    let curl = format!("curl --json @{body} '{}'", self::url());
    is_understood(&[], curl, "a curl command");
    std::fs::remove_dir_all(&folder).unwrap();
    let gone = command(&["--url", "@/no/such/file"]).output().unwrap();
    assert!(sentence(&gone).contains("cannot read /no/such/file"));
}

#[test]
fn what_holds_no_request_is_no_argument() {
    for (input, says) in
        [("", "empty"), (" \n", "empty"), (BODY, "--url"), ("curl -X POST", "no URL")]
    {
        assert!(sentence(&with_input(command(&[]), input.as_bytes())).contains(says), "{input}");
    }
    let with = |more: &[&str]| command(more).output().unwrap();
    let url = url();
    assert!(sentence(&with(&["--url", &url])).contains("--body"));
    assert!(sentence(&with(&["--url", &url, "--replay-window", "0"])).contains("replay_window"));
    assert!(sentence(&with(&["--url", &url, "--body-limit", "0"])).contains("body_limit"));
    assert!(sentence(&with(&["--url", &url, "--sdk-app-id", "01"])).contains("--sdk-app-id"));
    assert!(sentence(&with(&["--url", &url, "--token", "53cret,"])).contains("--token"));
    let mut unsigned = trtc_call(["explain", "--url", &url, "--report-only"]);
    assert!(sentence(&unsigned.output().unwrap()).contains("--report-only needs a --token"));
}

/// What was captured may be text, a file or standard input, and each only once.
#[test]
fn what_cannot_be_meant_is_refused() {
    let url = url();
    for (args, input, says) in [
        (&["--url", "@-", "--body", "@-"][..], url.clone(), "only once"),
        (&["-", "--body", "@-"], url.clone(), "only once"),
        (&["--body", "@-"], url.clone(), "only once"),
        (&[], format!("curl '{url}' -d @-"), "only once"),
        (&["request.text"], String::new(), "no file that is there"),
        (&["/"], String::new(), "no file that is there"),
        (&["--url", &url, "--method", ""], String::new(), "--method"),
        (&["--url", &url, "--method", "a b"], String::new(), "--method"),
    ] {
        let said = sentence(&with_input(command(args), input.as_bytes()));
        assert!(said.contains(says), "{said}");
    }
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

/// Nothing is said of a length that the capture does not have.
#[test]
fn a_content_length_is_not_invented() {
    let announced = |report: Value| report["request"]["announced_bytes"].clone();
    assert_eq!(announced(json(&["--url", &url(), "--body", BODY], "", 0)), Value::Null);
    let curl = format!("curl '{}' -d '{BODY}'", url());
    assert_eq!(announced(json(&[], &curl, 0)), Value::Null);
    fails(&[], format!("{curl} -H 'Content-Length: 1000'"), 7, 400, "of 1000 announced bytes");
    for lengths in ["abc", "1\r\nContent-Length: 2"] {
        let request = raw("", BODY);
        let request = request.replace(&format!(": {}\r", BODY.len()), &format!(": {lengths}\r"));
        is_understood(&[], request, "a server's parser refuses");
    }
}

#[test]
fn row_1_the_method() {
    for (method, hint) in [("GET", "redirect"), ("post", "capitals"), ("PUT", "somebody else's")] {
        let args = ["--url", &url(), "--body", BODY, "--method", method];
        let report = fails(&args, "", 1, 405, hint);
        assert_eq!(report["answer"]["allow"], "POST");
        fails(&[], raw("", BODY).replace("POST", method), 1, 405, hint);
    }
}

#[test]
fn row_2_the_query() {
    let query = query();
    for (query, hint) in [
        (format!("{query}&SdkAppid=1400000002"), "`SdkAppid` is given twice"),
        (format!("{query}&sign=53cret"), "`Sign` is given twice"),
        (format!("{query}&REQUESTTIME=1"), "a URL that is configured with parameters"),
        (format!("CallbackCommand=%ff&{query}"), "`CallbackCommand` is not UTF-8"),
        (format!("{query}&x={}", "x".repeat(8192)), "bytes"),
        (format!("SdkAppid=0&x={}", "x".repeat(100_000)), "100013 bytes"),
    ] {
        fails(&["--url", &query, "--body", BODY], "", 2, 400, hint);
    }
    let huge = format!("/cb?SdkAppid=0&x={}", "x".repeat(1_000_000));
    fails(&["--body", BODY], huge, 2, 400, "1000013 bytes");
}

#[test]
fn row_3_the_number() {
    for (app, hint) in [
        ("", "it is empty"),
        ("01400000001", "starts with 0"),
        ("%2B1", "has a sign"),
        ("1400000001%20", "white space"),
        ("18446744073709551616", "64 bits"),
        ("140O000001", "other characters"),
        ("1%26Sign%3D53cret", "other characters"),
    ] {
        let url = url().replace(APP, app);
        fails(&["--url", &url, "--body", BODY], "", 3, 400, hint);
    }
    for query in [format!("Sign={}", "a".repeat(8180)), "Sign=1&".repeat(1100)] {
        fails(&["--url", &format!("/cb?{query}"), "--body", BODY], "", 3, 400, "");
    }
    let nothing = "POST /callback HTTP/1.1\r\n\r\n{}";
    fails(&[], nothing, 3, 400, "no query");
    fails(&[], "POST /c?x=1?SdkAppid=1 HTTP/1.1\r\n\r\n{}", 3, 400, "second `?`");
    fails(&[], "POST /c?x=1&amp;SdkAppid=1 HTTP/1.1\r\n\r\n{}", 3, 400, "went through HTML");
}

#[test]
fn row_4_the_app() {
    let args = ["--url", &url(), "--body", BODY, "--sdk-app-id", "1400000002"];
    let hint = "the SDKAppID in the URL is 1400000001, you serve 1400000002";
    fails(&args, "", 4, 403, hint);
    // Without an app, the URL's is taken for one's own, and that is told.
    let mut command = command(&["--url", &url(), "--body", BODY]);
    let text = stdout(&command.env_remove("SDK_APP_ID").output().unwrap(), 0);
    assert!(text.contains("1400000001 is taken for yours"), "{text}");
}

#[test]
fn row_5_no_signature() {
    let unsigned = query().split("&Sign").next().unwrap().to_owned();
    let args = ["--url", &unsigned, "--body", BODY];
    fails(&args, "", 5, 403, "--report-only shows the other rows");
    fails(&["--url", "/c?SdkAppid=1400000001", "--body", BODY], "", 5, 403, "at its first `&`");
    let html = raw("", BODY).replace('&', "&amp;");
    fails(&[], html, 5, 403, "went through HTML");
    let report = json(&[&args[..], &["--report-only"]].concat(), "", 0);
    assert_eq!(report["verifier"]["policy"], "report only");
    let step = &report["steps"][4];
    assert_eq!(step["reason"], "`Sign` is missing; that is only reported");
    assert!(step["hints"].to_string().contains("not switched on"), "{step}");
    let mut open = command(&args);
    let text = stdout(&open.env_remove("CALLBACK_TOKEN").output().unwrap(), 0);
    assert!(text.contains("there is no token"), "{text}");
}

#[test]
fn row_5_a_bad_signature() {
    let with = |from: &str, to: &str| query().replace(from, to);
    for (query, hint) in [
        (with(SIGN, ""), "Sign is empty"),
        (with(SIGN, &SIGN[..63]), "63 digits"),
        (with(SIGN, &SIGN[..32]), "MD5"),
        (with(SIGN, &SIGN[..40]), "SHA-1"),
        (with(SIGN, &format!("{SIGN}+")), "white space around Sign"),
        (with(SIGN, &format!("{}x", &SIGN[..63])), "other characters"),
        (with(TIME, ""), "RequestTime is empty"),
        (with(TIME, "1669872112.5"), "something else than digits"),
        (with("&RequestTime", "&x"), "something drops one"),
        (with("&Sign", "&x"), "something drops one"),
        (with(TIME, "1669872113"), "the one token that is given was tried"),
    ] {
        let args = ["--url", &query, "--body", BODY];
        let refused = fails(&args, "", 5, 403, hint);
        // Where it is only reported the same is told, and the other rows with it.
        let reported = json(&[&args[..], &["--report-only"]].concat(), "", 0);
        let (refused, reported) = (&refused["steps"][4], &reported["steps"][4]);
        let reason = format!("{}; that is only reported", refused["reason"].as_str().unwrap());
        assert_eq!((&reported["result"], &reported["reason"]), (&"passed".into(), &reason.into()));
        assert_eq!(reported["hints"], refused["hints"]);
    }
}

/// Tokens are told by their place, and how they would be right.
#[test]
fn row_5_a_token_that_is_nearly_right() {
    let args = |tokens| {
        ["--url".to_owned(), url(), "--body".into(), BODY.into(), "--token".into(), tokens]
    };
    for (token, hint) in [
        ("'xxxxyyyy'", "without the quotes"),
        ("XXXXyyyy", "in lower case"),
        ("xxxx%79yyy", "percent-decoded"),
        ("t0ken-53cret", "compare the token"),
    ] {
        let args = args(format!("t0ken-a,{token},t0ken-b"));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let report = fails(&args, "", 5, 403, hint);
        let hints = report["steps"][4]["hints"].to_string();
        assert!(hints.contains("all 3 tokens that are given were tried"), "{hints}");
        assert_eq!(
            hints.contains("token 2 would be right"),
            !hint.starts_with("compare"),
            "{hints}"
        );
    }
    let right = args("t0ken-a,xxxxyyyy".to_owned());
    let right: Vec<&str> = right.iter().map(String::as_str).collect();
    let reason = json(&right, "", 0)["steps"][4]["reason"].clone();
    assert_eq!(reason, "made by token 2 of 2, 0 s before the clock");
}

#[test]
fn row_5_a_stale_signature() {
    let with = |at| ["--url".to_owned(), url(), "--body".into(), BODY.into(), "--at".into(), at];
    for (at, hints) in [
        ("1669872173", ["is 61 s behind the clock", "verifier is fast"]),
        ("1669872051", ["is 61 s ahead of the clock", "verifier is slow"]),
        ("2022-12-01T13:21:53Z", ["28801 s behind the clock", "about 8 h"]),
        ("01/Dec/2022:04:21:52 +0000", ["3600 s ahead of the clock", "about 1 h"]),
    ] {
        let args = with(at.to_owned());
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        for hint in hints.into_iter().chain(["token 1 made it", "it would be acknowledged"]) {
            fails(&args, "", 5, 403, hint);
        }
    }
    let at_the_edge = with("1669872172".to_owned());
    let at_the_edge: Vec<&str> = at_the_edge.iter().map(String::as_str).collect();
    json(&at_the_edge, "", 0);
    json(
        &[
            &with("1669879312".to_owned()).each_ref().map(String::as_str)[..],
            &["--replay-window", "7200"],
        ]
        .concat(),
        "",
        0,
    );
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
        assert!(text.contains("the window is 60 s; unless only the capture is old"), "{text}");
        assert!(
            text.contains(&format!("--at {TIME} judges it as of 2022-12-01T05:21:52Z")),
            "{text}"
        );
        assert!(text.contains(&format!("then {then}")), "{text}");
    }
}

#[test]
fn row_6_the_length() {
    fails(&["--url", &url(), "--body", BODY, "--body-limit", "10"], "", 6, 413, "the limit is 10");
    fails(&["--body-limit", "10"], raw("", BODY), 6, 413, "Content-Length announces");
    let endless = raw("", BODY).replace("Content-Length", "X-Length");
    fails(&["--body-limit", "10"], endless, 6, 413, "the body has");
    let huge =
        "POST /c?SdkAppid=1400000001 HTTP/1.1\r\nContent-Length: 999999999999999999999\r\n\r\n";
    fails(&["--report-only"], huge, 6, 413, "the limit is 262144");
}

#[test]
fn row_7_the_arrival() {
    let mut cut = raw("", BODY);
    cut.truncate(cut.len() - 5);
    let hint = format!("{} of {} announced bytes", BODY.len() - 5, BODY.len());
    fails(&[], cut, 7, 400, &hint);
}

#[test]
fn row_8_the_json() {
    let escaped = serde_json::to_string(BODY).unwrap();
    let list = format!("[{BODY}]");
    for (body, hint) in [
        ("", "it is empty"),
        (r#"{"CallRecord":{"CallId":"#, "too early at line 1 column 24"),
        (
            &escaped,
            "escaped: whatever hands it on encodes it once too often; what is inside would pass",
        ),
        (escaped.trim_matches('"'), "escaped as inside a JSON text"),
        (&list, "JSON array"),
        (r#"{"CallRecord":{"CallId":"a","CallId":"b"}}"#, "cannot be read at line 1 column 42"),
        ("CallId=53cret&x=y", "a form"),
    ] {
        let report = fails(&[], raw("", body), 8, 400, hint);
        assert_eq!(report["answer"]["body_bytes"], 68);
    }
    let bytes = |body: &[u8]| [raw("", "").replace(": 0", ": 4").as_bytes(), body].concat();
    fails(&[], bytes(b"\x1f\x8b\x08\x00"), 8, 400, "gzip");
    fails(&[], bytes(b"\xff\xfe{\x00"), 8, 400, "UTF-16");
    fails(&[], bytes(b"{\"\xc4\xe3"), 8, 400, "byte 2 is the first that is not UTF-8");
    fails(&[], raw("Content-Encoding: br\r\n", "x"), 8, 400, "Content-Encoding is br");
}

/// Whoever tries the samples of the vendor's pages learns that these are what is wrong.
#[test]
fn row_8_what_the_vendors_samples_have() {
    let hint = "CallbackAfterMemberChanged are no valid JSON";
    for (body, what) in [
        ("{\"CallRecord\":{\"CallId\":\"c\"}\n \"EventTime\":1}", "a comma is missing before"),
        ("{\"a\":[1]\r\n  \"b\":1}", "a comma is missing before"),
        ("{\"a\":1\n\"b\":1}", "a comma is missing before"),
        ("{\"a\":1, // the first\n \"b\":1}", "a comment stands there"),
        ("{\n \"a\":1 // the first\n}", "a comment stands there"),
        ("\u{feff}{// one\n}", "a comment stands there"),
    ] {
        for hint in [hint, what] {
            fails(&[], raw("", body), 8, 400, hint);
        }
    }
    for body in
        ["{\"a\":1 b}", "{\"a\" \"b\"}", "{\"a\":1/2}", "{,}", "{\"a\":1,}", "{\"a\":1} \"b\""]
    {
        let report = fails(&[], raw("", body), 8, 400, "");
        assert!(!report["steps"][7]["hints"].to_string().contains("valid JSON"), "{report}");
    }
}

#[test]
fn row_8_what_other_programs_write() {
    let quoted = BODY.replace('"', "'");
    let base64 = "eyJDYWxsUmVjb3JkIjp7IkNhbGxJZCI6ImEtMSJ9fQ==";
    for (body, hint) in [
        (quoted.as_str(), "as in a Python dict"),
        (base64, "base64"),
        (base64.trim_matches('='), "base64"),
    ] {
        fails(&[], raw("", body), 8, 400, hint);
        fails(&["--url", &url(), "--body", body], "", 8, 400, hint);
    }
    let bytes = format!("b'{}'", BODY.replace("a-1", "\\xe5\\xbc\\xa0\\'"));
    fails(&[], raw("", &bytes), 8, 400, "what is inside would pass");
    is_understood(&["--url", &url(), "--body", &bytes], "", "in Python's b'…'");
}

#[test]
fn row_9_the_command() {
    let with = |command: &str| BODY.replace("\"Call.CallbackAfterEndCall\"", command);
    for (command, hint) in [
        (
            "\"Call.CallbackAfterStartCall\"",
            "the URL says Call.CallbackAfterEndCall, the body says Call.CallbackAfterStartCall",
        ),
        ("\"call.callbackafterendcall\"", "only in case"),
        ("\"53cret&Sign=1\"", "the body says another text"),
        ("7", "is no text"),
    ] {
        fails(&["--url", &url(), "--body", &with(command)], "", 9, 400, hint);
    }
    let url = url().replace("CallbackCommand", "x");
    fails(&["--url", &url, "--body", "{}"], "", 9, 400, "neither the URL nor the body");
    json(&["--url", &url, "--body", BODY], "", 0);
    // What core passes over is no reason to say that there is no command.
    let started = BODY.replace("AfterEndCall", "AfterStartCall");
    for odd in [r#""\ud800""#.to_owned(), "1e999".to_owned(), "[".repeat(200) + &"]".repeat(200)] {
        let body = started.replacen('{', &format!("{{\"Odd\":{odd},"), 1);
        let hint = "the body says Call.CallbackAfterStartCall";
        fails(&["--url", &self::url(), "--body", &body], "", 9, 400, hint);
        let body = format!("{{\"Odd\":{odd},\"CallId\":\"x\"}}");
        fails(&["--url", &self::url(), "--body", &body], "", 10, 422, "cannot be searched");
    }
}

#[test]
fn row_10_the_call_id() {
    for (body, hint) in [
        ("{}", "there is no CallId anywhere"),
        ("{}", "the documents have it at CallRecord.CallId"),
        (r#"{"CallRecord":{"CallId":""}}"#, "CallRecord.CallId is an empty text"),
        (r#"{"CallRecord":{"CallId":true}}"#, "CallRecord.CallId is true or false"),
        (r#"{"CallInfo":{"CallId":"x"}}"#, "CallInfo.CallId is a text"),
        (r#"{"CallRecord":{"call_id":"x"}}"#, "CallRecord.call_id is a text"),
    ] {
        fails(&["--url", &url(), "--body", body], "", 10, 422, hint);
    }
}

/// Who is served depends on what the handler takes.
#[test]
fn the_handler_counts() {
    let started = url().replace("AfterEndCall", "AfterStartCall");
    let args = |takes| ["--url", &started, "--body", "{}", "--takes", takes];
    let report = json(&args("CallEnded"), "", 0);
    assert_eq!(report["handler_runs"], false);
    assert_eq!(report["steps"][9]["result"], "not reached");
    assert_eq!(report["steps"][9]["reason"], "a handler of CallEnded does not take this command");
    assert_eq!(json(&args("Callback"), "", 0)["handler_runs"], true);
    fails(&args("CallStarted"), "", 10, 422, "CallInfo.CallId");
    let report = json(&["--url", &url(), "--body", "no JSON", "--takes", "Undecoded"], "", 0);
    assert_eq!(report["handler_runs"], true);
    for row in 7..10 {
        assert_eq!(report["steps"][row]["result"], "not reached");
    }
}

/// What the vendor sees is what a server answers, to the byte.
#[test]
fn the_answer_is_the_receivers() {
    let report = json(&[], raw("", BODY), 0);
    assert_eq!(report["answer"]["status"], 200);
    assert_eq!(report["answer"]["body"], r#"{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}"#);
    assert_eq!(report["delivered_why"], "HTTP 200 and a JSON body");
    assert_eq!(report["handler_runs"], true);
    let text = stdout(&with_input(command(&[]), raw("", "{").as_bytes()), 1);
    let end = "HTTP 400  application/json  68 bytes\n\
               {\"ActionStatus\":\"FAIL\",\"ErrorInfo\":\"malformed body\",\"ErrorCode\":400}\n\
               delivered: no — HTTP 400, not 200\n";
    assert!(text.ends_with(end), "{text}");
}

/// A peer's text cannot steer the terminal of whoever explains it.
#[test]
fn control_characters_are_not_printed() {
    let request =
        "PO\u{1b}[2JST /\u{1b}[2J?SdkAppid=1&CallbackCommand=\u{1b}[2J HTTP/1.1\r\n\r\n{}";
    let url = "/\u{1b}[2J?SdkAppid=1400000001&CallbackCommand=%1b[2J&\u{1b}=1";
    for output in [
        with_input(command(&["--report-only"]), request.as_bytes()),
        command(&["--url", url, "--body", "{}", "--report-only", "--method", "\u{1b}"])
            .output()
            .unwrap(),
        command(&["--url", url, "--body", "{\"CallbackCommand\":\"\u{1b}\"}", "--report-only"])
            .output()
            .unwrap(),
    ] {
        assert!(!output.stdout.contains(&0x1b) && !output.stderr.contains(&0x1b), "{output:?}");
    }
}
