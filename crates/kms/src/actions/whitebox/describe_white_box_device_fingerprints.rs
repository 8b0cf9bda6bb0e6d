//! `DescribeWhiteBoxDeviceFingerprints`: the devices that a white-box key is bound to.

use rookery_api::kms::{
    DescribeWhiteBoxDeviceFingerprintsRequest, DescribeWhiteBoxDeviceFingerprintsResponse, DeviceFingerprint,
};
use rookery_gateway::{Call, Resource};

use crate::error::Error;
use crate::keys::KeyId;
use crate::{Kms, scope, whitebox};

pub(crate) fn resources(kms: &Kms, call: &Call<DescribeWhiteBoxDeviceFingerprintsRequest>) -> Vec<Resource> {
    whitebox::resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn describe_white_box_device_fingerprints(
    kms: &Kms,
    call: Call<DescribeWhiteBoxDeviceFingerprintsRequest>,
) -> Result<DescribeWhiteBoxDeviceFingerprintsResponse, Error> {
    let scope = scope(&call);
    let id = KeyId::parse(&call.request.key_id)?;
    let key = kms.store.read(|view| whitebox::existing(view, &scope, &id))?;
    Ok(DescribeWhiteBoxDeviceFingerprintsResponse {
        device_fingerprints: key.fingerprints.into_iter().map(DeviceFingerprint::from).collect(),
    })
}
