//! `cam:ListEntitiesForPolicy`: the users, groups and roles that have a policy.

use rookery_api::cam::{AttachEntityOfPolicy, ListEntitiesForPolicyRequest, ListEntitiesForPolicyResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::Read;

use crate::Cam;
use crate::actions::cam::{on_policy, scope};
use crate::cam::attachments::{self, AttachmentRow, Entity};
use crate::cam::error::Error;
use crate::cam::roles::Roles;
use crate::cam::{groups, moments, pages, policies, users};

pub(crate) async fn list_entities_for_policy(
    cam: &Cam,
    call: Call<ListEntitiesForPolicyRequest>,
) -> Result<ListEntitiesForPolicyResponse, Error> {
    let scope = scope(&call);
    let request = call.request;
    let kind = match request.entity_filter.as_deref() {
        None | Some("" | "All") => None,
        Some("User") => Some(1),
        Some("Group") => Some(2),
        Some("Role") => Some(3),
        Some(_) => return Err(Error::EntityFilter),
    };
    cam.store.read(|view| {
        let id = request.policy_id;
        policies::get(view, scope.uin, id)?.ok_or(Error::NoEntityPolicy { id })?;
        let mut entities = attachments::to(view, scope.uin, id)?;
        entities.retain(|(entity, _)| kind.is_none_or(|kind| entity.kind() == kind));
        let (entities, total_num) = pages::numbered(entities, request.page, request.rp)?;
        let list: Result<_, Error> =
            entities.into_iter().map(|(entity, row)| info(view, scope, entity, &row)).collect();
        Ok(ListEntitiesForPolicyResponse { total_num, list: list? })
    })
}

/// `Uin` is a user's, and 0 for what has none; `Id` is a user's `Uid`, a group's or a role's number.
fn info(
    view: &impl Read,
    scope: rookery_store::Account,
    entity: Entity,
    row: &AttachmentRow,
) -> Result<AttachEntityOfPolicy, Error> {
    let (id, name, uin) = match entity {
        Entity::User(uin) => {
            let user = users::get(view, scope.uin, uin)?;
            (user.uid, user.name, uin)
        }
        Entity::Group(id) => (id, groups::get(view, scope.uin, id)?.name, 0),
        Entity::Role(id) => {
            let role = view.get::<Roles>(&scope, &id)?;
            (id, role.ok_or_else(|| Error::NoRole { role: id.to_string() })?.name, 0)
        }
    };
    Ok(AttachEntityOfPolicy {
        id: id.to_string(),
        name,
        uin,
        related_type: entity.kind(),
        attachment_time: moments::local(row.at),
    })
}

pub(crate) fn resources(_: &Cam, call: &Call<ListEntitiesForPolicyRequest>) -> Vec<Resource> {
    on_policy(call.request.policy_id)
}
