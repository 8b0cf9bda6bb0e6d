//! `cam:UpdatePolicy`: the text in force, the description or the name of a policy; the account's own word for a preset.

use rookery_api::cam::{UpdatePolicyRequest, UpdatePolicyResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::{on_all, on_policy, scope};
use crate::cam::changes::{Change, Changed};
use crate::cam::error::Error;
use crate::cam::policies::{self, Policies, PolicyVersionRow, PolicyVersions, PresetAliases};
use crate::cam::{documents, names, presets};

/// What is to change.
struct Wanted {
    id: Option<u64>,
    name: Option<String>,
    description: Option<String>,
    document: Option<String>,
    alias: Option<String>,
}

/// `PolicyName` names the policy where there is no `PolicyId`, and is its new name where there is: Terraform renames so.
pub(crate) async fn update_policy(
    cam: &Cam,
    call: Call<UpdatePolicyRequest>,
) -> Result<UpdatePolicyResponse, Error> {
    let (scope, now) = (scope(&call), cam.world.unix_seconds());
    let request = call.request;
    let present = |text: Option<String>| text.filter(|text| !text.is_empty());
    let wanted = Wanted {
        id: request.policy_id.filter(|id| *id != 0),
        name: present(request.policy_name),
        description: request.description.map(|text| names::description(Some(text))).transpose()?,
        document: present(request.policy_document).map(|text| documents::policy(&text)).transpose()?,
        alias: request.alias.map(|text| names::description(Some(text))).transpose()?,
    };
    let policy_id = cam
        .change(scope.uin, move |change| {
            let id = match (wanted.id, &wanted.name) {
                (Some(id), _) => id,
                (None, Some(name)) => policies::named(change.tx, scope.uin, name)?
                    .ok_or_else(|| Error::NoPolicyNamed { name: name.clone() })?,
                (None, None) => {
                    let rule = "or `PolicyName` must be given";
                    return Err(Error::Parameter { parameter: "PolicyId", rule });
                }
            };
            apply(change, scope.uin, id, &wanted, now)?;
            Ok(id)
        })
        .await?;
    Ok(UpdatePolicyResponse { policy_id })
}

fn apply(change: &mut Change<'_, '_>, account: u64, id: u64, wanted: &Wanted, now: i64) -> Result<(), Error> {
    let scope = rookery_store::Account { uin: account };
    if presets::find(id).is_some() {
        let Some(alias) =
            wanted.alias.as_ref().filter(|_| wanted.document.is_none() && wanted.description.is_none())
        else {
            return Err(Error::PolicyIdIllegal);
        };
        return Ok(change.tx.put::<PresetAliases>(&scope, &id, alias)?);
    }
    let mut row = policies::custom(change.tx, account, id)?;
    if wanted.alias.as_ref().is_some_and(|alias| !alias.is_empty()) {
        return Err(Error::Parameter { parameter: "Alias", rule: "is for preset policies only" });
    }
    if let Some(name) = wanted.name.as_ref().filter(|name| wanted.id.is_some() && **name != row.name) {
        names::policy(name)?;
        policies::check_free(change.tx, account, name)?;
        row.name.clone_from(name);
    }
    if let Some(description) = &wanted.description {
        row.description.clone_from(description);
    }
    if let Some(document) = &wanted.document {
        let version = PolicyVersionRow { document: document.clone(), created_at: now };
        change.tx.put::<PolicyVersions>(&scope, &(id, row.default_version), &version)?;
    }
    row.updated_at = now;
    change.tx.put::<Policies>(&scope, &id, &row)?;
    change.note(Changed::Policy(id));
    Ok(())
}

pub(crate) fn resources(cam: &Cam, call: &Call<UpdatePolicyRequest>) -> Vec<Resource> {
    let named = call.request.policy_name.as_deref().and_then(|name| {
        cam.store.read(|view| policies::named(view, call.caller.account.uin, name)).ok().flatten()
    });
    call.request.policy_id.or(named).map_or_else(on_all, on_policy)
}
