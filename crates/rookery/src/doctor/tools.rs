//! The files of tools: tccli's profiles, and the logins of docker, skopeo and their kin.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::credentials::{Key, judge};
use super::environment::LEAD_HERE;
use super::roads::{Address, Destination};
use super::{Finding, Surroundings};

/// tccli's profiles, which Terraform's provider reads, too.
pub(super) fn tccli(surroundings: &Surroundings) -> Vec<Finding> {
    let directory = surroundings
        .variable("TENCENTCLOUD_SHARED_CREDENTIALS_DIR")
        .map_or_else(|| surroundings.home.join(".tccli"), PathBuf::from);
    let mut findings = Vec::new();
    for file in files(&directory) {
        let kind = file.extension().and_then(|extension| extension.to_str());
        let (Some(kind @ ("configure" | "credential")), Ok(text)) = (kind, fs::read_to_string(&file)) else {
            continue;
        };
        let place = file.display().to_string();
        let Ok(Value::Object(profile)) = serde_json::from_str(&text) else {
            findings.push(Finding::check(format!("{place} is not JSON"), "tccli configure writes it anew"));
            continue;
        };
        if kind == "configure" {
            findings.extend(endpoints(surroundings, &place, &profile));
        } else {
            findings.extend(credential(surroundings, &place, &profile));
        }
    }
    findings
}

/// Sorted, so that a report is the same twice.
pub(super) fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.sort();
    files
}

type Members = serde_json::Map<String, Value>;

/// One line a profile. tccli knows some 300 products; of those that are not in the contract one name stands for all, because every
/// name costs a question to the resolver.
fn endpoints(surroundings: &Surroundings, place: &str, profile: &Members) -> Option<Finding> {
    let all: Vec<(&str, &str)> = profile
        .iter()
        .filter(|(service, _)| service.as_str() != "_sys_param")
        .filter_map(|(service, settings)| Some((service.as_str(), settings.get("endpoint")?.as_str()?)))
        .collect();
    let (here, others): (Vec<_>, Vec<_>) = all
        .iter()
        .partition(|(service, _)| rookery_api::PRODUCTS.iter().any(|product| product.name == *service));
    let hosts: Vec<String> =
        here.iter().chain(others.first()).map(|(_, text)| Address::read(text, true).host).collect();
    surroundings.roads.prepare(&hosts);
    let mut sample: Option<(Destination, String)> = None;
    let mut leaving: Vec<(&str, Destination)> = Vec::new();
    for (service, text) in here.into_iter().chain(others) {
        let address = Address::read(text, true);
        let known = rookery_api::PRODUCTS.iter().any(|product| product.name == service);
        let is_default = address.host == format!("{service}.{}", super::environment::ROOT);
        let destination = match &sample {
            Some((destination, _)) if !known && is_default => destination.clone(),
            _ => surroundings.roads.to(&address),
        };
        if !known && is_default && sample.is_none() {
            sample = Some((destination.clone(), address.host.clone()));
        }
        if destination.leaves() {
            leaving.push((service, destination));
        }
    }
    let count = all.len();
    match leaving.first() {
        None if count == 0 => None,
        None => Some(Finding::fine(format!("{place}: none of {count} endpoints leads away"))),
        Some((service, destination)) => Some(Finding::leaves(
            format!(
                "{place}: {} of {count} endpoints lead away, for instance that of {service}, which {destination}",
                leaving.len()
            ),
            format!(r#"tccli configure set {service}.endpoint "$ROOKERY_ENDPOINT", or {LEAD_HERE}"#),
        )),
    }
}

fn credential(surroundings: &Surroundings, place: &str, profile: &Members) -> Option<Finding> {
    let text = |name: &str| profile.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    match text("type") {
        // A login in a browser, or a machine's role: both are renewed at hosts of the real cloud.
        Some(kind @ ("oauth" | "sso" | "cvm-role")) => Some(Finding::leaves(
            format!("{place}: its type is {kind}: its keys come from the real cloud"),
            "tccli configure, with the key of rookery env",
        )),
        _ => text("secretId").map(|id| {
            let key = Key {
                id: id.to_owned(),
                secret: text("secretKey").unwrap_or_default().to_owned(),
                token: text("token").map(str::to_owned),
            };
            judge(surroundings, place, &key)
        }),
    }
}

/// Logins at registries of the real cloud, unless their names lead here.
pub(super) fn registries(surroundings: &Surroundings) -> Vec<Finding> {
    let home = &surroundings.home;
    let docker = surroundings.variable("DOCKER_CONFIG").map_or_else(|| home.join(".docker"), PathBuf::from);
    let mut files = vec![docker.join("config.json"), home.join(".config/containers/auth.json")];
    files.extend(surroundings.variable("REGISTRY_AUTH_FILE").map(PathBuf::from));
    files.extend(
        surroundings
            .variable("XDG_RUNTIME_DIR")
            .map(|directory| Path::new(directory).join("containers/auth.json")),
    );
    let mut findings = Vec::new();
    for file in files {
        let Some(config) =
            fs::read_to_string(&file).ok().and_then(|text| serde_json::from_str::<Value>(&text).ok())
        else {
            continue;
        };
        let members = ["auths", "credHelpers"].into_iter().filter_map(|name| config.get(name)?.as_object());
        for name in members.flat_map(serde_json::Map::keys) {
            let address = Address::read(name, true);
            if !is_registry_of_the_cloud(&address.host) {
                continue;
            }
            let destination = surroundings.roads.to(&address);
            let says = format!("{}: the login at {} {destination}", file.display(), address.host);
            findings.push(if destination.leaves() {
                Finding::leaves(
                    says,
                    format!(
                        "docker logout {name} (skopeo logout {name}), and log in at \"$ROOKERY_REGISTRY\""
                    ),
                )
            } else {
                Finding::fine(says)
            });
        }
    }
    findings
}

/// Enterprise and personal editions.
fn is_registry_of_the_cloud(host: &str) -> bool {
    host.ends_with(".tencentcloudcr.com") || host.ends_with("ccs.tencentyun.com")
}
