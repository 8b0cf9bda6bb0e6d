//! Request signatures of the Tencent Cloud API 3.0: parse, canonicalise, sign, verify, explain.
//!
//! * [`v3`]: `TC3-HMAC-SHA256`, carried by the `Authorization` header.
//! * [`v1`]: `HmacSHA1` and `HmacSHA256`, carried by the parameter `Signature`.
//! * [`explain`]: where a client's canonical request departs from the server's.
//!
//! The crate does no I/O and has no clock: whether a timestamp is recent is for the caller to say.
//!
//! Official clients sign slightly different texts for the same bytes on the wire. Each such way is a named
//! *reading* ([`v3::Reading`], [`v1::Reading`]); `verify` tries them in a fixed order and says which one matched.

pub mod explain;
mod mac;
pub mod v1;
pub mod v3;
