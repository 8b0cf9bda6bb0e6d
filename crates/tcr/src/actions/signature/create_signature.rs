//! `tcr:CreateSignature`: signs an image that is there already.

use rookery_api::tcr::{CreateSignatureRequest, CreateSignatureResponse, ErrorCode};
use rookery_gateway::{Call, Resource};
use rookery_signing::attached::is_attached_tag;

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::instances;
use crate::namespaces;
use crate::repositories;
use crate::signature_policies;
use crate::signatures::Formats;

/// With the key of the namespace's policy, in every format, and before the reply: an image that this call says is signed verifies. A second
/// call replaces the signatures of the first.
pub(crate) async fn create_signature(
    tcr: &Tcr,
    call: Call<CreateSignatureRequest>,
) -> Result<CreateSignatureResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let namespace = request.namespace_name;
    let (instance, policy) = tcr.store.read(|view| {
        let instance = instances::running(view, &scope, &request.registry_id, now, instances::CONTENT)?;
        if !instance.row.edition.signs() {
            return Err(Error::SigningNotIncluded);
        }
        namespaces::existing(view, &instance, &namespace, ErrorCode::ResourceNotFoundTcrResourceNotFound)?;
        let policy = signature_policies::find(view, &instance, &namespace)?;
        let policy = policy.ok_or_else(|| Error::NoPolicy(namespace.clone()))?;
        Ok((instance, policy))
    })?;
    if policy.disabled {
        return Err(Error::PolicyDisabled(namespace));
    }
    if is_attached_tag(&request.image_version) {
        return Err(Error::Unsignable);
    }
    let name = repositories::whole_name(&namespace, &request.repository_name);
    let (repository, image) = tcr.find_image(&instance, &name, &request.image_version)?;
    tcr.signing.sign(&instance, &policy, &repository, &image.digest, Formats::All).await?;
    Ok(CreateSignatureResponse::default())
}

pub(crate) fn resources(_: &Tcr, call: &Call<CreateSignatureRequest>) -> Vec<Resource> {
    actions::on_repository(&call.request.registry_id, &call.request.namespace_name, &call.request.repository_name)
}
