//! `tcr:ManageReplication`: copy what is pushed to one instance to another.

use rookery_api::tcr::{ErrorCode, ManageReplicationRequest, ManageReplicationResponse, PeerReplicationOption};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::{Error, Rule};
use crate::instances::{self, Status, region_id};
use crate::numbers::{self, Kind};
use crate::sync_rules::{self, Peer, SyncRow, SyncRules};

const ITSELF: Rule = Rule { english: "must be another instance", chinese: "须为其他实例" };
const REGION: Rule = Rule { english: "must be the region of the destination", chinese: "须为目标实例所在地域" };

/// From now on; what is there already stays where it is. The destination may be in any region, and in another account where a token of it is
/// given.
pub(crate) async fn manage_replication(
    tcr: &Tcr,
    call: Call<ManageReplicationRequest>,
) -> Result<ManageReplicationResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let invalid =
        |parameter, rule| Error::Invalid { parameter, rule, code: ErrorCode::InvalidParameter };
    let (id, destination) = (request.source_registry_id, request.destination_registry_id);
    sync_rules::check_name(&request.rule.name)?;
    sync_rules::check_namespace(&request.rule.dest_namespace)?;
    let filters = sync_rules::read_filters(&request.rule.filters)?;
    if id == destination {
        return Err(invalid("DestinationRegistryId", ITSELF));
    }
    let (source, target) = tcr.store.read(|view| {
        let source = instances::running(view, &scope, &id, now, instances::SYNC)?;
        let missing = || Error::NoInstance { id: destination.clone(), code: ErrorCode::ResourceNotFound };
        let target = instances::find(view, &destination)?.ok_or_else(missing)?;
        if target.row.status(now) != Status::Running {
            let code = ErrorCode::InternalErrorErrorTcrInternal;
            return Err(Error::NotRunning { id: target.id, code });
        }
        Ok((source, target))
    })?;
    if !source.row.edition.synchronises() || !target.row.edition.synchronises() {
        return Err(Error::SyncNotIncluded);
    }
    if request.destination_region_id.is_some_and(|region| region != 0 && region != region_id(&target.scope)) {
        return Err(invalid("DestinationRegionId", REGION));
    }
    let row = SyncRow {
        name: request.rule.name,
        description: request.description.unwrap_or_default(),
        region: target.scope.region.clone(),
        destination,
        namespace: request.rule.dest_namespace,
        replaces: request.rule.r#override,
        deletes: request.rule.deletion.unwrap_or(false),
        enabled: true,
        filters,
        created_at: now,
        updated_at: now,
        peer: peer(tcr, &id, request.peer_replication_option)?,
    };
    tcr.check_peer(&source, &row, &target)?;
    tcr.store
        .write(move |tx| {
            let source = instances::running(tx, &scope, &id, now, instances::SYNC)?;
            if sync_rules::existing(tx, &source, &row.name).is_ok() {
                return Err(Error::SyncRuleTaken(row.name.clone()));
            }
            let rule = numbers::next(tx, &source, Kind::SyncRule)?;
            Ok(tx.put::<SyncRules>(&scope, &(id.clone(), rule), &row)?)
        })
        .await?;
    Ok(ManageReplicationResponse::default())
}

/// What opens an instance of another account, sealed.
fn peer(tcr: &Tcr, source: &str, option: Option<PeerReplicationOption>) -> Result<Option<Peer>, Error> {
    let Some(option) = option.filter(|option| option.enable_peer_replication) else { return Ok(None) };
    let token = tcr.seal.seal(&sync_rules::context(source), option.peer_registry_token.as_bytes())?;
    Ok(Some(Peer { uin: option.peer_registry_uin, token }))
}

/// Pulling everything from the one and pushing it to the other.
pub(crate) fn resources(_: &Tcr, call: &Call<ManageReplicationRequest>) -> Vec<Resource> {
    let mut resources = actions::on_instance(&call.request.source_registry_id);
    resources.extend(actions::on_instance(&call.request.destination_registry_id));
    resources
}
