//! `mariadb:ModifyDBParameters`: parameters are set: now where the server can, and for every later start.

use rookery_api::mariadb::{ModifyDBParametersRequest, ModifyDBParametersResponse, ParamModifyResult};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::instances;
use crate::parameters;
use crate::sql::SqlError;

pub(crate) async fn modify_db_parameters(
    mariadb: &MariaDb,
    call: Call<ModifyDBParametersRequest>,
) -> Result<ModifyDBParametersResponse, Error> {
    let (scope, now) = (instances::scope(&call), mariadb.now());
    let request = call.request;
    let id = instances::clean(&request.instance_id).to_owned();

    let alone = mariadb.lock(&id);
    let _alone = alone.lock().await;
    let row = mariadb.store.read(|view| instances::usable(view, &scope, &id))?;
    if request.params.is_empty() {
        return Err(Error::invalid("Params", "must name a parameter"));
    }
    let known = parameters::read(&mut mariadb.primary(&id, &row).await?).await?;
    let mut servers = Vec::new();
    for node in &row.nodes {
        servers.push(mariadb.connect(&id, node).await?);
    }
    let mut set = Vec::new();
    let mut result = Vec::new();
    for wanted in request.params {
        let parameter = known.iter().find(|known| known.name == wanted.param);
        let code = match parameter.map(|parameter| (parameter, parameter.accept(&wanted.value))) {
            None => FAILED,
            Some((_, None)) => ILLEGAL,
            Some((parameter, Some(value))) => {
                let mut code = 0;
                if !parameter.needs_restart {
                    for server in &mut servers {
                        let statement = format!("SET GLOBAL {}", parameter.assignment(&value));
                        match server.run(&statement).await {
                            Ok(()) => {}
                            Err(SqlError::Refused { .. }) => code = ILLEGAL,
                            Err(error) => return Err(error.into()),
                        }
                    }
                }
                if code == 0 {
                    set.push((wanted.param.clone(), value));
                }
                code
            }
        };
        result.push(ParamModifyResult { param: wanted.param, code });
    }
    let instance = id.clone();
    mariadb
        .store
        .write(move |tx| {
            let mut row = instances::existing(tx, &scope, &instance)?;
            row.parameters.extend(set.iter().cloned());
            instances::put(tx, &scope, &instance, row, now)
        })
        .await?;
    Ok(ModifyDBParametersResponse { instance_id: id, result })
}

/// `Code` of a parameter that is not among the settable ones.
const FAILED: i64 = -1;
/// `Code` of a value that the parameter cannot have.
const ILLEGAL: i64 = -2;

pub(crate) fn resources(_: &MariaDb, call: &Call<ModifyDBParametersRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
