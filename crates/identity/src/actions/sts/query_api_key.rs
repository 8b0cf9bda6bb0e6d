//! `sts:QueryApiKey`: the ids of the keys of an identity, without their secrets.

use rookery_api::sts::{ApiKey, QueryApiKeyRequest, QueryApiKeyResponse};
use rookery_gateway::{Call, Caller, Principal, Resource};
use rookery_store::{Account as Scope, Read as _};

use crate::Cam;
use crate::cam::access_keys;
use crate::cam::users::Users;
use crate::sts::error::Error;

/// `Status` of a key that opens something.
const VALID: u64 = 2;
/// `Status` of a key that is disabled. One that was deleted is kept nowhere, so 4 is never said.
const DISABLED: u64 = 3;

pub(crate) async fn query_api_key(
    cam: &Cam,
    call: Call<QueryApiKeyRequest>,
) -> Result<QueryApiKeyResponse, Error> {
    let account = call.caller.account.uin;
    let uin = target(&call.caller, call.request.target_uin)?;
    let keys = cam.store.read(|view| {
        if uin != account && !view.contains::<Users>(&Scope { uin: account }, &uin)? {
            return Err(Error::NoAccount { uin });
        }
        Ok(access_keys::of(view, account, uin)?)
    })?;
    let id_keys = keys.into_iter().map(|(secret_id, row)| ApiKey {
        secret_id,
        create_time: row.created_at.unsigned_abs(),
        status: if row.active { VALID } else { DISABLED },
    });
    Ok(QueryApiKeyResponse { id_keys: id_keys.collect() })
}

/// Whose keys: the caller's own where nothing is said. A role has none.
fn target(caller: &Caller, asked: Option<u64>) -> Result<u64, Error> {
    match (asked.filter(|uin| *uin != 0), &caller.principal) {
        (Some(uin), _) => Ok(uin),
        (None, Principal::Role { .. }) => Err(Error::NoAccount { uin: 0 }),
        (None, _) => Ok(caller.uin()),
    }
}

pub(crate) fn resources(_: &Cam, call: &Call<QueryApiKeyRequest>) -> Vec<Resource> {
    let account = call.caller.account.uin;
    let named = |uin| vec![Resource::whole(format!("qcs::cam::uin/{account}:uin/{uin}"))];
    target(&call.caller, call.request.target_uin).map_or_else(|_| vec![Resource::any()], named)
}
