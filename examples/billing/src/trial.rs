//! Attempts that fail, and attempts that take a while.

use std::time::Duration;

use example_support::variable;

/// What the handler does so that retries can be looked at.
#[derive(Clone, Copy)]
pub(crate) struct Trial {
    /// How many attempts of each call fail.
    pub(crate) failures: u32,
    /// How long each attempt takes.
    pub(crate) delay: Duration,
}

impl Trial {
    pub(crate) fn from_env() -> Result<Self, String> {
        let number = |name| {
            let text = variable(name)?.unwrap_or_else(|| "0".to_owned());
            text.parse::<u32>().map_err(|_| format!("{name} must be a whole number"))
        };
        let delay = Duration::from_millis(number("BILL_DELAY_MS")?.into());
        Ok(Self { failures: number("BILL_FAIL_FIRST")?, delay })
    }
}
