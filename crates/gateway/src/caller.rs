//! Step 4: the caller. Signature, timestamp, token and key turn a request into a [`Caller`].
//!
//! Order (the platform's own is only partly known, `protocol.md` §5.1): form of `Authorization`; the service of the scope against the address;
//! the date of the scope against the timestamp; the timestamp against the clock; the key; its token; the content hash; the signature.

use rookery_tc3::{v1, v3};

use crate::address::Address;
use crate::arrival::Arrival;
use crate::call::Caller;
use crate::common_parameters::{CommonParameters, V1};
use crate::error::CommonError;
use crate::identity::{Credential, CredentialError, Identity};

/// How far a timestamp may be from the server's clock, in seconds.
pub const TIMESTAMP_WINDOW: u64 = 300;

/// A refusal at this step, with what the server computed where the signature is the reason.
#[derive(Debug)]
pub struct Refused {
    /// The error that the client gets.
    pub error: CommonError,
    /// The server's canonical request (v3) and string to sign, for the trace.
    pub computed: Option<Box<Computed>>,
    /// What the client is not told.
    pub internal: Option<String>,
}

/// What the server computed over the bytes received.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Computed {
    /// The canonical request; absent for v1, which has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canonical_request: Option<String>,
    /// The string to sign (v3), or the source string (v1).
    pub string_to_sign: String,
}

impl From<CommonError> for Refused {
    fn from(error: CommonError) -> Self {
        Self { error, computed: None, internal: None }
    }
}

/// A caller whose signature verified.
#[derive(Debug)]
pub struct Verified {
    /// Who calls.
    pub caller: Caller,
    /// The reading of the bytes under which the signature verified.
    pub reading: String,
    /// The service of the credential scope; absent for v1.
    pub scope_service: Option<String>,
}

/// Verifies a request. `now` is in UNIX seconds.
pub fn verify(
    arrival: &Arrival,
    address: &Address,
    common: &CommonParameters,
    identity: &dyn Identity,
    now: i64,
) -> Result<Verified, Refused> {
    match &common.v1 {
        Some(v1) => verify_v1(arrival, common, v1, identity, now),
        None => verify_v3(arrival, address, common, identity, now),
    }
}

fn verify_v3(
    arrival: &Arrival,
    address: &Address,
    common: &CommonParameters,
    identity: &dyn Identity,
    now: i64,
) -> Result<Verified, Refused> {
    let header = arrival.header("authorization").unwrap_or_default();
    let authorization = v3::Authorization::parse(&header)
        .map_err(|error| CommonError::InvalidAuthorization(format!("{error}.")))?;
    // Only a product's own address can contradict the scope: clients derive the service from whatever endpoint they are given.
    let is_product = |name: &str| rookery_api::PRODUCTS.iter().any(|product| product.name == name);
    if let Some(product) = address.product
        && is_product(product)
        && authorization.service != product
    {
        return Err(CommonError::InvalidAuthorization("`Service` in Credential not valid.".to_owned()).into());
    }
    if v3::scope_date(common.timestamp).as_deref() != Some(authorization.date) {
        return Err(CommonError::InvalidAuthorization("`Date` in Credential not valid.".to_owned()).into());
    }
    check_timestamp(common.timestamp, now)?;
    let credential = look_up(identity, authorization.secret_id, common.token.as_deref())?;

    let headers: Vec<(&str, &[u8])> = signed_view(arrival);
    let request = v3::Request {
        method: arrival.method.as_str(),
        path: &arrival.path,
        query: &arrival.query,
        headers: &headers,
        body: &arrival.body,
        timestamp: &common.timestamp_text,
    };
    if !v3::content_sha256_matches(&request) {
        return Err(CommonError::ContentSha256.into());
    }
    let key =
        v3::SigningKey::derive(credential.secret_key.reveal(), authorization.date, authorization.service);
    let verified = v3::verify(&request, &authorization, &key).map_err(|mismatch| Refused {
        error: CommonError::SignatureFailure,
        computed: Some(Box::new(Computed {
            canonical_request: Some(mismatch.canonical_request),
            string_to_sign: mismatch.string_to_sign,
        })),
        internal: None,
    })?;
    Ok(Verified {
        caller: credential.caller,
        reading: verified.reading.name().to_owned(),
        scope_service: Some(authorization.service.to_owned()),
    })
}

/// The headers as the signature sees them. HTTP/2 has no `Host` header; its authority stands for it.
fn signed_view(arrival: &Arrival) -> Vec<(&str, &[u8])> {
    let mut headers: Vec<(&str, &[u8])> =
        arrival.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    if !arrival.headers.contains_key(http::header::HOST) {
        headers.push(("host", &arrival.host));
    }
    headers
}

fn verify_v1(
    arrival: &Arrival,
    common: &CommonParameters,
    signed: &V1,
    identity: &dyn Identity,
    now: i64,
) -> Result<Verified, Refused> {
    check_timestamp(common.timestamp, now)?;
    let credential = look_up(identity, &signed.secret_id, common.token.as_deref())?;
    let request = v1::Request {
        method: arrival.method.as_str(),
        host: &arrival.host,
        path: &arrival.path,
        parameters: &signed.parameters,
    };
    let method = v1::Method::from_parameter(signed.method.as_deref());
    let reading = v1::verify(&request, method, &signed.signature, credential.secret_key.reveal()).map_err(
        |mismatch| Refused {
            error: CommonError::SignatureFailure,
            computed: Some(Box::new(Computed { canonical_request: None, string_to_sign: mismatch.source })),
            internal: None,
        },
    )?;
    Ok(Verified { caller: credential.caller, reading: reading.name().to_owned(), scope_service: None })
}

fn check_timestamp(timestamp: i64, now: i64) -> Result<(), CommonError> {
    if timestamp.abs_diff(now) > TIMESTAMP_WINDOW { Err(CommonError::SignatureExpire) } else { Ok(()) }
}

fn look_up(identity: &dyn Identity, secret_id: &str, token: Option<&str>) -> Result<Credential, Refused> {
    identity.credential(secret_id, token).map_err(|error| match error {
        CredentialError::NotFound => CommonError::SecretIdNotFound.into(),
        CredentialError::Token => CommonError::TokenFailure.into(),
        CredentialError::Unavailable(why) => {
            Refused { error: CommonError::Internal, computed: None, internal: Some(why) }
        }
    })
}
