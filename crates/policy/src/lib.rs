//! CAM's policy language, version 2.0: reading it with clear errors, and deciding. No I/O, no clock, no product.
//!
//! - [`Document::parse`] reads an identity's policy, [`Document::parse_trust`] the policy that says who may assume a role; what
//!   is not a policy is a [`SyntaxError`] that names the place and the kind of the fault.
//! - [`decide`] asks a set of documents about one [`Request`] and names the statement that decided: deny by default, a matching
//!   deny over any allow. Boundaries and session policies are further sets, asked one after the other: every one has to allow.
//! - [`trusts`] asks a trust policy about an [`Applicant`].
//!
//! Where the platform's documents are silent, the choice is written at the type that makes it.

mod condition;
mod context;
mod decision;
mod document;
mod error;
mod instant;
mod json;
mod pattern;
mod principal;
mod resource;

pub use context::{Context, Value};
pub use decision::{Decision, Request, decide, trusts};
pub use document::{Document, Effect, LIMIT, Statement};
pub use error::{Fault, SyntaxError};
pub use principal::{Applicant, RoleName};
pub use resource::ResourceName;
