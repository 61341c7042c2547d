//! The real binary, run as people run it.

#![cfg(unix)]

mod callback;
mod colours;
mod common;
mod demo;
mod doctor;
mod explain;
mod inbox;
mod listen;
mod manual;
mod reconcile;
mod records;
mod send;
mod usersig;
mod vendor;
