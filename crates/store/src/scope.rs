//! To whom the rows of a table belong.

use crate::key::{Key, KeyError};

/// The part of a row's key that says to whom it belongs. Implemented by [`Global`], [`Account`] and [`Regional`].
pub trait Scope: Clone {
    /// Appends the encoding to `out`; self-delimiting and order-preserving, as a [`Key`]'s.
    fn encode(&self, out: &mut Vec<u8>);

    /// Takes one scope from the front of `input`.
    fn decode(input: &mut &[u8]) -> Result<Self, KeyError>;
}

/// Rows of the whole cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Global;

/// Rows of one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Account {
    /// The account's number.
    pub uin: u64,
}

/// Rows of one account in one region.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Regional {
    /// The account's number.
    pub uin: u64,
    /// The region's name, for instance `ap-guangzhou`.
    pub region: String,
}

impl Scope for Global {
    fn encode(&self, _: &mut Vec<u8>) {}

    fn decode(_: &mut &[u8]) -> Result<Global, KeyError> {
        Ok(Global)
    }
}

impl Scope for Account {
    fn encode(&self, out: &mut Vec<u8>) {
        self.uin.encode(out);
    }

    fn decode(input: &mut &[u8]) -> Result<Account, KeyError> {
        Ok(Account { uin: u64::decode(input)? })
    }
}

impl Scope for Regional {
    fn encode(&self, out: &mut Vec<u8>) {
        self.uin.encode(out);
        self.region.encode(out);
    }

    fn decode(input: &mut &[u8]) -> Result<Regional, KeyError> {
        Ok(Regional { uin: u64::decode(input)?, region: String::decode(input)? })
    }
}
