//! `cam:CreateServiceLinkedRole`: a role that products, and nobody else, may assume.

use rookery_api::cam::{CreateServiceLinkedRoleRequest, CreateServiceLinkedRoleResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::on_all;
use crate::cam::error::Error;
use crate::cam::names;
use crate::cam::roles::{self, LONGEST_SESSION, RoleKind, RoleRow};

/// The name is made of the first product's and the suffix, `CCS_QCSLinkedRole_forAdmin`: Terraform reads the suffix behind the last `_`.
/// The platform's own names differ from product to product and are not listed anywhere.
pub(crate) async fn create_service_linked_role(
    cam: &Cam,
    call: Call<CreateServiceLinkedRoleRequest>,
) -> Result<CreateServiceLinkedRoleResponse, Error> {
    let (account, now) = (call.caller.account.uin, cam.world.unix_seconds());
    let request = call.request;
    let services = request.qcs_service_name;
    services.iter().try_for_each(|service| roles::check_service(service))?;
    let product = services.first().and_then(|service| service.split('.').next()).unwrap_or_default();
    if product.is_empty() {
        return Err(Error::Parameter { parameter: "QCSServiceName", rule: "must not be empty" });
    }
    let suffix = request.custom_suffix.filter(|suffix| !suffix.is_empty());
    let suffix = suffix.map(|suffix| format!("_{suffix}")).unwrap_or_default();
    let name = format!("{}_QCSLinkedRole{suffix}", product.to_uppercase());
    names::role(&name)?;
    let trust = serde_json::json!({
        "version": "2.0",
        "statement": [{
            "action": "name/sts:AssumeRole",
            "effect": "allow",
            "principal": { "service": &services },
        }],
    });
    let tags = request.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value));
    let row = RoleRow {
        name,
        description: names::description(request.description)?,
        trust: trust.to_string(),
        created_at: now,
        updated_at: now,
        console_login: false,
        session_duration: LONGEST_SESSION,
        kind: RoleKind::ServiceLinked { services },
        boundary: None,
        tags: names::tags(tags)?,
    };
    let id = cam.change(account, move |change| roles::create(change, account, &row)).await?;
    Ok(CreateServiceLinkedRoleResponse { role_id: id.to_string() })
}

pub(crate) fn resources(_: &Cam, _: &Call<CreateServiceLinkedRoleRequest>) -> Vec<Resource> {
    on_all()
}
