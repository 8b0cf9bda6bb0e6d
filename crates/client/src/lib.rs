//! The Rust SDK: typed, asynchronous calls over the contract. The command line and the tests stand on it.
//!
//! ```no_run
//! use rookery_api::products::sts::GetCallerIdentityRequest;
//! use rookery_client::{Client, Credentials};
//!
//! # async fn example() -> Result<(), rookery_client::ClientError> {
//! let client = Client::new("http://127.0.0.1:8080", Credentials::new("AKID…", "…"))?.region("ap-guangzhou");
//! let me = client.call(&GetCallerIdentityRequest {}).await?;
//! println!("{} (request {})", me.response.arn, me.request_id);
//! # Ok(())
//! # }
//! ```
//!
//! * [`Client`]: where calls go, how they are signed ([`Signing`]) and tried again ([`Retry`]). [`Client::tencent_cloud`] is the
//!   real service; everything else is the same there.
//! * [`credentials`]: keys given, or found in the environment, in files, at the metadata service, or exchanged for a web identity.
//! * [`Client::pages`] and [`Client::items`]: lists in pages, as streams.
//! * [`Transport`]: timeouts and trusted authorities.
//!
//! Futures need a Tokio runtime with its I/O and time drivers.

/// The guide's examples are compiled with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/guides/rust-sdk.md")]
struct Guide;

mod client;
pub mod credentials;
mod endpoint;
mod error;
mod paging;
mod reply;
mod retry;
mod signing;
mod transport;

pub use client::Client;
pub use credentials::{CredentialError, Credentials, ProvideCredentials};
pub use endpoint::{Endpoint, EndpointError};
pub use error::ClientError;
pub use futures_util::TryStreamExt;
pub use paging::{Paging, list_of};
pub use reply::Reply;
pub use retry::Retry;
pub use rookery_tc3::v1::Method as Hmac;
pub use signing::Signing;
pub use transport::{Transport, TransportError, Trust};
