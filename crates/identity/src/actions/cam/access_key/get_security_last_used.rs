//! `cam:GetSecurityLastUsed`: when keys signed a request last.

use rookery_api::cam::{GetSecurityLastUsedRequest, GetSecurityLastUsedResponse, SecretIdLastUsed};
use rookery_gateway::{Call, Resource};
use rookery_store::Read;

use crate::Cam;
use crate::actions::cam::{on_all, scope};
use crate::cam::access_keys::AccessKeys;
use crate::cam::error::Error;
use crate::cam::moments;

/// A key that has not been used has no dates. A key that is not the account's is refused, as nobody else may learn about it.
pub(crate) async fn get_security_last_used(
    cam: &Cam,
    call: Call<GetSecurityLastUsedRequest>,
) -> Result<GetSecurityLastUsedResponse, Error> {
    let scope = scope(&call);
    let ids = call.request.secret_id_list;
    if ids.is_empty() || ids.len() > 10 {
        return Err(Error::PlainParameter { parameter: "SecretIdList", rule: "must have 1 to 10 keys" });
    }
    let mut rows = Vec::with_capacity(ids.len());
    cam.store.read(|view| {
        for id in ids {
            if !view.contains::<AccessKeys>(&scope, id.as_str())? {
                let rule = "names a key that the account does not have";
                return Err(Error::PlainParameter { parameter: "SecretIdList", rule });
            }
            let used = cam.uses.last(view, scope, &id)?;
            rows.push(SecretIdLastUsed {
                secret_id: id,
                last_used_date: used.map(moments::local_date),
                last_secret_used_date: used.map(|seconds| seconds.max(0).unsigned_abs() * 1000),
            });
        }
        Ok(())
    })?;
    Ok(GetSecurityLastUsedResponse { secret_id_last_used_rows: rows })
}

pub(crate) fn resources(_: &Cam, _: &Call<GetSecurityLastUsedRequest>) -> Vec<Resource> {
    on_all()
}
