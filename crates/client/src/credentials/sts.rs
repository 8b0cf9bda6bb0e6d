//! Temporary keys from STS: a role assumed with another key, or with a web identity.

use std::path::PathBuf;

use rookery_api::sts::{self, AssumeRoleRequest, AssumeRoleWithWebIdentityRequest};

use super::{CredentialError, Credentials, Fetching, ProvideCredentials, Variables};
use crate::client::{Client, unix_seconds};
use crate::error::ClientError;
use crate::transport::Transport;

/// The region of the calls where nothing says another, as in the official SDKs.
const REGION: &str = "ap-guangzhou";
const ROLE: &str = "assumed role";
const WEB_IDENTITY: &str = "web identity";

/// Where STS is.
#[derive(Clone, Debug)]
pub struct Sts {
    endpoint: String,
    transport: Option<Transport>,
}

impl Default for Sts {
    fn default() -> Self {
        Self { endpoint: "https://sts.tencentcloudapi.com".to_owned(), transport: None }
    }
}

impl Sts {
    /// STS at another endpoint, for instance a Rookery's.
    pub fn new(endpoint: &str) -> Result<Self, ClientError> {
        crate::Endpoint::parse(endpoint)?;
        Ok(Self { endpoint: endpoint.to_owned(), transport: None })
    }

    /// Another way of reaching it.
    #[must_use]
    pub fn transport(mut self, transport: Transport) -> Self {
        self.transport = Some(transport);
        self
    }

    fn client(&self, credentials: Credentials, region: &str) -> Result<Client, ClientError> {
        let client = Client::new(&self.endpoint, credentials)?.region(region);
        Ok(match &self.transport {
            Some(transport) => client.transport(transport.clone()),
            None => client,
        })
    }
}

fn session_name() -> String {
    format!("rookery-client-{}", unix_seconds())
}

fn temporary(credentials: sts::Credentials, expires_at: u64) -> Credentials {
    Credentials::new(credentials.tmp_secret_id, credentials.tmp_secret_key)
        .with_token(credentials.token)
        .expiring_at(expires_at)
}

/// A role assumed with a key (`AssumeRole`). Wrap it in [`super::Refreshed`].
#[derive(Clone, Debug)]
pub struct AssumedRole {
    sts: Sts,
    with: Credentials,
    role_arn: String,
    session: Option<String>,
    seconds: Option<u64>,
}

impl AssumedRole {
    /// The role `role_arn`, assumed with the key `with`.
    #[must_use]
    pub fn new(sts: Sts, with: Credentials, role_arn: impl Into<String>) -> Self {
        Self { sts, with, role_arn: role_arn.into(), session: None, seconds: None }
    }

    /// The session's name; one of the SDK's own unless given.
    #[must_use]
    pub fn session(mut self, name: impl Into<String>) -> Self {
        self.session = Some(name.into());
        self
    }

    /// How long a key lasts, in seconds; the platform's 7200 unless given.
    #[must_use]
    pub fn lasting(mut self, seconds: u64) -> Self {
        self.seconds = Some(seconds);
        self
    }

    async fn fetch(&self) -> Result<Credentials, ClientError> {
        let request = AssumeRoleRequest {
            role_arn: self.role_arn.clone(),
            role_session_name: self.session.clone().unwrap_or_else(session_name),
            duration_seconds: self.seconds,
            ..AssumeRoleRequest::default()
        };
        let reply = self.sts.client(self.with.clone(), REGION)?.call(&request).await?.response;
        let expires_at = u64::try_from(reply.expired_time).unwrap_or(0);
        Ok(temporary(reply.credentials, expires_at))
    }
}

impl ProvideCredentials for AssumedRole {
    fn provide(&self) -> Fetching<'_> {
        Box::pin(async {
            let exchanged = self.fetch().await;
            exchanged.map_err(|error| CredentialError::Exchange { source_name: ROLE, error: Box::new(error) })
        })
    }
}

/// The web identity of a pod (TKE), exchanged for a role's key (`AssumeRoleWithWebIdentity`, sent without a signature): `TKE_REGION`,
/// `TKE_PROVIDER_ID`, `TKE_WEB_IDENTITY_TOKEN_FILE` and `TKE_ROLE_ARN`. The token is read anew each time, because the cluster
/// replaces it. Wrap it in [`super::Refreshed`].
#[derive(Clone, Debug)]
pub struct WebIdentity {
    sts: Sts,
    variables: Variables,
}

impl WebIdentity {
    /// The identity that `variables` describe, exchanged at `sts`.
    #[must_use]
    pub fn new(variables: Variables, sts: Sts) -> Self {
        Self { sts, variables }
    }

    async fn fetch(&self) -> Result<Credentials, CredentialError> {
        let names = ["TKE_REGION", "TKE_PROVIDER_ID", "TKE_WEB_IDENTITY_TOKEN_FILE", "TKE_ROLE_ARN"];
        let [Some(region), Some(provider), Some(file), Some(role)] =
            names.map(|name| self.variables.get(name))
        else {
            let reason = format!("not all of {} are set", names.join(", "));
            return Err(CredentialError::Absent { source_name: WEB_IDENTITY, reason });
        };
        let path = PathBuf::from(file);
        let token = tokio::fs::read_to_string(&path).await.map_err(|error| CredentialError::Unusable {
            source_name: WEB_IDENTITY,
            reason: format!("{}: {error}", path.display()),
        })?;
        let request = AssumeRoleWithWebIdentityRequest {
            provider_id: provider,
            web_identity_token: token.trim().to_owned(),
            role_arn: role,
            role_session_name: session_name(),
            duration_seconds: None,
        };
        let exchange = async {
            // The action is sent unsigned; no key is asked for.
            let client = self.sts.client(Credentials::new("", ""), &region)?;
            client.call(&request).await
        };
        let reply = exchange.await.map_err(|error| CredentialError::Exchange {
            source_name: WEB_IDENTITY,
            error: Box::new(error),
        })?;
        Ok(temporary(reply.response.credentials, reply.response.expired_time))
    }
}

impl ProvideCredentials for WebIdentity {
    fn provide(&self) -> Fetching<'_> {
        Box::pin(self.fetch())
    }
}
