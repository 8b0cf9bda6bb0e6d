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
