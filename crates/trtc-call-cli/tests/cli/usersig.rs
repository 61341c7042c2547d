//! `trtc-call usersig`.

use std::fs;

use serde_json::Value;
use trtc_call_api::{SecretKey, UserSig};

use crate::common::{APP, sentence, stdout, trtc_call};
use crate::vendor::{KEY, file, now};

#[test]
fn a_usersig_is_printed_alone_and_valid() {
    let run = |args: &[&str]| {
        let args = ["usersig", "--sdk-app-id", APP].iter().chain(args);
        stdout(&trtc_call(args).env("TRTC_SECRET_KEY", KEY).output().unwrap(), 0)
    };
    let key = SecretKey::new(KEY).unwrap();
    let claims = |text: &str| UserSig::verify(text, &key).unwrap();
    let text = run(&[]);
    let made = claims(text.strip_suffix('\n').unwrap());
    assert_eq!((&*made.identifier, made.valid_for), ("administrator", 86_400));
    assert!(made.issued_at.abs_diff(now()) < 60);
    let made = claims(run(&["--user", "10001", "--valid-for", "60"]).trim_end());
    assert_eq!((&*made.identifier, made.valid_for), ("10001", 60));
    let line: Value = serde_json::from_str(&run(&["--admin", "boss", "--json"])).unwrap();
    assert_eq!(claims(line["user_sig"].as_str().unwrap()).identifier, "boss");

    let path = file("secret-key");
    fs::write(&path, format!("{KEY}\n")).unwrap();
    let args = ["usersig", "--sdk-app-id", APP, "--secret-key-file", path.to_str().unwrap()];
    let output = trtc_call(args).env("TRTC_SECRET_KEY", "").output().unwrap();
    claims(stdout(&output, 0).trim_end());
    fs::remove_file(&path).unwrap();

    let output = trtc_call(["usersig"]).env("TRTC_SECRET_KEY", KEY).output().unwrap();
    assert!(sentence(&output).contains("--sdk-app-id"));
}

#[test]
fn a_user_whom_the_vendor_refuses_gets_none() {
    let too_long = "u".repeat(33);
    let run = |switch: &str, user: &str| {
        let args = ["usersig", "--sdk-app-id", APP, switch, user];
        trtc_call(args).env("TRTC_SECRET_KEY", KEY).output().unwrap()
    };
    for switch in ["--user", "--admin"] {
        for user in ["", &too_long, "a\nb", "\u{fc}", "\u{7f}"] {
            let expected =
                format!("trtc-call: {switch} must be 1 to 32 bytes of printable ASCII\n");
            assert_eq!(sentence(&run(switch, user)), expected, "{user:?}");
        }
        stdout(&run(switch, &too_long[1..]), 0);
        stdout(&run(switch, "a b"), 0);
    }
}

#[test]
fn one_that_goes_into_the_internet_in_clear_text_is_warned_of() {
    for (url, is_warned) in [
        ("http://8.8.8.8", true),
        ("http://vendor.example.com", true),
        ("https://vendor.example.com", false),
        ("http://127.0.0.1:1", false),
        ("http://192.168.1.1", false),
        ("http://vendor:8090", false),
        ("http://vendor.lan", false),
    ] {
        // There are no records in no time: nobody is asked.
        let args = ["records", "--since", "2026-03-01", "--until", "2026-03-01"];
        let mut command = trtc_call(args);
        command.env("SDK_APP_ID", APP).env("TRTC_SECRET_KEY", KEY).env("TRTC_API_URL", url);
        let output = command.output().unwrap();
        stdout(&output, 1);
        let notes = String::from_utf8(output.stderr).unwrap();
        let warnings = notes.matches("TRTC_API_URL is not HTTPS").count();
        assert_eq!(warnings, usize::from(is_warned), "{url}: {notes}");
    }
}
