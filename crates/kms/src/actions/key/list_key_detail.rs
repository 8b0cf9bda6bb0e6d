//! `ListKeyDetail`: the keys with everything about them, filtered.

use rookery_api::kms::{ListKeyDetailRequest, ListKeyDetailResponse, TagFilter};
use rookery_gateway::{Call, Resource};
use rookery_store::{Read, StoreError};

use crate::Kms;
use crate::error::Error;
use crate::indexes::{newest_first, oldest_first};
use crate::keys::{BySequence, Key, Origin};
use crate::listing::{self, Page};
use crate::states::KeyState;
use crate::tags;
use crate::usage::KeyUsage;

/// `HsmClusterId` of the keys that are in no cluster.
const SHARED_CLUSTER: &str = "default";

pub(crate) fn resources(_: &Kms, _: &Call<ListKeyDetailRequest>) -> Vec<Resource> {
    vec![Resource::any()]
}

pub(crate) async fn list_key_detail(
    kms: &Kms,
    call: Call<ListKeyDetailRequest>,
) -> Result<ListKeyDetailResponse, Error> {
    let scope = kms.enter(&call).await?;
    let page = Page::read(call.request.offset, call.request.limit)?;
    let order = match call.request.order_type.unwrap_or_default() {
        0 => newest_first(&scope),
        1 => oldest_first(&scope),
        other => return Err(Error::value("OrderType", &other)),
    };
    let filter = Filter::read(call.request)?;
    let found = kms.store.read(|view| {
        let mut found = Vec::new();
        for (_, id, key) in view.scan_index::<BySequence>(order)? {
            if filter.admits(&id, &key)
                && (filter.tags.is_empty()
                    || tags::pass(&tags::of(view, &scope, key.creator, &id)?, &filter.tags))
            {
                found.push((id, key));
            }
        }
        Ok::<_, StoreError>(found)
    })?;
    Ok(ListKeyDetailResponse {
        total_count: found.len() as u64,
        key_metadatas: found
            .into_iter()
            .skip(page.offset)
            .take(page.limit)
            .map(|(id, key)| key.metadata(id))
            .collect(),
    })
}

/// Which keys are asked for.
struct Filter {
    users_keys: bool,
    state: Option<KeyState>,
    /// Part of an alias or an id, case-sensitive; empty for all.
    text: String,
    origin: Option<Origin>,
    usage: Option<KeyUsage>,
    tags: Vec<TagFilter>,
}

impl Filter {
    fn read(request: ListKeyDetailRequest) -> Result<Self, Error> {
        if request.member_accounts.is_some_and(|members| !members.is_empty()) {
            return Err(Error::MemberAccounts);
        }
        if request.hsm_cluster_id.as_deref() != Some(SHARED_CLUSTER) {
            listing::refuse_hsm_cluster(request.hsm_cluster_id.as_deref())?;
        }
        Ok(Self {
            users_keys: listing::asks_for_users_keys(request.role)?,
            state: state(request.key_state.unwrap_or_default())?,
            text: request.search_key_alias.unwrap_or_default(),
            origin: match request.origin.as_deref().unwrap_or_default() {
                "" | "ALL" => None,
                "TENCENT_KMS" => Some(Origin::Kms),
                "EXTERNAL" => Some(Origin::External),
                other => return Err(Error::value("Origin", &other)),
            },
            usage: match request.key_usage.as_deref().unwrap_or_default() {
                "ALL" => None,
                "" => Some(KeyUsage::DEFAULT),
                word => Some(KeyUsage::parse(word)?),
            },
            tags: request.tag_filters.unwrap_or_default(),
        })
    }

    /// Whether a key is asked for, as far as its tags do not matter.
    fn admits(&self, id: &str, key: &Key) -> bool {
        self.users_keys
            && self.state.is_none_or(|state| state == key.state)
            && (key.alias.contains(&self.text) || id.contains(&self.text))
            && self.origin.is_none_or(|origin| origin == key.origin)
            && self.usage.is_none_or(|usage| usage == key.usage)
    }
}

/// The state of that number; 0 stands for every state.
fn state(number: u64) -> Result<Option<KeyState>, Error> {
    let Some(position) = number.checked_sub(1) else { return Ok(None) };
    let state = usize::try_from(position).ok().and_then(|position| KeyState::ALL.get(position));
    state.copied().map(Some).ok_or_else(|| Error::value("KeyState", &number))
}

#[cfg(test)]
mod tests {
    use rookery_api::ErrorCode as _;
    use rookery_api::kms::{CreateKeyRequest, MemberAccount, Tag};
    use rookery_gateway::Refusal;

    use super::*;
    use crate::scene::{ECC, RSA, Scene, order};

    fn everything() -> ListKeyDetailRequest {
        ListKeyDetailRequest {
            offset: None,
            limit: None,
            role: None,
            order_type: None,
            key_state: None,
            search_key_alias: None,
            origin: None,
            key_usage: Some("ALL".to_owned()),
            tag_filters: None,
            hsm_cluster_id: None,
            member_accounts: None,
        }
    }

    async fn aliases(scene: &Scene, request: ListKeyDetailRequest) -> Vec<String> {
        let reply = list_key_detail(&scene.kms, scene.call(request)).await.unwrap();
        reply.key_metadatas.into_iter().map(|key| key.alias).collect()
    }

    async fn tagged(scene: &Scene, alias: &str, tags: &[(&str, &str)]) {
        let tags = tags
            .iter()
            .map(|(key, value)| Tag { tag_key: (*key).to_owned(), tag_value: (*value).to_owned() });
        let request = CreateKeyRequest { tags: Some(tags.collect()), ..order(alias, ECC) };
        scene.create_as(request).await;
    }

    #[tokio::test]
    async fn every_filter_narrows_the_list() {
        let scene = Scene::new();
        scene.create("rsa-one", RSA).await;
        let two = scene.create("ecc-two", ECC).await;
        scene.create("ecc-three", ECC).await;
        scene.disable(&two).await;

        let text = |text: &str| Some(text.to_owned());
        let all = ["ecc-three", "ecc-two", "rsa-one"];
        for (request, expected) in [
            (everything(), &all[..]),
            (
                ListKeyDetailRequest { order_type: Some(1), ..everything() },
                &["rsa-one", "ecc-two", "ecc-three"],
            ),
            (ListKeyDetailRequest { offset: Some(1), limit: Some(1), ..everything() }, &["ecc-two"]),
            (ListKeyDetailRequest { key_usage: None, ..everything() }, &[]),
            (ListKeyDetailRequest { key_usage: text(""), ..everything() }, &[]),
            (ListKeyDetailRequest { key_usage: text("ASYMMETRIC_DECRYPT_SM2"), ..everything() }, &[]),
            (ListKeyDetailRequest { key_usage: text(ECC), ..everything() }, &all[..2]),
            (ListKeyDetailRequest { key_state: Some(0), ..everything() }, &all),
            (ListKeyDetailRequest { key_state: Some(1), ..everything() }, &["ecc-three", "rsa-one"]),
            (ListKeyDetailRequest { key_state: Some(2), ..everything() }, &["ecc-two"]),
            (ListKeyDetailRequest { key_state: Some(3), ..everything() }, &[]),
            (ListKeyDetailRequest { key_state: Some(4), ..everything() }, &[]),
            (ListKeyDetailRequest { key_state: Some(5), ..everything() }, &[]),
            (ListKeyDetailRequest { search_key_alias: text("c-t"), ..everything() }, &all[..2]),
            (ListKeyDetailRequest { search_key_alias: text(&two[..13]), ..everything() }, &["ecc-two"]),
            (ListKeyDetailRequest { search_key_alias: text("ECC"), ..everything() }, &[]),
            (ListKeyDetailRequest { origin: text("ALL"), ..everything() }, &all),
            (ListKeyDetailRequest { origin: text("TENCENT_KMS"), ..everything() }, &all),
            (ListKeyDetailRequest { origin: text("EXTERNAL"), ..everything() }, &[]),
            (ListKeyDetailRequest { role: Some(1), ..everything() }, &[]),
            (ListKeyDetailRequest { hsm_cluster_id: text("default"), ..everything() }, &all),
            (ListKeyDetailRequest { member_accounts: Some(Vec::new()), ..everything() }, &all),
        ] {
            assert_eq!(aliases(&scene, request).await, expected);
        }
        let counted = ListKeyDetailRequest { limit: Some(0), ..everything() };
        assert_eq!(list_key_detail(&scene.kms, scene.call(counted)).await.unwrap().total_count, 3);
    }

    #[tokio::test]
    async fn tag_filters_hold_together_and_their_values_are_alternatives() {
        let scene = Scene::new();
        tagged(&scene, "a", &[("team", "build"), ("stage", "test")]).await;
        tagged(&scene, "b", &[("team", "release")]).await;
        tagged(&scene, "c", &[]).await;
        let filter = |key: &str, values: &[&str]| TagFilter {
            tag_key: key.to_owned(),
            tag_value: Some(values.iter().map(|value| (*value).to_owned()).collect()),
        };
        for (filters, expected) in [
            (vec![filter("team", &[])], &["b", "a"][..]),
            (vec![TagFilter { tag_key: "team".to_owned(), tag_value: None }], &["b", "a"]),
            (vec![filter("team", &["build", "release"])], &["b", "a"]),
            (vec![filter("team", &["build"])], &["a"]),
            (vec![filter("team", &["build", "release"]), filter("stage", &["test"])], &["a"]),
            (vec![filter("team", &["release"]), filter("stage", &["test"])], &[]),
        ] {
            let request = ListKeyDetailRequest { tag_filters: Some(filters), ..everything() };
            assert_eq!(aliases(&scene, request).await, expected);
        }
    }

    #[tokio::test]
    async fn what_no_list_has_is_refused() {
        let scene = Scene::new();
        let member = MemberAccount { member_app_id: None, member_uin: None };
        for (request, code) in [
            (ListKeyDetailRequest { limit: Some(201), ..everything() }, "InvalidParameter"),
            (ListKeyDetailRequest { role: Some(2), ..everything() }, "InvalidParameter"),
            (ListKeyDetailRequest { order_type: Some(2), ..everything() }, "InvalidParameter"),
            (ListKeyDetailRequest { key_state: Some(6), ..everything() }, "InvalidParameter"),
            (
                ListKeyDetailRequest { origin: Some("external".to_owned()), ..everything() },
                "InvalidParameter",
            ),
            (
                ListKeyDetailRequest { key_usage: Some("SIGN".to_owned()), ..everything() },
                "InvalidParameterValue.InvalidKeyUsage",
            ),
            (
                ListKeyDetailRequest { hsm_cluster_id: Some("cls-1".to_owned()), ..everything() },
                "InvalidParameterValue.InvalidHsmClusterId",
            ),
            (
                ListKeyDetailRequest { member_accounts: Some(vec![member]), ..everything() },
                "UnsupportedOperation",
            ),
        ] {
            let refusal = list_key_detail(&scene.kms, scene.call(request)).await.unwrap_err();
            assert_eq!(refusal.code().name(), code);
        }
    }
}
