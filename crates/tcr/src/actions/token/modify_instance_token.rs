//! `tcr:ModifyInstanceToken`: switch a long-term token on or off, or describe it anew.

use rookery_api::tcr::{ErrorCode, ModifyInstanceTokenRequest, ModifyInstanceTokenResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::Read;

use crate::Tcr;
use crate::actions;
use crate::error::{Error, Rule};
use crate::instances;
use crate::tokens::Tokens;

const FLAG: Rule = Rule { english: "must be 1 or 2", chinese: "取值须为1或2" };
/// The longest `Desc`, in characters.
const DESCRIPTION: usize = 255;
const DESCRIPTION_RULE: Rule =
    Rule { english: "must have at most 255 characters", chinese: "长度不能超过255个字符" };

/// `ModifyFlag` 1 sets `Desc`, 2 (the default) `Enable`; the other of the two is not looked at.
pub(crate) async fn modify_instance_token(
    tcr: &Tcr,
    call: Call<ModifyInstanceTokenRequest>,
) -> Result<ModifyInstanceTokenResponse, Error> {
    let scope = instances::scope(&call);
    let request = call.request;
    let invalid =
        |parameter, rule| Error::Invalid { parameter, rule, code: ErrorCode::InvalidParameter };
    let (description, enabled) = match request.modify_flag.unwrap_or(2) {
        1 => (Some(request.desc.ok_or(Error::Missing("Desc"))?), None),
        2 => (None, Some(request.enable.ok_or(Error::Missing("Enable"))?)),
        _ => return Err(invalid("ModifyFlag", FLAG)),
    };
    if description.as_ref().is_some_and(|text| text.chars().count() > DESCRIPTION) {
        return Err(invalid("Desc", DESCRIPTION_RULE));
    }
    let (id, token_id) = (request.registry_id, request.token_id);
    tcr.change_access(move |tx| {
            let instance = instances::existing(tx, &scope, &id, instances::TOKENS)?;
            let key = (instance.id, token_id.clone());
            let Some(mut row) = tx.get::<Tokens>(&scope, &key)? else {
                return Err(Error::NoToken { id: token_id.clone() });
            };
            if let Some(description) = &description {
                row.description.clone_from(description);
            }
            row.enabled = enabled.unwrap_or(row.enabled);
            Ok(tx.put::<Tokens>(&scope, &key, &row)?)
        })
        .await?;
    Ok(ModifyInstanceTokenResponse::default())
}

pub(crate) fn resources(_: &Tcr, call: &Call<ModifyInstanceTokenRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
