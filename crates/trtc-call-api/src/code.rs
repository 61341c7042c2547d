//! The vendor's error codes.

use std::fmt;

/// An error code of the vendor's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(pub i64);

/// Writes the table of codes once: number, what it means, what to do about it if that helps.
macro_rules! codes {
    ($($number:literal, $meaning:literal $(, $advice:expr)?;)*) => {
        impl Code {
            /// Every code that is documented.
            pub const KNOWN: &'static [Self] = &[$(Self($number)),*];

            /// What it means, where that is documented.
            #[must_use]
            pub const fn meaning(self) -> Option<&'static str> {
                match self.0 { $($number => Some($meaning),)* _ => None }
            }

            /// What to do about it, where there is something.
            #[must_use]
            pub const fn advice(self) -> Option<&'static str> {
                match self.0 { $($($number => Some($advice),)?)* _ => None }
            }
        }
    };
}

const ACCOUNT: &str =
    "check the SDKAppID, the administrator's name, the secret key and this machine's clock";
const KEY: &str = "the secret key must be the one that the console shows for this SDKAppID";
const REGION: &str = "check the SDKAppID and that the region is the one that the app was made in";
const RATE: &str = "lower the rate limit of every program that calls for this app";
const LATER: &str = "try again later";
const OURS: &str = "the vendor may have changed its API: report it to this crate";

// 647/68926, the pages of the calls, and for the codes of accounts 679/131708.
codes! {
    60002, "the HTTP request cannot be parsed", OURS;
    60003, "the request's JSON cannot be parsed", OURS;
    60004, "wrong account or signature", ACCOUNT;
    60005, "wrong account or signature", ACCOUNT;
    60006, "wrong SDKAppID", REGION;
    60007, "too many calls of this API", RATE;
    60008, "time-out at the vendor, or a bad HTTP request", LATER;
    60009, "no such URL", "check the base URL";
    60010, "an administrator is needed", "name one that the console lists as an administrator of the app";
    60011, "too many requests for this app", RATE;
    60012, "the SDKAppID is missing", OURS;
    60013, "the vendor could not parse its own answer", LATER;
    60014, "time-out at the vendor's accounts", LATER;
    60015, "an account is no text", OURS;
    60016, "the app is disabled", "see the app in the console";
    60017, "the request is disabled", "see the app's package in the console";
    60018, "requests come too often", RATE;
    60019, "requests come too often", RATE;
    60020, "the app's package has expired", "renew it in the console";
    60021, "this machine's address is not allowed", "allow it in the console";
    70001, "the UserSig has expired", "set this machine's clock";
    70003, "the UserSig cannot be read", KEY;
    70009, "the UserSig was made with another secret key", KEY;
    70013, "the UserSig is another user's", ACCOUNT;
    70014, "the UserSig is another app's", ACCOUNT;
    70016, "the vendor has no key for this app", REGION;
    70020, "the vendor has no such app", REGION;
    70050, "wrong UserSigs come too often", "correct the secret key, and try again after a minute";
    70051, "the administrator is blocked", "unblock it in the console";
    70107, "the administrator's account does not exist", "import it, or name another one";
    100001, "internal error at the vendor", LATER;
    100002, "wrong parameter", "the callback's URL must begin with http:// or https://, and its commands be the vendor's";
    100301, "no callback is set", "set one";
    101001, "internal error at the vendor", LATER;
    101002, "wrong parameter";
    101004, "the call is over";
    101050, "no such record", "a record is there from 5 seconds after the call's end, for 7 days";
}

impl Code {
    /// No callback is set.
    pub const NO_CALLBACK: Self = Self(100_301);
    /// There is no such record.
    pub const NO_RECORD: Self = Self(101_050);

    pub(crate) const fn is_transient(self) -> bool {
        self.is_rate_limit() || matches!(self.0, 60008 | 60014 | 100_001 | 101_001)
    }

    pub(crate) const fn is_rate_limit(self) -> bool {
        matches!(self.0, 60007 | 60011 | 60018 | 60019)
    }

    /// Whether it is about whoever asks, or the vendor itself, and not about what is asked.
    pub(crate) const fn concerns_all(self) -> bool {
        matches!(self.0, 60004..=60008 | 60010..=60021 | 70000..=79999)
    }

    /// Whether a new UserSig may help.
    pub(crate) const fn is_about_user_sig(self) -> bool {
        matches!(self.0, 60004 | 60005 | 70001 | 70003 | 70009)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
