//! Step 4: the caller. Signature, timestamp, token and key turn a request into a [`Caller`].
//!
//! Order (the platform's own is only partly known, `protocol.md` §5.1): form of `Authorization`; the service of the scope against the address;
//! the date of the scope against the timestamp; the timestamp against the clock; the key; its token; the content hash; the signature.

use std::sync::Arc;

use rookery_tc3::{v1, v3};

use crate::address::Address;
use crate::arrival::Arrival;
use crate::call::Caller;
use crate::common_parameters::{CommonParameters, V1};
use crate::diagnosis::{self, Cause, LikelyCause, RefusedV1, RefusedV3};
use crate::error::CommonError;
use crate::identity::{Credential, CredentialError, Identity};
use crate::replay::ReplayGuard;
use crate::signing_keys::{Scope, SigningKeys};

/// How far a timestamp may be from the server's clock, in seconds.
pub const TIMESTAMP_WINDOW: u64 = 300;

/// A refusal at this step, with what the server computed where the signature is the reason.
#[derive(Debug)]
pub struct Refused {
    /// The error that the client gets.
    pub error: CommonError,
    /// The server's canonical request (v3) and string to sign, for the trace.
    pub computed: Option<Box<Computed>>,
    /// The mistake that explains it, for the trace.
    pub likely_cause: Option<Box<LikelyCause>>,
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
        Self { error, computed: None, likely_cause: None, internal: None }
    }
}

impl Refused {
    fn because(error: CommonError, cause: Option<LikelyCause>) -> Self {
        Self { likely_cause: cause.map(Box::new), ..error.into() }
    }
}

/// A caller whose signature verified.
#[derive(Debug)]
pub struct Verified<'a> {
    /// Who calls.
    pub caller: Caller,
    /// The reading of the bytes under which the signature verified.
    pub reading: &'static str,
    /// The service of the credential scope; absent for v1.
    pub scope_service: Option<&'a str>,
}

/// What callers are verified against.
pub struct Verifier {
    identity: Arc<dyn Identity>,
    keys: SigningKeys,
    replays: Option<ReplayGuard>,
    diagnoses: diagnosis::Budget,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier").field("keys", &self.keys).finish_non_exhaustive()
    }
}

impl Verifier {
    /// Verifies against the keys of `identity`, and with `replays` answers each v1 request once.
    #[must_use]
    pub fn new(identity: Arc<dyn Identity>, replays: Option<ReplayGuard>) -> Self {
        Self { identity, keys: SigningKeys::default(), replays, diagnoses: diagnosis::Budget::default() }
    }

    /// Who answers for keys and rights.
    #[must_use]
    pub fn identity(&self) -> &Arc<dyn Identity> {
        &self.identity
    }

    /// Verifies a request. `now` is in UNIX seconds.
    pub fn verify<'a>(
        &self,
        arrival: &'a Arrival,
        address: &Address,
        common: &CommonParameters<'_>,
        now: i64,
    ) -> Result<Verified<'a>, Refused> {
        match &common.v1 {
            Some(v1) => self.verify_v1(arrival, common, v1, now),
            None => self.verify_v3(arrival, address, common, now),
        }
    }

    fn look_up(&self, secret_id: &str, token: Option<&str>) -> Result<Credential, Refused> {
        self.identity.credential(secret_id, token).map_err(|error| match error {
            CredentialError::NotFound => {
                self.keys.forget(secret_id);
                CommonError::SecretIdNotFound.into()
            }
            CredentialError::Token => CommonError::TokenFailure.into(),
            CredentialError::Unavailable(why) => {
                Refused { internal: Some(why), ..CommonError::Internal.into() }
            }
        })
    }

    fn verify_v3<'a>(
        &self,
        arrival: &'a Arrival,
        address: &Address,
        common: &CommonParameters<'_>,
        now: i64,
    ) -> Result<Verified<'a>, Refused> {
        let header = arrival.header(http::header::AUTHORIZATION).unwrap_or_default();
        let authorization = v3::Authorization::parse(header)
            .map_err(|error| CommonError::InvalidAuthorization(format!("{error}.")))?;
        check_scope(&authorization, address, common.timestamp, now)?;
        check_timestamp(common.timestamp, now)?;
        let Credential { caller, secret_key } =
            self.look_up(authorization.secret_id, common.token.as_deref())?;

        let headers: Vec<(&str, &[u8])> = signed_view(arrival);
        let request = v3::Request {
            method: arrival.method.as_str(),
            path: arrival.path(),
            query: arrival.query(),
            headers: &headers,
            body: &arrival.body,
            timestamp: &common.timestamp_text,
        };
        if !v3::content_sha256_matches(&request) {
            return Err(CommonError::ContentSha256.into());
        }
        let scope = Scope {
            secret_id: authorization.secret_id,
            date: authorization.date,
            service: authorization.service,
        };
        let kept = self.keys.find(scope, &secret_key);
        let is_kept = kept.is_some();
        let key = kept.unwrap_or_else(|| {
            Arc::new(v3::SigningKey::derive(secret_key.reveal(), scope.date, scope.service))
        });
        match v3::verify(&request, &authorization, &key) {
            Ok(verified) => {
                if !is_kept {
                    self.keys.keep(scope, &secret_key, key);
                }
                Ok(Verified {
                    caller,
                    reading: verified.reading.name(),
                    scope_service: Some(authorization.service),
                })
            }
            Err(mismatch) => {
                let refused = RefusedV3 {
                    request,
                    authorization: &authorization,
                    secret_key: secret_key.reveal(),
                    timestamp: common.timestamp,
                    region: common.region.as_deref(),
                };
                let cause =
                    self.diagnoses.within(now, || diagnosis::likely_v3(&refused, &mismatch.unusable_headers));
                let computed = Computed {
                    canonical_request: Some(mismatch.canonical_request),
                    string_to_sign: mismatch.string_to_sign,
                };
                Err(Refused {
                    computed: Some(Box::new(computed)),
                    ..Refused::because(CommonError::SignatureFailure, cause)
                })
            }
        }
    }

    fn verify_v1(
        &self,
        arrival: &Arrival,
        common: &CommonParameters<'_>,
        signed: &V1,
        now: i64,
    ) -> Result<Verified<'static>, Refused> {
        check_timestamp(common.timestamp, now)?;
        let Credential { caller, secret_key } = self.look_up(&signed.secret_id, common.token.as_deref())?;
        let request = v1::Request {
            method: arrival.method.as_str(),
            host: arrival.host(),
            path: arrival.path(),
            parameters: &signed.parameters,
        };
        let method = v1::Method::from_parameter(signed.method.as_deref());
        let reading = v1::verify(&request, method, &signed.signature, secret_key.reveal());
        let reading = reading.map_err(|mismatch| {
            let refused = RefusedV1 {
                request,
                method,
                signature: &signed.signature,
                secret_id: &signed.secret_id,
                secret_key: secret_key.reveal(),
                region: common.region.as_deref(),
            };
            let cause = self.diagnoses.within(now, || diagnosis::likely_v1(&refused));
            let computed = Computed { canonical_request: None, string_to_sign: mismatch.source };
            Refused {
                computed: Some(Box::new(computed)),
                ..Refused::because(CommonError::SignatureFailure, cause)
            }
        })?;
        self.check_replay(signed, common.timestamp, now)?;
        Ok(Verified { caller, reading: reading.name(), scope_service: None })
    }

    fn check_replay(&self, signed: &V1, timestamp: i64, now: i64) -> Result<(), Refused> {
        let Some(guard) = &self.replays else { return Ok(()) };
        let nonce = signed.parameters.iter().find(|(name, _)| name == "Nonce");
        let nonce = nonce.map_or("", |(_, value)| value.as_str());
        if guard.is_first(&signed.secret_id, nonce, timestamp, now) {
            Ok(())
        } else {
            Err(Refused::because(CommonError::SignatureExpire, Some(Cause::Replayed.into())))
        }
    }
}

/// The service of the scope against the address, and its date against the timestamp.
fn check_scope(
    authorization: &v3::Authorization<'_>,
    address: &Address,
    timestamp: i64,
    now: i64,
) -> Result<(), Refused> {
    let invalid = |part: &str, cause| {
        let error = CommonError::InvalidAuthorization(format!("`{part}` in Credential not valid."));
        Err(Refused::because(error, cause))
    };
    // Only a product's own address can contradict the scope: clients derive the service from whatever endpoint they are given.
    let is_product = |name: &str| rookery_api::PRODUCTS.iter().any(|product| product.name == name);
    if let Some(product) = address.product
        && is_product(product)
        && authorization.service != product
    {
        let cause = Cause::ServiceOfAddress { scope: authorization.service.to_owned(), address: product };
        return invalid("Service", Some(cause.into()));
    }
    if !v3::is_scope_date(authorization.date, timestamp) {
        return invalid("Date", diagnosis::of_scope_date(authorization.date, timestamp, now));
    }
    Ok(())
}

/// The headers as the signature sees them. HTTP/2 has no `Host` header; its authority stands for it.
fn signed_view(arrival: &Arrival) -> Vec<(&str, &[u8])> {
    let mut headers: Vec<(&str, &[u8])> =
        arrival.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    if !arrival.headers.contains_key(http::header::HOST) {
        headers.push(("host", arrival.host()));
    }
    headers
}

fn check_timestamp(timestamp: i64, now: i64) -> Result<(), Refused> {
    if timestamp.abs_diff(now) > TIMESTAMP_WINDOW {
        let cause = diagnosis::of_timestamp(timestamp, now);
        return Err(Refused::because(CommonError::SignatureExpire, Some(cause)));
    }
    Ok(())
}
