//! What the actions of STS have in common: the names of roles, the texts that come with a request, what they refuse.

pub(crate) mod assuming;
pub(crate) mod error;
pub(crate) mod mfa;
pub(crate) mod parameters;
pub(crate) mod role_names;
pub(crate) mod web_identity;
