//! UserSigs, against those that the vendor's own ports make.

use std::io::{Read, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use serde_json::{Value, json};
use trtc_call_api::{Claims, InvalidUserSig, Region, SecretKey, SecretKeyError, UserSig};

const KEY: &str = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e";

/// What the vendor's port for Node makes of `xiaojun`.
const OF_NODE: &str = "eJyrVgrxCdYrSy1SslIy0jNQ0gHzM1NS80oy0zLBwhWZiflZpXlQqeKU7MSCgswUJStDEwMogMiUZOamKlkZmppZWhoaGMFEUysKMovA4qamRnC1xZnpSlZK6f75qeGGxsWGlm7plXkWQeU5riX6RT7Z5cblVT6Flr7awYVOSREhnml5gbZKtQCu3TKc";

fn key() -> SecretKey {
    SecretKey::new(KEY).unwrap()
}

fn xiaojun() -> Claims {
    Claims::new(1_400_000_000, "xiaojun", 1_569_910_200, 15_552_000)
}

fn inflate(user_sig: &str) -> Value {
    let base64 = user_sig.replace('*', "+").replace('-', "/").replace('_', "=");
    let deflated = STANDARD.decode(base64).unwrap();
    let mut json = Vec::new();
    ZlibDecoder::new(&*deflated).read_to_end(&mut json).unwrap();
    serde_json::from_slice(&json).unwrap()
}

fn deflate(json: &[u8], level: Compression) -> String {
    let mut encoder = ZlibEncoder::new(Vec::new(), level);
    encoder.write_all(json).unwrap();
    let base64 = STANDARD.encode(encoder.finish().unwrap());
    base64.replace('+', "*").replace('/', "-").replace('=', "_")
}

#[test]
fn it_holds_what_the_vendors_ports_put_into_it() {
    let ours = inflate(xiaojun().sign(&key()).as_str());
    assert_eq!(ours, inflate(OF_NODE));
    assert_eq!(ours["TLS.sig"], "gOoeW13s19Fgyn8RwlEt/rLkw3wzLq9M+SqBbXTIfnQ=");
}

#[test]
fn it_is_signed_as_the_published_vectors_are() {
    // In milliseconds, as the port has it that they are from.
    let claims = Claims::new(1_400_000_000, "0", 1_569_910_200_000, 15_552_000_000);
    let plain = inflate(claims.sign(&key()).as_str());
    assert_eq!(plain["TLS.sig"], "bEj7EPKeOGh/DZ+LevCNXjSrLtgjj+lC8Ed0uirJXYU=");
    assert_eq!(plain.get("TLS.userbuf"), None);

    let with_userbuf = inflate(claims.with_userbuf("abc").sign(&key()).as_str());
    assert_eq!(with_userbuf["TLS.userbuf"], "YWJj");
    assert_eq!(with_userbuf["TLS.sig"], "sWtbl2+lkv1DcoBF2Y2IWjGB44KoDgDIFxdhzwVXo2Q=");
}

#[test]
fn one_of_any_port_is_verified() {
    assert_eq!(UserSig::verify(OF_NODE, &key()), Ok(xiaojun()));
    let with_userbuf = xiaojun().with_userbuf([0, 255, 62, 63]);
    assert_eq!(UserSig::verify(with_userbuf.sign(&key()).as_str(), &key()), Ok(with_userbuf));

    // As the port for Go has it: not compressed; and another order, and space.
    let fields = r#"{ "TLS.sig": "gOoeW13s19Fgyn8RwlEt/rLkw3wzLq9M+SqBbXTIfnQ=", "TLS.expire": 15552000,
        "TLS.time": 1569910200, "TLS.sdkappid": 1400000000, "TLS.identifier": "xiaojun",
        "TLS.ver": "2.0" }"#;
    let stored = deflate(fields.as_bytes(), Compression::none());
    assert_eq!(UserSig::verify(&stored, &key()), Ok(xiaojun()));
}

#[test]
fn nothing_that_it_says_can_be_changed() {
    let other = SecretKey::new("another").unwrap();
    assert_eq!(UserSig::verify(OF_NODE, &other), Err(InvalidUserSig::WrongSignature));
    for (field, value) in [
        ("TLS.identifier", json!("xiaojum")),
        ("TLS.sdkappid", json!(1_400_000_001)),
        ("TLS.time", json!(1_569_910_201)),
        ("TLS.expire", json!(15_552_001)),
        ("TLS.userbuf", json!("YWJj")),
        ("TLS.userbuf", json!("")),
        ("TLS.sig", json!("")),
        ("TLS.sig", json!("gOoeW13s19Fgyn8RwlEt/rLkw3wzLq9M+SqBbXTIfnR=")),
    ] {
        let mut json = inflate(OF_NODE);
        json[field] = value;
        let changed = deflate(&serde_json::to_vec(&json).unwrap(), Compression::fast());
        let error = UserSig::verify(&changed, &key()).unwrap_err();
        // The last one is no canonical base64 of anything.
        let expected = if json["TLS.sig"].as_str().unwrap().ends_with("R=") {
            InvalidUserSig::Malformed
        } else {
            InvalidUserSig::WrongSignature
        };
        assert_eq!(error, expected, "{field}");
    }
}

#[test]
fn what_is_no_usersig_is_malformed() {
    let bomb = deflate(&vec![b' '; 10_000_000], Compression::best());
    let padded = [inflate(OF_NODE).to_string().as_bytes(), &vec![b' '; 100_000]].concat();
    let padded = deflate(&padded, Compression::best());
    let version = inflate(OF_NODE).to_string().replace("2.0", "1.0");
    let missing = inflate(OF_NODE).to_string().replace("TLS.time", "time");
    for text in [
        "",
        "_",
        "令牌",
        &OF_NODE[..40],
        &OF_NODE.replace('y', "z"),
        &"A".repeat(1_000_000),
        &bomb,
        &padded,
        &deflate(version.as_bytes(), Compression::fast()),
        &deflate(missing.as_bytes(), Compression::fast()),
        &deflate(b"[]", Compression::fast()),
    ] {
        assert_eq!(UserSig::verify(text, &key()), Err(InvalidUserSig::Malformed), "{:.40}", text);
    }
}

#[test]
fn an_identifier_may_hold_anything_and_is_still_only_itself() {
    for identifier in ["", "a\nTLS.sdkappid:1", "令 \"牌\"", &"x".repeat(5000)] {
        let claims = Claims::new(1, identifier, 2, 3);
        assert_eq!(UserSig::verify(claims.sign(&key()).as_str(), &key()), Ok(claims));
    }
}

#[test]
fn a_key_is_taken_as_it_is_or_not_at_all() {
    assert!(matches!(SecretKey::new(""), Err(SecretKeyError::Empty)));
    for odd in [" k", "k ", "k\n", "\tk", "\u{feff}k", "k\0", "\u{a0}k", "\n"] {
        assert!(matches!(SecretKey::new(odd), Err(SecretKeyError::OddEnd)), "{odd:?}");
    }
    for inside in ["key\n# comment", "k\tey", "k\u{7f}ey"] {
        assert!(matches!(SecretKey::new(inside), Err(SecretKeyError::Control)), "{inside:?}");
    }
    let spaced = SecretKey::new("a b").unwrap();
    assert_ne!(xiaojun().sign(&spaced), xiaojun().sign(&SecretKey::new("ab").unwrap()));
}

#[test]
fn a_keys_file_may_end_its_line_once() {
    let folder = std::env::temp_dir().join(format!("trtc-call-api-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("key");
    let read = |text: &[u8]| {
        std::fs::write(&file, text).unwrap();
        SecretKey::read(&file)
    };
    for text in [KEY.to_owned(), format!("{KEY}\n"), format!("{KEY}\r\n")] {
        let user_sig = xiaojun().sign(&read(text.as_bytes()).unwrap());
        assert_eq!(UserSig::verify(user_sig.as_str(), &key()), Ok(xiaojun()));
    }
    for text in [format!("{KEY}\n\n"), format!("{KEY}\r"), format!("\u{feff}{KEY}")] {
        assert!(matches!(read(text.as_bytes()), Err(SecretKeyError::OddEnd)), "{text:?}");
    }
    for text in ["", "\n", "\r\n"] {
        assert!(matches!(read(text.as_bytes()), Err(SecretKeyError::Empty)), "{text:?}");
    }
    assert!(matches!(read(b"\xff"), Err(SecretKeyError::File(_))));
    let missing = SecretKey::read(folder.join("missing")).unwrap_err();
    assert!(std::error::Error::source(&missing).is_some());
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn no_debug_shows_a_secret() {
    assert_eq!(format!("{:?}", key()), "SecretKey(…)");
    assert_eq!(format!("{:?}", xiaojun().sign(&key())), "UserSig(…)");
}

#[test]
fn a_region_is_read_by_the_name_that_it_is_written_with() {
    for region in Region::ALL {
        assert_eq!(region.to_string().parse(), Ok(*region));
        assert!(region.host().ends_with(".qq.com") || region.host().ends_with(".qcloud.com"));
    }
    for name in ["", "China", "china ", "siliconvalley"] {
        let error = name.parse::<Region>().unwrap_err().to_string();
        assert!(error.starts_with("a region is one of china, singapore, "), "{error}");
    }
}
