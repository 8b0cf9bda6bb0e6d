//! `tcr:DeleteInstanceToken`: a long-term token is good for nothing any more.

use rookery_api::tcr::{DeleteInstanceTokenRequest, DeleteInstanceTokenResponse};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::instances;
use crate::tokens::Tokens;

/// At once, also for whoever is logged in with it.
pub(crate) async fn delete_instance_token(
    tcr: &Tcr,
    call: Call<DeleteInstanceTokenRequest>,
) -> Result<DeleteInstanceTokenResponse, Error> {
    let scope = instances::scope(&call);
    let (id, token_id) = (call.request.registry_id, call.request.token_id);
    tcr.change_access(move |tx| {
            let instance = instances::existing(tx, &scope, &id, instances::TOKENS)?;
            if tx.delete::<Tokens>(&scope, &(instance.id, token_id.clone()))? {
                Ok(())
            } else {
                Err(Error::NoToken { id: token_id.clone() })
            }
        })
        .await?;
    Ok(DeleteInstanceTokenResponse::default())
}

pub(crate) fn resources(_: &Tcr, call: &Call<DeleteInstanceTokenRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
