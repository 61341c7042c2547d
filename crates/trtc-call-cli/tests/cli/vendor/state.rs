//! What survives a restart, and what it does not start with.

use std::collections::BTreeSet;
use std::fs;

use serde_json::json;

use super::{END, KEY, START, add, all, ask, file, line, set, start};
use crate::common::{Listen, sentence, trtc_call};

#[test]
fn its_state_survives_a_kill() {
    let path = file("vendor-state");
    let state = ["--state", path.to_str().unwrap(), "--seed", "7"];
    let listen = Listen::start(&["--json"]);
    let vendor = start(&state);
    set(&vendor, &listen.url, &[START]);
    set(&vendor, &listen.url, &[END]);
    let mut ids = add(&vendor, &json!([{ "CallId": "a-1" }, {}]));
    let before = all(&vendor);
    // It is killed in the middle of a line.
    drop(vendor);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, [&whole[..], &br#"{"Call":{"CallRec"#[..]].concat()).unwrap();

    let mut vendor = start(&state);
    assert_eq!(all(&vendor), before);
    let answer = ask(&vendor, "call_config/get_callback", &json!({}));
    let expected = json!({ "Url": listen.url, "CallbackCommandList": [END] });
    assert_eq!(answer["Response"], expected);
    // The same seed makes other calls than those that are there.
    ids.extend(add(&vendor, &json!([{}, {}])));
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 4);
    assert_eq!(line(&mut vendor)["what"], "sent");
    assert_eq!(ask(&vendor, "call_config/delete_callback", &json!({}))["ErrorCode"], 0);
    drop(vendor);

    let vendor = start(&state);
    assert_eq!(all(&vendor).len(), 4);
    assert_eq!(ask(&vendor, "call_config/get_callback", &json!({}))["ErrorCode"], 100_301);
    let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(&path).unwrap());
    assert_eq!(mode & 0o777, 0o600);
    fs::remove_file(&path).unwrap();
}

#[test]
fn a_file_that_is_no_state_of_its_own_is_left_alone() {
    let path = file("vendor-no-state");
    for text in [
        "hello",
        "hello\n",
        "{\"a\":1}",
        "{\"a\":1}\n",
        "{\"Call\":1}\n",
        "{\"CallbackCommand\":\"Call.CallbackAfterEndCall\"}",
        "{\"CallId\":\"a-1\"}",
    ] {
        fs::write(&path, text).unwrap();
        let args = ["vendor", "--addr", "127.0.0.1:0", "--state", path.to_str().unwrap()];
        let output = trtc_call(args).env("TRTC_SECRET_KEY", KEY).output().unwrap();
        assert!(sentence(&output).contains("no state"), "{text}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    fs::remove_file(&path).unwrap();
}

#[test]
fn settings_that_cannot_be_meant_are_told_without_their_values() {
    for (args, variable, word) in [
        (&["vendor"][..], ("TRTC_SECRET_KEY", ""), "TRTC_SECRET_KEY"),
        (&["vendor"], ("OTHER", ""), "TRTC_SECRET_KEY"),
        (&["vendor"], ("TRTC_SECRET_KEY", "s3cret "), "TRTC_SECRET_KEY"),
        (&["vendor", "--secret-key-file", "/nowhere"], ("OTHER", ""), "--secret-key-file"),
        (&["vendor", "--addr", "s3cret"], ("TRTC_SECRET_KEY", "k"), "--addr"),
        (&["vendor", "--lose", "1.5"], ("TRTC_SECRET_KEY", "k"), "--lose"),
        (&["vendor", "--error", "0"], ("TRTC_SECRET_KEY", "k"), "--error"),
        (&["vendor", "--error", "60008:2"], ("TRTC_SECRET_KEY", "k"), "--error"),
        (&["vendor", "--delay", "-1"], ("TRTC_SECRET_KEY", "k"), "--delay"),
        (&["vendor", "--per-second", "0"], ("TRTC_SECRET_KEY", "k"), "--per-second"),
    ] {
        let output = trtc_call(args).env(variable.0, variable.1).output().unwrap();
        let sentence = sentence(&output);
        assert!(sentence.contains(word) && !sentence.contains("s3cret"), "{args:?}: {sentence}");
    }
}
