//! `tcr:DeleteInstanceCustomizedDomain`: a host is no longer the instance's.

use rookery_api::tcr::{DeleteInstanceCustomizedDomainRequest, DeleteInstanceCustomizedDomainResponse, ErrorCode};
use rookery_gateway::{Call, Resource};
use rookery_store::Read;

use crate::Tcr;
use crate::actions;
use crate::custom_domains::CustomDomains;
use crate::error::{Error, Rule};
use crate::instances;

const CERTIFICATE: Rule = Rule { english: "is not the domain's", chinese: "与该域名的证书不一致" };

/// A `CertificateId` has to be the one that the domain was bound with.
pub(crate) async fn delete_instance_customized_domain(
    tcr: &Tcr,
    call: Call<DeleteInstanceCustomizedDomainRequest>,
) -> Result<DeleteInstanceCustomizedDomainResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let (id, domain) = (request.registry_id, request.domain_name.to_ascii_lowercase());
    let certificate = request.certificate_id.filter(|certificate| !certificate.is_empty());
    tcr.store
        .write(move |tx| {
            instances::running(tx, &scope, &id, now, instances::DOMAINS)?;
            let key = (id.clone(), domain.clone());
            let row = tx.get::<CustomDomains>(&scope, &key)?;
            let row = row.ok_or_else(|| Error::NoDomain(domain.clone()))?;
            if certificate.as_ref().is_some_and(|certificate| *certificate != row.certificate) {
                let code = ErrorCode::InvalidParameter;
                return Err(Error::Invalid { parameter: "CertificateId", rule: CERTIFICATE, code });
            }
            tx.delete::<CustomDomains>(&scope, &key)?;
            Ok(())
        })
        .await?;
    tcr.domains.refresh(&tcr.store)?;
    Ok(DeleteInstanceCustomizedDomainResponse::default())
}

pub(crate) fn resources(_: &Tcr, call: &Call<DeleteInstanceCustomizedDomainRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
