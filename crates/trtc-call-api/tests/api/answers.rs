//! Answers that are not as they should be.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use trtc_call_api::{Code, ErrorKind, Region};

use crate::support::{Answer, Vendor, builder};

#[tokio::test]
async fn each_documented_code_is_told_with_its_meaning() {
    let codes = Code::KNOWN.to_vec();
    let vendor = Vendor::start(move |number, _| Answer::code(codes[number].0)).await;
    // Fresh clients: a wrong UserSig that is not new would be asked about twice.
    for code in Code::KNOWN {
        let error = vendor.client().delete_callback().await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Refused, Some(*code)));
        assert_eq!((error.request_id(), error.info()), (Some("Id-1"), Some("told")));
        let meaning = code.meaning().unwrap();
        let text =
            format!("the vendor refused with code {code}, {meaning}: told (request id Id-1)");
        assert_eq!(error.to_string(), text);
        let transient = [60007, 60008, 60011, 60014, 60018, 60019, 100_001, 101_001];
        assert_eq!(error.is_transient(), transient.contains(&code.0), "{code}");
        assert_eq!(error.is_rate_limited(), [60007, 60011, 60018, 60019].contains(&code.0));
    }
    for code in (60002..=60021).filter(|code| *code != 60001).chain([100_001, 100_002, 100_301]) {
        assert!(Code::KNOWN.contains(&Code(code)), "{code}");
    }
    assert_eq!((Code(1).meaning(), Code(1).advice()), (None, None));
}

#[tokio::test]
async fn a_call_failed_if_its_code_or_its_status_says_so() {
    for (answer, code) in [
        (json!({ "ActionStatus": "FAIL", "ErrorCode": 60011 }), Some(60011)),
        (json!({ "ActionStatus": "FAIL", "ErrorCode": "60011" }), Some(60011)),
        (json!({ "ActionStatus": "OK", "ErrorCode": 60011 }), Some(60011)),
        (json!({ "ErrorCode": -1 }), Some(-1)),
        (json!({ "ActionStatus": "FAIL", "ErrorCode": 0 }), Some(0)),
        (json!({ "ActionStatus": "fail" }), Some(0)),
        (json!({ "ActionStatus": "OK", "ErrorCode": 0 }), None),
        (json!({ "ActionStatus": "ok", "ErrorCode": "0", "ErrorInfo": null, "New": [1] }), None),
        (json!({ "ActionStatus": "OK" }), None),
        (json!({ "ErrorCode": 0 }), None),
    ] {
        let text = answer.to_string();
        let vendor = Vendor::always(move || Answer::json(&answer)).await;
        let result = vendor.client().delete_callback().await;
        assert_eq!(result.err().and_then(|error| error.code()), code.map(Code), "{text}");
    }
}

#[tokio::test]
async fn what_is_not_as_documented_is_an_error_of_the_answer() {
    for (body, what) in [
        ("", "it is not a JSON object"),
        ("[]", "it is not a JSON object"),
        (r#"["OK","",0]"#, "it is not a JSON object"),
        ("null", "it is not a JSON object"),
        ("<html>secret</html>", "it is not a JSON object"),
        ("{}", "it has neither ErrorCode nor ActionStatus"),
        (r#"{"ErrorCode":0"#, "it is not JSON at line 1 column 14"),
        (r#"{"ErrorCode":0} {}"#, "it is not JSON at line 1 column 17"),
        (r#"{"ErrorCode":0,"ErrorCode":1}"#, "it is not JSON at line 1 column 26"),
        (r#"{"ErrorCode":"none","ActionStatus":"OK"}"#, "its ErrorCode is no number"),
        (r#"{"ErrorCode":true,"RequestId":"I"}"#, "its ErrorCode is no number (request id I)"),
        (r#"{"ErrorCode":1e3}"#, "its ErrorCode is no number"),
    ] {
        let vendor = Vendor::always(|| Answer::Body(body.to_owned())).await;
        let error = vendor.client().delete_callback().await.unwrap_err();
        assert_eq!(error.to_string(), format!("the vendor's answer is not as documented: {what}"));
        assert_eq!(error.kind(), ErrorKind::Answer);
        assert!(!error.is_transient() && error.code().is_none());
    }
    let not_utf8 = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\xff";
    let vendor = Vendor::always(|| Answer::Raw(not_utf8.to_vec())).await;
    let error = vendor.client().delete_callback().await.unwrap_err();
    assert!(error.to_string().ends_with("it is not UTF-8"));
    // But a byte order mark is none of its faults.
    let vendor = Vendor::always(|| Answer::Body("\u{feff} {\"ErrorCode\":0}\n".to_owned())).await;
    vendor.client().delete_callback().await.unwrap();
}

#[tokio::test]
async fn another_status_than_200_is_an_error_whatever_its_body() {
    for (status, is_transient, is_rate) in [
        (201, false, false),
        (204, false, false),
        (400, false, false),
        (403, false, false),
        (429, true, true),
        (500, true, false),
        (502, true, false),
    ] {
        let vendor = Vendor::always(move || Answer::status(status)).await;
        let error = vendor.client().delete_callback().await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Answer, Some(status)));
        assert_eq!((error.is_transient(), error.is_rate_limited()), (is_transient, is_rate));
        assert!(error.to_string().ends_with(&format!("HTTP status {status}")));
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_since_the_usersig_would_go_along() {
    let elsewhere = Vendor::always(Answer::ok).await;
    for status in [301, 302, 303, 307, 308] {
        let location = elsewhere.url.clone();
        let vendor = Vendor::always(move || {
            let head = format!("HTTP/1.1 {status} X\r\nLocation: {location}/v4/x\r\n");
            Answer::Raw(format!("{head}Content-Length: 0\r\n\r\n").into_bytes())
        })
        .await;
        let error = vendor.client().delete_callback().await.unwrap_err();
        assert_eq!(error.status(), Some(status));
    }
    assert!(elsewhere.received().is_empty());
}

#[tokio::test]
async fn an_answer_that_is_cut_is_a_lost_connection() {
    for bytes in [
        "",
        "HTTP/1.1 200",
        "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"ErrorCode\":",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"Err",
    ] {
        let vendor = Vendor::always(|| Answer::Raw(bytes.as_bytes().to_vec())).await;
        let error = vendor.client().delete_callback().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transport, "{bytes:?}: {error}");
        assert!(error.is_transient());
        assert!(error.to_string().starts_with("the connection to the vendor broke: "), "{error}");
    }
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_a_time_out() {
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"Err";
    for half in ["", "HTTP/1.1", half] {
        let vendor = Vendor::always(|| Answer::Half(half)).await;
        let client = vendor.builder().timeout(Duration::from_millis(50)).build().unwrap();
        let error = client.delete_callback().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(error.is_transient());
        assert_eq!(error.to_string(), "no whole answer of the vendor in time");
    }
}

#[tokio::test]
async fn an_answer_beyond_8_mib_is_not_read() {
    let most = 8 * 1024 * 1024;
    for (length, is_taken) in [(most, true), (most + 1, false)] {
        let mut body = br#"{"ErrorCode":0}"#.to_vec();
        body.resize(length, b' ');
        // Without a length that could be looked at.
        let bytes = [b"HTTP/1.1 200 OK\r\n\r\n", &*body].concat();
        let vendor = Vendor::always(move || Answer::Raw(bytes.clone())).await;
        let result = vendor.client().delete_callback().await;
        assert_eq!(result.is_ok(), is_taken);
        if let Err(error) = result {
            assert_eq!(error.kind(), ErrorKind::Answer);
            assert!(error.to_string().ends_with("it is longer than 8 MiB"), "{error}");
        }
    }
}

#[tokio::test]
async fn where_nobody_listens_there_is_no_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = builder().base_url(url).build().unwrap().callback().await.unwrap_err();
    assert_eq!((error.kind(), error.is_transient()), (ErrorKind::Transport, true));
    assert!(error.to_string().starts_with("no connection to the vendor: "), "{error}");
}

#[tokio::test]
async fn https_speaks_tls_and_leaves_the_process_without_a_default_provider() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let hello = tokio::spawn(async move {
        let mut hello = [0; 3];
        listener.accept().await.unwrap().0.read_exact(&mut hello).await.unwrap();
        hello
    });
    let client = builder().region(Region::Tokyo).base_url(url).build().unwrap();
    let error = client.callback().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    // A TLS handshake.
    assert_eq!(hello.await.unwrap(), [22, 3, 1]);
    assert!(rustls::crypto::CryptoProvider::get_default().is_none());
}

#[tokio::test]
async fn the_vendors_words_are_told_on_one_short_line() {
    let info = format!("\u{1b}[31m\r\n{}", "令".repeat(200));
    let vendor = Vendor::always(move || {
        Answer::json(
            &json!({ "ErrorCode": 60002, "ErrorInfo": info, "RequestId": "\n".repeat(500) }),
        )
    })
    .await;
    let error = vendor.client().delete_callback().await.unwrap_err();
    let told = error.info().unwrap();
    assert!(told.starts_with(r"\u{1b}[31m\r\n令") && told.ends_with('…'), "{told}");
    assert!(told.len() <= 256 && error.request_id().unwrap().len() <= 128);
    assert!(!error.to_string().contains(char::is_control));
}

#[tokio::test]
async fn requests_keep_to_the_rate_limit_that_clones_share() {
    let vendor = Vendor::always(Answer::ok).await;
    let client = vendor.builder().rate_limit(50).build().unwrap();
    let started = Instant::now();
    let calls = (0..11).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.delete_callback().await })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    // Ten turns of 20 ms: it cannot be faster, however fast the machine is.
    assert!(started.elapsed() >= Duration::from_millis(180));
}
