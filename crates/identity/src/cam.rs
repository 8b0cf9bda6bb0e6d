//! CAM's rows: users, keys, groups, policies, roles, what is attached to whom, identity providers and settings of an account.
//!
//! Rows belong to an account. Sub-users, groups, policies and roles have numbers that are unique in the whole cloud. Every change goes
//! through [`Cam::change`](crate::Cam::change), which tells the rights held in memory what to read again before the reply leaves.

pub(crate) mod access_keys;
pub(crate) mod attachments;
pub(crate) mod boundaries;
pub(crate) mod changes;
pub(crate) mod documents;
pub(crate) mod error;
pub(crate) mod groups;
pub(crate) mod key_uses;
pub(crate) mod moments;
pub(crate) mod names;
pub(crate) mod numbers;
pub(crate) mod pages;
pub(crate) mod passwords;
pub(crate) mod policies;
pub(crate) mod presets;
pub(crate) mod providers;
pub(crate) mod receivers;
pub(crate) mod roles;
pub(crate) mod safe_auth;
pub(crate) mod settings;
mod tag_holder;
pub(crate) mod user_sso;
pub(crate) mod users;
