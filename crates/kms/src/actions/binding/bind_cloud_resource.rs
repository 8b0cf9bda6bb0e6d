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

#[cfg(test)]
mod tests {
    use rookery_api::ErrorCode as _;
    use rookery_gateway::Refusal;

    use super::*;
    use rookery_api::kms::UnbindCloudResourceRequest;

    use crate::actions::binding::unbind_cloud_resource::unbind_cloud_resource;
    use crate::scene::{ABSENT, NOW, SYMMETRIC, Scene};

    async fn bind(scene: &Scene, id: &str, product: &str, resource: &str) -> Result<(), Error> {
        let request = BindCloudResourceRequest {
            key_id: id.to_owned(),
            product_id: product.to_owned(),
            resource_id: resource.to_owned(),
        };
        bind_cloud_resource(&scene.kms, scene.call(request)).await.map(|_| ())
    }

    async fn unbind(scene: &Scene, id: &str, product: &str, resource: &str) -> Result<(), Error> {
        let request = UnbindCloudResourceRequest {
            key_id: id.to_owned(),
            product_id: product.to_owned(),
            resource_id: resource.to_owned(),
        };
        unbind_cloud_resource(&scene.kms, scene.call(request)).await.map(|_| ())
    }

    #[tokio::test]
    async fn a_key_stays_in_use_as_long_as_one_resource_depends_on_it() {
        let scene = Scene::new();
        let id = scene.create("data", SYMMETRIC).await;
        for _ in 0..2 {
            bind(&scene, &id, "ssm", "secret").await.unwrap();
        }
        bind(&scene, &id, "cbs", "disk").await.unwrap();
        let disabled = async || {
            let request = rookery_api::kms::DisableKeyRequest { key_id: id.clone(), member_account: None };
            crate::actions::key::disable_key::disable_key(&scene.kms, scene.call(request)).await
        };
        unbind(&scene, &id, "ssm", "secret").await.unwrap();
        let refusal = disabled().await.unwrap_err();
        assert_eq!(refusal.code().name(), "FailedOperation.CmkUsedByCloudProduct");
        unbind(&scene, &id, "cbs", "disk").await.unwrap();
        let refusal = unbind(&scene, &id, "cbs", "disk").await.unwrap_err();
        assert_eq!(refusal.code().name(), "ResourceUnavailable.CloudResourceBindingNotFound");
        disabled().await.unwrap();
        let refusal = bind(&scene, &id, "cbs", "disk").await.unwrap_err();
        assert_eq!(refusal.code().name(), "ResourceUnavailable.CmkStateNotSupport");
    }

    #[tokio::test]
    async fn a_key_that_is_needed_does_not_expire() {
        let scene = Scene::new();
        let id = scene.create_external("own").await;
        scene.import_here(&id, &[7; 16], NOW + 100).await.unwrap();
        bind(&scene, &id, "ssm", "secret").await.unwrap();
        scene.advance(1000);
        let key = scene.metadata(&id).await;
        assert_eq!((key.key_state.as_str(), key.valid_to), ("Enabled", 0));
    }

    #[tokio::test]
    async fn what_cannot_be_bound_is_refused() {
        let scene = Scene::new();
        let id = scene.create("data", SYMMETRIC).await;
        let long = "x".repeat(257);
        for (id, product, resource, code) in [
            ("x", "ssm", "r", "InvalidParameterValue.InvalidKeyId"),
            (ABSENT, "ssm", "r", "ResourceUnavailable.CmkNotFound"),
            (&*id, "", "r", "InvalidParameter"),
            (&id, "ssm", "", "InvalidParameter"),
            (&id, "ssm", &long, "InvalidParameter"),
        ] {
            assert_eq!(bind(&scene, id, product, resource).await.unwrap_err().code().name(), code);
            assert_eq!(unbind(&scene, id, product, resource).await.unwrap_err().code().name(), code);
        }
    }
}
