//! The store as its users see it.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by failing")]

mod model;
mod notes;
mod opening;
mod suite;
mod transfer;
