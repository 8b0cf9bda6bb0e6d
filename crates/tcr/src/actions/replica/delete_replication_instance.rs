//! `tcr:DeleteReplicationInstance`: a replica goes; the instance stays.

use rookery_api::tcr::{DeleteReplicationInstanceRequest, DeleteReplicationInstanceResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::Read;

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::instances;
use crate::replicas::Replicas;

/// All three names have to be those of one replica.
pub(crate) async fn delete_replication_instance(
    tcr: &Tcr,
    call: Call<DeleteReplicationInstanceRequest>,
) -> Result<DeleteReplicationInstanceResponse, Error> {
    let scope = instances::scope(&call);
    let request = call.request;
    let (id, replica, region) =
        (request.registry_id, request.replication_registry_id, request.replication_region_id);
    tcr.store
        .write(move |tx| {
            instances::existing(tx, &scope, &id, instances::REPLICAS)?;
            let key = (id.clone(), replica.clone());
            let row = tx.get::<Replicas>(&scope, &key)?.filter(|row| row.region_id == region);
            if row.is_none() {
                return Err(Error::NoReplica(replica.clone()));
            }
            tx.delete::<Replicas>(&scope, &key)?;
            Ok(())
        })
        .await?;
    Ok(DeleteReplicationInstanceResponse::default())
}

pub(crate) fn resources(_: &Tcr, call: &Call<DeleteReplicationInstanceRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
