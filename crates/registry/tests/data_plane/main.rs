//! The data plane as clients and products see it: every row of the endpoint table with each of its refusals.

#![allow(clippy::expect_used, reason = "a test says what it expects by failing, in its helpers too")]

mod addressing;
mod blobs;
mod catalog;
mod collecting;
mod crashes;
mod deleting;
mod history;
mod kit;
mod manifests;
mod products;
mod pulls;
mod racing;
mod referrers;
mod scrubbing;
mod streaming;
mod tags;
mod tokens;
mod uploads;
mod usage;
