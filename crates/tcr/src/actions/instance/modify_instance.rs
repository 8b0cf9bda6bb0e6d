//! `tcr:ModifyInstance`: another edition, deletion protection, versions in the bucket.

use rookery_api::tcr::{ErrorCode, ModifyInstanceRequest, ModifyInstanceResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::{Read, Scan};

use crate::Tcr;
use crate::actions;
use crate::editions::Edition;
use crate::error::{Error, Rule};
use crate::instances::{self, Instance};
use crate::namespaces::Namespaces;
use crate::replicas;
use crate::repositories::{self, Repositories};
use crate::signature_policies;
use crate::sync_rules;

const EDITION: Rule =
    Rule { english: "must be `basic`, `standard` or `premium`", chinese: "取值须为basic、standard或premium" };

/// A smaller edition is refused while the instance uses what it does not include: more namespaces or repositories, a
/// signature policy, a rule of synchronisation or a replica.
pub(crate) async fn modify_instance(
    tcr: &Tcr,
    call: Call<ModifyInstanceRequest>,
) -> Result<ModifyInstanceResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let edition = match request.registry_type.as_deref() {
        None | Some("") => None,
        Some(name) => {
            let unknown = || Error::Invalid {
                parameter: "RegistryType",
                rule: EDITION,
                code: ErrorCode::InvalidParameter,
            };
            Some(Edition::parse(name).ok_or_else(unknown)?)
        }
    };
    tcr.change_access(move |tx| {
            let mut instance =
                instances::running(tx, &scope, &request.registry_id, now, instances::MODIFY)?;
            if let Some(edition) = edition {
                if !fits(tx, &instance, edition)? {
                    return Err(Error::Downgrade(edition));
                }
                instance.row.edition = edition;
            }
            let row = &mut instance.row;
            row.deletion_protection = request.deletion_protection.unwrap_or(row.deletion_protection);
            row.cos_versioning = request.enable_cos_versioning.unwrap_or(row.cos_versioning);
            Ok(instance.put(tx)?)
        })
        .await?;
    Ok(ModifyInstanceResponse::default())
}

/// Whether what the instance uses is included in an edition.
fn fits(read: &impl Read, instance: &Instance, edition: Edition) -> Result<bool, Error> {
    if edition >= instance.row.edition {
        return Ok(true);
    }
    let namespaces = read.count::<Namespaces>(&instance.scope, Scan::all().prefix(instance.id.as_str()))?;
    let repositories =
        read.count::<Repositories>(&instance.scope, repositories::scan_of(instance, None))?;
    Ok(namespaces <= edition.namespaces()
        && repositories <= edition.repositories()
        && (edition.signs() || !signature_policies::any(read, instance)?)
        && (edition.synchronises() || sync_rules::list(read, instance)?.is_empty())
        && (edition.replicates() || replicas::list(read, instance)?.is_empty()))
}

pub(crate) fn resources(_: &Tcr, call: &Call<ModifyInstanceRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
