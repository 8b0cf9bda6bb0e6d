//! `tcr:CreateSignaturePolicy`: from now on, what is pushed into a namespace is signed.

use rookery_api::region;
use rookery_api::tcr::{CreateSignaturePolicyRequest, CreateSignaturePolicyResponse, ErrorCode};
use rookery_gateway::{Call, Resource};
use rookery_signing::{KeyName, SignerError};
use rookery_store::{Read, Regional};

use crate::Tcr;
use crate::actions;
use crate::error::{Error, Rule};
use crate::instances::{self, Instance};
use crate::moments::Moment;
use crate::names;
use crate::namespaces;
use crate::signature_policies::{self, PolicyKeyUsage, PolicyRow, SignaturePolicies};

/// The code of every parameter that is not right: the action documents no other.
const INVALID: ErrorCode = ErrorCode::InvalidParameterErrorTcrInvalidParameter;

const REGION: Rule = Rule { english: "must be a region or empty", chinese: "须为有效地域或空" };
const KEY: Rule = Rule { english: "must not be empty", chinese: "不能为空" };

/// `KmsRegion` may be empty, as in the documented example: the region of the call. The key has to be there and ready to sign.
pub(crate) async fn create_signature_policy(
    tcr: &Tcr,
    call: Call<CreateSignaturePolicyRequest>,
) -> Result<CreateSignaturePolicyResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let CreateSignaturePolicyRequest {
        registry_id: id,
        name,
        namespace_name: namespace,
        kms_id,
        kms_region,
        domain,
        disabled,
    } = call.request;
    let invalid = |parameter, rule| Err(Error::Invalid { parameter, rule, code: INVALID });
    if !names::policy(&name) {
        return invalid("Name", names::POLICY);
    }
    if kms_id.is_empty() {
        return invalid("KmsId", KEY);
    }
    let kms_region = if kms_region.is_empty() { scope.region.clone() } else { kms_region };
    if region::find(&kms_region).is_none() {
        return invalid("KmsRegion", REGION);
    }
    let domain = domain.filter(|domain| !domain.is_empty());
    if domain.as_deref().is_some_and(|domain| !names::domain(domain)) {
        return invalid("Domain", names::DOMAIN);
    }
    tcr.store.read(|view| admissible(view, &scope, &id, &namespace, now).map(drop))?;
    let key = KeyName { account: scope.uin, region: kms_region.clone(), id: kms_id.clone() };
    let described = tcr.signer.describe(&key).await.map_err(Error::KeyService)?;
    if !described.enabled {
        return Err(Error::KeyService(SignerError::KeyDisabled));
    }
    let row = PolicyRow {
        name,
        kms_id,
        kms_region,
        usage: PolicyKeyUsage::from(&described),
        domain,
        disabled: disabled.unwrap_or(false),
        bundle: tcr.sigstore_bundles,
        created_at: now,
    };
    tcr.store
        .write(move |tx| {
            let instance = admissible(tx, &scope, &id, &namespace, now)?;
            Ok::<_, Error>(tx.put::<SignaturePolicies>(&scope, &(instance.id, namespace.clone()), &row)?)
        })
        .await?;
    Ok(CreateSignaturePolicyResponse::default())
}

/// The instance, if the namespace can be given a policy.
fn admissible(
    read: &impl Read,
    scope: &Regional,
    id: &str,
    namespace: &str,
    now: Moment,
) -> Result<Instance, Error> {
    let instance = instances::running(read, scope, id, now, instances::NEW_POLICY)?;
    if !instance.row.edition.signs() {
        return Err(Error::SigningNotIncluded);
    }
    namespaces::existing(read, &instance, namespace, INVALID)?;
    match signature_policies::find(read, &instance, namespace)? {
        Some(_) => Err(Error::PolicyTaken(namespace.to_owned())),
        None => Ok(instance),
    }
}

pub(crate) fn resources(_: &Tcr, call: &Call<CreateSignaturePolicyRequest>) -> Vec<Resource> {
    actions::on_namespace(&call.request.registry_id, &call.request.namespace_name)
}
