//! This machine's clock against others: a signature is valid for 60 seconds.

use std::time::{Duration, SystemTime};

use jiff::fmt::rfc2822;
use reqwest::header::DATE;
use reqwest::redirect::Policy;
use rustls::crypto::ring;
use trtc_call_api::Client;

use super::report::{Check, Report};
use crate::client::cause;
use crate::time;

/// How far clocks may be apart, in seconds: half of what a signature is valid for.
const MAX_APART: u64 = 30;

/// How long the vendor's server is waited for.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Whose clock it is.
#[derive(Clone, Copy)]
pub(super) enum Whose {
    Vendor,
    Endpoint,
}

/// Looks at the clock of the vendor's server. Nothing secret is sent.
pub(super) async fn check(vendor: &Client, report: &mut Report) {
    match ask(vendor.base_url()).await {
        Ok(date) => judge(Whose::Vendor, date.as_deref(), report),
        Err(error) => report.skip(Check::Clock, format!("no answer of the vendor's: {error}")),
    }
}

/// What its answer says, whatever its status.
async fn ask(base_url: &str) -> Result<Option<String>, String> {
    let client = client(base_url).map_err(|error| cause(&error))?;
    let answer = client.get(base_url).send().await.map_err(|error| {
        if error.is_timeout() { "it takes too long".to_owned() } else { cause(&error) }
    })?;
    let date = answer.headers().get(DATE).and_then(|date| date.to_str().ok());
    Ok(date.map(str::to_owned))
}

/// Asks the vendor's server what takes no credentials.
pub(super) fn client(base_url: &str) -> reqwest::Result<reqwest::Client> {
    // Where there is one already it is this one.
    let _ = ring::default_provider().install_default();
    let builder = reqwest::Client::builder().redirect(Policy::none()).timeout(TIMEOUT);
    // As for the calls of the API, a proxy is only for those who are far away.
    let builder = if base_url.starts_with("https") { builder } else { builder.no_proxy() };
    builder.build()
}

/// Compares the `Date` of an answer that has just come.
pub(super) fn judge(whose: Whose, date: Option<&str>, report: &mut Report) {
    let (whose, advice) = match whose {
        Whose::Vendor => ("the vendor's", "set this machine's clock, and keep it right by NTP"),
        Whose::Endpoint => (
            "the endpoint's",
            "set the endpoint's clock, if not this one's: signatures are checked by it",
        ),
    };
    let then = date.and_then(|date| rfc2822::parse(date).ok());
    let Some(then) = then.map(|then| then.timestamp().as_second()) else {
        return report.skip(Check::Clock, format!("{whose} answer has no Date"));
    };
    let ahead = time::seconds(SystemTime::now()).saturating_sub(then);
    let apart = ahead.unsigned_abs();
    if apart <= MAX_APART {
        return report.ok(Check::Clock, format!("it agrees with {whose} within {MAX_APART} s"));
    }
    let how = if ahead > 0 { "ahead of" } else { "behind" };
    report.find(Check::Clock, format!("this machine's is {apart} s {how} {whose}"), advice);
}
