//! The role of the machine (CVM), from its metadata service.

use std::time::Duration;

use serde::Deserialize;

use super::{CredentialError, Credentials, Fetching, ProvideCredentials};
use crate::error::ClientError;
use crate::transport::{Transport, TransportError, Trust};

const SOURCE: &str = "machine role";
/// The service answers within milliseconds where it exists; elsewhere the chain should go on soon.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The role bound to the machine: `GET /latest/meta-data/cam/security-credentials/` names it, the same path with the name gives
/// a temporary key. Wrap it in [`super::Refreshed`].
#[derive(Clone, Debug)]
pub struct MachineRole {
    base: String,
    role: Option<String>,
    transport: Transport,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Code", default)]
    code: String,
    #[serde(rename = "TmpSecretId", default)]
    secret_id: String,
    #[serde(rename = "TmpSecretKey", default)]
    secret_key: String,
    #[serde(rename = "Token", default)]
    token: String,
    #[serde(rename = "ExpiredTime", default)]
    expires_at: u64,
}

impl MachineRole {
    /// The role that the metadata service of the platform names.
    pub fn new() -> Result<Self, ClientError> {
        let transport = Transport::new(&Trust::Public)?.timeout(TIMEOUT);
        Ok(Self { base: "http://metadata.tencentyun.com".to_owned(), role: None, transport })
    }

    /// Another address of the service, without a path.
    #[must_use]
    pub fn at(mut self, base: &str) -> Self {
        base.trim_end_matches('/').clone_into(&mut self.base);
        self
    }

    /// The role's name, where it is known.
    #[must_use]
    pub fn role(mut self, name: impl Into<String>) -> Self {
        self.role = Some(name.into());
        self
    }

    async fn fetch(&self) -> Result<Credentials, CredentialError> {
        let place = format!("{}/latest/meta-data/cam/security-credentials/", self.base);
        let role = match &self.role {
            Some(role) => role.clone(),
            None => self.get(&place).await?,
        };
        let role = role.trim();
        let unusable = |reason: String| CredentialError::Unusable { source_name: SOURCE, reason };
        if role.is_empty() || role.contains(|c: char| c.is_control() || " /?#".contains(c)) {
            return Err(unusable(format!("`{role}` is no name of a role")));
        }
        let text = self.get(&format!("{place}{role}")).await?;
        let answer: Answer = serde_json::from_str(&text).map_err(|error| unusable(error.to_string()))?;
        if answer.code != "Success" {
            return Err(unusable(format!("the metadata service answers `{}`", answer.code)));
        }
        let credentials = Credentials::new(answer.secret_id, answer.secret_key);
        credentials.check().map_err(|error| unusable(error.to_string()))?;
        Ok(credentials.with_token(answer.token).expiring_at(answer.expires_at))
    }

    async fn get(&self, url: &str) -> Result<String, CredentialError> {
        match self.transport.get(url).await {
            Ok(Some(text)) => Ok(text),
            Ok(None) => {
                Err(CredentialError::Absent { source_name: SOURCE, reason: format!("{url} names none") })
            }
            // Most machines are no CVM: nothing answers there.
            Err(error @ (TransportError::Connect { .. } | TransportError::Timeout { .. })) => {
                Err(CredentialError::Absent { source_name: SOURCE, reason: error.to_string() })
            }
            Err(error) => Err(CredentialError::Unusable { source_name: SOURCE, reason: error.to_string() }),
        }
    }
}

impl ProvideCredentials for MachineRole {
    fn provide(&self) -> Fetching<'_> {
        Box::pin(self.fetch())
    }
}
