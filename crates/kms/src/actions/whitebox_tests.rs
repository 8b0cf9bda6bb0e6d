//! White-box keys from their making to their end, and what is refused on the way.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rookery_api::ErrorCode as _;
use rookery_api::kms::*;
use rookery_gateway::Refusal as _;

use super::scene::{ABSENT, ACCOUNT, Scene};
use super::whitebox::create_white_box_key::create_white_box_key;
use super::whitebox::delete_white_box_key::delete_white_box_key;
use super::whitebox::describe_white_box_decrypt_key::describe_white_box_decrypt_key;
use super::whitebox::describe_white_box_device_fingerprints::describe_white_box_device_fingerprints;
use super::whitebox::describe_white_box_key::describe_white_box_key;
use super::whitebox::describe_white_box_key_details::describe_white_box_key_details;
use super::whitebox::disable_white_box_key::disable_white_box_key;
use super::whitebox::disable_white_box_keys::disable_white_box_keys;
use super::whitebox::enable_white_box_key::enable_white_box_key;
use super::whitebox::enable_white_box_keys::enable_white_box_keys;
use super::whitebox::encrypt_by_white_box::encrypt_by_white_box;
use super::whitebox::overwrite_white_box_device_fingerprints::overwrite_white_box_device_fingerprints;
use crate::error::Error;
use crate::openssl::Workshop;

const DEVICE: &str = "0177ebba-5ad6930a52d808-0123456789ab03-ddfd218bab945f-0c275b7f7d2c8c68";

fn order(alias: &str, algorithm: &str) -> CreateWhiteBoxKeyRequest {
    CreateWhiteBoxKeyRequest {
        alias: alias.to_owned(),
        algorithm: algorithm.to_owned(),
        description: None,
        tags: None,
    }
}

fn device(identity: &str) -> DeviceFingerprint {
    DeviceFingerprint { identity: identity.to_owned(), description: None }
}

fn everything() -> DescribeWhiteBoxKeyDetailsRequest {
    DescribeWhiteBoxKeyDetailsRequest { key_status: None, offset: None, limit: None, tag_filters: None }
}

impl Scene {
    async fn white_box(&self, alias: &str) -> String {
        create_white_box_key(&self.kms, self.call(order(alias, "SM4"))).await.unwrap().key_id
    }

    async fn encrypt_by(
        &self,
        id: &str,
        text: &[u8],
        vector: Option<&[u8]>,
    ) -> Result<(Vec<u8>, Vec<u8>), Error> {
        let request = EncryptByWhiteBoxRequest {
            key_id: id.to_owned(),
            plain_text: BASE64_STANDARD.encode(text),
            initialization_vector: vector.map(|vector| BASE64_STANDARD.encode(vector)),
        };
        let reply = encrypt_by_white_box(&self.kms, self.call(request)).await?;
        let decoded = |text: String| BASE64_STANDARD.decode(text).unwrap();
        Ok((decoded(reply.initialization_vector), decoded(reply.cipher_text)))
    }

    async fn switch(&self, id: &str, enabled: bool) -> Result<(), Error> {
        let key_id = id.to_owned();
        if enabled {
            enable_white_box_key(&self.kms, self.call(EnableWhiteBoxKeyRequest { key_id })).await.map(drop)
        } else {
            disable_white_box_key(&self.kms, self.call(DisableWhiteBoxKeyRequest { key_id })).await.map(drop)
        }
    }

    async fn described(&self, id: &str) -> Result<WhiteboxKeyInfo, Error> {
        let request = DescribeWhiteBoxKeyRequest { key_id: id.to_owned() };
        describe_white_box_key(&self.kms, self.call(request)).await.map(|reply| reply.key_info)
    }

    async fn bind(&self, id: &str, devices: Vec<DeviceFingerprint>) -> Result<(), Error> {
        let request = OverwriteWhiteBoxDeviceFingerprintsRequest {
            key_id: id.to_owned(),
            device_fingerprints: Some(devices),
        };
        overwrite_white_box_device_fingerprints(&self.kms, self.call(request)).await.map(drop)
    }

    async fn white_boxes(&self, request: DescribeWhiteBoxKeyDetailsRequest) -> (Vec<String>, u64) {
        let reply = describe_white_box_key_details(&self.kms, self.call(request)).await.unwrap();
        (reply.key_infos.into_iter().map(|key| key.alias).collect(), reply.total_count)
    }

    async fn delete(&self, id: &str) -> Result<(), Error> {
        let request = DeleteWhiteBoxKeyRequest { key_id: id.to_owned() };
        delete_white_box_key(&self.kms, self.call(request)).await.map(drop)
    }
}

fn code<T>(answer: Result<T, Error>) -> &'static str {
    answer.err().unwrap().code().name()
}

#[tokio::test]
async fn openssl_decrypts_with_the_key_of_the_file() {
    let scene = Scene::new();
    for (alias, algorithm, cipher, length) in
        [("a", "AES_256", "-aes-256-cbc", 32), ("b", "SM4", "-sm4-cbc", 16)]
    {
        let made = create_white_box_key(&scene.kms, scene.call(order(alias, algorithm))).await.unwrap();
        let file = BASE64_STANDARD.decode(&made.decrypt_key).unwrap();
        assert_eq!(file.len(), 24 + length);
        for text in [&b""[..], b"test\n", &[7; 4096]] {
            let (vector, ciphertext) = scene.encrypt_by(&made.key_id, text, None).await.unwrap();
            let again = scene.encrypt_by(&made.key_id, text, Some(&vector)).await.unwrap();
            assert_eq!(again, (vector.clone(), ciphertext.clone()));
            let Some(openssl) = Workshop::open() else { continue };
            assert_eq!(openssl.decipher(cipher, &file[24..], &vector, &ciphertext), text, "{algorithm}");
        }
    }
}

#[tokio::test]
async fn a_key_is_described_as_it_was_made() {
    let scene = Scene::new();
    let tags = vec![Tag { tag_key: "team".to_owned(), tag_value: "build".to_owned() }];
    let request = CreateWhiteBoxKeyRequest {
        description: Some("白盒".to_owned()),
        tags: Some(tags),
        ..order("boxed", "AES_256")
    };
    let made = create_white_box_key(&scene.kms, scene.call(request)).await.unwrap();
    assert_eq!((made.tag_code, &*made.tag_msg), (0, "ok"));
    let key = scene.described(&made.key_id).await.unwrap();
    assert_eq!((&*key.alias, &*key.description, &*key.algorithm), ("boxed", "白盒", "AES_256"));
    assert_eq!((&*key.status, key.owner_uin, key.creator_uin), ("Enabled", ACCOUNT.uin, ACCOUNT.uin));
    assert_eq!((&key.encrypt_key, &key.decrypt_key), (&made.encrypt_key, &made.decrypt_key));
    assert_eq!(key.resource_id, format!("creatorUin/{}/{}", ACCOUNT.uin, made.key_id));
    assert!(!key.device_fingerprint_bind && key.create_time > 0);
    let request = DescribeWhiteBoxDecryptKeyRequest { key_id: made.key_id };
    let reply = describe_white_box_decrypt_key(&scene.kms, scene.call(request)).await.unwrap();
    assert_eq!(reply.decrypt_key, made.decrypt_key);
}

#[tokio::test]
async fn a_disabled_key_does_not_encrypt_and_only_such_a_one_is_deleted() {
    let scene = Scene::new();
    let id = scene.white_box("boxed").await;
    assert_eq!(code(scene.delete(&id).await), "FailedOperation");
    for _ in 0..2 {
        scene.switch(&id, false).await.unwrap();
        assert_eq!(scene.described(&id).await.unwrap().status, "Disabled");
    }
    assert_eq!(code(scene.encrypt_by(&id, b"text", None).await), "ResourceUnavailable.KeyDisabled");
    scene.switch(&id, true).await.unwrap();
    assert!(scene.encrypt_by(&id, b"text", None).await.is_ok());
    scene.switch(&id, false).await.unwrap();
    scene.delete(&id).await.unwrap();
    assert_eq!(code(scene.described(&id).await), "ResourceNotFound");
    // The alias is free again.
    scene.white_box("boxed").await;
}

#[tokio::test]
async fn many_keys_are_switched_together_or_not_at_all() {
    let scene = Scene::new();
    let ids = [scene.white_box("one").await, scene.white_box("two").await];
    let disable = |ids: &[&str]| {
        let key_ids = ids.iter().map(|id| (*id).to_owned()).collect();
        disable_white_box_keys(&scene.kms, scene.call(DisableWhiteBoxKeysRequest { key_ids }))
    };
    for (named, expected) in [
        (vec![&*ids[0], ABSENT], "ResourceNotFound"),
        (vec![&*ids[0], &*ids[0]], "InvalidParameterValue.DuplicatedKeyId"),
        (vec![&*ids[0], "no-uuid"], "InvalidParameterValue.InvalidKeyId"),
        (vec![], "InvalidParameter"),
        (vec![&*ids[0]; 51], "InvalidParameter"),
    ] {
        assert_eq!(code(disable(&named).await), expected);
    }
    let status = |enabled| DescribeWhiteBoxKeyDetailsRequest { key_status: Some(enabled), ..everything() };
    assert_eq!(scene.white_boxes(status(0)).await.1, 0);
    disable(&[&ids[0], &ids[1]]).await.unwrap();
    assert_eq!(scene.white_boxes(status(0)).await.1, 2);
    let request = EnableWhiteBoxKeysRequest { key_ids: ids.to_vec() };
    enable_white_box_keys(&scene.kms, scene.call(request)).await.unwrap();
    assert_eq!(scene.white_boxes(status(1)).await.1, 2);
    let request = EnableWhiteBoxKeysRequest { key_ids: vec![ABSENT.to_owned()] };
    assert_eq!(code(enable_white_box_keys(&scene.kms, scene.call(request)).await), "ResourceNotFound");
}

#[tokio::test]
async fn lists_are_filtered_and_paged_newest_first() {
    let scene = Scene::new();
    for alias in ["one", "two", "three"] {
        scene.white_box(alias).await;
    }
    let tags = Some(vec![Tag { tag_key: "team".to_owned(), tag_value: "build".to_owned() }]);
    let request = CreateWhiteBoxKeyRequest { tags, ..order("four", "SM4") };
    let four = create_white_box_key(&scene.kms, scene.call(request)).await.unwrap().key_id;
    scene.switch(&four, false).await.unwrap();
    let team = vec![TagFilter { tag_key: "team".to_owned(), tag_value: None }];
    for (request, expected, total) in [
        (everything(), &["four", "three", "two", "one"][..], 4),
        (
            DescribeWhiteBoxKeyDetailsRequest { limit: Some(0), ..everything() },
            &["four", "three", "two", "one"],
            4,
        ),
        (
            DescribeWhiteBoxKeyDetailsRequest { offset: Some(1), limit: Some(2), ..everything() },
            &["three", "two"],
            4,
        ),
        (DescribeWhiteBoxKeyDetailsRequest { offset: Some(9), ..everything() }, &[], 4),
        (
            DescribeWhiteBoxKeyDetailsRequest { key_status: Some(1), ..everything() },
            &["three", "two", "one"],
            3,
        ),
        (DescribeWhiteBoxKeyDetailsRequest { key_status: Some(0), ..everything() }, &["four"], 1),
        (DescribeWhiteBoxKeyDetailsRequest { tag_filters: Some(team), ..everything() }, &["four"], 1),
    ] {
        let (aliases, counted) = scene.white_boxes(request).await;
        assert_eq!(
            (&*aliases, counted),
            (&*expected.iter().map(ToString::to_string).collect::<Vec<_>>(), total)
        );
    }
    let request = DescribeWhiteBoxKeyDetailsRequest { key_status: Some(2), ..everything() };
    assert_eq!(
        code(describe_white_box_key_details(&scene.kms, scene.call(request)).await),
        "InvalidParameter"
    );
}

#[tokio::test]
async fn a_bound_decrypt_file_holds_no_bare_key() {
    let scene = Scene::new();
    let id = scene.white_box("boxed").await;
    let devices = DeviceFingerprint { description: Some("till".to_owned()), ..device(DEVICE) };
    scene.bind(&id, vec![devices]).await.unwrap();
    let key = scene.described(&id).await.unwrap();
    assert!(key.device_fingerprint_bind);
    let file = |text: &str| BASE64_STANDARD.decode(text).unwrap();
    let (encrypt, decrypt) = (file(&key.encrypt_key), file(&key.decrypt_key));
    assert_eq!((decrypt[7], decrypt.len()), (1, 24 + 32));
    assert!(!decrypt.windows(16).any(|window| window == &encrypt[24..]));

    let listed = || async {
        let request = DescribeWhiteBoxDeviceFingerprintsRequest { key_id: id.clone() };
        describe_white_box_device_fingerprints(&scene.kms, scene.call(request))
            .await
            .unwrap()
            .device_fingerprints
    };
    let devices = listed().await;
    assert_eq!((&*devices[0].identity, devices[0].description.as_deref()), (DEVICE, Some("till")));
    scene.bind(&id, Vec::new()).await.unwrap();
    assert!(listed().await.is_empty() && !scene.described(&id).await.unwrap().device_fingerprint_bind);
}

#[tokio::test]
async fn fingerprints_that_are_none_are_refused() {
    let scene = Scene::new();
    let id = scene.white_box("boxed").await;
    let numbered = |number: usize| device(&format!("{number:08x}{}", &DEVICE[8..]));
    let described = DeviceFingerprint { description: Some("x".repeat(1025)), ..device(DEVICE) };
    for (devices, expected) in [
        (vec![device("c19c024c-2ba1-11b2-a85c-96f970f4a8e1")], "InvalidParameterValue"),
        (vec![device(DEVICE), device(DEVICE)], "InvalidParameterValue"),
        (vec![described], "InvalidParameterValue"),
        ((0..201).map(numbered).collect(), "LimitExceeded.FingerprintsLimitExceeded"),
    ] {
        assert_eq!(code(scene.bind(&id, devices).await), expected);
    }
    scene.bind(&id, (0..200).map(numbered).collect()).await.unwrap();
    assert_eq!(code(scene.bind(ABSENT, Vec::new()).await), "ResourceNotFound");
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused_with_its_code() {
    let scene = Scene::new();
    let id = scene.white_box("boxed").await;
    let tag = || Tag { tag_key: "a".to_owned(), tag_value: "b".to_owned() };
    for (request, expected) in [
        (order("boxed", "SM4"), "InvalidParameterValue.AliasAlreadyExists"),
        (order("", "SM4"), "InvalidParameterValue.InvalidAlias"),
        (order("other", "AES_128"), "InvalidParameterValue"),
        (
            CreateWhiteBoxKeyRequest { tags: Some(vec![tag(), tag()]), ..order("other", "SM4") },
            "InvalidParameterValue.TagKeysDuplicated",
        ),
        (
            CreateWhiteBoxKeyRequest { description: Some("x".repeat(1025)), ..order("other", "SM4") },
            "InvalidParameter",
        ),
    ] {
        assert_eq!(code(create_white_box_key(&scene.kms, scene.call(request)).await), expected);
    }
    assert_eq!(code(scene.encrypt_by(&id, &[0; 4097], None).await), "InvalidParameterValue");
    assert_eq!(code(scene.encrypt_by(&id, b"text", Some(&[0; 12])).await), "InvalidParameterValue");
    assert_eq!(code(scene.encrypt_by(ABSENT, b"text", None).await), "ResourceNotFound");
    assert_eq!(code(scene.encrypt_by("no-uuid", b"text", None).await), "InvalidParameterValue.InvalidKeyId");
    let request = EncryptByWhiteBoxRequest {
        key_id: id.clone(),
        plain_text: "no base64".to_owned(),
        initialization_vector: None,
    };
    assert_eq!(code(encrypt_by_white_box(&scene.kms, scene.call(request)).await), "InvalidParameter");
    for switched in
        [scene.switch(ABSENT, true).await, scene.switch(ABSENT, false).await, scene.delete(ABSENT).await]
    {
        assert_eq!(code(switched), "ResourceNotFound");
    }
}

#[tokio::test]
async fn an_account_has_fifty_keys() {
    let scene = Scene::new();
    for number in 0..50 {
        scene.white_box(&format!("key-{number}")).await;
    }
    let refusal = create_white_box_key(&scene.kms, scene.call(order("one-more", "SM4"))).await;
    assert_eq!(code(refusal), "LimitExceeded.KeyLimitExceeded");
}
