//! `cam:CreatePolicy`: a custom policy, whose first text is in force.

use rookery_api::cam::{CreatePolicyRequest, CreatePolicyResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::{Read, Scan};

use crate::Cam;
use crate::actions::cam::{on_all, scope};
use crate::cam::changes::Changed;
use crate::cam::error::Error;
use crate::cam::numbers::{self, Numbered};
use crate::cam::policies::{self, Policies, PolicyRow, PolicyVersionRow, PolicyVersions};
use crate::cam::{documents, names};

pub(crate) async fn create_policy(
    cam: &Cam,
    call: Call<CreatePolicyRequest>,
) -> Result<CreatePolicyResponse, Error> {
    let (scope, now) = (scope(&call), cam.world.unix_seconds());
    let request = call.request;
    names::policy(&request.policy_name)?;
    let document = documents::policy(&request.policy_document)?;
    let description = names::description(request.description)?;
    let tags = names::tags(request.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)))?;
    let row = PolicyRow {
        name: request.policy_name,
        description,
        created_at: now,
        updated_at: now,
        default_version: 1,
        last_version: 1,
        tags,
    };
    let version = PolicyVersionRow { document, created_at: now };
    let policy_id = cam
        .change(scope.uin, move |change| {
            policies::check_free(change.tx, scope.uin, &row.name)?;
            if change.tx.count::<Policies>(&scope, Scan::all())? >= policies::POLICIES {
                return Err(Error::PoliciesFull { limit: policies::POLICIES });
            }
            let id = numbers::next(change.tx, Numbered::Policy)?;
            change.tx.put::<Policies>(&scope, &id, &row)?;
            change.tx.put::<PolicyVersions>(&scope, &(id, 1), &version)?;
            change.note(Changed::Policy(id));
            Ok(id)
        })
        .await?;
    Ok(CreatePolicyResponse { policy_id })
}

pub(crate) fn resources(_: &Cam, _: &Call<CreatePolicyRequest>) -> Vec<Resource> {
    on_all()
}
