//! `mariadb:KillSession`: sessions of a server are ended.

use rookery_api::mariadb::{KillSessionRequest, KillSessionResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::instances;
use crate::orders::signed;
use crate::sql::SqlError;

pub(crate) async fn kill_session(
    mariadb: &MariaDb,
    call: Call<KillSessionRequest>,
) -> Result<KillSessionResponse, Error> {
    let scope = instances::scope(&call);
    let request = call.request;
    let id = instances::clean(&request.instance_id).to_owned();

    let row = mariadb.store.read(|view| instances::usable(view, &scope, &id))?;
    let node = row.node_named(request.node_id.as_deref())?;
    if request.session_id.is_empty() {
        return Err(Error::invalid("SessionId", "must name a session"));
    }
    let mut server = mariadb.connect(&id, node).await?;
    for session in request.session_id {
        server.run(&format!("KILL {session}")).await.map_err(|error| match error {
            SqlError::Refused { number: NO_SUCH_THREAD, .. } => {
                Error::invalid("SessionId", &format!("names the session {session}, which does not exist"))
            }
            other => other.into(),
        })?;
    }
    Ok(KillSessionResponse { task_id: signed(mariadb.done(scope, id).await?) })
}

/// The server's number for a session that is not there.
const NO_SUCH_THREAD: u16 = 1094;

pub(crate) fn resources(_: &MariaDb, call: &Call<KillSessionRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
