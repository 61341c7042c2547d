//! The drivers: one file for core and one for each adapter.

pub mod actix_web;
pub mod axum;
pub mod core;
pub mod tower;

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

/// Makes a test of each function, an `async fn` that takes `$subject`, in a module `$name`.
#[macro_export]
macro_rules! against {
    ($name:ident, $subject:expr, $($test:ident)*) => {
        mod $name {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $test() {
                    super::$test($subject).await;
                }
            )*
        }
    };
}
