//! `application/octet-stream`: the body is the one binary member, and the others travel as headers `X-<SERVICE>-<member>`
//! (`protocol.md` §3.6: `X-CLS-TopicId`).
//!
//! HTTP compares header names without case, and HTTP/2 sends them in lower case, so a header is matched with a member regardless of
//! it. A header of the service's own prefix that names no member is an unknown parameter, as any other.

use http::HeaderMap;
use rookery_api::decode::{DecodeError, Node};
use rookery_api::shape::{ActionShape, Kind};

use crate::error::CommonError;

/// The parameters that headers and body spell for an action of `service`.
pub fn read(
    headers: &HeaderMap,
    body: &[u8],
    service: &str,
    action: &ActionShape,
) -> Result<Node, CommonError> {
    let prefix = format!("x-{}-", service.to_ascii_lowercase());
    let mut members = Vec::new();
    for (header, value) in headers {
        let Some(sent) = header.as_str().strip_prefix(&prefix) else { continue };
        let name = action
            .input
            .members
            .iter()
            .find(|member| member.name.eq_ignore_ascii_case(sent))
            .map_or_else(|| sent.to_owned(), |member| member.name.to_owned());
        // Repeated headers stay two members, and are refused as such.
        members.push((name, Node::Bytes(value.as_bytes().to_vec())));
    }
    if let Some(file) = action.input.members.iter().find(|member| matches!(member.kind, Kind::Binary)) {
        if members.iter().any(|(name, _)| name == file.name) {
            return Err(DecodeError::Repeated(file.name.to_owned()).into());
        }
        members.push((file.name.to_owned(), Node::Bytes(body.to_vec())));
    }
    Ok(Node::Object(members))
}
