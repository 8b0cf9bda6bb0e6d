//! `OverwriteWhiteBoxDeviceFingerprints`: binds a white-box key's decrypt file to devices, or, without any, to none.

use std::collections::HashSet;

use rookery_api::kms::{
    DeviceFingerprint, OverwriteWhiteBoxDeviceFingerprintsRequest,
    OverwriteWhiteBoxDeviceFingerprintsResponse,
};
use rookery_gateway::{Call, Resource};

use crate::error::Error;
use crate::keys::{DESCRIPTION_LIMIT, KeyId};
use crate::whitebox::{self, FINGERPRINT_LIMIT, Fingerprint, WhiteBoxError};
use crate::{Kms, scope};

pub(crate) fn resources(kms: &Kms, call: &Call<OverwriteWhiteBoxDeviceFingerprintsRequest>) -> Vec<Resource> {
    whitebox::resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn overwrite_white_box_device_fingerprints(
    kms: &Kms,
    call: Call<OverwriteWhiteBoxDeviceFingerprintsRequest>,
) -> Result<OverwriteWhiteBoxDeviceFingerprintsResponse, Error> {
    let scope = scope(&call);
    let OverwriteWhiteBoxDeviceFingerprintsRequest { key_id, device_fingerprints } = call.request;
    let id = KeyId::parse(&key_id)?;
    let fingerprints = read(device_fingerprints.unwrap_or_default())?;
    kms.store
        .write(move |tx| whitebox::change(tx, &scope, &id, |key| key.fingerprints.clone_from(&fingerprints)))
        .await?;
    Ok(OverwriteWhiteBoxDeviceFingerprintsResponse {})
}

fn read(devices: Vec<DeviceFingerprint>) -> Result<Vec<Fingerprint>, WhiteBoxError> {
    if devices.len() > FINGERPRINT_LIMIT {
        return Err(WhiteBoxError::TooManyFingerprints(devices.len()));
    }
    let mut seen = HashSet::new();
    for device in &devices {
        if !whitebox::is_fingerprint(&device.identity) {
            return Err(WhiteBoxError::MalformedFingerprint);
        }
        if device.description.as_ref().is_some_and(|text| text.len() > DESCRIPTION_LIMIT) {
            return Err(WhiteBoxError::DescriptionTooLong);
        }
        if !seen.insert(&device.identity) {
            return Err(WhiteBoxError::RepeatedFingerprint);
        }
    }
    let kept = devices
        .into_iter()
        .map(|device| Fingerprint { identity: device.identity, description: device.description });
    Ok(kept.collect())
}
