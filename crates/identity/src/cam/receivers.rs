//! Message receivers: people who get the account's messages and cannot log in.

use rookery_store::{Account, Table};
use serde::{Deserialize, Serialize};

/// Receivers by their name.
pub(crate) struct Receivers;

impl Table for Receivers {
    const NAME: &'static str = "cam.receivers";
    type Scope = Account;
    /// The name.
    type Key = String;
    type Row = ReceiverRow;
}

/// A receiver.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ReceiverRow {
    pub(crate) uid: u64,
    pub(crate) uin: u64,
    pub(crate) remark: String,
    pub(crate) phone: String,
    pub(crate) country_code: String,
    pub(crate) email: String,
    pub(crate) created_at: i64,
}

/// How many receivers an account may have.
pub(crate) const RECEIVERS: usize = 200;
