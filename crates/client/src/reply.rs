//! The envelope of replies.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::ClientError;

/// As much of an unreadable reply as an error shows.
const SHOWN: usize = 200;

/// A reply.
#[derive(Clone, Debug)]
pub struct Reply<T> {
    /// What the action answered.
    pub response: T,
    /// The id that names the request in the server's trace.
    pub request_id: String,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "Response", borrow)]
    response: &'a RawValue,
}

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "Error")]
    error: Option<Refusal>,
    #[serde(rename = "RequestId", default)]
    request_id: String,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(rename = "Code")]
    code: String,
    #[serde(rename = "Message", default)]
    message: String,
}

/// Takes the envelope apart: the text of `Response`, byte for byte, or the refusal in it. The status is only told, not judged:
/// the platform answers 200 to refusals too.
pub(crate) fn read(status: u16, body: &[u8]) -> Result<Reply<String>, ClientError> {
    let unreadable =
        || ClientError::Reply { status, reason: String::from_utf8_lossy(body).chars().take(SHOWN).collect() };
    let envelope: Envelope<'_> = serde_json::from_slice(body).map_err(|_| unreadable())?;
    let head: Head = serde_json::from_str(envelope.response.get()).map_err(|_| unreadable())?;
    match head.error {
        Some(Refusal { code, message }) => {
            Err(ClientError::Refused { code, message, request_id: head.request_id })
        }
        None => Ok(Reply { response: envelope.response.get().to_owned(), request_id: head.request_id }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_envelope_gives_the_response_or_the_refusal() {
        let reply = read(200, br#"{"Response":{"Z":1,"A":2,"RequestId":"r"}}"#).unwrap();
        assert_eq!(
            (reply.request_id.as_str(), reply.response.as_str()),
            ("r", r#"{"Z":1,"A":2,"RequestId":"r"}"#)
        );
        let refused = read(400, br#"{"Response":{"Error":{"Code":"C","Message":"M"},"RequestId":"r"}}"#);
        assert!(
            matches!(refused, Err(ClientError::Refused { code, message, request_id }) if (code.as_str(), message.as_str(), request_id.as_str()) == ("C", "M", "r"))
        );
        for body in ["<html>", "{}", r#"{"Response":[]}"#, r#"{"Response":{"Error":{}}}"#] {
            let refused = read(502, body.as_bytes());
            assert!(matches!(refused, Err(ClientError::Reply { status: 502, .. })), "{body}");
        }
    }
}
