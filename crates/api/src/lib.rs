//! The contract: types of every action of the products in `models/`, and their static shapes.
//!
//! Generated at build time from facts (names, types, required, nullable, error codes); see `build/`. Everything
//! that knows the contract stands on this crate: the gateway's parameter checks, the client, the command line.

pub mod codec;
pub mod decode;
pub mod flatten;
pub mod region;
pub mod shape;

pub use codec::{ErrorCode, Nulls, Request, Structure};
pub use products::PRODUCTS;

/// One module for each product of the models.
pub mod products {
    include!(concat!(env!("OUT_DIR"), "/products.rs"));
}
pub use products::*;
