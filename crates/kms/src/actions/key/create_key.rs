//! `CreateKey`: makes a key, enabled from the start.

use rookery_api::kms::{CreateKeyRequest, CreateKeyResponse};
use rookery_gateway::{Call, Resource};

use crate::envelope::SymmetricKey;
use crate::error::Error;
use crate::keys::{self, DESCRIPTION_LIMIT, Key, KeyId, NewMaterial, Origin};
use crate::material::NewKeyPair;
use crate::states::KeyState;
use crate::usage::{Cipher, KeyUsage};
use crate::{Kms, listing, tags};

/// `Type` of a key whose material is made here, also if nothing is said.
const GENERATED: u64 = 1;
/// `Type` of a key whose material the customer imports.
const EXTERNAL: u64 = 2;

pub(crate) fn resources(_: &Kms, _: &Call<CreateKeyRequest>) -> Vec<Resource> {
    vec![Resource::any()]
}

pub(crate) async fn create_key(kms: &Kms, call: Call<CreateKeyRequest>) -> Result<CreateKeyResponse, Error> {
    let scope = kms.enter(&call).await?;
    let creator = call.caller.uin();
    let CreateKeyRequest { alias, description, key_usage, r#type, tags, hsm_cluster_id } = call.request;
    keys::check_alias(&alias)?;
    let description = listing::description(description, DESCRIPTION_LIMIT)?;
    let usage = key_usage.map_or(Ok(KeyUsage::DEFAULT), |word| KeyUsage::parse(&word))?;
    let origin = origin(r#type, usage)?;
    listing::refuse_hsm_cluster(hsm_cluster_id.as_deref())?;
    let tags = tags::read(tags.unwrap_or_default())?;
    // Asked here as well as in the transaction, so that a refusal does not wait for a key pair.
    kms.store.read(|view| keys::check_alias_free(view, &scope, &alias))?;

    let id = KeyId::parse(&kms.world.uuid().to_string())?;
    let cipher = (!usage.is_asymmetric()).then(|| Cipher::of_region(&scope.region));
    let material = material(kms, &id, usage, cipher, origin).await?;
    let key = Key {
        alias,
        description,
        usage,
        state: if origin == Origin::External { KeyState::PendingImport } else { KeyState::Enabled },
        creator,
        created: kms.now(),
        sequence: 0,
        origin,
        cipher,
        version: keys::first_version(),
        rotation: None,
        last_rotated: None,
        deletion: None,
        imported: None,
    };
    let (tag_code, tag_msg) = tags::outcome(&tags);
    let (added, name) = (key.clone(), id.clone());
    kms.store.write(move |tx| keys::add(tx, &scope, &name, added.clone(), &material, &tags)).await?;

    Ok(CreateKeyResponse {
        key_id: id.to_string(),
        create_time: key.created,
        key_state: key.state.word().to_owned(),
        key_usage: key.usage.word().to_owned(),
        tag_code,
        tag_msg,
        alias: key.alias,
        description: key.description,
        hsm_cluster_id: String::new(),
    })
}

fn origin(kind: Option<u64>, usage: KeyUsage) -> Result<Origin, Error> {
    match kind.unwrap_or(GENERATED) {
        GENERATED => Ok(Origin::Kms),
        EXTERNAL if usage.is_asymmetric() => Err(Error::ExternalKeyPair(usage.word())),
        EXTERNAL => Ok(Origin::External),
        other => Err(Error::UnknownType(other)),
    }
}

async fn material(
    kms: &Kms,
    id: &KeyId,
    usage: KeyUsage,
    cipher: Option<Cipher>,
    origin: Origin,
) -> Result<NewMaterial, Error> {
    match (origin, cipher) {
        (Origin::External, _) => Ok(NewMaterial::None),
        (Origin::Kms, Some(cipher)) => {
            let version = SymmetricKey::generate(cipher, &kms.seal, id, keys::first_version())?;
            Ok(NewMaterial::Symmetric(version))
        }
        (Origin::Kms, None) => {
            let pair = tokio::task::spawn_blocking(move || NewKeyPair::generate(usage))
                .await
                .map_err(|_| Error::Cryptography("the generation of a key pair was broken off"))??;
            Ok(NewMaterial::Pair(pair.to_material(&kms.seal, id)?))
        }
    }
}

#[cfg(test)]
mod tests {
    use rookery_api::ErrorCode as _;
    use rookery_api::kms::Tag;
    use rookery_gateway::Refusal;
    use rookery_store::{Read, Regional};

    use super::*;
    use crate::keys::{Keys, Materials};
    use crate::material::KeyPair;
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
        assert_eq!(refused(&scene, order("release", ECC)).await, "InvalidParameterValue.AliasAlreadyExists");
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
            (CreateKeyRequest { r#type: Some(2), ..base() }, "InvalidParameterValue.InvalidType"),
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
    async fn keys_of_every_usage_are_made_of_the_regions_kind() {
        let scene = Scene::new();
        for (at, usage) in KeyUsage::ALL.into_iter().enumerate() {
            let id = scene.create(&format!("key-{at}"), usage.word()).await;
            let key = scene.kms.key(&scene.scope(), &KeyId::parse(&id).unwrap()).unwrap();
            assert_eq!((key.usage, key.state, key.version), (usage, KeyState::Enabled, 1));
            assert_eq!(key.cipher, (usage == KeyUsage::DEFAULT).then_some(Cipher::Sm4));
        }
        let mut abroad = scene.call(CreateKeyRequest { key_usage: None, ..order("abroad", ECC) });
        abroad.region = "ap-hongkong".to_owned();
        let scope = crate::scope(&abroad);
        let made = create_key(&scene.kms, abroad).await.unwrap();
        let key = scene.store.read(|view| view.get::<Keys>(&scope, made.key_id.as_str())).unwrap().unwrap();
        assert_eq!((key.usage, key.cipher), (KeyUsage::EncryptDecrypt, Some(Cipher::Aes256)));
    }

    #[tokio::test]
    async fn an_external_key_waits_for_its_material() {
        let scene = Scene::new();
        let request = CreateKeyRequest { r#type: Some(2), key_usage: None, ..order("own", ECC) };
        let reply = create_key(&scene.kms, scene.call(request)).await.unwrap();
        assert_eq!(
            (reply.key_state.as_str(), reply.key_usage.as_str()),
            ("PendingImport", "ENCRYPT_DECRYPT")
        );
    }

    #[tokio::test]
    async fn an_account_has_so_many_keys_in_a_region_and_no_more() {
        let scene = Scene::new();
        let id = KeyId::parse(&scene.create("first", ECC).await).unwrap();
        let first = scene.kms.key(&scene.scope(), &id).unwrap();
        let scope = scene.scope();
        let fill = move |tx: &mut rookery_store::Transaction<'_>| {
            for sequence in 1..keys::KEY_LIMIT as u64 {
                let key = Key { sequence, alias: format!("key-{sequence}"), ..Key::clone(&first) };
                tx.put::<Keys>(
                    &scope,
                    &KeyId::from_bytes(u128::from(sequence).to_be_bytes()).to_string(),
                    &key,
                )?;
            }
            Ok::<_, rookery_store::StoreError>(())
        };
        scene.store.write(fill).await.unwrap();
        assert_eq!(refused(&scene, order("another", ECC)).await, "LimitExceeded.CmkLimitExceeded");
        let mut elsewhere = scene.call(order("another", ECC));
        elsewhere.region = "ap-beijing".to_owned();
        assert!(create_key(&scene.kms, elsewhere).await.is_ok());
    }
}
