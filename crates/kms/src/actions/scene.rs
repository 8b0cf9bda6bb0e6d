//! A key service in memory and calls to it, for tests.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rookery_api::kms::{
    ArchiveKeyRequest, CreateKeyRequest, DecryptRequest, DescribeKeyRequest, DisableKeyRequest,
    EnableKeyRequest, EnableKeyRotationRequest, EncryptRequest, GetPublicKeyRequest, KeyMetadata,
    ScheduleKeyDeletionRequest, SignByAsymmetricKeyRequest,
};
use rookery_gateway::{Account, Call, Caller, Circumstances, Language, Principal, RequestId};
use rookery_seal::Seal;
use rookery_store::{Regional, Store};
use rookery_world::World;
use time::OffsetDateTime;

use super::asymmetric::get_public_key::get_public_key;
use super::asymmetric::sign_by_asymmetric_key::sign_by_asymmetric_key;
use super::key::archive_key::archive_key;
use super::key::create_key::create_key;
use super::key::describe_key::describe_key;
use super::key::disable_key::disable_key;
use super::key::enable_key::enable_key;
use super::key::schedule_key_deletion::schedule_key_deletion;
use super::rotation::enable_key_rotation::enable_key_rotation;
use super::symmetric::decrypt::decrypt;
use super::symmetric::encrypt::encrypt;
use crate::timers::DAY;
use crate::{Error, Kms};

pub(crate) const RSA: &str = "ASYMMETRIC_SIGN_VERIFY_RSA_2048";
pub(crate) const ECC: &str = "ASYMMETRIC_SIGN_VERIFY_ECC";
pub(crate) const SYMMETRIC: &str = "ENCRYPT_DECRYPT";
pub(crate) const REGION: &str = "ap-guangzhou";
pub(crate) const ACCOUNT: Account = Account { uin: 100_000_000_001, app_id: 1_250_000_001 };
/// The moment at which every scene stands, in UNIX seconds.
pub(crate) const NOW: u64 = 1_700_000_000;
/// A well-formed id that no key has.
pub(crate) const ABSENT: &str = "08408a30-0416-11ed-abdc-52540036b432";

/// The least of an order of a key.
pub(crate) fn order(alias: &str, usage: &str) -> CreateKeyRequest {
    CreateKeyRequest {
        alias: alias.to_owned(),
        description: None,
        key_usage: Some(usage.to_owned()),
        r#type: None,
        tags: None,
        hsm_cluster_id: None,
    }
}

pub(crate) struct Scene {
    pub(crate) kms: Arc<Kms>,
    pub(crate) store: Store,
    pub(crate) seal: Seal,
    world: World,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::over(Store::in_memory(), Seal::ephemeral().unwrap())
    }

    pub(crate) fn over(store: Store, seal: Seal) -> Self {
        let now = OffsetDateTime::from_unix_timestamp(NOW.cast_signed()).unwrap();
        let world = World::pinned(now, 1);
        let kms = Kms::new(store.clone(), seal.clone(), world.clone());
        Self { kms, store, seal, world }
    }

    pub(crate) fn scope(&self) -> Regional {
        crate::scope(&self.call(()))
    }

    pub(crate) fn call<R>(&self, request: R) -> Call<R> {
        Call {
            request,
            caller: Caller::new(ACCOUNT, Principal::Root, "AKIDtest"),
            region: REGION.to_owned(),
            language: Language::English,
            request_id: RequestId(self.world.uuid()),
            circumstances: Circumstances::inside(self.world.now()),
        }
    }

    pub(crate) async fn create(&self, alias: &str, usage: &str) -> String {
        self.create_as(order(alias, usage)).await
    }

    pub(crate) async fn create_as(&self, request: CreateKeyRequest) -> String {
        create_key(&self.kms, self.call(request)).await.unwrap().key_id
    }

    /// A symmetric key whose material is to be imported.
    pub(crate) async fn create_external(&self, alias: &str) -> String {
        self.create_as(CreateKeyRequest { r#type: Some(2), ..order(alias, SYMMETRIC) }).await
    }

    pub(crate) async fn metadata(&self, id: &str) -> KeyMetadata {
        let request = DescribeKeyRequest { key_id: id.to_owned(), member_account: None };
        describe_key(&self.kms, self.call(request)).await.unwrap().key_metadata
    }

    pub(crate) async fn state(&self, id: &str) -> String {
        self.metadata(id).await.key_state
    }

    /// Steps the clock.
    pub(crate) fn advance(&self, seconds: u64) {
        self.world.advance(time::Duration::seconds(seconds.cast_signed()));
    }

    pub(crate) async fn archive(&self, id: &str) {
        let request = ArchiveKeyRequest { key_id: id.to_owned(), member_account: None };
        archive_key(&self.kms, self.call(request)).await.unwrap();
    }

    /// Lets a key rotate by the clock.
    pub(crate) async fn rotate_by_itself(&self, id: &str) {
        let days =
            EnableKeyRotationRequest { key_id: id.to_owned(), rotate_days: Some(7), member_account: None };
        enable_key_rotation(&self.kms, self.call(days)).await.unwrap();
        self.advance(7 * DAY);
    }

    /// Schedules a deletion; the result is its moment.
    pub(crate) async fn schedule(&self, id: &str, days: u64) -> Result<u64, Error> {
        let request = ScheduleKeyDeletionRequest {
            key_id: id.to_owned(),
            pending_window_in_days: days,
            member_account: None,
        };
        Ok(schedule_key_deletion(&self.kms, self.call(request)).await?.deletion_date)
    }

    pub(crate) async fn encrypt(
        &self,
        id: &str,
        context: Option<&str>,
        text: &[u8],
    ) -> Result<String, Error> {
        let request = EncryptRequest {
            key_id: id.to_owned(),
            plaintext: BASE64_STANDARD.encode(text),
            encryption_context: context.map(str::to_owned),
        };
        Ok(encrypt(&self.kms, self.call(request)).await?.ciphertext_blob)
    }

    pub(crate) async fn decrypt(&self, blob: &str, context: Option<&str>) -> Result<Vec<u8>, Error> {
        let request = DecryptRequest {
            ciphertext_blob: blob.to_owned(),
            encryption_context: context.map(str::to_owned),
            encryption_public_key: None,
            encryption_algorithm: None,
        };
        let reply = decrypt(&self.kms, self.call(request)).await?;
        Ok(BASE64_STANDARD.decode(reply.plaintext).unwrap())
    }

    pub(crate) async fn disable(&self, id: &str) {
        let request = DisableKeyRequest { key_id: id.to_owned(), member_account: None };
        disable_key(&self.kms, self.call(request)).await.unwrap();
    }

    pub(crate) async fn enable(&self, id: &str) {
        let request = EnableKeyRequest { key_id: id.to_owned(), member_account: None };
        enable_key(&self.kms, self.call(request)).await.unwrap();
    }

    pub(crate) async fn public_key_pem(&self, id: &str) -> String {
        let request = GetPublicKeyRequest { key_id: id.to_owned() };
        get_public_key(&self.kms, self.call(request)).await.unwrap().public_key_pem
    }

    pub(crate) async fn sign(&self, id: &str, algorithm: &str, message: &[u8]) -> Result<Vec<u8>, Error> {
        let request = SignByAsymmetricKeyRequest {
            algorithm: algorithm.to_owned(),
            message: BASE64_STANDARD.encode(message),
            key_id: id.to_owned(),
            message_type: None,
        };
        let reply = sign_by_asymmetric_key(&self.kms, self.call(request)).await?;
        Ok(BASE64_STANDARD.decode(reply.signature).unwrap())
    }
}
