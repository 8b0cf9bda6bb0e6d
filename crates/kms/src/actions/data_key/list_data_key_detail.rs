//! `ListDataKeyDetail`: the data keys with everything about them, filtered.

use rookery_api::kms::{ListDataKeyDetailRequest, ListDataKeyDetailResponse, TagFilter};
use rookery_gateway::{Call, Resource};
use rookery_store::{Read, Regional};

use crate::data_keys::{BySequence, DataKey, DataKeyState};
use crate::error::Error;
use crate::indexes::{newest_first, oldest_first};
use crate::keys::{KeyId, Origin};
use crate::listing::{self, Page};
use crate::{Kms, tags};

/// `HsmClusterId` of the data keys that are in no cluster.
const SHARED_CLUSTER: &str = "default";

pub(crate) fn resources(_: &Kms, _: &Call<ListDataKeyDetailRequest>) -> Vec<Resource> {
    vec![Resource::any()]
}

pub(crate) async fn list_data_key_detail(
    kms: &Kms,
    call: Call<ListDataKeyDetailRequest>,
) -> Result<ListDataKeyDetailResponse, Error> {
    let scope = kms.enter(&call).await?;
    let page = Page::read(call.request.offset, call.request.limit)?;
    let order = match call.request.order_type.unwrap_or_default() {
        0 => newest_first(&scope),
        1 => oldest_first(&scope),
        other => return Err(Error::value("OrderType", &other)),
    };
    let filter = Filter::read(call.request)?;
    if let Some(id) = &filter.key {
        kms.key(&scope, id)?;
    }
    kms.store.read(|view| {
        let mut found = Vec::new();
        for (_, id, key) in view.scan_index::<BySequence>(order)? {
            if filter.admits(view, &scope, &id, &key)? {
                found.push((id, key));
            }
        }
        let total_count = found.len() as u64;
        let page = found.into_iter().skip(page.offset).take(page.limit);
        let data_key_metadatas =
            page.map(|(id, key)| key.metadata(view, &scope, id)).collect::<Result<_, Error>>()?;
        Ok(ListDataKeyDetailResponse { data_key_metadatas, total_count })
    })
}

/// Which data keys are asked for.
struct Filter {
    users_keys: bool,
    state: Option<DataKeyState>,
    /// Part of a name or an id, case-sensitive; empty for all.
    text: String,
    origin: Option<Origin>,
    key: Option<KeyId>,
    length: Option<u64>,
    tags: Vec<TagFilter>,
}

impl Filter {
    fn read(request: ListDataKeyDetailRequest) -> Result<Self, Error> {
        if request.member_accounts.is_some_and(|members| !members.is_empty()) {
            return Err(Error::MemberAccounts);
        }
        if request.hsm_cluster_id.as_deref() != Some(SHARED_CLUSTER) {
            listing::refuse_hsm_cluster(request.hsm_cluster_id.as_deref())?;
        }
        let state = match request.key_state.unwrap_or_default() {
            0 => None,
            number => {
                let at = usize::try_from(number - 1).ok();
                let state = at.and_then(|at| DataKeyState::ALL.get(at).copied());
                Some(state.ok_or_else(|| Error::value("KeyState", &number))?)
            }
        };
        Ok(Self {
            users_keys: listing::asks_for_users_keys(request.role)?,
            state,
            text: request.search_key_alias.unwrap_or_default(),
            origin: match request.origin.as_deref().unwrap_or_default() {
                "" | "ALL" => None,
                "TENCENT_KMS" => Some(Origin::Kms),
                "EXTERNAL" => Some(Origin::External),
                other => return Err(Error::value("Origin", other)),
            },
            key: request.key_id.filter(|id| !id.is_empty()).map(|id| KeyId::parse(&id)).transpose()?,
            length: request.data_key_len,
            tags: request.tag_filters.unwrap_or_default(),
        })
    }

    fn admits(&self, view: &impl Read, scope: &Regional, id: &str, key: &DataKey) -> Result<bool, Error> {
        Ok(self.users_keys
            && self.state.is_none_or(|state| state == key.state)
            && (key.name.contains(&self.text) || id.contains(&self.text))
            && self.origin.is_none_or(|origin| origin == key.origin)
            && self.key.as_ref().is_none_or(|id| id.as_str() == key.key)
            && self.length.is_none_or(|length| length == key.length)
            && tags::pass(&tags::of(view, scope, key.creator, id)?, &self.tags))
    }
}
