//! `RotateKey`: a symmetric key whose rotation is enabled gets new material now, at most once a day.
//!
//! The rotation is done when this answers, so that `TaskId` names a task that has ended.

use rookery_api::kms::{RotateKeyRequest, RotateKeyResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::Transaction;

use crate::error::Error;
use crate::keys::{Key, KeyId};
use crate::states::Operation;
use crate::timers::{self, DAY};
use crate::{Kms, key_resources, listing};

pub(crate) fn resources(kms: &Kms, call: &Call<RotateKeyRequest>) -> Vec<Resource> {
    key_resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn rotate_key(kms: &Kms, call: Call<RotateKeyRequest>) -> Result<RotateKeyResponse, Error> {
    let scope = kms.enter(&call).await?;
    let RotateKeyRequest { key_id, member_account } = call.request;
    let id = KeyId::parse(&key_id)?;
    listing::refuse_member(member_account.as_ref())?;
    let (now, seal) = (kms.now(), kms.seal.clone());
    let (place, name) = (scope.clone(), id.clone());
    let rotate = move |tx: &mut Transaction<'_>, key: &mut Key| {
        if key.rotation.is_none() {
            return Err(Error::RotateNotSupported(name.clone()));
        }
        if key.last_rotated.is_some_and(|last| now < last + DAY) {
            return Err(Error::RotatedLately(name.clone()));
        }
        timers::rotate(tx, &seal, &place, &name, key, now)
    };
    kms.change(scope, id, Operation::Rotate, rotate).await?;
    Ok(RotateKeyResponse { task_id: kms.world.uuid().to_string() })
}

#[cfg(test)]
mod tests {
    use rookery_api::ErrorCode as _;
    use rookery_gateway::Refusal;

    use super::*;
    use rookery_api::kms::{
        DisableKeyRotationRequest, EnableKeyRotationRequest, GetKeyRotationStatusRequest,
    };

    use crate::actions::rotation::disable_key_rotation::disable_key_rotation;
    use crate::actions::rotation::enable_key_rotation::enable_key_rotation;
    use crate::actions::rotation::get_key_rotation_status::get_key_rotation_status;
    use crate::scene::{ABSENT, ECC, NOW, SYMMETRIC, Scene};

    async fn enable(scene: &Scene, id: &str, rotate_days: Option<u64>) -> Result<(), Error> {
        let request = EnableKeyRotationRequest { key_id: id.to_owned(), rotate_days, member_account: None };
        enable_key_rotation(&scene.kms, scene.call(request)).await.map(|_| ())
    }

    async fn disable(scene: &Scene, id: &str) -> Result<(), Error> {
        let request = DisableKeyRotationRequest { key_id: id.to_owned(), member_account: None };
        disable_key_rotation(&scene.kms, scene.call(request)).await.map(|_| ())
    }

    async fn enabled(scene: &Scene, id: &str) -> Result<bool, Error> {
        let request = GetKeyRotationStatusRequest { key_id: id.to_owned(), member_account: None };
        Ok(get_key_rotation_status(&scene.kms, scene.call(request)).await?.key_rotation_enabled)
    }

    async fn rotate(scene: &Scene, id: &str) -> Result<String, Error> {
        let request = RotateKeyRequest { key_id: id.to_owned(), member_account: None };
        Ok(rotate_key(&scene.kms, scene.call(request)).await?.task_id)
    }

    #[tokio::test]
    async fn new_material_encrypts_and_all_before_it_decrypts() {
        let scene = Scene::new();
        let id = scene.create("data", SYMMETRIC).await;
        let mut blobs = vec![scene.encrypt(&id, None, b"text").await.unwrap()];
        enable(&scene, &id, None).await.unwrap();
        assert!(KeyId::parse(&rotate(&scene, &id).await.unwrap()).is_ok());
        blobs.push(scene.encrypt(&id, None, b"text").await.unwrap());
        let key = scene.metadata(&id).await;
        assert_eq!(
            (key.last_rotate_time, key.next_rotate_time, key.rotate_days),
            (NOW, NOW + 365 * DAY, 365)
        );

        scene.advance(DAY - 1);
        let refusal = rotate(&scene, &id).await.unwrap_err();
        assert_eq!(refusal.code().name(), "RequestLimitExceeded.RotateRateLimited");
        scene.advance(1);
        rotate(&scene, &id).await.unwrap();
        blobs.push(scene.encrypt(&id, None, b"text").await.unwrap());
        let versions = blobs.iter().map(|blob| crate::envelope::Ciphertext::parse(blob).unwrap().version);
        assert_eq!(versions.collect::<Vec<_>>(), [1, 2, 3]);
        for blob in &blobs {
            assert_eq!(scene.decrypt(blob, None).await.unwrap(), b"text");
        }
    }

    #[tokio::test]
    async fn the_clock_rotates_while_the_key_is_in_use() {
        let scene = Scene::new();
        let id = scene.create("data", SYMMETRIC).await;
        assert!(!enabled(&scene, &id).await.unwrap());
        enable(&scene, &id, Some(7)).await.unwrap();
        assert!(enabled(&scene, &id).await.unwrap());
        scene.advance(7 * DAY - 1);
        assert_eq!(scene.metadata(&id).await.last_rotate_time, 0);
        scene.advance(1);
        let key = scene.metadata(&id).await;
        assert_eq!((key.last_rotate_time, key.next_rotate_time), (NOW + 7 * DAY, NOW + 14 * DAY));
        // What is out of use keeps its material, and is rotated when it comes back.
        scene.disable(&id).await;
        scene.advance(8 * DAY);
        assert_eq!(scene.metadata(&id).await.last_rotate_time, NOW + 7 * DAY);
        scene.enable(&id).await;
        assert_eq!(scene.metadata(&id).await.last_rotate_time, NOW + 15 * DAY);
        for _ in 0..2 {
            disable(&scene, &id).await.unwrap();
        }
        scene.advance(400 * DAY);
        let key = scene.metadata(&id).await;
        assert_eq!((key.last_rotate_time, key.next_rotate_time, key.rotate_days), (NOW + 15 * DAY, 0, 0));
    }

    #[tokio::test]
    async fn what_does_not_rotate_is_refused() {
        let scene = Scene::new();
        let (id, signer) = (scene.create("data", SYMMETRIC).await, scene.create("signer", ECC).await);
        let (external, disabled) =
            (scene.create_external("external").await, scene.create("off", SYMMETRIC).await);
        scene.import_here(&external, &[7; 16], 0).await.unwrap();
        enable(&scene, &disabled, None).await.unwrap();
        scene.disable(&disabled).await;
        for (id, days, code) in [
            ("x", 7, "InvalidParameterValue.InvalidKeyId"),
            (ABSENT, 7, "ResourceUnavailable.CmkNotFound"),
            (&*id, 6, "InvalidParameter"),
            (&id, 366, "InvalidParameter"),
            (&signer, 7, "UnsupportedOperation.RotateNotSupported"),
            (&external, 7, "UnsupportedOperation.ExternalCmkCanNotRotate"),
        ] {
            assert_eq!(enable(&scene, id, Some(days)).await.unwrap_err().code().name(), code);
        }
        for (id, code) in
            [("x", "InvalidParameterValue.InvalidKeyId"), (ABSENT, "ResourceUnavailable.CmkNotFound")]
        {
            assert_eq!(disable(&scene, id).await.unwrap_err().code().name(), code);
            assert_eq!(enabled(&scene, id).await.unwrap_err().code().name(), code);
            assert_eq!(rotate(&scene, id).await.unwrap_err().code().name(), code);
        }
        for (id, code) in [
            (&id, "UnsupportedOperation.RotateNotSupported"),
            (&signer, "UnsupportedOperation.RotateNotSupported"),
            (&external, "UnsupportedOperation.RotateNotSupported"),
            (&disabled, "ResourceUnavailable.CmkDisabled"),
        ] {
            assert_eq!(rotate(&scene, id).await.unwrap_err().code().name(), code);
        }
    }
}
