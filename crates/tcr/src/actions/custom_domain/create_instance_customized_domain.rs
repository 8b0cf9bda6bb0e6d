//! `tcr:CreateInstanceCustomizedDomain`: one more host for an instance.

use std::net::IpAddr;

use rookery_api::tcr::{CreateInstanceCustomizedDomainRequest, CreateInstanceCustomizedDomainResponse, ErrorCode};
use rookery_gateway::{Call, Resource};
use rookery_store::Read;

use crate::Tcr;
use crate::actions;
use crate::custom_domains::{ByDomain, CustomDomains, DomainRow};
use crate::error::{Error, Rule};
use crate::instances;
use crate::names;

const DOMAIN: Rule = Rule {
    english: "must be a host name without a port, and none of the cloud's own",
    chinese: "须为不带端口的合法域名，且不能为平台域名",
};
const CERTIFICATE: Rule = Rule { english: "must not be empty", chinese: "不能为空" };

/// It works at once, over TLS with a certificate of the cloud's own authority; `CertificateId` is kept and shown.
pub(crate) async fn create_instance_customized_domain(
    tcr: &Tcr,
    call: Call<CreateInstanceCustomizedDomainRequest>,
) -> Result<CreateInstanceCustomizedDomainResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let domain = request.domain_name.to_ascii_lowercase();
    let invalid =
        |parameter, rule| Error::Invalid { parameter, rule, code: ErrorCode::InvalidParameter };
    if !names::domain(&domain) || domain.contains(':') || domain.parse::<IpAddr>().is_ok() || tcr.is_own_host(&domain) {
        return Err(invalid("DomainName", DOMAIN));
    }
    if request.certificate_id.is_empty() {
        return Err(invalid("CertificateId", CERTIFICATE));
    }
    let row = DomainRow { certificate: request.certificate_id, created_at: now };
    let id = request.registry_id;
    tcr.store
        .write(move |tx| {
            instances::running(tx, &scope, &id, now, instances::DOMAINS)?;
            if tx.find::<ByDomain>(&domain)?.is_some() {
                return Err(Error::DomainTaken(domain.clone()));
            }
            Ok(tx.put::<CustomDomains>(&scope, &(id.clone(), domain.clone()), &row)?)
        })
        .await?;
    tcr.domains.refresh(&tcr.store)?;
    Ok(CreateInstanceCustomizedDomainResponse::default())
}

pub(crate) fn resources(_: &Tcr, call: &Call<CreateInstanceCustomizedDomainRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
