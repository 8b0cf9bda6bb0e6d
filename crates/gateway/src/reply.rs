//! Step 10: the reply. HTTP 200 whatever happened, `Content-Type: application/json` to the letter, and the envelope.
//!
//! A content type with a charset makes the Python SDK read every error as an empty success, and another status than 200 makes
//! most SDKs lose the code and the message (`protocol.md` §4). Replies are never compressed, whatever `Accept-Encoding` offers: no client
//! asks for more than it can do without, and Go's SDK fails on encodings it does not know.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};
use http_body_util::Full;
use rookery_api::Nulls;
use rookery_api::codec::{Structure, write_structure, write_text};
use rookery_api::shape::Status;

use crate::action::{Failure, Found};
use crate::call::{Language, RequestId};
use crate::error::CommonError;

/// A reply as a whole, envelope included.
pub const REPLY_LIMIT: usize = 50 * 1024 * 1024;

/// How a reply begins; the members of the action's own structure follow.
const HEAD: &[u8] = b"{\"Response\":{";
/// What follows the members: `"RequestId":"00000000-0000-0000-0000-000000000000"}}`.
const TAIL: usize = 50 + 2;

/// The members of a reply, written where the reply will be: behind its head, with room for what follows.
#[derive(Debug)]
pub struct Members {
    text: Vec<u8>,
}

impl Members {
    /// The members of what an action answered.
    #[must_use]
    pub fn of(reply: &impl Structure) -> Self {
        let mut text = Vec::with_capacity(512);
        text.extend_from_slice(HEAD);
        // Its first brace is the last sign of the head, and its last one follows the `RequestId`.
        text.pop();
        write_structure(reply, &mut text, Nulls::Written);
        text.pop();
        Self { text }
    }

    fn is_empty(&self) -> bool {
        self.text.len() == HEAD.len()
    }

    /// How long the whole reply is going to be.
    fn reply_length(&self) -> usize {
        self.text.len() + usize::from(!self.is_empty()) + TAIL
    }
}

/// Refuses a reply over the limit: the action has run, but its reply is an error.
pub fn within_limit(result: Result<Members, Failure>, language: Language) -> Result<Members, Failure> {
    match result {
        Ok(members) if members.reply_length() > REPLY_LIMIT => {
            Err(Failure::common(&CommonError::ResponseSizeLimitExceeded, language))
        }
        result => result,
    }
}

/// Adds the member `DeprecatedWarning` where the action will go; Python's SDK shows it.
#[must_use]
pub fn warn_of_deprecation(mut members: Members, found: &Found, language: Language) -> Members {
    if found.shape.status != Status::Deprecated {
        return members;
    }
    let (action, product, version) = (found.shape.name, found.product.name, found.product.version);
    let warning = match language {
        Language::English => format!("The action `{action}` of `{product}` {version} is deprecated."),
        Language::Chinese => format!("`{product}` {version} 的接口 `{action}` 即将下线。"),
    };
    if !members.is_empty() {
        members.text.push(b',');
    }
    members.text.extend_from_slice(b"\"DeprecatedWarning\":");
    write_text(&warning, &mut members.text);
    members
}

/// Wraps what an action answered.
#[must_use]
pub fn write(result: Result<Members, Failure>, request_id: RequestId) -> Response<Full<Bytes>> {
    let mut body = match result {
        Ok(members) => {
            let is_empty = members.is_empty();
            let mut body = members.text;
            if !is_empty {
                body.push(b',');
            }
            body
        }
        Err(failure) => {
            let mut body = HEAD.to_vec();
            body.extend_from_slice(b"\"Error\":{\"Code\":");
            write_text(failure.code, &mut body);
            body.extend_from_slice(b",\"Message\":");
            write_text(&failure.message, &mut body);
            body.extend_from_slice(b"},");
            body
        }
    };
    body.extend_from_slice(b"\"RequestId\":\"");
    let mut id = uuid::Uuid::encode_buffer();
    body.extend_from_slice(request_id.0.hyphenated().encode_lower(&mut id).as_bytes());
    body.extend_from_slice(b"\"}}");
    // HTTP writes the length of a body that is whole.
    let mut response = Response::new(Full::new(Bytes::from(body)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use rookery_api::codec::{self, Mismatch, ObjectWriter};
    use rookery_api::shape::StructureShape;

    use super::*;

    /// A reply of one member, or of none.
    struct Total(Option<i64>);

    impl Structure for Total {
        const SHAPE: &'static StructureShape = &StructureShape { name: "Total", members: &[] };

        fn from_members(_: codec::Members) -> Result<Self, Mismatch> {
            Err(Mismatch)
        }

        fn write_members(&self, writer: &mut ObjectWriter<'_>) {
            if let Self(Some(total)) = self {
                writer.member("TotalCount", total);
            }
        }
    }

    async fn text(result: Result<Total, Failure>) -> String {
        let members = result.map(|reply| Members::of(&reply));
        let length = members.as_ref().ok().map(Members::reply_length);
        let response = write(members, RequestId(uuid::Uuid::nil()));
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert!(length.is_none_or(|length| length == body.len()));
        String::from_utf8(body.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn the_envelope_is_the_platforms() {
        let id = "00000000-0000-0000-0000-000000000000";
        assert_eq!(text(Ok(Total(None))).await, format!(r#"{{"Response":{{"RequestId":"{id}"}}}}"#));
        assert_eq!(
            text(Ok(Total(Some(0)))).await,
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
