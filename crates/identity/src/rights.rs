//! What the policies of a sub-user or a role say: read from CAM's rows when first asked for, and kept until something changes.
//!
//! Each change of the rows begins a new generation once it is durable, and before its reply leaves: who asks after the reply finds
//! what was kept out of date, and reads again. A read that runs beside a change carries the number from before, so it is read again too.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;
use rookery_policy::Document;
use rookery_store::{Account as Scope, Read, Scan, Store, StoreError};

use crate::cam::attachments::{Attachments, Entity};
use crate::cam::groups::{ByMember, Groups};
use crate::cam::policies::{Policies, PolicyVersions};
use crate::cam::presets;
use crate::cam::roles::Roles;
use crate::cam::users::Users;

/// How many identities' rights are kept.
const KEPT: usize = 4096;
/// A user is in ten groups at most.
const GROUPS: usize = 1000;

/// Who has policies of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Bearer {
    /// A sub-user, by its number.
    User(u64),
    /// A role, by its number.
    Role(u64),
}

/// What an identity may do.
#[derive(Debug)]
pub(crate) struct Rights {
    /// The user's or the role's name.
    pub(crate) name: Arc<str>,
    /// The policies that are attached to it, and to the groups that it is in.
    pub(crate) policies: Vec<Policy>,
    /// What it may do at most.
    pub(crate) boundary: Option<Policy>,
    /// Its tags.
    pub(crate) tags: Vec<(String, String)>,
    /// A policy in force that cannot be read. It might deny, so nothing is allowed.
    pub(crate) unreadable: Option<String>,
}

/// A policy in force.
#[derive(Debug)]
pub(crate) struct Policy {
    /// What the trace calls it: `policy X`, `policy X of group Y`.
    pub(crate) label: String,
    pub(crate) document: Document,
}

/// The rights that have been asked for.
pub(crate) struct RightsInMemory {
    store: Store,
    generation: AtomicU64,
    kept: RwLock<HashMap<(u64, Bearer), Kept>>,
}

struct Kept {
    generation: u64,
    /// `None` where there is no such identity.
    rights: Option<Arc<Rights>>,
}

impl RightsInMemory {
    pub(crate) fn new(store: Store) -> Self {
        Self { store, generation: AtomicU64::new(0), kept: RwLock::default() }
    }

    /// Everything is read again when it is next asked for.
    pub(crate) fn forget(&self) {
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// The rights of an identity; `None` where there is none.
    pub(crate) fn of(&self, account: u64, bearer: Bearer) -> Result<Option<Arc<Rights>>, StoreError> {
        let generation = self.generation.load(Ordering::Acquire);
        if let Some(kept) = self.kept.read().get(&(account, bearer))
            && kept.generation == generation
        {
            return Ok(kept.rights.clone());
        }
        let rights = self.store.read(|view| read(view, account, bearer))?.map(Arc::new);
        let mut kept = self.kept.write();
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert((account, bearer), Kept { generation, rights: rights.clone() });
        Ok(rights)
    }
}

fn read(view: &impl Read, account: u64, bearer: Bearer) -> Result<Option<Rights>, StoreError> {
    let scope = Scope { uin: account };
    let mut rights = match bearer {
        Bearer::User(uin) => {
            let Some(user) = view.get::<Users>(&scope, &uin)? else { return Ok(None) };
            let mut rights = Rights::of(user.name, user.tags);
            rights.limit(view, scope, user.boundary)?;
            rights.attach(view, scope, Entity::User(uin), "")?;
            for (_, (group, _), _) in view
                .find_all::<ByMember>(&uin, GROUPS)?
                .into_iter()
                .filter(|(membership, _, _)| *membership == scope)
            {
                let name = view.get::<Groups>(&scope, &group)?.map(|row| row.name).unwrap_or_default();
                rights.attach(view, scope, Entity::Group(group), &format!(" of group {name}"))?;
            }
            rights
        }
        Bearer::Role(id) => {
            let Some(role) = view.get::<Roles>(&scope, &id)? else { return Ok(None) };
            let mut rights = Rights::of(role.name, role.tags);
            rights.limit(view, scope, role.boundary)?;
            rights.attach(view, scope, Entity::Role(id), "")?;
            rights
        }
    };
    rights.policies.shrink_to_fit();
    Ok(Some(rights))
}

impl Rights {
    fn of(name: String, tags: Vec<(String, String)>) -> Self {
        Self { name: name.into(), policies: Vec::new(), boundary: None, tags, unreadable: None }
    }

    fn attach(&mut self, view: &impl Read, scope: Scope, entity: Entity, of: &str) -> Result<(), StoreError> {
        let attached =
            view.scan_keys::<Attachments>(&scope, Scan::all().prefix(&(entity.kind(), entity.id())))?;
        for (_, _, id) in attached {
            let policy = self.policy(view, scope, id, of)?;
            self.policies.extend(policy);
        }
        Ok(())
    }

    fn limit(&mut self, view: &impl Read, scope: Scope, boundary: Option<u64>) -> Result<(), StoreError> {
        let Some(id) = boundary else { return Ok(()) };
        self.boundary = self.policy(view, scope, id, "")?;
        if self.boundary.is_none() && self.unreadable.is_none() {
            self.unreadable = Some(format!("boundary {id}"));
        }
        Ok(())
    }

    /// The policy of a number; `None` where it is gone, or is noted as unreadable.
    fn policy(
        &mut self,
        view: &impl Read,
        scope: Scope,
        id: u64,
        of: &str,
    ) -> Result<Option<Policy>, StoreError> {
        let Some((name, text)) = text_of(view, scope, id)? else { return Ok(None) };
        let label = format!("policy {name}{of}");
        match Document::parse(&text) {
            Ok(document) => Ok(Some(Policy { label, document })),
            Err(error) => {
                tracing::error!(label, %error, "a policy in force cannot be read");
                self.unreadable = Some(label);
                Ok(None)
            }
        }
    }
}

/// The name and the text in force of a policy.
fn text_of(view: &impl Read, scope: Scope, id: u64) -> Result<Option<(String, String)>, StoreError> {
    if let Some(preset) = presets::find(id) {
        return Ok(Some((preset.name.to_owned(), preset.document.to_owned())));
    }
    let Some(policy) = view.get::<Policies>(&scope, &id)? else { return Ok(None) };
    let version = view.get::<PolicyVersions>(&scope, &(id, policy.default_version))?;
    Ok(version.map(|version| (policy.name, version.document)))
}
