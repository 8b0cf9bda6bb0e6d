//! `tcr:CreateReplicationInstance`: a replica of an instance in another region.

use rookery_api::region::{self, Support};
use rookery_api::tcr::{CreateReplicationInstanceRequest, CreateReplicationInstanceResponse, ErrorCode};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::{Error, Rule};
use crate::instances;
use crate::replicas::{self, DEPLOYING, ReplicaRow, Replicas};

const REGION: Rule = Rule {
    english: "must be a region where the product is sold, other than the instance's own",
    chinese: "须为支持的地域，且不能为实例所在地域",
};

/// `ReplicationRegionId` wins over `ReplicationRegionName`. A region has one replica of an instance at most.
pub(crate) async fn create_replication_instance(
    tcr: &Tcr,
    call: Call<CreateReplicationInstanceRequest>,
) -> Result<CreateReplicationInstanceResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let sold = match region::support("tcr") {
        Support::Only(regions) => regions,
        Support::Regionless => &[],
    };
    let mut regions = sold.iter().filter_map(|code| region::find(code));
    let found = match (request.replication_region_id, request.replication_region_name.as_deref()) {
        (Some(id), _) => regions.find(|region| region.id == id),
        (None, Some(name)) => regions.find(|region| region.code == name),
        (None, None) => return Err(Error::Missing("ReplicationRegionId")),
    };
    let found = found.filter(|region| region.code != scope.region);
    let code = ErrorCode::InvalidParameterUnsupportedRegion;
    let region = found.ok_or(Error::Invalid { parameter: "ReplicationRegionId", rule: REGION, code })?;
    let row = ReplicaRow {
        region: region.code.to_owned(),
        region_id: region.id,
        sync_tag: request.sync_tag.unwrap_or(false),
        created_at: now,
        running_at: now.plus(DEPLOYING.max(tcr.deploying)),
    };
    let id = request.registry_id;
    let replica = tcr.world.identifier(&format!("{id}-{}-", region.id), 6);
    let made = replica.clone();
    tcr.store
        .write(move |tx| {
            let instance = instances::running(tx, &scope, &id, now, instances::REPLICAS)?;
            if !instance.row.edition.replicates() {
                return Err(Error::ReplicasNotIncluded);
            }
            if replicas::list(tx, &instance)?.iter().any(|(_, other)| other.region == row.region) {
                return Err(Error::ReplicaTaken(row.region.clone()));
            }
            Ok(tx.put::<Replicas>(&scope, &(id.clone(), made.clone()), &row)?)
        })
        .await?;
    Ok(CreateReplicationInstanceResponse { replication_registry_id: replica })
}

pub(crate) fn resources(_: &Tcr, call: &Call<CreateReplicationInstanceRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
