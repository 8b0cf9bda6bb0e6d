//! `sts:AssumeRoleWithSAML`: a temporary key of a role for who brings a SAML assertion. Nobody signs the request.

use rookery_api::sts::{AssumeRoleWithSAMLRequest, AssumeRoleWithSAMLResponse};
use rookery_gateway::{Call, Resource};
use rookery_policy::Applicant;
use rookery_store::{Account as Scope, Read as _};

use crate::Cam;
use crate::cam::providers::SamlProviders;
use crate::saml::Provider;
use crate::sts::assuming::{Application, Session};
use crate::sts::error::Error;
use crate::sts::parameters;
use crate::sts::role_names::Role;

/// `PrincipalArn` names the provider; the role has to trust it, and where the assertion says which roles its bearer may take (the
/// attribute `Role`), this one has to be among them. Conditions can speak of `saml:iss`, `saml:sub`, `saml:aud` and `saml:recipient`.
/// Nothing is said of roles before the assertion has verified.
pub(crate) async fn assume_role_with_saml(
    cam: &Cam,
    call: Call<AssumeRoleWithSAMLRequest>,
) -> Result<AssumeRoleWithSAMLResponse, Error> {
    let Call { request, circumstances, request_id, .. } = call;
    let account = cam.root().uin;
    let no_provider = Error::Parameter { parameter: "PrincipalArn", rule: "must name a SAML provider" };
    let prefix = format!("qcs::cam::uin/{account}:saml-provider/");
    let Some(name) = request.principal_arn.strip_prefix(&prefix) else { return Err(no_provider) };
    let provider = cam
        .store
        .read(|view| view.get::<SamlProviders>(&Scope { uin: account }, name))?
        .ok_or(no_provider)?;
    let claims = Provider::read(&provider.metadata)
        .and_then(|provider| provider.verify(&request.saml_assertion, cam.world.now()))
        .map_err(Error::Assertion)?;
    parameters::session_name(&request.role_session_name)?;
    let role = cam.role(&request.role_arn)?;
    if claims.roles.is_some_and(|roles| !roles.iter().any(|pair| names(pair, &role, &request.principal_arn)))
    {
        return Err(Error::Assertion("it does not let its bearer take this role"));
    }
    let mut facts = vec![("saml:iss", claims.issuer), ("saml:sub", claims.subject)];
    facts.extend(claims.audiences.into_iter().map(|audience| ("saml:aud", audience)));
    facts.extend(claims.recipients.into_iter().map(|recipient| ("saml:recipient", recipient)));
    let application = Application {
        action: "AssumeRoleWithSAML",
        applicant: Applicant::Federated(&request.principal_arn),
        claims: facts,
        circumstances,
        request_id,
    };
    let session = Session {
        name: request.role_session_name,
        duration: request.duration_seconds,
        policy: None,
        tags: Vec::new(),
        source_identity: None,
    };
    let (issued, expires_at) = cam.assume(&role, &application, session)?;
    Ok(AssumeRoleWithSAMLResponse {
        credentials: parameters::credentials(issued),
        expired_time: expires_at.unsigned_abs(),
        expiration: parameters::expiration(expires_at),
    })
}

/// Whether a pair of the attribute, `<role>,<provider>` in either order, is this role with this provider.
fn names(pair: &str, role: &Role, provider: &str) -> bool {
    let by_id = format!("qcs::cam::uin/{}:role/{}", role.account, role.id);
    let is_role = |text: &str| text == role.resource() || text == by_id;
    let Some((one, other)) = pair.split_once(',') else { return false };
    let (one, other) = (one.trim(), other.trim());
    (is_role(one) && other == provider) || (is_role(other) && one == provider)
}

pub(crate) fn resources(_: &Cam, _: &Call<AssumeRoleWithSAMLRequest>) -> Vec<Resource> {
    vec![Resource::any()]
}
