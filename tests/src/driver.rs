//! The drivers: one file for core and one for each adapter.

pub mod actix_web;
pub mod axum;
pub mod core;
pub mod tower;
