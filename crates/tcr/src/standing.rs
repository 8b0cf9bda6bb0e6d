//! What decides whether a login still stands, in memory: bearer tokens outlive the login that they were given for, so each request
//! asks again, and most ask the same.
//!
//! Nothing here outlives the truth. Whoever changes a token, an account, a namespace, an endpoint or an instance does so through
//! [`Tcr::change_access`], which forgets everything once the change is durable; and what was read before that is not remembered after it.
//! That something is absent is never remembered.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use parking_lot::RwLock;
use rookery_gateway::Caller;
use rookery_store::{Regional, Transaction};

use crate::Tcr;
use crate::error::Error;
use crate::external_endpoint::EndpointRow;
use crate::instances::Instance;
use crate::moments::Moment;
use crate::service_accounts::AccountRow;

/// Entries at most; when there are more, it begins anew.
const ENTRIES: usize = 4096;

/// What is remembered; the first part of most is an instance. Borrowed: a look makes no copy of it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Key<'k> {
    Token(&'k str, &'k str),
    Account(&'k str, &'k str),
    /// The password of an account that was found right.
    Password(&'k str, &'k str),
    Namespace(&'k str, &'k str),
    Endpoint(&'k str),
    /// An instance, by its name.
    Instance(&'k str),
    /// A caller, by its text in a token.
    Caller(&'k str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Token,
    Account,
    Password,
    Namespace,
    Endpoint,
    Instance,
    Caller,
}

impl<'k> Key<'k> {
    fn parts(self) -> (Kind, &'k str, &'k str) {
        match self {
            Self::Token(instance, token) => (Kind::Token, instance, token),
            Self::Account(instance, name) => (Kind::Account, instance, name),
            Self::Password(instance, name) => (Kind::Password, instance, name),
            Self::Namespace(instance, name) => (Kind::Namespace, instance, name),
            Self::Endpoint(instance) => (Kind::Endpoint, instance, ""),
            Self::Instance(name) => (Kind::Instance, name, ""),
            Self::Caller(text) => (Kind::Caller, text, ""),
        }
    }
}

/// What is known of it.
#[derive(Clone, Debug)]
pub(crate) enum Known {
    /// An enabled token, and when it ends.
    Token(Moment),
    Account(Arc<AccountRow>),
    /// A digest of the password and the account's salt, which leaves this process nowhere.
    Password([u8; 32]),
    /// Whether it can be pulled from without a login, and whose it is.
    Namespace {
        open: bool,
        scope: Arc<Regional>,
    },
    Endpoint(Arc<EndpointRow>),
    Instance(Arc<Instance>),
    Caller(Arc<Caller>),
}

#[derive(Default)]
struct Memory {
    known: BTreeMap<Kind, HashMap<String, HashMap<String, Known>>>,
    entries: usize,
    /// Grows with each change.
    epoch: u64,
}

/// The memory. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Standing(Arc<RwLock<Memory>>);

/// Taken before the store is read: says whether what was read may be remembered.
#[derive(Clone, Copy)]
pub(crate) struct Since(u64);

/// A change under way: everything is forgotten when it is over.
pub(crate) struct Changing(Standing);

impl Drop for Changing {
    fn drop(&mut self) {
        self.0.forget();
    }
}

impl Standing {
    /// What is known, else when it was asked for.
    pub(crate) fn look(&self, key: Key<'_>) -> Result<Known, Since> {
        let (kind, first, second) = key.parts();
        let memory = self.0.read();
        let of_kind = memory.known.get(&kind);
        let found = of_kind.and_then(|of_kind| of_kind.get(first)?.get(second));
        found.cloned().ok_or(Since(memory.epoch))
    }

    /// Remembers what was read after `since`.
    pub(crate) fn keep(&self, Since(epoch): Since, key: Key<'_>, known: Known) {
        let (kind, first, second) = key.parts();
        let mut memory = self.0.write();
        if memory.epoch != epoch {
            return;
        }
        if memory.entries >= ENTRIES {
            memory.clear();
        }
        let of_kind = memory.known.entry(kind).or_default();
        let replaced = of_kind.entry(first.to_owned()).or_default().insert(second.to_owned(), known);
        memory.entries += usize::from(replaced.is_none());
    }

    fn forget(&self) {
        let mut memory = self.0.write();
        memory.clear();
        memory.epoch += 1;
    }
}

impl Memory {
    fn clear(&mut self) {
        self.known.clear();
        self.entries = 0;
    }
}

impl Tcr {
    /// A transaction that changes what access stands on.
    pub(crate) async fn change_access<T, F>(&self, write: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Fn(&mut Transaction<'_>) -> Result<T, Error> + Send + 'static,
    {
        // The mark goes with the closure, after the commit, also where nobody waits for the answer any more.
        let mark = Changing(self.standing.clone());
        let write = move |tx: &mut Transaction<'_>| {
            let _until_committed = &mark;
            write(tx)
        };
        let changed = self.store.write(write).await;
        self.standing.forget();
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(name: &str) -> Key<'_> {
        Key::Token("tcr-1", name)
    }

    fn since(standing: &Standing, key: Key<'_>) -> Since {
        standing.look(key).expect_err("unknown")
    }

    #[test]
    fn what_was_read_before_a_change_is_not_remembered_after_it() {
        let (standing, known) =
            (Standing::default(), Known::Token(Moment::from(time::OffsetDateTime::UNIX_EPOCH)));
        let (one, two) = (token("one"), token("two"));
        standing.keep(since(&standing, one), one, known.clone());
        assert!(standing.look(one).is_ok());
        let before = since(&standing, two);
        drop(Changing(standing.clone()));
        assert!(standing.look(one).is_err());
        standing.keep(before, two, known.clone());
        assert!(standing.look(two).is_err());
        standing.keep(since(&standing, two), two, known);
        assert!(standing.look(two).is_ok());
    }

    #[test]
    fn the_memory_is_bounded() {
        let standing = Standing::default();
        for number in 0..3 * ENTRIES {
            let name = number.to_string();
            let key = if number % 2 == 0 { token(&name) } else { Key::Instance(&name) };
            standing.keep(since(&standing, key), key, Known::Password([0; 32]));
            let memory = standing.0.read();
            let kept: usize = memory.known.values().flat_map(HashMap::values).map(HashMap::len).sum();
            assert!(kept <= ENTRIES && kept == memory.entries);
        }
    }
}
