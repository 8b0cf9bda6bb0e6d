//! `rookery trust`: what verifiers of a namespace's images have to be given.

use std::error::Error;
use std::fs;
use std::path::Path;

use rookery_tcr::Verification;

use crate::commands::{Trust, Trusted};
use crate::data_directory::{Endpoints, signing};

/// The name of each file that `--to` writes.
const FILES: [(&str, Trusted); 6] = [
    ("trust.json", Trusted::All),
    ("key.pub", Trusted::Key),
    ("certificate.pem", Trusted::Certificate),
    ("trustpolicy.json", Trusted::TrustPolicy),
    ("policy.json", Trusted::ContainersPolicy),
    ("registries.d.yaml", Trusted::ContainersRegistries),
];

pub(crate) fn run(options: &Trust) -> Result<(), Box<dyn Error>> {
    let endpoints = Endpoints::of_running(&options.directory.data)?;
    let told = of_namespace(&endpoints, &options.namespace)?;
    match &options.to {
        None => print!("{}", text(&told, options.what)?),
        Some(directory) => write(&told, directory)?,
    }
    Ok(())
}

/// What the running cloud says of `<instance>/<namespace>`.
pub(crate) fn of_namespace(endpoints: &Endpoints, namespace: &str) -> Result<Verification, Box<dyn Error>> {
    let well_formed = namespace.split('/').count() == 2
        && namespace.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte));
    if !well_formed {
        return Err(format!("{namespace}: a namespace is named INSTANCE/NAMESPACE").into());
    }
    let told = signing(endpoints, namespace)?
        .ok_or_else(|| format!("{namespace}: no such namespace with a signature policy"))?;
    Ok(serde_json::from_str(&told)?)
}

fn write(told: &Verification, directory: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    for (name, what) in FILES {
        let path = directory.join(name);
        fs::write(&path, text(told, what)?).map_err(|error| format!("{}: {error}", path.display()))?;
        println!("{}", path.display());
    }
    Ok(())
}

fn text(told: &Verification, what: Trusted) -> Result<String, serde_json::Error> {
    let lines = |value: Result<String, serde_json::Error>| value.map(|text| text + "\n");
    match what {
        Trusted::All => lines(serde_json::to_string_pretty(told)),
        Trusted::Key => Ok(told.public_key.clone()),
        Trusted::Certificate => Ok(told.certificate.clone()),
        Trusted::TrustPolicy => lines(serde_json::to_string_pretty(&told.trust_policy)),
        Trusted::ContainersPolicy => lines(serde_json::to_string_pretty(&told.containers_policy)),
        Trusted::ContainersRegistries => Ok(told.containers_registries.clone()),
    }
}
