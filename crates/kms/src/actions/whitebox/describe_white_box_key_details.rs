//! `DescribeWhiteBoxKeyDetails`: the white-box keys, newest first.

use rookery_api::kms::{DescribeWhiteBoxKeyDetailsRequest, DescribeWhiteBoxKeyDetailsResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::Read as _;

use crate::error::Error;
use crate::indexes::newest_first;
use crate::keys::KeyId;
use crate::whitebox::BySequence;
use crate::{Kms, scope, tags};

pub(crate) fn resources(_: &Kms, _: &Call<DescribeWhiteBoxKeyDetailsRequest>) -> Vec<Resource> {
    vec![Resource::any()]
}

pub(crate) async fn describe_white_box_key_details(
    kms: &Kms,
    call: Call<DescribeWhiteBoxKeyDetailsRequest>,
) -> Result<DescribeWhiteBoxKeyDetailsResponse, Error> {
    let scope = scope(&call);
    let DescribeWhiteBoxKeyDetailsRequest { key_status, offset, limit, tag_filters } = call.request;
    let enabled = match key_status {
        None => None,
        Some(0) => Some(false),
        Some(1) => Some(true),
        Some(other) => return Err(Error::value("KeyStatus", &other)),
    };
    let filters = tag_filters.unwrap_or_default();
    let keys = kms.store.read(|view| {
        let mut found = Vec::new();
        for (_, id, key) in view.scan_index::<BySequence>(newest_first(&scope))? {
            if enabled.is_none_or(|enabled| enabled == key.enabled)
                && tags::pass(&tags::of(view, &scope, key.creator, &id)?, &filters)
            {
                found.push((id, key));
            }
        }
        Ok::<_, Error>(found)
    })?;
    let position = |number| usize::try_from(number).unwrap_or(usize::MAX);
    // No limit, or one of 0, asks for all of them.
    let limit = limit.filter(|limit| *limit > 0).map_or(usize::MAX, position);
    Ok(DescribeWhiteBoxKeyDetailsResponse {
        total_count: keys.len() as u64,
        key_infos: keys
            .into_iter()
            .skip(position(offset.unwrap_or_default()))
            .take(limit)
            .map(|(id, key)| key.info(&kms.seal, scope.uin, &KeyId::parse(&id)?))
            .collect::<Result<_, Error>>()?,
    })
}
