//! `UnbindCloudResource`: a resource of a cloud product no longer depends on a key.

use rookery_api::kms::{UnbindCloudResourceRequest, UnbindCloudResourceResponse};
use rookery_gateway::{Call, Resource};

use crate::bindings::{self, Bindings};
use crate::error::Error;
use crate::keys::KeyId;
use crate::{Kms, key_resources};

pub(crate) fn resources(kms: &Kms, call: &Call<UnbindCloudResourceRequest>) -> Vec<Resource> {
    key_resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn unbind_cloud_resource(
    kms: &Kms,
    call: Call<UnbindCloudResourceRequest>,
) -> Result<UnbindCloudResourceResponse, Error> {
    let scope = kms.enter(&call).await?;
    let UnbindCloudResourceRequest { key_id, product_id, resource_id } = call.request;
    let id = KeyId::parse(&key_id)?;
    bindings::check_names(&product_id, &resource_id)?;
    kms.key(&scope, &id)?;
    let binding = (key_id, product_id, resource_id);
    let found = kms.store.write(move |tx| tx.delete::<Bindings>(&scope, &binding)).await?;
    if found { Ok(UnbindCloudResourceResponse {}) } else { Err(Error::BindingNotFound(id)) }
}
