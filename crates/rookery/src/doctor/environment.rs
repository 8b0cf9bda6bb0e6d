//! The environment: proxies, service names, the variables of the SDKs and of Terraform, and the authorities that clients trust.

use std::collections::BTreeMap;
use std::fs;

use super::roads::{Address, Destination, without_password};
use super::{Finding, Mark, Surroundings};

/// The root domain of the real cloud.
pub(super) const ROOT: &str = "tencentcloudapi.com";
/// What leads every client here that uses the cloud's real names.
pub(super) const LEAD_HERE: &str =
    r#"eval "$(rookery env --proxy)", or give names to this machine (docs/guides/hosts-file.md)"#;

pub(super) fn findings(surroundings: &Surroundings) -> Vec<Finding> {
    let mut findings = proxies(surroundings);
    findings.extend(service_names(surroundings));
    findings.extend(addresses(surroundings));
    findings.extend(roles(surroundings));
    findings.extend(authorities(surroundings));
    findings
}

fn proxies(surroundings: &Surroundings) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        let Some(proxy) = surroundings.variable(name) else { continue };
        if surroundings.roads.is_ours(proxy) {
            findings.push(Finding::fine(format!("{name} is Rookery")));
        } else {
            // Not every client leaves out 127.0.0.1 by itself: the Python SDK compares it with its port.
            findings.push(Finding::leaves(
                format!(
                    "{name} is {}: calls are handed to that proxy, by some clients even those to 127.0.0.1",
                    without_password(proxy)
                ),
                format!(r#"unset {name}, or eval "$(rookery env --proxy)""#),
            ));
        }
    }
    let ours = findings.iter().any(|finding| finding.mark == Mark::Fine);
    if ours && surroundings.variable("http_proxy").is_none() {
        let sts = Address { tls: true, host: format!("sts.{ROOT}"), port: 443 };
        let says =
            "http_proxy is not set: the SDK of Node reads no other spelling, and uses it for HTTPS, too";
        let make =
            if surroundings.roads.directly_to(&sts).leaves() { Finding::leaves } else { Finding::check };
        findings.push(make(says.to_owned(), r#"eval "$(rookery env --proxy)""#.to_owned()));
    }
    let kept: Vec<String> =
        platform_names(surroundings).into_iter().filter(|name| surroundings.roads.excluded(name)).collect();
    if let (false, Some(first)) = (findings.is_empty(), kept.first()) {
        findings.push(Finding::leaves(
            format!("NO_PROXY keeps {} names of the cloud from the proxy, for instance {first}", kept.len()),
            "take them out of NO_PROXY and no_proxy",
        ));
    }
    findings
}

/// The names that SDKs call by themselves, and a regional and a registry name.
fn platform_names(surroundings: &Surroundings) -> Vec<String> {
    let mut names: Vec<String> =
        rookery_api::PRODUCTS.iter().map(|product| format!("{}.{ROOT}", product.name)).collect();
    let region = surroundings.variable("TENCENTCLOUD_REGION").unwrap_or("ap-guangzhou");
    names.push(format!("tcr.{region}.{ROOT}"));
    names
}

/// Where a client ends that has no endpoint of its own: one line for each fate.
fn service_names(surroundings: &Surroundings) -> Vec<Finding> {
    let names = platform_names(surroundings);
    surroundings.roads.prepare(&names);
    let mut fates: BTreeMap<u8, (Destination, Vec<String>)> = BTreeMap::new();
    for host in names {
        let destination = surroundings.roads.to(&Address { tls: true, host: host.clone(), port: 443 });
        // One line for all addresses of the real cloud, and for every other fate.
        let fate = match destination {
            Destination::Away(_) => 0,
            Destination::ForeignProxy(_) => 1,
            Destination::OtherPort(_) => 2,
            Destination::Nowhere => 3,
            Destination::Refused => 4,
            Destination::Here => 5,
            Destination::Proxied => 6,
        };
        fates.entry(fate).or_insert_with(|| (destination, Vec::new())).1.push(host);
    }
    fates.into_values().map(|(destination, names)| fate(&destination, &names)).collect()
}

fn fate(destination: &Destination, names: &[String]) -> Finding {
    let rest = if names.len() > 1 {
        format!(" (and {} more names of the cloud)", names.len() - 1)
    } else {
        String::new()
    };
    let says = format!("{}{rest} {destination}", names.first().map_or("", String::as_str));
    match destination {
        Destination::Here | Destination::Proxied => Finding::fine(says),
        Destination::OtherPort(_) => Finding::check(
            says,
            "rookery serve --https 127.0.0.1:443, or redirect the port (docs/guides/hosts-file.md)",
        ),
        Destination::Nowhere => Finding::check(
            format!("{says}: clients without an endpoint of their own fail, and nothing leaves"),
            LEAD_HERE,
        ),
        Destination::Refused => Finding::check(says, "rookery trace"),
        Destination::Away(_) | Destination::ForeignProxy(_) => {
            Finding::leaves(format!("{says}: so does every client without an endpoint of its own"), LEAD_HERE)
        }
    }
}

/// `TENCENTCLOUD_DOMAIN` and its kin: Terraform's root domain, COS, and endpoints of single tools such as sops.
fn addresses(surroundings: &Surroundings) -> Vec<Finding> {
    let tls =
        !surroundings.variable("TENCENTCLOUD_PROTOCOL").is_some_and(|text| text.eq_ignore_ascii_case("http"));
    let mut named: Vec<(&String, &String)> = surroundings
        .variables
        .iter()
        .filter(|(name, value)| {
            let address = name.ends_with("_DOMAIN") || name.ends_with("_ENDPOINT");
            name.starts_with("TENCENTCLOUD_") && address && !value.is_empty()
        })
        .collect();
    named.sort();
    named
        .into_iter()
        .map(|(name, value)| {
            let address = if name == "TENCENTCLOUD_DOMAIN" {
                Address::read(&format!("sts.{value}"), tls)
            } else {
                Address::read(value, true)
            };
            let destination = surroundings.roads.to(&address);
            let says = format!("{name}={}: {} {destination}", without_password(value), address.host);
            if destination.arrives() {
                Finding::fine(says)
            } else if destination.leaves() {
                Finding::leaves(says, format!("unset {name}, or set it to an address of Rookery"))
            } else {
                Finding::check(says, "docs/guides/endpoint.md says which names and ports work")
            }
        })
        .collect()
}

/// Credential chains that ask hosts of the cloud which no setting of theirs can move.
fn roles(surroundings: &Surroundings) -> Vec<Finding> {
    let asks = [
        ("TENCENTCLOUD_CAM_ROLE_NAME", Address::read("http://metadata.tencentyun.com", false)),
        ("TKE_WEB_IDENTITY_TOKEN_FILE", Address::read(&format!("sts.{ROOT}"), true)),
    ];
    let set = asks.into_iter().filter(|(name, _)| surroundings.variable(name).is_some());
    set.map(|(name, address)| {
        let destination = surroundings.roads.to(&address);
        let says = format!("{name}: credentials are asked of {}, which {destination}", address.host);
        if destination.leaves() {
            Finding::leaves(says, format!("unset {name}"))
        } else if destination.arrives() {
            Finding::fine(says)
        } else {
            Finding::check(says, format!("unset {name}"))
        }
    })
    .collect()
}

/// Clients that speak TLS here need the authority. Only asked where a setting sends them here by TLS.
fn authorities(surroundings: &Surroundings) -> Vec<Finding> {
    let Some(cloud) = &surroundings.cloud else { return Vec::new() };
    let sts = Address { tls: true, host: format!("sts.{ROOT}"), port: 443 };
    let by_tls = surroundings.roads.to(&sts).arrives();
    let Ok(ours) = fs::read_to_string(&cloud.ca) else {
        return vec![Finding::check(format!("{} cannot be read", cloud.ca.display()), "see its permissions")];
    };
    let variables = [
        ("SSL_CERT_FILE", "Go, Terraform and curl"),
        ("NODE_EXTRA_CA_CERTS", "Node"),
        ("REQUESTS_CA_BUNDLE", "Python's requests (not the SDK: it needs certification=)"),
    ];
    let mut findings = Vec::new();
    for (name, clients) in variables {
        let file = surroundings.variable(name);
        let holds = file
            .and_then(|file| fs::read_to_string(file).ok())
            .is_some_and(|text| text.contains(ours.trim()));
        if holds {
            findings.push(Finding::fine(format!("{name} holds this cloud's authority")));
        } else if by_tls {
            let state = file.map_or("is not set".to_owned(), |file| {
                format!("({file}) does not hold this cloud's authority")
            });
            findings.push(Finding::check(
                format!("{name} {state}: {clients} refuse its certificates"),
                format!("export {name}={}, or a bundle (rookery ca trust)", cloud.ca.display()),
            ));
        }
    }
    findings
}
