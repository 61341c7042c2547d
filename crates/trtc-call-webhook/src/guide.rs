#![doc = include_str!("../guide/README.md")]

#[doc = include_str!("../guide/getting-started.md")]
pub mod getting_started {}

#[doc = include_str!("../guide/switching-on.md")]
pub mod switching_on {}

#[doc = include_str!("../guide/beginning.md")]
pub mod beginning {}

#[doc = include_str!("../guide/signatures.md")]
pub mod signatures {}

#[doc = include_str!("../guide/events.md")]
pub mod events {}

#[doc = include_str!("../guide/reconcile.md")]
pub mod reconcile {}

#[doc = include_str!("../guide/testing.md")]
pub mod testing {}

#[doc = include_str!("../guide/deployment.md")]
pub mod deployment {}

#[doc = include_str!("../guide/log-hygiene.md")]
pub mod log_hygiene {}

#[doc = include_str!("../guide/operations.md")]
pub mod operations {}

#[doc = include_str!("../guide/several-servers.md")]
pub mod several_servers {}

#[doc = include_str!("../guide/scale.md")]
pub mod scale {}

#[doc = include_str!("../guide/migrating.md")]
pub mod migrating {}

#[doc = include_str!("../guide/troubleshooting.md")]
pub mod troubleshooting {}
