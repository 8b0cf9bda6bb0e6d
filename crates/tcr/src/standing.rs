//! What decides whether a login still stands, in memory: bearer tokens outlive the login that they were given for, so each request
//! asks again, and most ask the same.
//!
//! Nothing here outlives the truth. Whoever changes a token, an account, a namespace, an endpoint or an instance does so through
//! [`Tcr::change_access`], which forgets everything once the change is durable; and what was read before that is not remembered after it.
//! That something is absent is never remembered.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;
use rookery_store::{Regional, Transaction};

use crate::Tcr;
use crate::error::Error;
use crate::external_endpoint::EndpointRow;
use crate::instances::Instance;
use crate::moments::Moment;
use crate::service_accounts::AccountRow;

/// Entries at most; when there are more, it begins anew.
const ENTRIES: usize = 4096;

/// What is remembered; the first part of each is an instance.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Token(String, String),
    Account(String, String),
    /// The password of an account that was found right.
    Password(String, String),
    Namespace(String, String),
    Endpoint(String),
    /// An instance, by its name.
    Instance(String),
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
}

#[derive(Default)]
struct Memory {
    known: HashMap<Key, Known>,
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
    pub(crate) fn look(&self, key: &Key) -> Result<Known, Since> {
        let memory = self.0.read();
        memory.known.get(key).cloned().ok_or(Since(memory.epoch))
    }

    /// Remembers what was read after `since`.
    pub(crate) fn keep(&self, Since(epoch): Since, key: Key, known: Known) {
        let mut memory = self.0.write();
        if memory.epoch != epoch {
            return;
        }
        if memory.known.len() >= ENTRIES {
            memory.known.clear();
        }
        memory.known.insert(key, known);
    }

    fn forget(&self) {
        let mut memory = self.0.write();
        memory.known.clear();
        memory.epoch += 1;
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

    fn token(name: &str) -> Key {
        Key::Token("tcr-1".to_owned(), name.to_owned())
    }

    fn since(standing: &Standing, key: &Key) -> Since {
        standing.look(key).expect_err("unknown")
    }

    #[test]
    fn what_was_read_before_a_change_is_not_remembered_after_it() {
        let (standing, known) =
            (Standing::default(), Known::Token(Moment::from(time::OffsetDateTime::UNIX_EPOCH)));
        let (one, two) = (token("one"), token("two"));
        standing.keep(since(&standing, &one), one.clone(), known.clone());
        assert!(standing.look(&one).is_ok());
        let before = since(&standing, &two);
        drop(Changing(standing.clone()));
        assert!(standing.look(&one).is_err());
        standing.keep(before, two.clone(), known.clone());
        assert!(standing.look(&two).is_err());
        standing.keep(since(&standing, &two), two.clone(), known);
        assert!(standing.look(&two).is_ok());
    }

    #[test]
    fn the_memory_is_bounded() {
        let standing = Standing::default();
        for number in 0..3 * ENTRIES {
            let key = token(&number.to_string());
            standing.keep(since(&standing, &key), key, Known::Password([0; 32]));
            assert!(standing.0.read().known.len() <= ENTRIES);
        }
    }
}
