//! The table: `cases.json`, read.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use trtc_call_webhook::{Ack, SdkApp, Verifier};

use crate::Request;

/// All of `cases.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The rules that a receiver keeps and the edge cases that it must survive, by the names in
    /// [`Case::rules`].
    pub rules: BTreeMap<String, Rule>,
    /// What a case has that does not say otherwise.
    pub defaults: Defaults,
    /// Receivers, by the names in `Case::receiver`.
    pub verifiers: BTreeMap<String, VerifierConfig>,
    /// Answers, by the names in `Expect::answer`.
    pub answers: BTreeMap<String, ExpectAnswer>,
    /// Each event with nothing in it; what a case expects is written over it.
    pub blanks: BTreeMap<String, Value>,
    /// The cases.
    pub cases: Vec<Case>,
}

/// What cases are about.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What it says.
    pub says: String,
    /// The tests that hold it, as `file::name`, where a case cannot.
    #[serde(default)]
    pub tests: Vec<String>,
    /// The fewest cases and tests that it needs.
    #[serde(default = "one")]
    pub at_least: usize,
}

const fn one() -> usize {
    1
}

/// See [`Table::defaults`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    verifier: String,
    takes: String,
    method: String,
    query: String,
    json: Box<RawValue>,
}

/// How a receiver is set up.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerifierConfig {
    apps: Vec<AppConfig>,
    body_limit: Option<usize>,
    replay_window_seconds: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AppConfig {
    id: u64,
    #[serde(default)]
    tokens: Vec<String>,
    #[serde(default)]
    report_only: bool,
}

/// One request, and what has to come of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The behaviour, in words. Unique.
    pub name: String,
    /// Which rules it is about.
    pub rules: Vec<String>,
    verifier: Option<String>,
    takes: Option<String>,
    method: Option<String>,
    query: Option<String>,
    sign: Option<Sign>,
    #[serde(default)]
    headers: Vec<(String, String)>,
    body: Option<Text>,
    json: Option<Box<RawValue>>,
    announce: Option<u64>,
    fail: Option<(i32, Text)>,
    /// Only core can be asked: an HTTP client or parser has something against it.
    #[serde(default)]
    pub core_only: bool,
    /// What has to come of it.
    pub expect: Expect,
}

/// How `{time}` and `{sign}` in a query are made.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sign {
    token: String,
    /// How many seconds ago; negative in the future.
    age: i64,
    /// The text of `RequestTime`, with `{seconds}` in it.
    time: Option<String>,
}

/// Text or bytes, whole or in parts.
#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Part {
    Text(String),
    Hex { hex: String },
    Repeat { repeat: (String, usize) },
    File { file: String },
}

/// What has to come of a request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    answer: AnswerName,
    kind: Option<String>,
    seen: Option<Value>,
    #[serde(default)]
    same_key_as: Vec<String>,
    #[serde(default)]
    other_key_than: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum AnswerName {
    Name(String),
    Answer(ExpectAnswer),
}

/// An answer, to the byte.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectAnswer {
    status: u16,
    #[serde(default)]
    allow: Vec<String>,
    body: Text,
    /// The error's kind, unless the case names one.
    kind: Option<String>,
}

/// What a case expects, with every name looked up.
pub(crate) struct Expected {
    pub(crate) status: u16,
    pub(crate) allow: Vec<String>,
    /// `None` for `HEAD`, whose answer has no body on the wire.
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) kind: Option<String>,
    pub(crate) seen: Option<Value>,
}

impl Table {
    /// Reads `cases.json`.
    #[must_use]
    pub fn load() -> Self {
        let text = std::fs::read_to_string(folder().join("cases.json")).expect("cases.json");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("cases.json: {error}"))
    }

    /// The case of that name.
    #[must_use]
    pub fn case(&self, name: &str) -> &Case {
        let case = self.cases.iter().find(|case| case.name == name);
        case.unwrap_or_else(|| panic!("no case is named {name:?}"))
    }

    /// A receiver by its name in the table.
    #[must_use]
    pub fn verifier(&self, name: &str) -> Verifier {
        let config = self.verifiers.get(name);
        config.unwrap_or_else(|| panic!("no receiver is named {name:?}")).build()
    }

    /// The name of a case's verifier.
    #[must_use]
    pub fn verifier_of<'a>(&'a self, case: &'a Case) -> &'a str {
        case.verifier.as_ref().unwrap_or(&self.defaults.verifier)
    }

    /// What a case's handler takes.
    #[must_use]
    pub fn takes_of<'a>(&'a self, case: &'a Case) -> &'a str {
        case.takes.as_ref().unwrap_or(&self.defaults.takes)
    }

    /// The request of a case, signed now.
    #[must_use]
    pub fn request(&self, case: &Case) -> Request {
        self.request_at(case, SystemTime::now())
    }

    /// The request of a case, signed by another clock.
    #[must_use]
    pub fn request_at(&self, case: &Case, now: SystemTime) -> Request {
        let method = case.method.as_ref().unwrap_or(&self.defaults.method);
        let query = case.query.as_ref().unwrap_or(&self.defaults.query);
        let body = match (&case.body, &case.json) {
            (Some(body), None) => body.bytes(),
            (None, Some(json)) => json.get().as_bytes().to_vec(),
            (None, None) if case.announce.is_some() => Vec::new(),
            (None, None) => self.defaults.json.get().as_bytes().to_vec(),
            (Some(_), Some(_)) => panic!("{}: `body` and `json`", case.name),
        };
        Request {
            method: method.clone(),
            query: case.sign.as_ref().map_or_else(|| query.clone(), |sign| sign.fill(query, now)),
            headers: case.headers.clone(),
            body: Bytes::from(body),
            announce: case.announce,
        }
    }

    pub(crate) fn ack(case: &Case) -> Ack {
        match &case.fail {
            Some((code, text)) => {
                Ack::fail(*code, String::from_utf8(text.bytes()).expect("the text is UTF-8"))
            }
            None => Ack::ok(),
        }
    }

    pub(crate) fn expected(&self, case: &Case, request: &Request) -> Expected {
        let expect = &case.expect;
        let answer = match &expect.answer {
            AnswerName::Answer(answer) => answer,
            AnswerName::Name(name) => self
                .answers
                .get(name)
                .unwrap_or_else(|| panic!("{}: no answer is named {name:?}", case.name)),
        };
        let mut seen = expect.seen.clone();
        if let Some(seen) = &mut seen {
            let takes = self.takes_of(case);
            if let Some(event) = seen.get_mut("event") {
                *event = self.event(takes, event, &request.body);
            }
            if let Some(Value::Object(decoded)) = seen.get_mut("decoded") {
                for (takes, event) in decoded.iter_mut().filter(|(_, event)| event.is_object()) {
                    *event = self.event(takes, event, &request.body);
                }
            }
        }
        Expected {
            status: answer.status,
            allow: answer.allow.clone(),
            body: (request.method != "HEAD").then(|| answer.body.bytes()),
            kind: expect.kind.clone().or_else(|| answer.kind.clone()),
            seen,
        }
    }

    /// What a case says of an event, written over the blank one.
    fn event(&self, takes: &str, over: &Value, body: &[u8]) -> Value {
        if takes == "Callback" {
            let (arm, over) = over.as_object().and_then(|arms| arms.iter().next()).expect("an arm");
            return Value::from_iter([(arm.clone(), self.event(arm, over, body))]);
        }
        let mut event = self.blanks.get(takes).expect("a blank event").clone();
        if event.get("json").is_some() {
            event["json"] = String::from_utf8_lossy(body).into();
        }
        for (field, value) in over.as_object().expect("an event is an object") {
            assert!(event.get(field).is_some(), "{takes} has no field {field:?}");
            event[field] = value.clone();
        }
        event
    }

    /// The keys that the key of a case must be equal to, and those that it must differ from.
    pub(crate) fn keys_of(case: &Case) -> (&[String], &[String]) {
        (&case.expect.same_key_as, &case.expect.other_key_than)
    }
}

impl VerifierConfig {
    fn build(&self) -> Verifier {
        let mut builder = Verifier::builder();
        for config in &self.apps {
            let app = match config.tokens.split_first() {
                None => SdkApp::unsigned(config.id),
                Some((first, more)) => {
                    more.iter().fold(SdkApp::signed(config.id, first), SdkApp::or_token)
                }
            };
            builder =
                builder.app(if config.report_only { app.insecure_report_only() } else { app });
        }
        if let Some(limit) = self.body_limit {
            builder = builder.body_limit(limit);
        }
        if let Some(seconds) = self.replay_window_seconds {
            builder = builder.replay_window(Duration::from_secs(seconds));
        }
        builder.build().expect("a receiver that can work")
    }
}

impl Sign {
    /// Fills a query in:
    ///
    /// - `{time}` and `{sign}` are the signature's parameters,
    /// - `{SIGN}` and `{Sign}` have its digits in upper case and in mixed case,
    /// - `{sign 63}` is all of its digits but the last,
    /// - `{%time}` and `{%sign}` are percent-encoded to the last byte.
    fn fill(&self, query: &str, now: SystemTime) -> String {
        let now = now.duration_since(UNIX_EPOCH).expect("a clock").as_secs();
        let seconds = now.checked_add_signed(-self.age).expect("a time").to_string();
        let time = self.time.as_ref().map_or(seconds.clone(), |t| t.replace("{seconds}", &seconds));
        let sign = signature(self.token.as_bytes(), &time);
        let mixed: String = sign
            .char_indices()
            .map(|(i, digit)| if i % 2 == 0 { digit.to_ascii_uppercase() } else { digit })
            .collect();
        query
            .replace("{time}", &time)
            .replace("{%time}", &percent(&time))
            .replace("{sign}", &sign)
            .replace("{SIGN}", &sign.to_uppercase())
            .replace("{Sign}", &mixed)
            .replace("{sign 63}", &sign[..63])
            .replace("{%sign}", &percent(&sign))
    }
}

/// The digits of `Sign` for a token and the text of `RequestTime`, computed apart from core.
#[must_use]
pub fn signature(token: &[u8], request_time: &str) -> String {
    let digest = Sha256::new_with_prefix(token).chain_update(request_time).finalize();
    digest.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// A text with every byte percent-encoded.
#[must_use]
pub fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        let _ = write!(encoded, "%{byte:02x}");
        encoded
    })
}

impl Text {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.clone().into_bytes(),
            Self::Parts(parts) => parts.iter().flat_map(Part::bytes).collect(),
        }
    }
}

impl Part {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.clone().into_bytes(),
            Self::Repeat { repeat: (text, times) } => text.repeat(*times).into_bytes(),
            Self::File { file } => {
                std::fs::read(folder().join(file)).unwrap_or_else(|_| panic!("no file {file}"))
            }
            Self::Hex { hex } => {
                let digits: Vec<u8> =
                    hex.chars().filter_map(|digit| digit.to_digit(16)?.try_into().ok()).collect();
                digits.chunks(2).map(|pair| pair[0] * 16 + pair[1]).collect()
            }
        }
    }
}

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
