//! Hosted data keys from their making to their end, and what is refused on the way.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rookery_api::ErrorCode as _;
use rookery_api::kms::*;
use rookery_gateway::Refusal as _;

use super::data_key::cancel_data_key_deletion::cancel_data_key_deletion;
use super::data_key::describe_data_key::describe_data_key;
use super::data_key::describe_data_keys::describe_data_keys;
use super::data_key::disable_data_key::disable_data_key;
use super::data_key::disable_data_keys::disable_data_keys;
use super::data_key::enable_data_key::enable_data_key;
use super::data_key::enable_data_keys::enable_data_keys;
use super::data_key::get_data_key_ciphertext_blob::get_data_key_ciphertext_blob;
use super::data_key::get_data_key_plaintext::get_data_key_plaintext;
use super::data_key::import_data_key::import_data_key;
use super::data_key::list_data_key_detail::list_data_key_detail;
use super::data_key::list_data_keys::list_data_keys;
use super::data_key::schedule_data_key_deletion::schedule_data_key_deletion;
use super::data_key::update_data_key_description::update_data_key_description;
use super::data_key::update_data_key_name::update_data_key_name;
use super::scene::{ABSENT, ACCOUNT, ECC, SYMMETRIC, Scene};
use super::symmetric::generate_data_key::generate_data_key;
use crate::error::Error;
use crate::material::public_key_pem;
use crate::primitives::sm2::Sm2KeyPair;
use crate::timers::DAY;

fn hosted(key: &str, name: &str) -> GenerateDataKeyRequest {
    GenerateDataKeyRequest {
        key_id: key.to_owned(),
        key_spec: Some("AES_256".to_owned()),
        number_of_bytes: None,
        encryption_context: None,
        encryption_public_key: None,
        encryption_algorithm: None,
        is_hosted_by_kms: Some(1),
        data_key_name: Some(name.to_owned()),
        description: None,
        hsm_cluster_id: None,
        tags: None,
    }
}

fn import(name: &str, kind: u64, material: &str, key: Option<&str>) -> ImportDataKeyRequest {
    ImportDataKeyRequest {
        data_key_name: name.to_owned(),
        import_key_material: material.to_owned(),
        import_type: kind,
        description: None,
        key_id: key.map(str::to_owned),
        hsm_cluster_id: None,
        tags: None,
    }
}

fn everything() -> ListDataKeyDetailRequest {
    ListDataKeyDetailRequest {
        offset: None,
        limit: None,
        role: None,
        order_type: None,
        key_state: None,
        search_key_alias: None,
        origin: None,
        hsm_cluster_id: None,
        key_id: None,
        data_key_len: None,
        tag_filters: None,
        member_accounts: None,
    }
}

fn code<T>(answer: Result<T, Error>) -> &'static str {
    answer.err().unwrap().code().name()
}

impl Scene {
    async fn hosted(&self, key: &str, name: &str) -> GenerateDataKeyResponse {
        generate_data_key(&self.kms, self.call(hosted(key, name))).await.unwrap()
    }

    async fn plaintext(&self, id: &str) -> Result<String, Error> {
        let request = GetDataKeyPlaintextRequest {
            data_key_id: id.to_owned(),
            encryption_public_key: None,
            encryption_algorithm: None,
        };
        get_data_key_plaintext(&self.kms, self.call(request)).await.map(|reply| reply.plaintext)
    }

    async fn blob(&self, id: &str) -> Result<String, Error> {
        let request = GetDataKeyCiphertextBlobRequest { data_key_id: id.to_owned(), member_account: None };
        get_data_key_ciphertext_blob(&self.kms, self.call(request)).await.map(|reply| reply.ciphertext_blob)
    }

    async fn data_key(&self, id: &str) -> Result<DataKeyMetadata, Error> {
        let request = DescribeDataKeyRequest { data_key_id: id.to_owned(), member_account: None };
        describe_data_key(&self.kms, self.call(request)).await.map(|reply| reply.data_key_metadata)
    }

    async fn enable_data_key(&self, id: &str) -> Result<(), Error> {
        let request = EnableDataKeyRequest { data_key_id: id.to_owned(), member_account: None };
        enable_data_key(&self.kms, self.call(request)).await.map(drop)
    }

    async fn disable_data_key(&self, id: &str) -> Result<(), Error> {
        let request = DisableDataKeyRequest { data_key_id: id.to_owned(), member_account: None };
        disable_data_key(&self.kms, self.call(request)).await.map(drop)
    }

    async fn delete_data_key(&self, id: &str, days: u64) -> Result<u64, Error> {
        let request = ScheduleDataKeyDeletionRequest {
            data_key_id: id.to_owned(),
            pending_window_in_days: days,
            member_account: None,
        };
        schedule_data_key_deletion(&self.kms, self.call(request)).await.map(|reply| reply.deletion_date)
    }

    async fn keep_data_key(&self, id: &str) -> Result<(), Error> {
        let request = CancelDataKeyDeletionRequest { data_key_id: id.to_owned(), member_account: None };
        cancel_data_key_deletion(&self.kms, self.call(request)).await.map(drop)
    }

    async fn import_data_key(&self, request: ImportDataKeyRequest) -> Result<ImportDataKeyResponse, Error> {
        import_data_key(&self.kms, self.call(request)).await
    }

    async fn names(&self, request: ListDataKeyDetailRequest) -> Vec<String> {
        let reply = list_data_key_detail(&self.kms, self.call(request)).await.unwrap();
        assert_eq!(reply.total_count, reply.data_key_metadatas.len() as u64);
        reply.data_key_metadatas.into_iter().map(|key| key.data_key_name).collect()
    }
}

#[tokio::test]
async fn what_is_hosted_can_be_had_again_whatever_its_context() {
    let scene = Scene::new();
    let key = scene.create("root", SYMMETRIC).await;
    for (name, context) in [("bare", None), ("bound", Some(r#"{"app": "1"}"#))] {
        let request =
            GenerateDataKeyRequest { encryption_context: context.map(str::to_owned), ..hosted(&key, name) };
        let made = generate_data_key(&scene.kms, scene.call(request)).await.unwrap();
        assert_eq!(scene.plaintext(&made.data_key_id).await.unwrap(), made.plaintext);
        assert_eq!(scene.blob(&made.data_key_id).await.unwrap(), made.ciphertext_blob);
        let text = scene.decrypt(&made.ciphertext_blob, context).await.unwrap();
        assert_eq!(BASE64_STANDARD.encode(text), made.plaintext);
        scene.rotate_by_itself(&key).await;
        assert_eq!(scene.plaintext(&made.data_key_id).await.unwrap(), made.plaintext);
    }
}

#[tokio::test]
async fn a_data_key_is_described_as_it_was_made() {
    let scene = Scene::new();
    let key = scene.create("root", SYMMETRIC).await;
    let request = GenerateDataKeyRequest {
        description: Some("d".repeat(100)),
        tags: Some(vec![Tag { tag_key: "team".to_owned(), tag_value: "build".to_owned() }]),
        ..hosted(&key, "data")
    };
    let made = generate_data_key(&scene.kms, scene.call(request)).await.unwrap();
    assert_eq!((made.tag_code, &*made.tag_msg), (0, "ok"));
    let found = scene.data_key(&made.data_key_id).await.unwrap();
    assert_eq!((&*found.data_key_name, &*found.key_name, &found.key_id), ("data", "root", &key));
    assert_eq!((found.number_of_bytes, &*found.key_state, &*found.origin), (32, "Enabled", "TENCENT_KMS"));
    assert_eq!((found.creator_uin, &*found.owner, found.deletion_date), (ACCOUNT.uin, "user", 0));
    assert_eq!(found.resource_id, format!("creatorUin/{}/{}", ACCOUNT.uin, made.data_key_id));
    let request = DescribeDataKeysRequest { data_key_ids: vec![made.data_key_id], member_account: None };
    let many = describe_data_keys(&scene.kms, scene.call(request)).await.unwrap();
    assert_eq!(many.data_key_metadatas[0].description, "d".repeat(100));
}

#[tokio::test]
async fn the_owner_of_a_key_pair_gets_it_encrypted() {
    let scene = Scene::new();
    let key = scene.create("root", SYMMETRIC).await;
    let made = scene.hosted(&key, "data").await;
    let pair = Sm2KeyPair::generate().unwrap();
    let pem = public_key_pem(&BASE64_STANDARD.encode(pair.public_key().to_der().unwrap()));
    let request = GetDataKeyPlaintextRequest {
        data_key_id: made.data_key_id,
        encryption_public_key: Some(pem),
        encryption_algorithm: Some("SM2_C1C3C2_ASN1".to_owned()),
    };
    let reply = get_data_key_plaintext(&scene.kms, scene.call(request)).await.unwrap();
    let text = pair.decrypt(&BASE64_STANDARD.decode(reply.plaintext).unwrap()).unwrap();
    assert_eq!(BASE64_STANDARD.encode(&*text), made.plaintext);
}

#[tokio::test]
async fn both_forms_are_imported() {
    let scene = Scene::new();
    let key = scene.create("root", SYMMETRIC).await;
    let other = scene.create("other", SYMMETRIC).await;
    let blob = scene.hosted(&key, "data").await.ciphertext_blob;
    let clear = BASE64_STANDARD.encode([7; 24]);
    let imported = scene.import_data_key(import("clear", 2, &clear, Some(&key))).await.unwrap();
    assert_eq!(
        (scene.plaintext(&imported.data_key_id).await.unwrap(), &imported.key_id),
        (clear.clone(), &key)
    );
    let found = scene.data_key(&imported.data_key_id).await.unwrap();
    assert_eq!((found.number_of_bytes, &*found.origin), (24, "EXTERNAL"));
    for (name, named) in [("one", None), ("two", Some(&*key)), ("three", Some(""))] {
        let imported = scene.import_data_key(import(name, 1, &blob, named)).await.unwrap();
        assert_eq!(scene.blob(&imported.data_key_id).await.unwrap(), blob);
        assert_eq!(imported.key_id, key);
    }
    let bound = scene.encrypt(&key, Some(r#"{"a":"1"}"#), b"text").await.unwrap();
    let long = scene.encrypt(&key, None, &[7; 1025]).await.unwrap();
    let ecc = scene.create("ecc", ECC).await;
    for (request, expected) in [
        (import("x", 1, &blob, Some(&other)), "InvalidParameterValue.InvalidKeyId"),
        (import("x", 1, &bound, None), "InvalidParameterValue.InvalidImportKeyMaterial"),
        (import("x", 1, &long, None), "InvalidParameterValue.InvalidImportKeyMaterial"),
        (import("x", 1, "nothing", None), "InvalidParameterValue.InvalidImportKeyMaterial"),
        (import("x", 2, "no base64", Some(&key)), "InvalidParameterValue.InvalidPlaintext"),
        (import("x", 2, "", Some(&key)), "InvalidParameterValue.InvalidPlaintext"),
        (
            import("x", 2, &BASE64_STANDARD.encode([7; 1025]), Some(&key)),
            "InvalidParameterValue.InvalidPlaintext",
        ),
        (import("x", 2, &clear, None), "InvalidParameter"),
        (import("x", 2, &clear, Some(ABSENT)), "ResourceUnavailable.CmkNotFound"),
        (import("x", 2, &clear, Some(&ecc)), "InvalidParameterValue.InvalidKeyUsage"),
        (import("x", 3, &clear, Some(&key)), "InvalidParameterValue.InvalidType"),
        (import("clear", 2, &clear, Some(&key)), "InvalidParameterValue.DataKeyNameAlreadyExists"),
        (import("", 2, &clear, Some(&key)), "InvalidParameterValue.InvalidDataKeyName"),
    ] {
        let said = format!("{request:?}");
        assert_eq!(code(scene.import_data_key(request).await), expected, "{said}");
    }
    scene.disable(&key).await;
    assert_eq!(
        code(scene.import_data_key(import("x", 1, &blob, None)).await),
        "ResourceUnavailable.CmkDisabled"
    );
}

#[tokio::test]
async fn states_follow_one_another_and_each_answers_as_documented() {
    let scene = Scene::new();
    let key = scene.create("root", SYMMETRIC).await;
    let id = scene.hosted(&key, "data").await.data_key_id;
    assert_eq!(code(scene.keep_data_key(&id).await), "ResourceUnavailable.DataKeyNotPendingDelete");
    for _ in 0..2 {
        scene.disable_data_key(&id).await.unwrap();
    }
    assert_eq!(code(scene.plaintext(&id).await), "ResourceUnavailable.DataKeyDisabled");
    assert!(scene.blob(&id).await.is_ok());
    scene.enable_data_key(&id).await.unwrap();
    assert!(scene.plaintext(&id).await.is_ok());

    for days in [6, 31] {
        let refusal = code(scene.delete_data_key(&id, days).await);
        assert_eq!(refusal, "InvalidParameter.InvalidPendingWindowInDays");
    }
    let date = scene.delete_data_key(&id, 7).await.unwrap();
    let found = scene.data_key(&id).await.unwrap();
    assert_eq!(
        (&*found.key_state, found.deletion_date, date),
        ("PendingDelete", date, scene.kms.now() + 7 * DAY)
    );
    assert_eq!(code(scene.plaintext(&id).await), "ResourceUnavailable.DataKeyPendingDelete");
    for refusal in [
        code(scene.blob(&id).await),
        code(scene.enable_data_key(&id).await),
        code(scene.disable_data_key(&id).await),
        code(scene.delete_data_key(&id, 7).await),
    ] {
        assert_eq!(refusal, "ResourceUnavailable.DataKeyStateNotSupport");
    }
    scene.keep_data_key(&id).await.unwrap();
    assert_eq!(scene.data_key(&id).await.unwrap().key_state, "Disabled");

    scene.delete_data_key(&id, 7).await.unwrap();
    scene.advance(7 * DAY - 1);
    assert!(scene.data_key(&id).await.is_ok());
    scene.advance(1);
    assert_eq!(code(scene.data_key(&id).await), "ResourceUnavailable.DataKeyNotFound");
    scene.hosted(&key, "data").await;
}

#[tokio::test]
async fn a_data_key_is_worth_what_its_key_is() {
    let scene = Scene::new();
    let key = scene.create("root", SYMMETRIC).await;
    let id = scene.hosted(&key, "data").await.data_key_id;
    scene.archive(&key).await;
    scene.disable_data_key(&id).await.unwrap();
    scene.enable_data_key(&id).await.unwrap();
    assert!(scene.plaintext(&id).await.is_ok());

    let key = scene.create("another", SYMMETRIC).await;
    let id = scene.hosted(&key, "more").await.data_key_id;
    scene.disable(&key).await;
    assert_eq!(code(scene.plaintext(&id).await), "ResourceUnavailable.CmkDisabled");
    assert_eq!(code(scene.enable_data_key(&id).await), "ResourceUnavailable.CmkStateNotSupport");
    scene.schedule(&key, 7).await.unwrap();
    scene.advance(7 * DAY);
    assert_eq!(code(scene.plaintext(&id).await), "ResourceUnavailable.CmkNotFound");
    assert_eq!(scene.data_key(&id).await.unwrap().key_name, "");
    let request = ListDataKeyDetailRequest { key_id: Some(key), ..everything() };
    assert_eq!(
        code(list_data_key_detail(&scene.kms, scene.call(request)).await),
        "ResourceUnavailable.CmkNotFound"
    );
}

#[tokio::test]
async fn many_data_keys_are_switched_together_or_not_at_all() {
    let scene = Scene::new();
    let key = scene.create("root", SYMMETRIC).await;
    let (one, two) =
        (scene.hosted(&key, "one").await.data_key_id, scene.hosted(&key, "two").await.data_key_id);
    let disable = |ids: &[&str]| {
        let data_key_ids = ids.iter().map(|id| (*id).to_owned()).collect();
        disable_data_keys(
            &scene.kms,
            scene.call(DisableDataKeysRequest { data_key_ids, member_account: None }),
        )
    };
    for (ids, expected) in [
        (vec![&*one, ABSENT], "ResourceUnavailable.DataKeyNotFound"),
        (vec![&*one, &*one], "InvalidParameterValue.DuplicatedDataKeyId"),
        (vec!["no-uuid"], "InvalidParameterValue.InvalidDataKeyId"),
        (vec![], "InvalidParameterValue"),
        (vec![&*one; 101], "InvalidParameterValue"),
    ] {
        assert_eq!(code(disable(&ids).await), expected);
    }
    assert!(scene.plaintext(&one).await.is_ok());
    disable(&[&one, &two]).await.unwrap();
    assert!(scene.plaintext(&two).await.is_err());
    let both = EnableDataKeysRequest { data_key_ids: vec![one.clone(), two], member_account: None };
    enable_data_keys(&scene.kms, scene.call(both)).await.unwrap();
    assert!(scene.plaintext(&one).await.is_ok());
}

#[tokio::test]
async fn names_and_descriptions_change() {
    let scene = Scene::new();
    let key = scene.create("root", SYMMETRIC).await;
    let id = scene.hosted(&key, "data").await.data_key_id;
    scene.hosted(&key, "taken").await;
    let rename = |name: &str| {
        let request = UpdateDataKeyNameRequest {
            data_key_id: id.clone(),
            data_key_name: name.to_owned(),
            member_account: None,
        };
        update_data_key_name(&scene.kms, scene.call(request))
    };
    let describe = |description: String| {
        let request =
            UpdateDataKeyDescriptionRequest { data_key_id: id.clone(), description, member_account: None };
        update_data_key_description(&scene.kms, scene.call(request))
    };
    assert_eq!(code(rename("taken").await), "InvalidParameterValue.DataKeyNameAlreadyExists");
    assert_eq!(code(rename("-").await), "InvalidParameterValue.InvalidDataKeyName");
    assert_eq!(code(describe("d".repeat(101)).await), "InvalidParameterValue");
    for _ in 0..2 {
        rename("renamed").await.unwrap();
    }
    describe("described".to_owned()).await.unwrap();
    let found = scene.data_key(&id).await.unwrap();
    assert_eq!((&*found.data_key_name, &*found.description), ("renamed", "described"));
}

#[tokio::test]
async fn every_filter_narrows_the_list() {
    let scene = Scene::new();
    let (key, other) = (scene.create("root", SYMMETRIC).await, scene.create("other", SYMMETRIC).await);
    scene.hosted(&key, "one").await;
    let two = scene.hosted(&key, "two").await.data_key_id;
    scene.disable_data_key(&two).await.unwrap();
    let tags = Some(vec![Tag { tag_key: "team".to_owned(), tag_value: "build".to_owned() }]);
    let request = ImportDataKeyRequest { tags, ..import("three", 2, "AAAA", Some(&other)) };
    scene.import_data_key(request).await.unwrap();
    let text = |text: &str| Some(text.to_owned());
    let team = TagFilter { tag_key: "team".to_owned(), tag_value: None };
    let all = ["three", "two", "one"];
    for (request, expected) in [
        (everything(), &all[..]),
        (ListDataKeyDetailRequest { order_type: Some(1), ..everything() }, &["one", "two", "three"]),
        (ListDataKeyDetailRequest { key_state: Some(1), ..everything() }, &["three", "one"]),
        (ListDataKeyDetailRequest { key_state: Some(2), ..everything() }, &["two"]),
        (ListDataKeyDetailRequest { key_state: Some(3), ..everything() }, &[]),
        (ListDataKeyDetailRequest { search_key_alias: text("t"), ..everything() }, &["three", "two"]),
        (ListDataKeyDetailRequest { search_key_alias: Some(two), ..everything() }, &["two"]),
        (ListDataKeyDetailRequest { origin: text("EXTERNAL"), ..everything() }, &["three"]),
        (ListDataKeyDetailRequest { origin: text("TENCENT_KMS"), ..everything() }, &["two", "one"]),
        (
            ListDataKeyDetailRequest { origin: text("ALL"), hsm_cluster_id: text("default"), ..everything() },
            &all,
        ),
        (ListDataKeyDetailRequest { key_id: Some(other), ..everything() }, &["three"]),
        (ListDataKeyDetailRequest { data_key_len: Some(3), ..everything() }, &["three"]),
        (ListDataKeyDetailRequest { tag_filters: Some(vec![team]), ..everything() }, &["three"]),
        (ListDataKeyDetailRequest { role: Some(1), ..everything() }, &[]),
    ] {
        assert_eq!(scene.names(request).await, expected);
    }
    let request = ListDataKeyDetailRequest { offset: Some(1), limit: Some(1), ..everything() };
    let reply = list_data_key_detail(&scene.kms, scene.call(request)).await.unwrap();
    assert_eq!((reply.total_count, &*reply.data_key_metadatas[0].data_key_name), (3, "two"));
    for (role, listed) in [(None, 2), (Some(1), 0)] {
        let request = ListDataKeysRequest { offset: None, limit: Some(2), role, hsm_cluster_id: None };
        let reply = list_data_keys(&scene.kms, scene.call(request)).await.unwrap();
        assert_eq!((reply.data_keys.len(), reply.total_count), (listed, if listed > 0 { 3 } else { 0 }));
    }
}

#[tokio::test]
async fn what_no_list_has_and_what_nobody_has_is_refused() {
    let scene = Scene::new();
    let text = |text: &str| Some(text.to_owned());
    let member = || MemberAccount { member_app_id: None, member_uin: None };
    for (request, expected) in [
        (ListDataKeyDetailRequest { limit: Some(201), ..everything() }, "InvalidParameter"),
        (ListDataKeyDetailRequest { key_state: Some(4), ..everything() }, "InvalidParameter"),
        (ListDataKeyDetailRequest { order_type: Some(2), ..everything() }, "InvalidParameter"),
        (ListDataKeyDetailRequest { role: Some(2), ..everything() }, "InvalidParameter"),
        (ListDataKeyDetailRequest { origin: text("external"), ..everything() }, "InvalidParameter"),
        (
            ListDataKeyDetailRequest { key_id: text("no-uuid"), ..everything() },
            "InvalidParameterValue.InvalidKeyId",
        ),
        (
            ListDataKeyDetailRequest { hsm_cluster_id: text("cls"), ..everything() },
            "InvalidParameterValue.InvalidHsmClusterId",
        ),
        (
            ListDataKeyDetailRequest { member_accounts: Some(vec![member()]), ..everything() },
            "UnsupportedOperation",
        ),
    ] {
        assert_eq!(code(list_data_key_detail(&scene.kms, scene.call(request)).await), expected);
    }
    let request = DescribeDataKeyRequest { data_key_id: ABSENT.to_owned(), member_account: Some(member()) };
    assert_eq!(code(describe_data_key(&scene.kms, scene.call(request)).await), "UnsupportedOperation");
    for refusal in [
        code(scene.data_key(ABSENT).await),
        code(scene.plaintext(ABSENT).await),
        code(scene.blob(ABSENT).await),
        code(scene.enable_data_key(ABSENT).await),
        code(scene.delete_data_key(ABSENT, 7).await),
        code(scene.keep_data_key(ABSENT).await),
    ] {
        assert_eq!(refusal, "ResourceUnavailable.DataKeyNotFound");
    }
    assert_eq!(code(scene.data_key("no-uuid").await), "InvalidParameterValue.InvalidDataKeyId");
}
