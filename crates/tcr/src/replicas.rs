//! Replica instances: an instance that can be pulled from in further regions, under the same name and with the same logins (`tcr.md` §5.1).
//!
//! One process serves every region here, so a replica has its content from the first moment and there is nothing to copy and nowhere to be
//! routed to; what it has is a place in its region, a state, and a say in what the instance may do (it has to stay premium, and to stay).

use rookery_api::tcr::{ReplicationRegistry, TaskDetail};
use rookery_store::{Read, Regional, Scan, StoreError, Table};
use serde::{Deserialize, Serialize};
use time::Duration;

use crate::instances::Instance;
use crate::moments::Moment;

/// Terraform waits for a replica that is seen to be deployed before it runs.
pub(crate) const DEPLOYING: Duration = Duration::seconds(3);

/// The replicas of an instance, by its id and theirs.
pub(crate) struct Replicas;

/// What is kept of a replica.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ReplicaRow {
    pub(crate) region: String,
    pub(crate) region_id: u64,
    /// Whether the cloud tags are meant for its bucket as well.
    pub(crate) sync_tag: bool,
    pub(crate) created_at: Moment,
    pub(crate) running_at: Moment,
}

impl Table for Replicas {
    const NAME: &'static str = "tcr.replicas";
    type Scope = Regional;
    type Key = (String, String);
    type Row = ReplicaRow;
}

impl ReplicaRow {
    /// The replica as replies show it.
    pub(crate) fn describe(&self, instance: &Instance, id: String, now: Moment) -> ReplicationRegistry {
        ReplicationRegistry {
            registry_id: instance.id.clone(),
            replication_registry_id: id,
            replication_region_id: self.region_id,
            replication_region_name: self.region.clone(),
            status: if now < self.running_at { "Deploying" } else { "Running" }.to_owned(),
            created_at: self.created_at.beijing(),
        }
    }

    /// The making of the replica, which takes until it runs. `SUCCESS` is the platform's own word; the one before it is ours.
    pub(crate) fn creation(&self, id: &str, now: Moment) -> TaskDetail {
        let runs = now >= self.running_at;
        TaskDetail {
            task_name: "CreateReplicationInstance".to_owned(),
            task_uuid: format!("tcr-task-{id}"),
            task_status: if runs { "SUCCESS" } else { "RUNNING" }.to_owned(),
            task_message: String::new(),
            created_time: self.created_at.beijing(),
            finished_time: if runs { self.running_at.beijing() } else { String::new() },
        }
    }
}

/// The instance of a replica: its name is `<instance>-<region's number>-<six characters>`.
pub(crate) fn instance_of(replica: &str) -> &str {
    replica.rsplitn(3, '-').nth(2).unwrap_or_default()
}

/// The replicas of an instance, the oldest first.
pub(crate) fn list(read: &impl Read, instance: &Instance) -> Result<Vec<(String, ReplicaRow)>, StoreError> {
    let rows = read.scan::<Replicas>(&instance.scope, Scan::all().prefix(instance.id.as_str()))?;
    let mut rows: Vec<_> = rows.into_iter().map(|((_, id), row)| (id, row)).collect();
    rows.sort_by(|(one_id, one), (other_id, other)| {
        (one.created_at, one_id).cmp(&(other.created_at, other_id))
    });
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_is_named_after_its_instance() {
        assert_eq!(instance_of("tcr-dg284imq-5-os5gcu"), "tcr-dg284imq");
        for foreign in ["", "tcr", "tcr-1"] {
            assert_eq!(instance_of(foreign), "");
        }
    }
}
