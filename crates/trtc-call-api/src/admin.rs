//! The administrator in whose name requests are sent.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use trtc_call_webhook::SdkAppId;

use crate::{Claims, SecretKey, UserSig};

/// For how many seconds its UserSig is valid, and after how many a new one is made.
const VALID_FOR: u64 = 60 * 60;
const RENEW_AFTER: u64 = VALID_FOR / 2;

pub(crate) struct Admin {
    app: SdkAppId,
    key: SecretKey,
    identifier: String,
    cached: Mutex<Option<Cached>>,
}

struct Cached {
    user_sig: UserSig,
    issued_at: u64,
}

impl Admin {
    pub(crate) const fn new(app: SdkAppId, key: SecretKey, identifier: String) -> Self {
        Self { app, key, identifier, cached: Mutex::new(None) }
    }

    pub(crate) const fn app(&self) -> SdkAppId {
        self.app
    }

    pub(crate) fn identifier(&self) -> &str {
        &self.identifier
    }

    /// A UserSig that is valid now, and whether it was made just now.
    pub(crate) fn user_sig(&self, now: SystemTime) -> (UserSig, bool) {
        let now = unix_seconds(now);
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        // Of a clock that went back none is left.
        let age = |cached: &Cached| now.checked_sub(cached.issued_at);
        match &*cached {
            Some(known) if age(known).is_some_and(|age| age < RENEW_AFTER) => {
                (known.user_sig.clone(), false)
            }
            _ => {
                let user_sig =
                    Claims::new(self.app, &*self.identifier, now, VALID_FOR).sign(&self.key);
                *cached = Some(Cached { user_sig: user_sig.clone(), issued_at: now });
                (user_sig, true)
            }
        }
    }

    /// The vendor did not take this UserSig: the next one is new.
    pub(crate) fn forget(&self, refused: &UserSig) {
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        if cached.as_ref().is_some_and(|cached| cached.user_sig == *refused) {
            *cached = None;
        }
    }

    /// A UserSig for another user.
    pub(crate) fn sign(&self, identifier: &str, now: SystemTime, valid_for: Duration) -> UserSig {
        Claims::new(self.app, identifier, unix_seconds(now), valid_for.as_secs()).sign(&self.key)
    }
}

/// A time in whole unix seconds, rounded down; 0 for any before 1970.
pub(crate) fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
