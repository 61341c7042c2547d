//! The client against a server of the test's own: real sockets, and bytes that are compared.

mod answers;
mod builder;
mod pages;
mod records;
mod requests;
mod retries;
mod secrets;
mod settings;
mod support;
mod user_sig;
