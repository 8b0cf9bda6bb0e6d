//! `DeleteImportedKeyMaterial`: imported material goes at once; the key stays, and waits for the same material again.

use rookery_api::kms::{DeleteImportedKeyMaterialRequest, DeleteImportedKeyMaterialResponse};
use rookery_gateway::{Call, Resource};

use super::get_parameters_for_import::external;
use crate::error::Error;
use crate::keys::{self, KeyId};
use crate::states::{KeyState, Operation};
use crate::{Kms, key_resources};

pub(crate) fn resources(kms: &Kms, call: &Call<DeleteImportedKeyMaterialRequest>) -> Vec<Resource> {
    key_resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn delete_imported_key_material(
    kms: &Kms,
    call: Call<DeleteImportedKeyMaterialRequest>,
) -> Result<DeleteImportedKeyMaterialResponse, Error> {
    let scope = kms.enter(&call).await?;
    let DeleteImportedKeyMaterialRequest { key_id } = call.request;
    let id = KeyId::parse(&key_id)?;
    external(kms, &scope, &id, Operation::DeleteMaterial)?;
    let place = scope.clone();
    kms.change(scope, id, Operation::DeleteMaterial, move |tx, key| {
        if let Some(imported) = &mut key.imported {
            imported.present = false;
            imported.valid_to = None;
        }
        key.state = KeyState::PendingImport;
        Ok(keys::remove_versions(tx, &place, &key_id)?)
    })
    .await?;
    Ok(DeleteImportedKeyMaterialResponse {})
}
