//! `tcr:DeleteImage`: an image, under all its tags.

use rookery_api::tcr::{DeleteImageRequest, DeleteImageResponse};
use rookery_gateway::{Call, Resource};
use rookery_registry::{Error as RegistryError, Origin, Subject};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::instances;
use crate::repositories;
use crate::signatures::image_key;

/// As the platform documents, deleting a tag deletes the artifact, so its other tags go as well; and so does what hangs on it:
/// signatures, attestations, referrers. `ImageVersion` may be a tag or a digest.
pub(crate) async fn delete_image(
    tcr: &Tcr,
    call: Call<DeleteImageRequest>,
) -> Result<DeleteImageResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let operator = Subject::new(call.caller.uin().to_string());
    let request = call.request;
    let name = repositories::whole_name(&request.namespace_name, &request.repository_name);
    let instance = tcr
        .store
        .read(|view| instances::running(view, &scope, &request.registry_id, now, instances::CONTENT))?;
    let (repository, image) = tcr.find_image(&instance, &name, &request.image_version)?;
    match tcr.registry.delete_manifest(&repository, &image.digest, Origin::Client(Some(operator))).await {
        Ok(()) => {}
        Err(RegistryError::ManifestUnknown(_)) => {
            return Err(Error::NoImage { reference: format!("{name}:{}", request.image_version) });
        }
        Err(RegistryError::Refused(refusal)) if refusal.code == "PRECONDITION" => {
            return Err(Error::ImmutableTag(request.image_version));
        }
        Err(error) => return Err(error.into()),
    }
    tcr.signing.clean_up(&scope, &image_key(&repository, &image.digest)).await?;
    Ok(DeleteImageResponse::default())
}

pub(crate) fn resources(_: &Tcr, call: &Call<DeleteImageRequest>) -> Vec<Resource> {
    actions::on_repository(&call.request.registry_id, &call.request.namespace_name, &call.request.repository_name)
}
