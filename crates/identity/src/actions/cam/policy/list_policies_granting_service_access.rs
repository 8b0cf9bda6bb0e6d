//! `cam:ListPoliciesGrantingServiceAccess`: which policies open which product to a user, a group or a role.

use rookery_api::cam::{
    ListGrantServiceAccessActionNode, ListGrantServiceAccessNode, ListGrantServiceAccessPolicy,
    ListGrantServiceAccessService, ListPoliciesGrantingServiceAccessRequest,
    ListPoliciesGrantingServiceAccessResponse,
};
use rookery_api::shape::ProductShape;
use rookery_gateway::{Call, Resource};
use rookery_store::Read;

use crate::Cam;
use crate::actions::cam::{on_all, on_group, on_user, scope};
use crate::cam::attachments::{self, Entity};
use crate::cam::documents;
use crate::cam::error::Error;
use crate::cam::policies::Policy;
use crate::cam::roles::Roles;
use crate::cam::{groups, users};

/// With `ServiceType` only that product, and then with the actions that are opened. What a policy denies is not opened by it.
pub(crate) async fn list_policies_granting_service_access(
    cam: &Cam,
    call: Call<ListPoliciesGrantingServiceAccessRequest>,
) -> Result<ListPoliciesGrantingServiceAccessResponse, Error> {
    let account = scope(&call).uin;
    let request = &call.request;
    let wanted = request.service_type.as_deref().filter(|service| !service.is_empty());
    let products: Vec<_> = rookery_api::PRODUCTS
        .iter()
        .filter(|product| wanted.is_none_or(|service| product.name == service))
        .collect();
    if products.is_empty() {
        return Err(Error::PlainParameter { parameter: "ServiceType", rule: "names no product" });
    }
    let entity = entity(request)?;
    let policies = cam.store.read(|view| in_force(view, account, entity))?;
    let nodes = products.into_iter().filter_map(|product| node(product, &policies, wanted.is_some()));
    Ok(ListPoliciesGrantingServiceAccessResponse { list: nodes.collect() })
}

/// Of whom the request speaks: exactly one.
fn entity(request: &ListPoliciesGrantingServiceAccessRequest) -> Result<Entity, Error> {
    // Terraform sends 0 for what is not said.
    let said = |id: Option<u64>| id.filter(|id| *id != 0);
    match (said(request.target_uin), said(request.role_id), said(request.group_id)) {
        (Some(uin), None, None) => Ok(Entity::User(uin)),
        (None, Some(id), None) => Ok(Entity::Role(id)),
        (None, None, Some(id)) => Ok(Entity::Group(id)),
        _ => Err(Error::Parameter {
            parameter: "TargetUin",
            rule: "or `RoleId` or `GroupId` must be given, and only one of them",
        }),
    }
}

/// The policies of an entity; of a user also those of its groups.
fn in_force(view: &impl Read, account: u64, entity: Entity) -> Result<Vec<Policy>, Error> {
    let mut entities = vec![entity];
    match entity {
        Entity::User(uin) => {
            users::get(view, account, uin)?;
            entities.extend(groups::of_user(view, uin)?.into_iter().map(Entity::Group));
        }
        Entity::Group(id) => {
            groups::get(view, account, id)?;
        }
        Entity::Role(id) => {
            if !view.contains::<Roles>(&rookery_store::Account { uin: account }, &id)? {
                return Err(Error::NoRole { role: id.to_string() });
            }
        }
    }
    let mut policies: Vec<Policy> = Vec::new();
    for entity in entities {
        for (policy, _) in attachments::infos(view, account, entity)? {
            if policies.iter().all(|other| other.id != policy.id) {
                policies.push(policy);
            }
        }
    }
    Ok(policies)
}

/// What the policies open of a product, where they open anything.
fn node(
    product: &ProductShape,
    policies: &[Policy],
    with_actions: bool,
) -> Option<ListGrantServiceAccessNode> {
    let opened = |policy: &Policy| -> Vec<&'static str> {
        let patterns = documents::actions(&policy.document);
        let any = |allows: bool, action: &str| {
            patterns
                .iter()
                .any(|(allowing, pattern)| *allowing == allows && documents::covers(pattern, action))
        };
        let names = product.actions.iter().map(|action| action.name);
        names
            .filter(|name| {
                let action = format!("{}:{name}", product.name);
                any(true, &action) && !any(false, &action)
            })
            .collect()
    };
    let opening: Vec<_> = policies
        .iter()
        .map(|policy| (policy, opened(policy)))
        .filter(|(_, actions)| !actions.is_empty())
        .collect();
    if opening.is_empty() {
        return None;
    }
    let mut actions: Vec<_> = if with_actions {
        opening.iter().flat_map(|(_, actions)| actions.iter().copied()).collect()
    } else {
        Vec::new()
    };
    actions.sort_unstable();
    actions.dedup();
    Some(ListGrantServiceAccessNode {
        service: ListGrantServiceAccessService {
            service_type: product.name.to_owned(),
            service_name: product.name.to_uppercase(),
        },
        action: actions
            .into_iter()
            .map(|name| ListGrantServiceAccessActionNode {
                name: name.to_owned(),
                description: format!("{}:{name}", product.name),
            })
            .collect(),
        policy: opening
            .into_iter()
            .map(|(policy, _)| ListGrantServiceAccessPolicy {
                policy_id: policy.id.to_string(),
                policy_name: policy.name.clone(),
                policy_type: if policy.preset.is_some() { "Presetting" } else { "Custom" }.to_owned(),
                policy_description: policy.description.clone(),
            })
            .collect(),
    })
}

pub(crate) fn resources(_: &Cam, call: &Call<ListPoliciesGrantingServiceAccessRequest>) -> Vec<Resource> {
    let request = &call.request;
    match entity(request) {
        Ok(Entity::User(uin)) => on_user(uin),
        Ok(Entity::Group(id)) => on_group(id),
        Ok(Entity::Role(id)) => vec![Resource::named(format!("role/{id}"))],
        Err(_) => on_all(),
    }
}
