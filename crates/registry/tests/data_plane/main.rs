//! The data plane as clients and products see it: every row of the endpoint table with each of its refusals.

mod addressing;
mod blobs;
mod catalog;
mod collecting;
mod crashes;
mod deleting;
mod kit;
mod manifests;
mod products;
mod referrers;
mod streaming;
mod tags;
mod tokens;
mod uploads;
