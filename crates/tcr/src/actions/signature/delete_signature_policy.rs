//! `tcr:DeleteSignaturePolicy`: a namespace's images are no longer signed, and those that were lose the signatures.

use rookery_api::tcr::{DeleteSignaturePolicyRequest, DeleteSignaturePolicyResponse, ErrorCode};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::instances;
use crate::namespaces;
use crate::signature_policies::{self, SignaturePolicies};
use crate::signatures;

/// The policy, what waits for it and what shows of its signatures go in one transaction; then the artefacts go, each time only what
/// the policy's key has signed.
pub(crate) async fn delete_signature_policy(
    tcr: &Tcr,
    call: Call<DeleteSignaturePolicyRequest>,
) -> Result<DeleteSignaturePolicyResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let (id, namespace) = (call.request.registry_id, call.request.namespace_name);
    let place = scope.clone();
    let withdrawn = tcr
        .store
        .write(move |tx| {
            let instance = instances::running(tx, &scope, &id, now, instances::CONTENT)?;
            let missing = ErrorCode::ResourceNotFoundTcrResourceNotFound;
            namespaces::existing(tx, &instance, &namespace, missing)?;
            let Some(policy) = signature_policies::find(tx, &instance, &namespace)? else {
                return Err(Error::NoPolicyToDelete(namespace.clone()));
            };
            tx.delete::<SignaturePolicies>(&scope, &(id.clone(), namespace.clone()))?;
            Ok(signatures::withdraw_all(tx, &instance, &namespace, &policy)?)
        })
        .await?;
    for key in withdrawn {
        tcr.signing.withdraw(&place, &key).await?;
    }
    Ok(DeleteSignaturePolicyResponse::default())
}

pub(crate) fn resources(_: &Tcr, call: &Call<DeleteSignaturePolicyRequest>) -> Vec<Resource> {
    actions::on_namespace(&call.request.registry_id, &call.request.namespace_name)
}
