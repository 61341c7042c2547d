//! What a verifier is told: the apps, how their callbacks are authenticated, the limits.

use std::time::Duration;

use crate::log::Log;

mod builder;
mod sdk_app;
mod sdk_app_id;

pub use builder::{BuildError, VerifierBuilder};
pub(crate) use sdk_app::Policy;
pub use sdk_app::SdkApp;
pub use sdk_app_id::{InvalidSdkAppId, SdkAppId};

/// What can work, as [`VerifierBuilder::build`] has seen.
pub(crate) struct Config {
    pub(crate) apps: Vec<SdkApp>,
    pub(crate) replay_window: Duration,
    pub(crate) body_limit: usize,
    /// What was logged before.
    pub(crate) log: Log,
}
