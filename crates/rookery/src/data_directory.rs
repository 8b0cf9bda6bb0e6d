//! What is where in a data directory, and how commands find the cloud that runs on it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use http::{Method, Request};
use rookery_client::{Transport, TransportError, Trust};
use rookery_identity::RootKey;
use rookery_seal::{Seal, SealError};
use serde::{Deserialize, Serialize};

use crate::{blocking, master_key};

const ENDPOINTS_FILE: &str = "endpoints.json";

/// Where a running cloud answers. The file is there when, and only when, it does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Endpoints {
    /// `http://127.0.0.1:PORT`.
    pub(crate) http: String,
    /// `https://127.0.0.1:PORT`.
    pub(crate) https: String,
    /// What `docker login` takes: host and port of the HTTP address.
    pub(crate) registry: String,
    /// Registries are also reached as NAME.SUFFIX.
    pub(crate) registry_suffix: String,
    /// The nearest region.
    pub(crate) region: String,
    /// The authority's certificate.
    pub(crate) ca: PathBuf,
    /// The process.
    pub(crate) pid: u32,
}

/// Why a command cannot work on a data directory.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DirectoryError {
    #[error("{path}: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error("no cloud runs on {0}: start one with `rookery serve --data {0}`")]
    NotRunning(PathBuf),
    #[error("{0} is not what `rookery serve` writes")]
    Damaged(PathBuf),
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error(transparent)]
    Identity(#[from] rookery_identity::OpenError),
    #[error(transparent)]
    Transport(#[from] TransportError),
    #[error("{0}")]
    Refused(String),
    #[error("no runtime: {0}")]
    Runtime(#[from] io::Error),
}

impl Endpoints {
    /// Publishes the endpoints: whole or not at all.
    pub(crate) fn write(&self, directory: &Path) -> Result<(), DirectoryError> {
        let path = directory.join(ENDPOINTS_FILE);
        let draft = directory.join(".endpoints.draft");
        let failed = |source| DirectoryError::File { path: path.clone(), source };
        let mut text = serde_json::to_vec_pretty(self).map_err(|_| DirectoryError::Damaged(path.clone()))?;
        text.push(b'\n');
        fs::write(&draft, text).and_then(|()| fs::rename(&draft, &path)).map_err(failed)
    }

    /// Takes them back; also those that a killed process left.
    pub(crate) fn remove(directory: &Path) {
        let _ = fs::remove_file(directory.join(ENDPOINTS_FILE));
    }

    /// The endpoints of the cloud that runs on `directory`, proven by asking it: a killed process leaves its file behind.
    pub(crate) fn of_running(directory: &Path) -> Result<Self, DirectoryError> {
        let path = directory.join(ENDPOINTS_FILE);
        let text = fs::read(&path).map_err(|_| DirectoryError::NotRunning(directory.to_owned()))?;
        let endpoints: Self =
            serde_json::from_slice(&text).map_err(|_| DirectoryError::Damaged(path.clone()))?;
        match get(&format!("{}/_rookery/health", endpoints.http)) {
            Ok(Some(_)) => Ok(endpoints),
            Err(error @ DirectoryError::Runtime(_)) => Err(error),
            _ => Err(DirectoryError::NotRunning(directory.to_owned())),
        }
    }
}

/// The root's key of a data directory. Without a master key, what is wrong with the file of the root's key is still told.
pub(crate) fn root_key(directory: &Path) -> Result<RootKey, DirectoryError> {
    let mut candidates = master_key::candidates(directory)?.into_iter();
    let mut seal = candidates.next().map_or_else(Seal::ephemeral, Ok)?;
    loop {
        match (RootKey::read(directory, &seal), candidates.next()) {
            (Err(_), Some(next)) => seal = next,
            (read, _) => return Ok(read?),
        }
    }
}

/// The running cloud's record of a request (or of the last ones), as JSON text; `None` where it has none.
pub(crate) fn traces(
    endpoints: &Endpoints,
    request_id: Option<&str>,
) -> Result<Option<String>, DirectoryError> {
    let url = match request_id {
        Some(id) => format!("{}/_rookery/traces/{}", endpoints.http, id.trim()),
        None => format!("{}/_rookery/traces", endpoints.http),
    };
    get(&url)
}

/// How to verify the images of a namespace (`<instance>/<namespace>`), as JSON text; `None` where it has no signature policy.
pub(crate) fn signing(endpoints: &Endpoints, namespace: &str) -> Result<Option<String>, DirectoryError> {
    get(&format!("{}/_rookery/signing/{namespace}", endpoints.http))
}

/// What the tags of `<instance>/<namespace>/<repository>[:<tag>]` named before, as JSON text.
pub(crate) fn past_tags(endpoints: &Endpoints, image: &str) -> Result<String, DirectoryError> {
    ask(endpoints, Method::GET, &format!("tags/{image}"))
}

/// Lets a tag name what it named before; which digest that is, as JSON text.
pub(crate) fn restore_tag(endpoints: &Endpoints, image: &str) -> Result<String, DirectoryError> {
    ask(endpoints, Method::POST, &format!("tags/{image}"))
}

/// What an admin page answers; what it refuses is an error with its own words.
fn ask(endpoints: &Endpoints, method: Method, page: &str) -> Result<String, DirectoryError> {
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
    }
    let transport = Transport::new(&Trust::Public)?;
    let mut request = Request::new(Bytes::new());
    *request.method_mut() = method;
    *request.uri_mut() = format!("{}/_rookery/{page}", endpoints.http)
        .parse()
        .map_err(|_| DirectoryError::Refused(format!("{page} is no page")))?;
    let answer = blocking::wait(transport.send(request))??;
    let (status, body) = (answer.status(), String::from_utf8_lossy(answer.body()).into_owned());
    if status.is_success() {
        return Ok(body);
    }
    let refused = serde_json::from_str(&body).map_or(body, |Refusal { error }| error);
    Err(DirectoryError::Refused(refused))
}

/// Gets a text of the running cloud; `None` where it has none.
fn get(url: &str) -> Result<Option<String>, DirectoryError> {
    let transport = Transport::new(&Trust::Public)?;
    Ok(blocking::wait(transport.get(url))??)
}
