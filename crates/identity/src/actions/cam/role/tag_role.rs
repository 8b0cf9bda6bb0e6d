//! `cam:TagRole`: sets tags of a role; those of other keys stay.

use rookery_api::cam::{TagRoleRequest, TagRoleResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::on_role;
use crate::cam::error::Error;
use crate::cam::names;
use crate::cam::roles::{self, Wanted};

pub(crate) async fn tag_role(cam: &Cam, call: Call<TagRoleRequest>) -> Result<TagRoleResponse, Error> {
    let (account, now) = (call.caller.account.uin, cam.world.unix_seconds());
    let wanted = Wanted::read(call.request.role_id, call.request.role_name)?;
    let tags = names::tags(call.request.tags.into_iter().map(|tag| (tag.key, tag.value)))?;
    if tags.is_empty() {
        return Err(Error::Tag { rule: "there must be one" });
    }
    cam.change(account, move |change| {
        roles::update(change, account, &wanted, now, |row| {
            let kept = row.tags.iter().filter(|(key, _)| tags.iter().all(|(other, _)| other != key));
            row.tags = names::tags(kept.chain(&tags).cloned())?;
            Ok(())
        })
    })
    .await?;
    Ok(TagRoleResponse::default())
}

pub(crate) fn resources(cam: &Cam, call: &Call<TagRoleRequest>) -> Vec<Resource> {
    on_role(cam, call, call.request.role_id.as_deref(), call.request.role_name.as_deref())
}
