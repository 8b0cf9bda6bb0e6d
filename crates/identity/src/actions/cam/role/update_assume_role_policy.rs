//! `cam:UpdateAssumeRolePolicy`: who may assume a role.

use rookery_api::cam::{UpdateAssumeRolePolicyRequest, UpdateAssumeRolePolicyResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::on_role;
use crate::cam::documents;
use crate::cam::error::Error;
use crate::cam::roles::{self, Wanted};

pub(crate) async fn update_assume_role_policy(
    cam: &Cam,
    call: Call<UpdateAssumeRolePolicyRequest>,
) -> Result<UpdateAssumeRolePolicyResponse, Error> {
    let (account, now) = (call.caller.account.uin, cam.world.unix_seconds());
    let wanted = Wanted::read(call.request.role_id, call.request.role_name)?;
    let trust = documents::trust(&call.request.policy_document)?;
    cam.change(account, move |change| {
        roles::check_trusted(change.tx, account, &trust)?;
        roles::update(change, account, &wanted, now, |row| {
            if row.is_linked() {
                return Err(Error::LinkedRole { role: row.name.clone() });
            }
            row.trust.clone_from(&trust);
            Ok(())
        })
    })
    .await?;
    Ok(UpdateAssumeRolePolicyResponse::default())
}

pub(crate) fn resources(cam: &Cam, call: &Call<UpdateAssumeRolePolicyRequest>) -> Vec<Resource> {
    on_role(cam, call, call.request.role_id.as_deref(), call.request.role_name.as_deref())
}
