//! A signed request: method, path, headers and body, for each of the platform's ways to sign.

use std::fmt;

use bytes::Bytes;
use rookery_api::decode::flattened::Pair;
use rookery_api::decode::json;
use rookery_api::flatten::{encode, flatten};
use rookery_tc3::{v1, v3};

use crate::credentials::Credentials;
use crate::error::ClientError;

/// How requests are signed and carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Signing {
    /// `TC3-HMAC-SHA256`, parameters as JSON: all that new programs need.
    #[default]
    V3Post,
    /// `TC3-HMAC-SHA256`, parameters flattened in the query (32 KB at most).
    V3Get,
    /// Signature v1, parameters flattened in a form (1 MB at most).
    V1Post(v1::Method),
    /// Signature v1, parameters flattened in the query (32 KB at most).
    V1Get(v1::Method),
}

impl fmt::Display for Signing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V3Post => f.write_str("TC3-HMAC-SHA256 POST"),
            Self::V3Get => f.write_str("TC3-HMAC-SHA256 GET"),
            Self::V1Post(hmac) => write!(f, "{hmac} POST"),
            Self::V1Get(hmac) => write!(f, "{hmac} GET"),
        }
    }
}

/// A request before it is signed.
#[derive(Clone, Copy)]
pub(crate) struct Draft<'a> {
    /// `http` or `https`, `://`, and the host.
    pub(crate) origin: &'a str,
    pub(crate) host: &'a str,
    pub(crate) product: &'a str,
    pub(crate) version: &'a str,
    pub(crate) action: &'a str,
    pub(crate) region: Option<&'a str>,
    pub(crate) language: Option<&'a str>,
    pub(crate) client: &'a str,
    /// The parameters as a JSON object.
    pub(crate) body: &'a [u8],
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// Names that signature v1 uses itself: a parameter of the action with such a name would be taken for the common one.
const V1_NAMES: [&str; 11] = [
    "Action",
    "Version",
    "Region",
    "Timestamp",
    "Nonce",
    "SecretId",
    "Signature",
    "SignatureMethod",
    "Token",
    "Language",
    "RequestClient",
];

impl Draft<'_> {
    /// The request signed with `credentials` at the UNIX second `now`; `nonce` is used by v1.
    pub(crate) fn sign(
        &self,
        signing: Signing,
        credentials: &Credentials,
        now: u64,
        nonce: u64,
    ) -> Result<http::Request<Bytes>, ClientError> {
        match signing {
            Signing::V3Post => {
                let authorization = self.authorization("POST", "", JSON, self.body, credentials, now);
                self.v3(
                    "POST",
                    "",
                    JSON,
                    Bytes::copy_from_slice(self.body),
                    &authorization,
                    credentials.token(),
                    now,
                )
            }
            Signing::V3Get => {
                let query = encode(&self.pairs()?);
                let authorization = self.authorization("GET", &query, FORM, b"", credentials, now);
                self.v3("GET", &query, FORM, Bytes::new(), &authorization, credentials.token(), now)
            }
            Signing::V1Get(hmac) => {
                let query = encode(&self.v1_pairs("GET", hmac, credentials, now, nonce)?);
                self.request("GET", &query, Bytes::new(), &[])
            }
            Signing::V1Post(hmac) => {
                let form = encode(&self.v1_pairs("POST", hmac, credentials, now, nonce)?);
                self.request("POST", "", form.into(), &[("Content-Type", FORM)])
            }
        }
    }

    /// The request with `Authorization: SKIP`, for the actions that prove the caller by other means.
    pub(crate) fn skip(&self, now: u64) -> Result<http::Request<Bytes>, ClientError> {
        self.v3("POST", "", JSON, Bytes::copy_from_slice(self.body), "SKIP", None, now)
    }

    fn authorization(
        &self,
        method: &str,
        query: &str,
        content_type: &str,
        body: &[u8],
        credentials: &Credentials,
        now: u64,
    ) -> String {
        let headers = [("content-type", content_type.as_bytes()), ("host", self.host.as_bytes())];
        let timestamp = now.to_string();
        let request =
            v3::Request { method, path: "/", query, headers: &headers, body, timestamp: &timestamp };
        let date = v3::scope_date(i64::try_from(now).unwrap_or(i64::MAX)).unwrap_or_default();
        let (id, key) = (credentials.secret_id(), credentials.secret_key());
        v3::sign(&request, &["content-type", "host"], &date, self.product, id, key)
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one HTTP request, each used once")]
    fn v3(
        &self,
        method: &str,
        query: &str,
        content_type: &str,
        body: Bytes,
        authorization: &str,
        token: Option<&str>,
        now: u64,
    ) -> Result<http::Request<Bytes>, ClientError> {
        let timestamp = now.to_string();
        let mut headers = vec![
            ("Authorization", authorization),
            ("Content-Type", content_type),
            ("X-TC-Action", self.action),
            ("X-TC-Version", self.version),
            ("X-TC-Timestamp", &timestamp),
            ("X-TC-RequestClient", self.client),
        ];
        let optional =
            [("X-TC-Region", self.region), ("X-TC-Language", self.language), ("X-TC-Token", token)];
        headers.extend(optional.into_iter().filter_map(|(name, value)| value.map(|value| (name, value))));
        self.request(method, query, body, &headers)
    }

    /// The action's own parameters, flattened.
    fn pairs(&self) -> Result<Vec<Pair>, ClientError> {
        let node = json::read(self.body).map_err(|error| ClientError::Unsendable(error.to_string()))?;
        Ok(flatten(&node))
    }

    /// All parameters of a v1 request, the signature last.
    fn v1_pairs(
        &self,
        method: &str,
        hmac: v1::Method,
        credentials: &Credentials,
        now: u64,
        nonce: u64,
    ) -> Result<Vec<Pair>, ClientError> {
        let mut pairs = self.pairs()?;
        if let Some((name, _)) = pairs.iter().find(|(name, _)| V1_NAMES.contains(&name.as_str())) {
            let reason = format!("signature v1 has a parameter `{name}` of its own; sign with v3");
            return Err(ClientError::Unsendable(reason));
        }
        let (timestamp, nonce) = (now.to_string(), nonce.to_string());
        let common = [
            ("Action", Some(self.action)),
            ("Version", Some(self.version)),
            ("Region", self.region),
            ("Timestamp", Some(&timestamp)),
            ("Nonce", Some(&nonce)),
            ("SecretId", Some(credentials.secret_id())),
            ("SignatureMethod", Some(hmac.name())),
            ("Token", credentials.token()),
            ("Language", self.language),
            ("RequestClient", Some(self.client)),
        ];
        let present =
            common.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
        pairs.extend(present);
        let request = v1::Request { method, host: self.host.as_bytes(), path: "/", parameters: &pairs };
        let signature = v1::sign(&request, hmac, credentials.secret_key());
        pairs.push(("Signature".to_owned(), signature));
        Ok(pairs)
    }

    fn request(
        &self,
        method: &str,
        query: &str,
        body: Bytes,
        headers: &[(&str, &str)],
    ) -> Result<http::Request<Bytes>, ClientError> {
        let mark = if query.is_empty() { "" } else { "?" };
        let mut request = http::Request::builder()
            .method(method)
            .uri(format!("{}/{mark}{query}", self.origin))
            .header("Host", self.host);
        for (name, value) in headers {
            // Not the value: it may be a secret.
            let value = http::HeaderValue::from_str(value).map_err(|_| {
                ClientError::Unsendable(format!("{name} has characters that no header may have"))
            })?;
            request = request.header(*name, value);
        }
        request.body(body).map_err(|error| ClientError::Unsendable(error.to_string()))
    }
}
