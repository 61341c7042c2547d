//! What time it is.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What a store takes for the time: the system's, or for a test one that is moved by hand. Clones are
/// the same clock.
#[derive(Clone, Default)]
pub struct Clock(Option<Arc<Mutex<SystemTime>>>);

impl Clock {
    /// The system's clock.
    #[must_use]
    pub const fn system() -> Self {
        Self(None)
    }

    /// A clock that stands still until it is moved. It begins on 1 January 2026.
    #[must_use]
    pub fn manual() -> Self {
        let start = UNIX_EPOCH.checked_add(Duration::from_secs(1_767_225_600));
        Self(Some(Arc::new(Mutex::new(start.unwrap_or(UNIX_EPOCH)))))
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.0.as_ref().map_or_else(SystemTime::now, |time| {
            *time.lock().unwrap_or_else(PoisonError::into_inner)
        })
    }

    /// Moves a clock that is moved by hand forward; does nothing to the system's.
    pub fn advance(&self, by: Duration) {
        self.shift(|now| now.checked_add(by));
    }

    /// Sets it back, as a clock that went wrong is.
    pub fn set_back(&self, by: Duration) {
        self.shift(|now| now.checked_sub(by));
    }

    fn shift(&self, to: impl FnOnce(SystemTime) -> Option<SystemTime>) {
        if let Some(time) = &self.0 {
            let mut time = time.lock().unwrap_or_else(PoisonError::into_inner);
            *time = to(*time).unwrap_or(*time);
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Clock(manual)" } else { "Clock(system)" })
    }
}
