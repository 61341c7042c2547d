//! `trtc-call doctor`: each of the ways in which no callbacks arrive is found, and nothing else.

pub(crate) mod endpoint;

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::process::Output;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use serde_json::{Value, json};

use self::endpoint::{Authority, OK, answer, receiver, serve};
use crate::common::{APP, Listen, TOKEN, lines, sentence, stdout, trtc_call};
use crate::vendor::{KEY, add, now, start};

/// Stands in the path of URLs, and nowhere in what is printed.
const SECRET: &str = "s3cret-0f8fad5bd9cb469f";

fn url(addr: SocketAddr) -> String {
    format!("http://{addr}/callback/{SECRET}")
}

/// Sets a URL at the fake vendor, and these commands or, if there are none, all.
#[track_caller]
fn set(vendor: &Listen, url: &str, commands: &[&str]) {
    let commands = commands.iter().flat_map(|command| ["--command", command]);
    let mut command =
        trtc_call(["callback", "set", "--yes", "--url", url].into_iter().chain(commands));
    command.env("SDK_APP_ID", APP).env("TRTC_SECRET_KEY", KEY).env("TRTC_API_URL", &vendor.url);
    stdout(&command.output().unwrap(), 0);
}

/// Runs it with this secret key, and with what is told of the vendor.
fn run(key: &str, api_url: &str, args: &[&str]) -> Output {
    let mut command = trtc_call(["doctor"].iter().chain(args));
    command.env("SDK_APP_ID", APP).env("TRTC_SECRET_KEY", key).env("TRTC_API_URL", api_url);
    let output = command.output().unwrap();
    for secret in [KEY, TOKEN, SECRET] {
        for printed in [&output.stdout, &output.stderr] {
            let printed = String::from_utf8_lossy(printed);
            assert!(!printed.contains(secret), "{secret}: {printed}");
        }
    }
    output
}

fn doctor(vendor: &Listen, args: &[&str]) -> Output {
    run(KEY, &vendor.url, &[args, &["--json"]].concat())
}

/// The lines of checks that have this status, each as `check: text`.
#[track_caller]
fn of_status(output: &Output, status: &str) -> Vec<String> {
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    let checks = object["checks"].as_array().unwrap();
    let found = checks.iter().filter(|check| check["status"] == "finding");
    assert_eq!(object["findings"], found.clone().count());
    assert!(found.clone().all(|check| check["advice"].as_str().is_some_and(|a| !a.is_empty())));
    assert_eq!(output.status.code(), Some(i32::from(found.count() > 0)), "{object:#}");
    let wanted = checks.iter().filter(|check| check["status"] == status);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    wanted.map(|line| format!("{}: {}", text(&line["check"]), text(&line["text"]))).collect()
}

/// That these are the findings and no others: each begins with the check, and has the words in it.
#[track_caller]
fn assert_found(output: &Output, expected: &[(&str, &str)]) {
    let found = of_status(output, "finding");
    let is_it = |(found, (check, words)): (&String, &(&str, &str))| {
        found.split_once(": ").is_some_and(|(of, text)| of == *check && text.contains(words))
    };
    let all = found.len() == expected.len() && found.iter().zip(expected).all(is_it);
    assert!(all, "found: {found:#?}\nexpected: {expected:#?}");
}

#[test]
fn a_clean_set_up_has_no_findings() {
    let folder =
        std::env::temp_dir().join(format!("trtc-call-doctor-clean-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let inbox = folder.join("callbacks.db").to_str().unwrap().to_owned();
    let mut vendor = start(&["--token", TOKEN]);
    let listen = Listen::start(&["--inbox", &inbox]);
    set(&vendor, &listen.url, &[]);
    add(&vendor, &json!([{ "CallId": "a-1", "EndTime": now() - 100 }]));
    // Once it is delivered.
    while !vendor.line().contains("CallbackAfterEndCall") {}

    let args = ["--inbox", &inbox, "--token", TOKEN];
    let output = doctor(&vendor, &args);
    assert_found(&output, &[]);
    let ok = of_status(&output, "ok").join("\n");
    for words in [
        "clock: it agrees with the vendor's",
        "clock: it agrees with the endpoint's",
        "credentials: ",
        "setting: callbacks go to http://127.0.0.1:",
        "commands: Call.CallbackAfterEndCall, ",
        "url: http://127.0.0.1:",
        "tcp: ",
        "signed: a signed callback is taken",
        "unsigned: an unsigned callback is refused with HTTP 403: a signature is required",
        "foreign: ",
        "get: a GET is no callback: HTTP 405",
        "calls: all 1 of the last hour are in the inbox",
    ] {
        assert!(ok.contains(words), "{words}: {ok}");
    }
    let people = stdout(&run(KEY, &vendor.url, &args), 0);
    assert!(people.ends_with("\nfindings: 0\n"), "{people}");
    // What it leaves behind: one item, however often it is run.
    let list = trtc_call(["inbox", "list", "--json", "--inbox", &inbox]).output().unwrap();
    let probes = lines(&list).iter().filter(|line| line.contains("Call.DoctorProbe")).count();
    assert_eq!((probes, lines(&list).len() > 1), (1, true), "{list:?}");
    let _ = fs::remove_dir_all(folder);
}

#[test]
fn a_callback_that_is_not_set_is_found() {
    let vendor = start(&[]);
    let output = doctor(&vendor, &[]);
    assert_found(&output, &[("setting", "no callback is set")]);
    let people = stdout(&run(KEY, &vendor.url, &[]), 1);
    let expected =
        "setting      FINDING  no callback is set: none is sent\n             -> `trtc-call";
    assert!(people.contains(expected) && people.ends_with("\nfindings: 1\n"), "{people}");
}

#[test]
fn credentials_that_the_vendor_does_not_take_are_found() {
    let vendor = start(&[]);
    for (key, args, words) in [
        ("another", &[][..], "70009"),
        (KEY, &["--admin", "somebody"], "60010"),
        (KEY, &["--sdk-app-id", "1400000002"], "60006"),
    ] {
        let output = run(key, &vendor.url, &[args, &["--json"]].concat());
        assert_found(&output, &[("credentials", words)]);
    }
    let busy = start(&["--error", "60020"]);
    assert_found(&doctor(&busy, &[]), &[("credentials", "expired")]);
}

#[test]
fn a_vendor_that_cannot_be_asked_is_found() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = run(KEY, &format!("http://{nobody}"), &["--json"]);
    assert_found(&output, &[("vendor", "no connection")]);
    let failing = start(&["--error", "60008"]);
    let addr = serve(|head| Some(receiver(head)));
    let output = doctor(&failing, &["--url", &url(addr)]);
    assert_found(&output, &[("vendor", "60008")]);
    // What does not need the vendor is looked at.
    assert!(of_status(&output, "ok").iter().any(|line| line.starts_with("foreign")), "{output:?}");
}

#[test]
fn commands_that_are_not_sent_are_found() {
    let vendor = start(&[]);
    let addr = serve(|head| Some(receiver(head)));
    set(&vendor, &url(addr), &["CallStarted"]);
    assert_found(&doctor(&vendor, &[]), &[("commands", "Call.CallbackAfterEndCall is not among")]);
    set(&vendor, &url(addr), &["CallEnded", "Call.callbackafterStartCall", "Call.Other"]);
    let expected = [
        ("commands", "another spelling of Call.CallbackAfterStartCall"),
        ("commands", "Call.Other is not documented"),
    ];
    assert_found(&doctor(&vendor, &[]), &expected);
}

#[test]
fn a_url_with_a_query_is_found() {
    let vendor = start(&[]);
    let addr = serve(|head| Some(receiver(&head.replace("token=s3cret-0f8fad5bd9cb469f&", ""))));
    set(&vendor, &format!("http://{addr}/callback?token={SECRET}"), &[]);
    assert_found(&doctor(&vendor, &[]), &[("url", "a query")]);
}

#[test]
fn a_url_that_only_a_vendor_at_home_reaches_is_found() {
    let addr = serve(|head| Some(receiver(head)));
    let url = url(addr);
    let output =
        trtc_call(["doctor", "--json", "--sdk-app-id", APP, "--url", &url]).output().unwrap();
    assert_found(&output, &[("url", "not HTTPS"), ("url", "private")]);
    // Without a secret key nothing is asked of the vendor.
    let skipped = of_status(&output, "skipped").join("\n");
    for check in ["clock", "credentials", "setting", "commands", "calls"] {
        assert!(skipped.contains(&format!("{check}: there is no secret key")), "{skipped}");
    }
    let guessed = format!("http://{addr}/callback");
    let output =
        trtc_call(["doctor", "--json", "--sdk-app-id", APP, "--url", &guessed]).output().unwrap();
    let expected =
        [("url", "not HTTPS"), ("url", "private"), ("unsigned", "no long random segment")];
    assert_found(&output, &expected);
    for (url, words) in [("ftp://example.com/", "no http:// or https:// URL"), ("", "no http://")] {
        let output = trtc_call(["doctor", "--json", "--sdk-app-id", APP, "--url", url]).output();
        assert_found(&output.unwrap(), &[("url", words)]);
    }
}

/// Through a proxy nearby it is the true vendor that is asked, and that cannot reach what is nearby.
#[test]
fn a_vendor_behind_a_proxy_at_home_is_not_at_home() {
    let endpoint = url(serve(|head| Some(receiver(head))));
    let set = json!({ "ActionStatus": "OK", "ErrorInfo": "", "ErrorCode": 0, "RequestId": "1",
        "Response": { "Url": endpoint, "CallbackCommandList": ["Call.CallbackAfterEndCall"] } });
    let refused = json!({ "ActionStatus": "FAIL", "ErrorInfo": "", "ErrorCode": 60009 });
    for (status, body) in [("200 OK", refused.to_string()), ("404 Not Found", "[]".to_owned())] {
        let json = "content-type: application/json\r\n";
        let (set, other) = (answer("200 OK", json, &set.to_string()), answer(status, json, &body));
        let proxy = serve(move |head| {
            Some(if head.contains("get_callback") { set.clone() } else { other.clone() })
        });
        let output = run(KEY, &format!("http://{proxy}"), &["--json"]);
        assert_found(&output, &[("url", "not HTTPS"), ("url", "private")]);
    }
}

#[test]
fn a_url_that_is_written_oddly_is_found() {
    let addr = serve(|head| Some(receiver(head)));
    let vendor = start(&[]);
    set(&vendor, &url(addr), &[]);
    let found = url(addr);
    for odd in [format!("{found} "), found.replace("http://", "HTTP:\\\\"), found.replace("//", "")]
    {
        let output = doctor(&vendor, &["--url", &odd]);
        assert_found(
            &output,
            &[("setting", "not what --url says"), ("url", "only a lenient parser")],
        );
    }
}

#[test]
fn a_url_that_is_not_the_one_at_the_vendor_is_found() {
    let vendor = start(&[]);
    let addr = serve(|head| Some(receiver(head)));
    set(&vendor, &format!("https://example.com/{SECRET}"), &[]);
    let output = doctor(&vendor, &["--url", &url(addr)]);
    assert_found(&output, &[("setting", "https://example.com/…, which is not what --url says")]);
}

#[test]
fn a_name_that_does_not_resolve_is_found() {
    let vendor = start(&[]);
    set(&vendor, &format!("http://nothing.invalid/{SECRET}"), &[]);
    assert_found(&doctor(&vendor, &[]), &[("dns", "nothing.invalid")]);
}

#[test]
fn a_port_where_nothing_listens_is_found() {
    let vendor = start(&[]);
    let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    set(&vendor, &url(addr), &[]);
    let words = format!("{addr} refuses connections");
    assert_found(&doctor(&vendor, &[]), &[("tcp", &words)]);
}

/// No machine has a way to a group of machines by TCP.
#[test]
fn addresses_that_this_machine_has_no_way_to_are_found() {
    let vendor = start(&[]);
    set(&vendor, &format!("http://[ff0e::1]:8080/{SECRET}"), &[]);
    let output = doctor(&vendor, &[]);
    assert_found(&output, &[("tcp", "reached")]);
    assert!(stdout(&output, 1).contains("IPv6"), "{output:?}");
}

#[test]
fn what_is_wrong_with_a_certificate_is_found() {
    let Some(authority) = Authority::new("certificate") else { return };
    let vendor = start(&[]);
    let ip = "IP:127.0.0.1";
    let own = authority.file();
    let trusted: &[&str] = &["--ca-cert", &own];
    let none: &[&str] = &[];
    for (alt_name, issuer, days, others, args, words) in [
        (ip, "root", 30, none, trusted, &[][..]),
        (ip, "middle", 30, &["middle"], trusted, &[]),
        (ip, "root", 30, none, none, &["private"]),
        (ip, "middle", 30, &["middle"], none, &["its issuer is CN=middle"]),
        (ip, "middle", 30, none, trusted, &["an intermediate certificate is missing"]),
        (ip, "server", 30, none, none, &["self-signed"]),
        (ip, "root", -1, none, trusted, &["it expired at "]),
        (ip, "root", 5, none, trusted, &["it expires in 4 days"]),
        ("DNS:example.com", "root", 30, none, trusted, &["it is not for 127.0.0.1"]),
        ("DNS:example.com", "server", 5, none, none, &["expires", "self-signed", "not for"]),
    ] {
        let addr = authority.serve(alt_name, issuer, days, others);
        set(&vendor, &format!("https://{addr}/{SECRET}"), &[]);
        let expected: Vec<_> = words.iter().map(|words| ("certificate", *words)).collect();
        let output = doctor(&vendor, args);
        assert_found(&output, &expected);
        // Behind a certificate that is trusted the probes go on.
        let is_trusted = words.is_empty() || days == 5 && words.len() == 1;
        let has_answered = of_status(&output, "ok").iter().any(|line| line.starts_with("foreign"));
        assert_eq!(has_answered, is_trusted, "{words:?}");
    }
    let plain = serve(|head| Some(receiver(head)));
    set(&vendor, &format!("https://{plain}/{SECRET}"), &[]);
    assert_found(&doctor(&vendor, &[]), &[("certificate", "there is no TLS")]);
}

#[test]
fn an_answer_that_is_no_delivery_is_found() {
    let vendor = start(&[]);
    let json = "content-type: application/json\r\n";
    let moved = format!("location: https://elsewhere.example/{SECRET}\r\n");
    for (answer, words) in [
        (Some(answer("404 Not Found", "", "")), "HTTP 404"),
        (Some(answer("405 Method Not Allowed", "", "")), "HTTP 405"),
        (Some(answer("301 Moved", &moved, "")), "redirects to https://elsewhere.example/…"),
        (Some(answer("502 Bad Gateway", "", "")), "HTTP 502"),
        (Some(answer("204 No Content", "", "")), "HTTP 204"),
        (None, "no whole answer within 2s"),
        (Some(answer("200 OK", "", "ok")), "the body is not JSON"),
        (Some(answer("200 OK", json, r#"{"code":0}"#)), "not as documented"),
        (
            Some(answer("200 OK", json, &OK.replace("OK", "FAIL").replace('0', "1"))),
            "answered FAIL",
        ),
    ] {
        let addr = serve(move |_| answer.clone());
        set(&vendor, &url(addr), &[]);
        assert_found(&doctor(&vendor, &[]), &[("unsigned", words)]);
        assert_found(&doctor(&vendor, &["--token", TOKEN]), &[("signed", words)]);
    }
}

#[test]
fn an_endpoint_that_takes_what_is_not_its_own_is_found() {
    let vendor = start(&[]);
    let addr = serve(|_| Some(answer("200 OK", "content-type: application/json\r\n", OK)));
    set(&vendor, &url(addr), &[]);
    let expected = [("foreign", "anybody's callbacks are taken"), ("get", "a GET")];
    assert_found(&doctor(&vendor, &[]), &expected);
}

#[test]
fn a_signature_that_is_required_is_found() {
    let vendor = start(&[]);
    let listen = Listen::start(&[]);
    set(&vendor, &listen.url, &[]);
    let output = doctor(&vendor, &[]);
    assert_found(&output, &[("unsigned", "HTTP 403: it requires a signature")]);
    assert!(stdout(&output, 1).contains("insecure_report_only"));
    let output = doctor(&vendor, &["--token", "another"]);
    assert_found(&output, &[("signed", "refused with HTTP 403")]);
}

#[test]
fn a_clock_that_is_off_is_found() {
    let date = |seconds: i64| {
        let at = Timestamp::from_second(i64::try_from(now()).unwrap() + seconds).unwrap();
        let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&at).unwrap();
        format!("date: {date}\r\n")
    };
    let vendor = start(&[]);
    for (seconds, words) in [(3600, "s behind the endpoint's"), (-100, "s ahead of the endpoint's")]
    {
        let headers = format!("{}content-type: application/json\r\n", date(seconds));
        let addr = serve(move |head| {
            let is_taken = receiver(head).ends_with(OK);
            Some(if is_taken { answer("200 OK", &headers, OK) } else { receiver(head) })
        });
        set(&vendor, &url(addr), &[]);
        assert_found(&doctor(&vendor, &[]), &[("clock", words)]);
    }
    let none = r#"{"ActionStatus":"FAIL","ErrorInfo":"","ErrorCode":100301,"RequestId":"1"}"#;
    let off = serve(move |_| Some(answer("200 OK", &date(-100), none)));
    let output = run(KEY, &format!("http://{off}"), &["--json"]);
    let expected = [("clock", "s ahead of the vendor's"), ("setting", "no callback is set")];
    assert_found(&output, &expected);
}

#[test]
fn calls_that_are_not_in_the_inbox_are_found() {
    let folder =
        std::env::temp_dir().join(format!("trtc-call-doctor-calls-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let inbox = folder.join("callbacks.db").to_str().unwrap().to_owned();
    let mut vendor = start(&["--token", TOKEN]);
    let listen = Listen::start(&["--inbox", &inbox]);
    // Nobody is told of it.
    add(&vendor, &json!([{ "CallId": "lost-1", "EndTime": now() - 7000 }]));
    set(&vendor, &listen.url, &["CallEnded"]);
    let args = ["--inbox", &inbox, "--token", TOKEN];
    let found = doctor(&vendor, &args);
    let words = "1 of 1 that ended in the last day are not in the inbox: lost-1";
    assert_found(&found, &[("calls", words)]);
    assert!(stdout(&found, 1).contains("trtc-call reconcile"));

    let calls = ["lost-2", "told-1"].map(|id| json!({ "CallId": id, "EndTime": now() - 100 }));
    for (call, commands) in calls.iter().zip([&["CallStarted"][..], &["CallEnded"]]) {
        set(&vendor, &listen.url, commands);
        add(&vendor, call);
        // Once it is delivered.
        while !vendor.line().contains(call["CallId"].as_str().unwrap()) {}
    }
    let words = "1 of 2 that ended in the last hour are not in the inbox: lost-2";
    assert_found(&doctor(&vendor, &args), &[("calls", words)]);
    let _ = fs::remove_dir_all(folder);
}

#[test]
fn what_cannot_be_done_ends_with_status_2() {
    let vendor = start(&[]);
    for (args, word) in [
        (&["--inbox", "/no/such/file"][..], "/no/such/file"),
        (&["--ca-cert", "/no/such/file"], "/no/such/file"),
        (&["--token", " a"], "--token"),
        (&["--sdk-app-id", "x"], "--sdk-app-id"),
        (&["--secret-key-file", "/no/such/file"], "--secret-key-file"),
    ] {
        let text = sentence(&run(KEY, &vendor.url, args));
        assert!(text.contains(word), "{args:?}: {text}");
    }
    let without =
        |args: &[&str]| sentence(&trtc_call(["doctor"].iter().chain(args)).output().unwrap());
    assert!(without(&[]).contains("--sdk-app-id"));
    assert!(without(&["--sdk-app-id", APP]).contains("TRTC_SECRET_KEY"));
}
