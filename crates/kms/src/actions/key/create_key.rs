//! `CreateKey`: makes a key, enabled from the start.

use std::collections::HashSet;

use rookery_api::kms::{CreateKeyRequest, CreateKeyResponse, Tag};
use rookery_gateway::{Call, Resource};

use crate::error::{Error, shortened};
use crate::keys::{self, DESCRIPTION_LIMIT, Key, KeyId, KeyState, KeyTag, KeyUsage};
use crate::material::KeyPair;
use crate::{Kms, listing, scope};

/// `Type` of a key whose material is made here, also if nothing is said.
const GENERATED: u64 = 1;
/// `Type` of a key whose material the customer imports.
const EXTERNAL: u64 = 2;

pub(crate) fn resources(_: &Kms, _: &Call<CreateKeyRequest>) -> Vec<Resource> {
    vec![Resource::any()]
}

pub(crate) async fn create_key(
    kms: &Kms,
    call: Call<CreateKeyRequest>,
) -> Result<CreateKeyResponse, Error> {
    let scope = scope(&call);
    let creator = call.caller.uin();
    let CreateKeyRequest { alias, description, key_usage, r#type, tags, hsm_cluster_id } = call.request;
    keys::check_alias(&alias)?;
    let description = description.unwrap_or_default();
    if description.len() > DESCRIPTION_LIMIT {
        return Err(Error::DescriptionTooLong);
    }
    let usage = KeyUsage::parse(key_usage.as_deref().unwrap_or(KeyUsage::DEFAULT))?;
    match r#type.unwrap_or(GENERATED) {
        GENERATED => {}
        EXTERNAL => return Err(Error::ExternalNotImplemented),
        other => return Err(Error::UnknownType(other)),
    }
    listing::refuse_hsm_cluster(hsm_cluster_id.as_deref())?;
    let tags = read_tags(tags.unwrap_or_default())?;
    // Asked here as well as in the transaction, so that a refusal does not wait for a key pair.
    kms.store.read(|view| keys::check_alias_free(view, &scope, &alias))?;

    let id = KeyId::parse(&kms.world.uuid().to_string())?;
    let pair = tokio::task::spawn_blocking(move || KeyPair::generate(usage))
        .await
        .map_err(|_| Error::Cryptography("the generation of a key pair was broken off"))??;
    let material = pair.to_material(&kms.seal, &id)?;
    let key = Key {
        alias,
        description,
        usage,
        state: KeyState::Enabled,
        creator,
        created: u64::try_from(kms.world.unix_seconds()).unwrap_or_default(),
        sequence: 0,
        tags,
    };
    let (added, name) = (key.clone(), id.clone());
    kms.store.write(move |tx| keys::add(tx, &scope, &name, added.clone(), &material)).await?;

    Ok(CreateKeyResponse {
        key_id: id.to_string(),
        create_time: key.created,
        key_state: key.state.word().to_owned(),
        key_usage: key.usage.word().to_owned(),
        tag_code: 0,
        tag_msg: if key.tags.is_empty() { "no tags to save" } else { "ok" }.to_owned(),
        alias: key.alias,
        description: key.description,
        hsm_cluster_id: String::new(),
    })
}

fn read_tags(tags: Vec<Tag>) -> Result<Vec<KeyTag>, Error> {
    let mut seen = HashSet::new();
    for tag in &tags {
        if tag.tag_key.is_empty() {
            return Err(Error::value("Tags.TagKey", ""));
        }
        if !seen.insert(&tag.tag_key) {
            return Err(Error::TagKeyRepeated(shortened(&tag.tag_key)));
        }
    }
    Ok(tags.into_iter().map(|tag| KeyTag { key: tag.tag_key, value: tag.tag_value }).collect())
}

#[cfg(test)]
mod tests {
    use rookery_api::ErrorCode as _;
    use rookery_gateway::{Language, Refusal};
    use rookery_store::{Read, Regional};

    use super::*;
    use crate::keys::Materials;
    use crate::scene::{ACCOUNT, ECC, NOW, REGION, RSA, Scene, order};

    async fn refused(scene: &Scene, request: CreateKeyRequest) -> &'static str {
        create_key(&scene.kms, scene.call(request)).await.unwrap_err().code().name()
    }

    #[tokio::test]
    async fn a_new_key_is_enabled_and_answers_what_was_asked() {
        let scene = Scene::new();
        let request = CreateKeyRequest {
            description: Some("签名密钥".to_owned()),
            r#type: Some(1),
            hsm_cluster_id: Some(String::new()),
            tags: Some(vec![Tag { tag_key: "team".to_owned(), tag_value: "build".to_owned() }]),
            ..order("release", RSA)
        };
        let reply = create_key(&scene.kms, scene.call(request)).await.unwrap();
        assert!(KeyId::parse(&reply.key_id).is_ok());
        assert_eq!((reply.alias.as_str(), reply.description.as_str()), ("release", "签名密钥"));
        assert_eq!((reply.key_state.as_str(), reply.key_usage.as_str()), ("Enabled", RSA));
        assert_eq!((reply.create_time, reply.tag_code, reply.tag_msg.as_str()), (NOW, 0, "ok"));
        assert_eq!(reply.hsm_cluster_id, "");

        let untagged = create_key(&scene.kms, scene.call(order("other", ECC))).await.unwrap();
        assert_eq!(untagged.tag_msg, "no tags to save");
    }

    #[tokio::test]
    async fn the_private_key_is_sealed_for_its_key_alone() {
        let scene = Scene::new();
        let scope = Regional { uin: ACCOUNT.uin, region: REGION.to_owned() };
        let (one, two) = (scene.create("one", ECC).await, scene.create("two", ECC).await);
        let sealed = scene
            .store
            .read(|view| view.get::<Materials>(&scope, one.as_str()))
            .unwrap()
            .map(|material| material.private_key)
            .unwrap();
        assert!(scene.seal.open(&format!("kms/key/{two}"), &sealed).is_err());
        let opened = scene.seal.open(&format!("kms/key/{one}"), &sealed).unwrap();
        assert!(KeyPair::from_pkcs8(KeyUsage::SignVerifyEcc, &opened).is_ok());
        assert!(KeyPair::from_pkcs8(KeyUsage::SignVerifyRsa2048, &opened).is_err());
    }

    #[tokio::test]
    async fn an_alias_is_unique_in_its_account_and_region() {
        let scene = Scene::new();
        scene.create("release", ECC).await;
        assert_eq!(
            refused(&scene, order("release", ECC)).await,
            "InvalidParameterValue.AliasAlreadyExists"
        );
        let mut elsewhere = scene.call(order("release", ECC));
        elsewhere.region = "ap-beijing".to_owned();
        assert!(create_key(&scene.kms, elsewhere).await.is_ok());
        let mut stranger = scene.call(order("release", ECC));
        stranger.caller.account.uin += 1;
        assert!(create_key(&scene.kms, stranger).await.is_ok());
    }

    #[tokio::test]
    async fn of_two_simultaneous_orders_of_one_alias_one_succeeds() {
        let scene = Scene::new();
        let (one, two) = tokio::join!(
            create_key(&scene.kms, scene.call(order("release", ECC))),
            create_key(&scene.kms, scene.call(order("release", ECC))),
        );
        let ((Ok(_), Err(refusal)) | (Err(refusal), Ok(_))) = (one, two) else {
            panic!("exactly one succeeds");
        };
        assert!(matches!(refusal, Error::AliasTaken(alias) if alias == "release"));
    }

    #[tokio::test]
    async fn what_breaks_a_rule_is_refused_with_its_code() {
        let scene = Scene::new();
        let tag = || Tag { tag_key: "a".to_owned(), tag_value: "b".to_owned() };
        let nameless = Tag { tag_key: String::new(), tag_value: "b".to_owned() };
        let base = || order("release", ECC);
        for (request, code) in [
            (order("kms-release", ECC), "InvalidParameterValue.InvalidAlias"),
            (order("", ECC), "InvalidParameterValue.InvalidAlias"),
            (order("release", "SIGN"), "InvalidParameterValue.InvalidKeyUsage"),
            (order("release", ""), "InvalidParameterValue.InvalidKeyUsage"),
            (CreateKeyRequest { r#type: Some(0), ..base() }, "InvalidParameterValue.InvalidType"),
            (CreateKeyRequest { r#type: Some(3), ..base() }, "InvalidParameterValue.InvalidType"),
            (CreateKeyRequest { r#type: Some(2), ..base() }, "UnsupportedOperation"),
            (
                CreateKeyRequest { hsm_cluster_id: Some("cls-1".to_owned()), ..base() },
                "InvalidParameterValue.InvalidHsmClusterId",
            ),
            (CreateKeyRequest { description: Some("é".repeat(513)), ..base() }, "InvalidParameter"),
            (
                CreateKeyRequest { tags: Some(vec![tag(), tag()]), ..base() },
                "InvalidParameterValue.TagKeysDuplicated",
            ),
            (CreateKeyRequest { tags: Some(vec![nameless]), ..base() }, "InvalidParameter"),
        ] {
            assert_eq!(refused(&scene, request).await, code);
        }
        let longest = CreateKeyRequest { description: Some("é".repeat(512)), ..base() };
        assert!(create_key(&scene.kms, scene.call(longest)).await.is_ok());
    }

    #[tokio::test]
    async fn usages_that_are_not_implemented_say_so_in_both_languages() {
        let scene = Scene::new();
        for usage in [
            None,
            Some("ENCRYPT_DECRYPT"),
            Some("ASYMMETRIC_DECRYPT_RSA_2048"),
            Some("ASYMMETRIC_DECRYPT_SM2"),
            Some("ASYMMETRIC_SIGN_VERIFY_SM2"),
            Some("ASYMMETRIC_SIGN_VERIFY_ECDSA384"),
        ] {
            let request = CreateKeyRequest { key_usage: usage.map(str::to_owned), ..order("k", ECC) };
            let refusal = create_key(&scene.kms, scene.call(request)).await.unwrap_err();
            assert_eq!(refusal.code().name(), "UnsupportedOperation");
            let named = usage.unwrap_or("ENCRYPT_DECRYPT");
            let english = refusal.message(Language::English);
            assert!(english.contains(named) && english.contains("does not implement"), "{english}");
            let chinese = refusal.message(Language::Chinese);
            assert!(chinese.contains(named) && chinese.contains("尚未实现"), "{chinese}");
            assert_eq!(refusal.internal(), None);
        }
    }
}
