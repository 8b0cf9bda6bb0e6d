//! `rookery verify`: the signatures of an image, pulled as any client pulls them and checked here.

mod checks;
mod name;
mod pull;

use std::error::Error;
use std::fs;
use std::process::ExitCode;

use rookery_client::{Client, Credentials};
use rookery_signing::Digest;
use rookery_tcr::Verification;
use serde::Deserialize;

use crate::blocking;
use crate::commands::Verify;
use crate::data_directory::{Endpoints, root_key};
use crate::trust::of_namespace;
use checks::{Checked, Checks, Finding};
use name::ImageName;
use pull::Puller;

/// The environment variable with the password of `--username`.
const PASSWORD_VARIABLE: &str = "ROOKERY_REGISTRY_PASSWORD";

type Failure = Box<dyn Error>;

pub(crate) fn run(options: &Verify) -> ExitCode {
    match verify(options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("rookery: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints what was found; whether every image has every format that its namespace signs in.
fn verify(options: &Verify) -> Result<bool, Failure> {
    let endpoints = Endpoints::of_running(&options.directory.data)?;
    let image = ImageName::parse(&options.image, &endpoints)?;
    let trust: Verification = match &options.trust {
        Some(path) => {
            let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
            serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?
        }
        None => of_namespace(&endpoints, &format!("{}/{}", image.instance, image.namespace()))?,
    };
    let checked = blocking::wait(check(options, &endpoints, &image, &trust))??;
    let mut whole = true;
    for image in &checked {
        println!("{}", image.title);
        for (format, finding) in image.findings() {
            let wanted = trust.formats.iter().any(|name| name == format);
            whole &= !wanted || matches!(finding, Finding::Good(_));
            println!("  {format:<9} {}", line(finding, wanted));
        }
    }
    Ok(whole)
}

fn line(finding: &Finding, wanted: bool) -> String {
    match (finding, wanted) {
        (Finding::Good(more), _) => format!("verified: {more}"),
        (Finding::Absent, true) => "MISSING".to_owned(),
        (Finding::Absent, false) => "none, and none is wanted".to_owned(),
        (Finding::Bad(faults), true) => format!("REFUSED: {faults}"),
        (Finding::Bad(faults), false) => format!("none by this key: {faults}"),
    }
}

async fn check(
    options: &Verify,
    endpoints: &Endpoints,
    image: &ImageName,
    trust: &Verification,
) -> Result<Vec<Checked>, Failure> {
    let login = match &options.username {
        Some(name) => {
            let password = std::env::var(PASSWORD_VARIABLE)
                .map_err(|_| format!("the password of {name} is read from {PASSWORD_VARIABLE}"))?;
            (name.clone(), password)
        }
        None => token(options, endpoints, trust).await?,
    };
    let puller = Puller::new(&endpoints.http, &image.path, &login)?;
    let checks = Checks::new(&puller, trust, image)?;
    let top = puller.manifest(&image.reference).await?;
    let top = top.ok_or_else(|| format!("{}: no such image", options.image))?;
    let digest = Digest::of(&top);
    if image.reference.starts_with("sha256:") && image.reference != digest.to_string() {
        return Err(format!("the registry sent {digest} for {}", image.reference).into());
    }
    let mut checked = vec![checks.image(format!("{} is {digest}", options.image), &digest).await?];
    for child in children(&top) {
        let title = format!("{} in it, for {}", child.digest, child.platform());
        let digest = child.digest.parse().map_err(|error| format!("{}: {error}", child.digest))?;
        checked.push(checks.image(title, &digest).await?);
    }
    Ok(checked)
}

/// A temporary token of the instance, for the root of the cloud's first account.
async fn token(
    options: &Verify,
    endpoints: &Endpoints,
    trust: &Verification,
) -> Result<(String, String), Failure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Token {
        username: String,
        token: String,
    }
    let key = root_key(&options.directory.data)?;
    let credentials = Credentials::new(key.secret_id, key.secret_key.as_str());
    let client = Client::new(&endpoints.http, credentials)?.region(trust.region.clone());
    let body = serde_json::json!({ "RegistryId": trust.registry_id }).to_string();
    let reply = client.call_json("tcr", "2019-09-24", "CreateInstanceToken", body.as_bytes()).await?;
    let Token { username, token } = serde_json::from_str(&reply.response)?;
    Ok((username, token))
}

#[derive(Default, Deserialize)]
struct Index {
    #[serde(default)]
    manifests: Vec<Child>,
}

#[derive(Deserialize)]
struct Child {
    digest: String,
    platform: Option<Platform>,
}

#[derive(Deserialize)]
struct Platform {
    os: String,
    architecture: String,
}

impl Child {
    fn platform(&self) -> String {
        self.platform.as_ref().map_or_else(
            || "no platform".to_owned(),
            |platform| format!("{}/{}", platform.os, platform.architecture),
        )
    }
}

/// The images that an index lists; none of a single image.
fn children(manifest: &[u8]) -> Vec<Child> {
    serde_json::from_slice::<Index>(manifest).unwrap_or_default().manifests
}
