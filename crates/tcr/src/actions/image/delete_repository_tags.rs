//! `tcr:DeleteRepositoryTags`: tags of a repository, up to twenty at once.

use rookery_api::tcr::{DeleteRepositoryTagsRequest, DeleteRepositoryTagsResponse, ErrorCode};
use rookery_gateway::{Call, Resource};
use rookery_registry::{Error as RegistryError, Origin, Reference, Subject, Tag};

use crate::Tcr;
use crate::actions;
use crate::error::{Error, Rule};
use crate::immutable_tags;
use crate::instances;
use crate::repositories;

/// Tags of one request.
const MOST: usize = 20;
const TAGS: Rule = Rule { english: "must hold 1 to 20 tags", chinese: "须包含1-20个镜像版本" };

/// The tags go and what they name stays, untagged, for as long as another tag, an index or the collector's patience keeps it; so the
/// sibling tags of an image survive. Nothing goes where one of the tags is missing or immutable.
pub(crate) async fn delete_repository_tags(
    tcr: &Tcr,
    call: Call<DeleteRepositoryTagsRequest>,
) -> Result<DeleteRepositoryTagsResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let operator = Subject::new(call.caller.uin().to_string());
    let request = call.request;
    if request.tags.is_empty() || request.tags.len() > MOST {
        let code = ErrorCode::InvalidParameterErrorTcrInvalidParameter;
        return Err(Error::Invalid { parameter: "Tags", rule: TAGS, code });
    }
    let name = repositories::whole_name(&request.namespace_name, &request.repository_name);
    let instance = tcr
        .store
        .read(|view| instances::running(view, &scope, &request.registry_id, now, instances::CONTENT))?;
    let mut tags = Vec::new();
    for text in request.tags {
        let missing = || Error::NoImage { reference: format!("{name}:{text}") };
        let tag = Tag::new(text.as_str()).map_err(|_| missing())?;
        let repository = repositories::registry_name(&instance, &name)?;
        tcr.store.read(|view| repositories::existing(view, &instance, &name))?;
        tcr.registry.manifest_info(&repository, &Reference::Tag(tag.clone()))?.ok_or_else(missing)?;
        if tcr.store.read(|view| immutable_tags::is_immutable(view, &instance, &repository, tag.as_str()))? {
            return Err(Error::ImmutableTag(text));
        }
        tags.push((repository, tag));
    }
    for (repository, tag) in tags {
        match tcr.registry.delete_tag(&repository, &tag, Origin::Client(Some(operator.clone()))).await {
            // Somebody else was quicker, or the request names it twice.
            Ok(()) | Err(RegistryError::ManifestUnknown(_)) => {}
            Err(RegistryError::Refused(refusal)) if refusal.code == "PRECONDITION" => {
                return Err(Error::ImmutableTag(tag.to_string()));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(DeleteRepositoryTagsResponse::default())
}

pub(crate) fn resources(_: &Tcr, call: &Call<DeleteRepositoryTagsRequest>) -> Vec<Resource> {
    actions::on_repository(&call.request.registry_id, &call.request.namespace_name, &call.request.repository_name)
}
