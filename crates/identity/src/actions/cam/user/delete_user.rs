//! `cam:DeleteUser`: ends a sub-user, with its memberships, attachments and, where forced, its keys.

use rookery_api::cam::{DeleteUserRequest, DeleteUserResponse};
use rookery_gateway::{Call, Decision, Identity as _, Question, Resource};

use crate::Cam;
use crate::actions::cam::{on_user, on_user_named, scope};
use crate::cam::access_keys;
use crate::cam::attachments::{self, Entity};
use crate::cam::changes::Changed;
use crate::cam::error::Error;
use crate::cam::groups::{self, Memberships};
use crate::cam::names;
use crate::cam::users::{self, Users};

/// A user with keys is only deleted with `Force` 1, and by somebody who may also delete keys.
pub(crate) async fn delete_user(
    cam: &Cam,
    call: Call<DeleteUserRequest>,
) -> Result<DeleteUserResponse, Error> {
    let scope = scope(&call);
    let force = names::flag("Force", call.request.force)?.unwrap_or(false);
    let (target, keys) = cam.store.read(|view| {
        let (uin, _) = users::named(view, scope.uin, &call.request.name)?;
        Ok::<_, Error>((uin, access_keys::of(view, scope.uin, uin)?.len()))
    })?;
    if force && keys > 0 {
        may_delete_keys(cam, &call, target)?;
    }
    let name = call.request.name;
    let removed = cam
        .change(scope.uin, move |change| {
            let (uin, _) = users::named(change.tx, scope.uin, &name)?;
            let keys = access_keys::of(change.tx, scope.uin, uin)?;
            if !keys.is_empty() && !force {
                return Err(Error::UserHasKeys { name: name.clone() });
            }
            for (id, _) in &keys {
                access_keys::remove(change, scope.uin, id)?;
            }
            for group in groups::of_user(change.tx, uin)? {
                change.tx.delete::<Memberships>(&scope, &(group, uin))?;
            }
            attachments::detach_all(change, scope.uin, Entity::User(uin))?;
            change.tx.delete::<Users>(&scope, &uin)?;
            change.note(Changed::User(uin));
            Ok(keys)
        })
        .await?;
    for (id, _) in removed {
        cam.uses.forget(&id);
    }
    Ok(DeleteUserResponse::default())
}

/// Asks for `cam:DeleteApiKey` on the user.
fn may_delete_keys(cam: &Cam, call: &Call<DeleteUserRequest>, target: u64) -> Result<(), Error> {
    let qualified = |resource: Resource| resource.qualified("cam", &call.region, &call.caller);
    let resources: Vec<_> = on_user(target).into_iter().map(qualified).collect();
    let question = Question {
        operation: "cam:DeleteApiKey",
        resources: &resources,
        resource_tags: &[],
        request_tags: &[],
        circumstances: call.circumstances,
    };
    match cam.decide(&call.caller, &question) {
        Decision::Allowed(_) => Ok(()),
        Decision::Denied { .. } => Err(Error::MayNotDeleteKeys),
    }
}

pub(crate) fn resources(cam: &Cam, call: &Call<DeleteUserRequest>) -> Vec<Resource> {
    on_user_named(cam, call, &call.request.name)
}
