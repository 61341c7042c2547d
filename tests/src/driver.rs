//! The drivers: one file for core and one for each adapter.

pub mod actix_web;
pub mod axum;
pub mod core;
pub mod tower;

use std::time::Duration;

use tokio::time::timeout;

/// Makes a test of each function, for each server: an `async fn` that takes any
/// [`Serve`](crate::Serve).
#[macro_export]
macro_rules! against_every_server {
    ($($test:ident)*) => {
        $crate::against! { axum, $crate::driver::axum::Axum, $($test)* }
        $crate::against! {
            actix_web,
            $crate::driver::actix_web::ActixWeb($crate::driver::actix_web::Way::Extractor),
            $($test)*
        }
        $crate::against! {
            actix_web_middleware,
            $crate::driver::actix_web::ActixWeb($crate::driver::actix_web::Way::Middleware),
            $($test)*
        }
        $crate::against! { hyper, $crate::driver::tower::Hyper, $($test)* }
    };
}

/// Makes a test of each function, for each example: an `async fn` that takes the package's name.
#[macro_export]
macro_rules! against_every_example {
    ($($test:ident)*) => {
        $crate::against! {
            example_axum,
            $crate::programs::built("example-axum", env!("CARGO_TARGET_TMPDIR")),
            $($test)*
        }
        $crate::against! {
            example_actix_web,
            $crate::programs::built("example-actix-web", env!("CARGO_TARGET_TMPDIR")),
            $($test)*
        }
        $crate::against! {
            example_hyper,
            $crate::programs::built("example-hyper", env!("CARGO_TARGET_TMPDIR")),
            $($test)*
        }
    };
}

/// Waits for the end of a test, for two minutes, so that a machine that does other things keeps it.
///
/// # Panics
///
/// If it has not come then.
pub async fn in_time(test: impl Future<Output = ()>) {
    timeout(Duration::from_secs(120), test).await.expect("an end");
}

/// Makes a test of each function, an `async fn` that takes `$subject`, in a module `$name`. It has
/// to come to its end [in time](crate::driver::in_time).
#[macro_export]
macro_rules! against {
    ($name:ident, $subject:expr, $($test:ident)*) => {
        mod $name {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $test() {
                    $crate::driver::in_time(super::$test($subject)).await;
                }
            )*
        }
    };
}
