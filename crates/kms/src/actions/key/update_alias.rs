//! `UpdateAlias`: a key gets another name.

use rookery_api::kms::{UpdateAliasRequest, UpdateAliasResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::Transaction;

use crate::error::Error;
use crate::keys::{self, Key, KeyId};
use crate::states::Operation;
use crate::{Kms, key_resources, listing};

pub(crate) fn resources(kms: &Kms, call: &Call<UpdateAliasRequest>) -> Vec<Resource> {
    key_resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn update_alias(
    kms: &Kms,
    call: Call<UpdateAliasRequest>,
) -> Result<UpdateAliasResponse, Error> {
    let scope = kms.enter(&call).await?;
    let UpdateAliasRequest { key_id, alias, member_account } = call.request;
    let id = KeyId::parse(&key_id)?;
    listing::refuse_member(member_account.as_ref())?;
    keys::check_alias(&alias)?;
    let place = scope.clone();
    let rename = move |tx: &mut Transaction<'_>, key: &mut Key| {
        // Its own name is not taken by another one.
        if key.alias != alias {
            keys::check_alias_free(tx, &place, &alias)?;
            key.alias.clone_from(&alias);
        }
        Ok(())
    };
    kms.change(scope, id, Operation::Rename, rename).await?;
    Ok(UpdateAliasResponse {})
}
