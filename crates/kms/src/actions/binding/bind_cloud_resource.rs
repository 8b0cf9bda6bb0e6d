//! `BindCloudResource`: a resource of a cloud product depends on a key from now on, and the key no longer expires by itself.

use rookery_api::kms::{BindCloudResourceRequest, BindCloudResourceResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::Transaction;

use crate::bindings::{self, Binding, Bindings};
use crate::error::Error;
use crate::keys::{Key, KeyId};
use crate::states::Operation;
use crate::{Kms, key_resources};

pub(crate) fn resources(kms: &Kms, call: &Call<BindCloudResourceRequest>) -> Vec<Resource> {
    key_resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn bind_cloud_resource(
    kms: &Kms,
    call: Call<BindCloudResourceRequest>,
) -> Result<BindCloudResourceResponse, Error> {
    let scope = kms.enter(&call).await?;
    let BindCloudResourceRequest { key_id, product_id, resource_id } = call.request;
    let id = KeyId::parse(&key_id)?;
    bindings::check_names(&product_id, &resource_id)?;
    let (place, now) = (scope.clone(), kms.now());
    let bind = move |tx: &mut Transaction<'_>, key: &mut Key| {
        if let Some(imported) = &mut key.imported {
            imported.valid_to = None;
        }
        let binding = (key_id.clone(), product_id.clone(), resource_id.clone());
        // What is bound already stays as it is, which is no error.
        tx.insert::<Bindings>(&place, &binding, &Binding { bound: now })?;
        Ok(())
    };
    kms.change(scope, id, Operation::BindResource, bind).await?;
    Ok(BindCloudResourceResponse {})
}
