//! Step 10: the reply. HTTP 200 whatever happened, `Content-Type: application/json` to the letter, and the envelope.
//!
//! A content type with a charset makes the Python SDK read every error as an empty success, and another status than 200 makes
//! most SDKs lose the code and the message (`protocol.md` §4). Replies are never compressed, whatever `Accept-Encoding` offers: no client
//! asks for more than it can do without, and Go's SDK fails on encodings it does not know.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Response};
use http_body_util::Full;
use rookery_api::codec::write_text;
use rookery_api::shape::Status;

use crate::action::{Failure, Found};
use crate::call::{Language, RequestId};
use crate::error::CommonError;

/// A reply as a whole, envelope included.
pub const REPLY_LIMIT: usize = 50 * 1024 * 1024;

/// `{"Response":{` … `,"RequestId":"00000000-0000-0000-0000-000000000000"}}`: what the envelope adds to the members.
const ENVELOPE: usize = 13 + 51 + 2;

/// Refuses a reply over the limit: the action has run, but its reply is an error.
pub fn within_limit(result: Result<Vec<u8>, Failure>, language: Language) -> Result<Vec<u8>, Failure> {
    result.and_then(|members| {
        // The braces of the members give way to the envelope's.
        let inner = members.len().saturating_sub(2);
        if inner + ENVELOPE - usize::from(inner == 0) > REPLY_LIMIT {
            Err(Failure::common(&CommonError::ResponseSizeLimitExceeded, language))
        } else {
            Ok(members)
        }
    })
}

/// Adds the member `DeprecatedWarning` where the action will go; Python's SDK shows it.
#[must_use]
pub fn warn_of_deprecation(mut members: Vec<u8>, found: &Found, language: Language) -> Vec<u8> {
    if found.shape.status != Status::Deprecated {
        return members;
    }
    let (action, product, version) = (found.shape.name, found.product.name, found.product.version);
    let warning = match language {
        Language::English => format!("The action `{action}` of `{product}` {version} is deprecated."),
        Language::Chinese => format!("`{product}` {version} 的接口 `{action}` 即将下线。"),
    };
    members.pop();
    if members.len() > 1 {
        members.push(b',');
    }
    members.extend_from_slice(b"\"DeprecatedWarning\":");
    write_text(&warning, &mut members);
    members.push(b'}');
    members
}

/// Wraps what an action answered.
#[must_use]
pub fn write(result: &Result<Vec<u8>, Failure>, request_id: RequestId) -> Response<Full<Bytes>> {
    // Room for exactly this, where it is a success: what is larger would be shrunk to be sent.
    let members = result.as_ref().map_or(0, Vec::len);
    let mut body = Vec::with_capacity(if members > 2 { members - 2 + ENVELOPE } else { ENVELOPE - 1 });
    body.extend_from_slice(b"{\"Response\":{");
    match result {
        // The members are an object's text; its braces give way to the envelope's.
        Ok(members) => {
            let inner =
                members.strip_prefix(b"{").and_then(|text| text.strip_suffix(b"}")).unwrap_or_default();
            body.extend_from_slice(inner);
            if !inner.is_empty() {
                body.push(b',');
            }
        }
        Err(failure) => {
            body.extend_from_slice(b"\"Error\":{\"Code\":");
            write_text(failure.code, &mut body);
            body.extend_from_slice(b",\"Message\":");
            write_text(&failure.message, &mut body);
            body.extend_from_slice(b"},");
        }
    }
    body.extend_from_slice(b"\"RequestId\":\"");
    let mut id = uuid::Uuid::encode_buffer();
    body.extend_from_slice(request_id.0.hyphenated().encode_lower(&mut id).as_bytes());
    body.extend_from_slice(b"\"}}");

    let length = HeaderValue::from(body.len());
    let mut response = Response::new(Full::new(Bytes::from(body)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CONTENT_LENGTH, length);
    response
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    async fn text(result: Result<Vec<u8>, Failure>) -> String {
        let response = write(&result, RequestId(uuid::Uuid::nil()));
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn the_envelope_is_the_platforms() {
        let id = "00000000-0000-0000-0000-000000000000";
        assert_eq!(text(Ok(b"{}".to_vec())).await, format!(r#"{{"Response":{{"RequestId":"{id}"}}}}"#));
        assert_eq!(
            text(Ok(br#"{"TotalCount":0}"#.to_vec())).await,
            format!(r#"{{"Response":{{"TotalCount":0,"RequestId":"{id}"}}}}"#)
        );
        let failure = Failure {
            code: "InternalError",
            message: "a \"quote\"".to_owned(),
            detail: None,
            internal: None,
        };
        assert_eq!(
            text(Err(failure)).await,
            format!(
                r#"{{"Response":{{"Error":{{"Code":"InternalError","Message":"a \"quote\""}},"RequestId":"{id}"}}}}"#
            )
        );
    }
}
