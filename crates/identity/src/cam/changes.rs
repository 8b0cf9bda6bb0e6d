//! Changing rows, and telling the rights held in memory.

use rookery_store::{Store, StoreError, Transaction};

use crate::Cam;
use crate::cam::error::Error;

/// What a transaction changed of what decisions are made from. Who follows reads the rows again: by then they may have changed once
/// more, or be gone, and either way the rows are right.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Changed {
    /// The key of that SecretId: made, enabled, disabled or deleted.
    Key(String),
    /// The sub-user of that `Uin`: made, deleted, its name, groups, attachments, boundary or tags.
    User(u64),
    /// The group of that number: made, deleted, its attachments. Its members are told as [`Changed::User`].
    Group(u64),
    /// The policy of that number: its text in force, or deleted.
    Policy(u64),
    /// The role of that number: made, deleted, its trust, attachments, boundary, longest session or tags.
    Role(u64),
    /// The SAML or OIDC provider of that name.
    Provider(String),
}

/// Who holds rights in memory.
pub(crate) trait Follower: Send + Sync {
    /// Reads again what has changed in `account`. Called after the change is durable and before its reply leaves; calls can come in
    /// another order than the changes they tell of.
    fn follow(&self, store: &Store, account: u64, changed: &[Changed]) -> Result<(), StoreError>;
}

/// A transaction over the rows of CAM that keeps in mind what it changes.
pub(crate) struct Change<'c, 't> {
    /// The rows.
    pub(crate) tx: &'c mut Transaction<'t>,
    changed: Vec<Changed>,
}

impl Change<'_, '_> {
    /// Says that something has changed.
    pub(crate) fn note(&mut self, changed: Changed) {
        if !self.changed.contains(&changed) {
            self.changed.push(changed);
        }
    }
}

impl Cam {
    /// Runs `f` as one transaction in `account`; returns when what it noted is also known to decisions. Carried to its end even where the
    /// client goes away: a change that is kept but not told would leave a deleted key working.
    pub(crate) async fn change<T, F>(&self, account: u64, f: F) -> Result<T, Error>
    where
        F: Fn(&mut Change<'_, '_>) -> Result<T, Error> + Send + 'static,
        T: Send + 'static,
    {
        let (store, follower) = (self.store.clone(), self.follower());
        let carried = tokio::spawn(async move {
            let (value, changed) = store
                .write(move |tx| {
                    let mut change = Change { tx, changed: Vec::new() };
                    let value = f(&mut change)?;
                    let changed = change.changed;
                    Ok::<_, Error>((value, changed))
                })
                .await?;
            follower.follow(&store, account, &changed)?;
            Ok(value)
        });
        carried.await?
    }
}
