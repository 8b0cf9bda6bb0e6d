//! `ArchiveKey`: a key decrypts only, from now on.

use rookery_api::kms::{ArchiveKeyRequest, ArchiveKeyResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::Transaction;

use crate::error::Error;
use crate::keys::{Key, KeyId};
use crate::states::{KeyState, Operation};
use crate::{Kms, key_resources, listing};

pub(crate) fn resources(kms: &Kms, call: &Call<ArchiveKeyRequest>) -> Vec<Resource> {
    key_resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn archive_key(
    kms: &Kms,
    call: Call<ArchiveKeyRequest>,
) -> Result<ArchiveKeyResponse, Error> {
    let scope = kms.enter(&call).await?;
    let ArchiveKeyRequest { key_id, member_account } = call.request;
    let id = KeyId::parse(&key_id)?;
    listing::refuse_member(member_account.as_ref())?;
    let archive = |_: &mut Transaction<'_>, key: &mut Key| {
        key.state = KeyState::Archived;
        Ok(())
    };
    kms.change(scope, id, Operation::Archive, archive).await?;
    Ok(ArchiveKeyResponse {})
}

#[cfg(test)]
mod tests {
    use rookery_api::ErrorCode as _;
    use rookery_gateway::Refusal;

    use super::*;
    use rookery_api::kms::CancelKeyArchiveRequest;

    use crate::actions::key::cancel_key_archive::cancel_key_archive;
    use crate::scene::{ABSENT, ECC, Scene};

    #[tokio::test]
    async fn keys_are_archived_and_restored_and_repeating_it_is_no_error() {
        let scene = Scene::new();
        let (id, disabled) = (scene.create("one", ECC).await, scene.create("off", ECC).await);
        scene.disable(&disabled).await;
        let archive = async |id: &str| {
            let request = ArchiveKeyRequest { key_id: id.to_owned(), member_account: None };
            archive_key(&scene.kms, scene.call(request)).await.map_err(|refusal| refusal.code().name())
        };
        let restore = async |id: &str| {
            let request = CancelKeyArchiveRequest { key_id: id.to_owned(), member_account: None };
            cancel_key_archive(&scene.kms, scene.call(request)).await.map_err(|refusal| refusal.code().name())
        };
        for _ in 0..2 {
            archive(&id).await.unwrap();
            assert_eq!(scene.state(&id).await, "Archived");
        }
        let signed = scene.sign(&id, "ECC_P256_R1", b"text").await.unwrap_err();
        assert_eq!(signed.code().name(), "ResourceUnavailable.CmkStateNotSupport");
        for _ in 0..2 {
            restore(&id).await.unwrap();
            assert_eq!(scene.state(&id).await, "Enabled");
        }
        for (id, code) in
            [("x", "InvalidParameterValue.InvalidKeyId"), (ABSENT, "ResourceUnavailable.CmkNotFound")]
        {
            assert_eq!(archive(id).await.err(), Some(code));
            assert_eq!(restore(id).await.err(), Some(code));
        }
        assert_eq!(restore(&disabled).await.err(), Some("ResourceUnavailable.CmkStateNotSupport"));
        archive(&disabled).await.unwrap();
        assert_eq!(scene.state(&disabled).await, "Archived");
    }
}
