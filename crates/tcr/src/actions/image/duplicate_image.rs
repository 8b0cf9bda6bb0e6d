//! `tcr:DuplicateImage`: an image under another tag, in another repository or namespace, without moving a byte.

use rookery_api::tcr::{DuplicateImageRequest, DuplicateImageResponse, ErrorCode};
use rookery_gateway::{Call, Resource};
use rookery_registry::{Reference, Subject, Tag};
use rookery_signing::attached::is_attached_tag;

use crate::Tcr;
use crate::actions;
use crate::copies::Scopes;
use crate::error::{Error, Rule};
use crate::instances;
use crate::names;
use crate::namespaces;
use crate::repositories;

const TAG: Rule = Rule { english: "must be a tag", chinese: "须为合法的镜像版本" };
const REPOSITORY: Rule = names::REPOSITORY;

/// The destination's namespace and repository are the source's where the request has none; the namespace has to be there, the repository
/// is made. What hangs on the image (signatures, attestations, SBOMs) comes along, and the destination's own signature policy applies as
/// to a push. A tag that is taken is kept, unless `Override` is on.
pub(crate) async fn duplicate_image(
    tcr: &Tcr,
    call: Call<DuplicateImageRequest>,
) -> Result<DuplicateImageResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let operator = Subject::new(call.caller.uin().to_string());
    let request = call.request;
    let code = ErrorCode::InvalidParameterErrorTcrInvalidParameter;
    let invalid = |parameter, rule| Error::Invalid { parameter, rule, code };
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let namespace = given(request.destination_namespace).unwrap_or_else(|| request.source_namespace.clone());
    let name = given(request.destination_repo).unwrap_or_else(|| request.source_repo.clone());
    let tag = Tag::new(request.destination_tag.as_str()).map_err(|_| invalid("DestinationTag", TAG))?;
    if is_attached_tag(tag.as_str()) {
        return Err(invalid("DestinationTag", TAG));
    }
    if !names::repository(&namespace, &name) {
        return Err(invalid("DestinationRepo", REPOSITORY));
    }
    let source_name = repositories::whole_name(&request.source_namespace, &request.source_repo);
    let instance = tcr.store.read(|view| {
        let instance = instances::running(view, &scope, &request.registry_id, now, instances::CONTENT)?;
        namespaces::existing(view, &instance, &namespace, ErrorCode::ResourceNotFound)?;
        Ok::<_, Error>(instance)
    })?;
    let (source, image) = tcr.find_image(&instance, &source_name, &request.source_reference)?;
    let target = repositories::registry_name(&instance, &repositories::whole_name(&namespace, &name))?;
    let reference = Reference::Tag(tag);
    if !request.r#override.unwrap_or(false) && tcr.registry.manifest_info(&target, &reference)?.is_some() {
        return Err(Error::TagTaken(format!("{}:{}", target.name(), request.destination_tag)));
    }
    let scopes = Scopes { source: &instance.scope, target: &instance.scope };
    tcr.copy_image(scopes, &source, &image.digest, &target, &reference, &operator).await?;
    Ok(DuplicateImageResponse::default())
}

/// Pulling from the one and pushing to the other.
pub(crate) fn resources(_: &Tcr, call: &Call<DuplicateImageRequest>) -> Vec<Resource> {
    let request = &call.request;
    let given = |text: &Option<String>, other: &str| {
        text.as_deref().filter(|text| !text.is_empty()).unwrap_or(other).to_owned()
    };
    let (namespace, name) = (
        given(&request.destination_namespace, &request.source_namespace),
        given(&request.destination_repo, &request.source_repo),
    );
    let mut resources =
        actions::on_repository(&request.registry_id, &request.source_namespace, &request.source_repo);
    resources.extend(actions::on_repository(&request.registry_id, &namespace, &name));
    resources
}
