//! `tcr:DescribeImageManifests`: the manifest and the config of an image.

use rookery_api::tcr::{DescribeImageManifestsRequest, DescribeImageManifestsResponse, KeyValueString};
use rookery_gateway::{Call, Resource};
use rookery_registry::Reference;

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::images;
use crate::instances;
use crate::repositories;

/// `Manifest` is the manifest's text. `Config` is the config's text encoded once more: the JSON literal of a string, as the platform sends it.
/// `ImageVersion` may be a tag or a digest.
pub(crate) async fn describe_image_manifests(
    tcr: &Tcr,
    call: Call<DescribeImageManifestsRequest>,
) -> Result<DescribeImageManifestsResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let name = repositories::whole_name(&request.namespace_name, &request.repository_name);
    let instance = tcr
        .store
        .read(|view| instances::running(view, &scope, &request.registry_id, now, instances::CONTENT))?;
    let (repository, info) = tcr.find_image(&instance, &name, &request.image_version)?;
    let manifest = tcr.registry.get_manifest(&repository, &Reference::Digest(info.digest.clone()))?;
    let manifest =
        manifest.ok_or_else(|| Error::NoImage { reference: format!("{name}:{}", request.image_version) })?;
    let config = tcr.read_config(&repository, info.config.as_ref()).await?;
    let labels = config.labels.into_iter().map(|(key, value)| KeyValueString { key, value }).collect();
    Ok(DescribeImageManifestsResponse {
        manifest: String::from_utf8_lossy(&manifest.bytes).into_owned(),
        config: serde_json::Value::String(config.text).to_string(),
        labels,
        size: images::size(&info),
    })
}

pub(crate) fn resources(_: &Tcr, call: &Call<DescribeImageManifestsRequest>) -> Vec<Resource> {
    actions::on_repository(&call.request.registry_id, &call.request.namespace_name, &call.request.repository_name)
}
