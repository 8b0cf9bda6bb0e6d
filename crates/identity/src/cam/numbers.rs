//! The numbers of users, groups, policies and roles: counted, and never given twice in the whole cloud.

use rookery_store::{Global, Read, StoreError, Table, Transaction};

struct Numbers;

impl Table for Numbers {
    const NAME: &'static str = "cam.numbers";
    type Scope = Global;
    /// What is counted.
    type Key = String;
    /// The number that was given last.
    type Row = u64;
}

/// What is numbered, each from where the platform's own examples have them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numbered {
    /// `Uin` of a sub-user: twelve digits.
    Uin,
    /// `Uid` of a sub-user or a message receiver.
    Uid,
    /// `GroupId`.
    Group,
    /// `PolicyId` of a custom policy; presets lie below.
    Policy,
    /// `RoleId`: nineteen digits.
    Role,
}

impl Numbered {
    fn name(self) -> &'static str {
        match self {
            Self::Uin => "uin",
            Self::Uid => "uid",
            Self::Group => "group",
            Self::Policy => "policy",
            Self::Role => "role",
        }
    }

    fn start(self) -> u64 {
        match self {
            // Root accounts are random numbers between 100,000,000,000 and 100,099,999,999.
            Self::Uin => 100_100_000_000,
            Self::Uid => 10_000_000,
            Self::Group => 100_000,
            Self::Policy => 100_000_000,
            Self::Role => 4_611_686_018_427_390_000,
        }
    }
}

/// The next number. It is only given if the transaction is kept.
pub(crate) fn next(tx: &mut Transaction<'_>, numbered: Numbered) -> Result<u64, StoreError> {
    let last = tx.get::<Numbers>(&Global, numbered.name())?.unwrap_or_else(|| numbered.start());
    let number = last.saturating_add(1);
    tx.put::<Numbers>(&Global, &numbered.name().to_owned(), &number)?;
    Ok(number)
}
