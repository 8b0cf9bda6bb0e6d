//! `cam:GetAccountSummary`: how much of everything an account has.

use rookery_api::cam::{GetAccountSummaryRequest, GetAccountSummaryResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::{Read, Scan, StoreError};

use crate::Cam;
use crate::actions::cam::{on_all, scope};
use crate::cam::error::Error;
use crate::cam::groups::{Groups, Memberships};
use crate::cam::policies::Policies;
use crate::cam::providers::{OidcProviders, SamlProviders};
use crate::cam::roles::Roles;
use crate::cam::users::Users;

/// Policies are the account's own; `Member` counts a user once for each of its groups.
pub(crate) async fn get_account_summary(
    cam: &Cam,
    call: Call<GetAccountSummaryRequest>,
) -> Result<GetAccountSummaryResponse, Error> {
    let scope = scope(&call);
    Ok(cam.store.read(|view| {
        let providers = view.count::<SamlProviders>(&scope, Scan::all())?
            + view.count::<OidcProviders>(&scope, Scan::all())?;
        Ok::<_, StoreError>(GetAccountSummaryResponse {
            policies: view.count::<Policies>(&scope, Scan::all())? as u64,
            roles: view.count::<Roles>(&scope, Scan::all())? as u64,
            idps: providers as u64,
            user: view.count::<Users>(&scope, Scan::all())? as u64,
            group: view.count::<Groups>(&scope, Scan::all())? as u64,
            member: view.count::<Memberships>(&scope, Scan::all())? as u64,
            identity_providers: providers as u64,
        })
    })?)
}

pub(crate) fn resources(_: &Cam, _: &Call<GetAccountSummaryRequest>) -> Vec<Resource> {
    on_all()
}
