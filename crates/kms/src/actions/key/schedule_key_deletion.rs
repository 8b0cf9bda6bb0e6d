//! `ScheduleKeyDeletion`: a key that is out of use is deleted after 7 to 30 days, with everything that hangs on it.

use std::ops::RangeInclusive;

use rookery_api::kms::{ScheduleKeyDeletionRequest, ScheduleKeyDeletionResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::Transaction;

use crate::error::Error;
use crate::keys::{Key, KeyId};
use crate::states::{KeyState, Operation};
use crate::timers::DAY;
use crate::{Kms, key_resources, listing};

/// How many days a key may wait for its deletion.
const WINDOW: RangeInclusive<u64> = 7..=30;

pub(crate) fn resources(kms: &Kms, call: &Call<ScheduleKeyDeletionRequest>) -> Vec<Resource> {
    key_resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn schedule_key_deletion(
    kms: &Kms,
    call: Call<ScheduleKeyDeletionRequest>,
) -> Result<ScheduleKeyDeletionResponse, Error> {
    let scope = kms.enter(&call).await?;
    let ScheduleKeyDeletionRequest { key_id, pending_window_in_days, member_account } = call.request;
    let id = KeyId::parse(&key_id)?;
    listing::refuse_member(member_account.as_ref())?;
    if !WINDOW.contains(&pending_window_in_days) {
        return Err(Error::PendingWindow(pending_window_in_days));
    }
    let deletion_date = kms.now() + pending_window_in_days * DAY;
    let schedule = move |_: &mut Transaction<'_>, key: &mut Key| {
        key.state = KeyState::PendingDelete;
        key.deletion = Some(deletion_date);
        Ok(())
    };
    kms.change(scope, id, Operation::ScheduleDeletion, schedule).await?;
    Ok(ScheduleKeyDeletionResponse { deletion_date, key_id })
}

#[cfg(test)]
mod tests {
    use rookery_api::ErrorCode as _;
    use rookery_gateway::Refusal;

    use super::*;
    use rookery_api::kms::CancelKeyDeletionRequest;
    use rookery_store::{Read, Scan};

    use crate::actions::key::cancel_key_deletion::cancel_key_deletion;
    use crate::keys::{Keys, Materials, Versions};
    use crate::scene::{ABSENT, ECC, NOW, SYMMETRIC, Scene, order};
    use crate::tags::Tags;

    async fn cancel(scene: &Scene, id: &str) -> Result<String, Error> {
        let request = CancelKeyDeletionRequest { key_id: id.to_owned(), member_account: None };
        Ok(cancel_key_deletion(&scene.kms, scene.call(request)).await?.key_id)
    }

    #[tokio::test]
    async fn a_key_is_gone_with_everything_after_its_window_and_not_before() {
        let scene = Scene::new();
        let (data, signer) = (scene.create("data", SYMMETRIC).await, scene.create("signer", ECC).await);
        let blob = scene.encrypt(&data, None, b"text").await.unwrap();
        for id in [&data, &signer] {
            scene.disable(id).await;
            assert_eq!(scene.schedule(id, 7).await.unwrap(), NOW + 7 * DAY);
            let key = scene.metadata(id).await;
            assert_eq!((key.key_state.as_str(), key.deletion_date), ("PendingDelete", NOW + 7 * DAY));
        }
        scene.advance(7 * DAY - 1);
        assert_eq!(scene.state(&data).await, "PendingDelete");
        scene.advance(1);
        // Nobody asks for the keys: the clock alone does it.
        scene.kms.settle().await.unwrap();
        let left = scene.store.read(|view| {
            let scope = scene.scope();
            Ok::<_, Error>((
                view.count::<Keys>(&scope, Scan::all())?,
                view.count::<Materials>(&scope, Scan::all())?,
                view.count::<Versions>(&scope, Scan::all())?,
                view.count::<Tags>(&scope, Scan::all())?,
            ))
        });
        assert_eq!(left.unwrap(), (0, 0, 0, 0));
        assert!(matches!(scene.decrypt(&blob, None).await, Err(Error::KeyNotFound(_))));
        assert!(matches!(cancel(&scene, &data).await, Err(Error::KeyNotFound(_))));
        // Its name is free.
        scene.create_as(order("data", SYMMETRIC)).await;
    }

    #[tokio::test]
    async fn a_key_that_is_kept_after_all_is_disabled_and_stays() {
        let scene = Scene::new();
        let id = scene.create("data", SYMMETRIC).await;
        let blob = scene.encrypt(&id, None, b"text").await.unwrap();
        assert!(matches!(cancel(&scene, &id).await, Err(Error::KeyNotPendingDelete(_))));
        scene.disable(&id).await;
        scene.schedule(&id, 30).await.unwrap();
        assert_eq!(cancel(&scene, &id).await.unwrap(), id);
        scene.advance(31 * DAY);
        let key = scene.metadata(&id).await;
        assert_eq!((key.key_state.as_str(), key.deletion_date), ("Disabled", 0));
        scene.enable(&id).await;
        assert_eq!(scene.decrypt(&blob, None).await.unwrap(), b"text");
    }

    #[tokio::test]
    async fn what_cannot_be_scheduled_is_refused() {
        let scene = Scene::new();
        let (enabled, disabled) = (scene.create("on", ECC).await, scene.create("off", ECC).await);
        scene.disable(&disabled).await;
        for (id, days, code) in [
            ("x", 7, "InvalidParameterValue.InvalidKeyId"),
            (ABSENT, 7, "ResourceUnavailable.CmkNotFound"),
            (&enabled, 7, "ResourceUnavailable.CmkShouldBeDisabled"),
            (&disabled, 6, "InvalidParameter.InvalidPendingWindowInDays"),
            (&disabled, 31, "InvalidParameter.InvalidPendingWindowInDays"),
            (&disabled, 0, "InvalidParameter.InvalidPendingWindowInDays"),
        ] {
            assert_eq!(scene.schedule(id, days).await.unwrap_err().code().name(), code);
        }
        scene.schedule(&disabled, 7).await.unwrap();
        let again = scene.schedule(&disabled, 7).await.unwrap_err();
        assert_eq!(again.code().name(), "ResourceUnavailable.CmkStateNotSupport");
        // A key that was never given material goes without a detour.
        let waiting = scene.create_external("waiting").await;
        assert!(scene.schedule(&waiting, 7).await.is_ok());
    }
}
