//! The front door: from bytes to a typed call, and from a reply to bytes.
//!
//! A request walks down a street of steps; each is a module named for what it decides, and a step that fails answers at once
//! with its own error:
//!
//! 1. [`arrival`]: method, size, encoding; [`admission`]: whether the sender's network may call at all.
//! 2. [`address`]: product and access region from `Host`.
//! 3. [`common_parameters`]: headers (v3) or request string (v1).
//! 4. [`caller`]: signature, timestamp, token, key.
//! 5. [`action`]: the descriptor of the action, its version and region.
//! 6. [`rate`]: calls per second.
//! 7. [`parameters`]: the checked, typed request, from JSON, flattened text, [`multipart`] or [`octet_stream`].
//! 8. [`permission`]: what the caller may do.
//! 9. The action itself, a typed function of a product.
//! 10. [`reply`]: HTTP 200 and the envelope, recorded in the [`trace`].
//!
//! [`pipeline`] is the street; nothing else calls the steps. Products see [`Call`], never HTTP, bytes or signatures.

pub mod action;
pub mod address;
pub mod admission;
pub mod arrival;
pub mod call;
pub mod caller;
pub mod common_parameters;
pub mod diagnosis;
pub mod error;
mod head_timer;
pub mod identity;
pub mod listen;
pub mod masking;
pub mod multipart;
pub mod never_read;
pub mod octet_stream;
pub mod parameters;
pub mod permission;
pub mod pipeline;
pub mod proxy;
pub mod rate;
mod readers;
pub mod replay;
pub mod reply;
pub mod signing_keys;
pub mod tls;
pub mod trace;

pub use action::{Actions, Place, Reason, Standing};
pub use call::{Account, Answered, Call, Caller, Language, Principal, RequestId, Session};
pub use error::{CommonError, Refusal};
pub use identity::{Credential, CredentialError, Decision, Identity, ResourceTags, SecretKey};
pub use permission::{Circumstances, Question, Resource};
pub use pipeline::{Gateway, Options};
