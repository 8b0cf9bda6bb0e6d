//! `EnableKeyRotation`: a symmetric key gets new material every so many days. Asked again, it counts from now.

use std::ops::RangeInclusive;

use rookery_api::kms::{EnableKeyRotationRequest, EnableKeyRotationResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::Transaction;

use crate::error::Error;
use crate::keys::{Key, KeyId, Origin, Rotation};
use crate::states::Operation;
use crate::timers::DAY;
use crate::{Kms, key_resources, listing};

/// How many days may lie between two rotations.
const DAYS: RangeInclusive<u64> = 7..=365;
/// How many do if nothing is said.
const DEFAULT_DAYS: u64 = 365;

pub(crate) fn resources(kms: &Kms, call: &Call<EnableKeyRotationRequest>) -> Vec<Resource> {
    key_resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn enable_key_rotation(
    kms: &Kms,
    call: Call<EnableKeyRotationRequest>,
) -> Result<EnableKeyRotationResponse, Error> {
    let scope = kms.enter(&call).await?;
    let EnableKeyRotationRequest { key_id, rotate_days, member_account } = call.request;
    let id = KeyId::parse(&key_id)?;
    listing::refuse_member(member_account.as_ref())?;
    let days = rotate_days.unwrap_or(DEFAULT_DAYS);
    if !DAYS.contains(&days) {
        return Err(Error::RotateDays(days));
    }
    let next = kms.now() + days * DAY;
    let name = id.clone();
    let enable = move |_: &mut Transaction<'_>, key: &mut Key| {
        if key.origin == Origin::External {
            return Err(Error::ExternalCannotRotate(name.clone()));
        }
        if key.usage.is_asymmetric() {
            return Err(Error::RotateNotSupported(name.clone()));
        }
        key.rotation = Some(Rotation { days, next });
        Ok(())
    };
    kms.change(scope, id, Operation::EnableRotation, enable).await?;
    Ok(EnableKeyRotationResponse {})
}
