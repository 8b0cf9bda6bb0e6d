//! Step 1: a request arrives. Method and size; the body is read whole, within the limit of its style.

use std::borrow::Cow;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::AsHeaderName;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Uri, header};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use tokio::time::timeout;

use crate::error::CommonError;

/// A GET request as a whole, as HTTP/1.1 writes it: request line, headers, empty line, body (the documents say "packet").
pub const GET_LIMIT: usize = 32 * 1024;
/// A POST body under signature v1.
pub const V1_BODY_LIMIT: usize = 1024 * 1024;
/// A POST body under signature v3.
pub const V3_BODY_LIMIT: usize = 10 * 1024 * 1024;

/// A refused body is still read up to here before the reply, or the client would see a broken connection instead of it.
const DRAIN_LIMIT: usize = 4 * V3_BODY_LIMIT;

/// A request as received. Nothing in it is decoded, because most of it is signed.
#[derive(Debug)]
pub struct Arrival {
    /// GET or POST.
    pub method: Method,
    /// The target.
    pub uri: Uri,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Arrival {
    /// The path of the target.
    #[must_use]
    pub fn path(&self) -> &str {
        self.uri.path()
    }

    /// The text after `?`.
    #[must_use]
    pub fn query(&self) -> &str {
        self.uri.query().unwrap_or_default()
    }

    /// The `Host` header as received; the authority of the target where there is none (HTTP/2).
    #[must_use]
    pub fn host(&self) -> &[u8] {
        let header = self.headers.get(header::HOST).map(HeaderValue::as_bytes);
        header
            .or_else(|| self.uri.authority().map(|authority| authority.as_str().as_bytes()))
            .unwrap_or_default()
    }

    /// A header as text; absent where it is not visible ASCII or UTF-8.
    #[must_use]
    pub fn header(&self, name: impl AsHeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| std::str::from_utf8(value.as_bytes()).ok())
    }

    /// Whether the request is in the header style (signature v3): the presence of `Authorization` decides.
    #[must_use]
    pub fn has_authorization(&self) -> bool {
        self.headers.contains_key(header::AUTHORIZATION)
    }

    /// Bytes of request line, headers and the empty line after them, in the form of HTTP/1.1.
    fn head_length(&self) -> usize {
        let target = self.path().len() + if self.query().is_empty() { 0 } else { 1 + self.query().len() };
        let line = self.method.as_str().len() + 1 + target + " HTTP/1.1\r\n".len();
        let headers: usize =
            self.headers.iter().map(|(name, value)| name.as_str().len() + 2 + value.len() + 2).sum();
        line + headers + 2
    }

    /// The media type of the body, lower-case and without parameters.
    #[must_use]
    pub fn media_type(&self) -> Cow<'_, str> {
        let value = self.header(header::CONTENT_TYPE).unwrap_or_default();
        let media_type = value.split(';').next().unwrap_or_default().trim();
        if media_type.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(media_type.to_ascii_lowercase())
        } else {
            Cow::Borrowed(media_type)
        }
    }

    /// Whether the content type says nothing of the encoding, or says UTF-8, the only one there is.
    #[must_use]
    pub fn is_utf8(&self) -> bool {
        let value = self.header(header::CONTENT_TYPE).unwrap_or_default();
        value.split(';').skip(1).filter_map(|parameter| parameter.split_once('=')).all(|(name, charset)| {
            let charset = charset.trim().trim_matches('"');
            !name.trim().eq_ignore_ascii_case("charset")
                || ["utf-8", "utf8"].iter().any(|utf8| charset.eq_ignore_ascii_case(utf8))
        })
    }
}

/// The part of a request that can be known before its body, for the trace of a request that is refused here.
#[must_use]
pub fn announce(parts: Parts) -> Arrival {
    Arrival { method: parts.method, uri: parts.uri, headers: parts.headers, body: Bytes::new() }
}

/// Reads the body of an announced request.
///
/// A client that sends nothing for as long as `patience` has broken its body off.
pub async fn receive<B>(arrival: &mut Arrival, body: B, patience: Duration) -> Result<(), CommonError>
where
    B: Body<Data = Bytes>,
{
    let (limit, refusal) = match arrival.method {
        Method::GET => (GET_LIMIT, CommonError::RequestSizeLimitExceeded),
        Method::POST if arrival.has_authorization() => (V3_BODY_LIMIT, CommonError::RequestSizeLimitExceeded),
        Method::POST => (V1_BODY_LIMIT, CommonError::SignatureBodyTooLarge),
        _ => (0, CommonError::UnsupportedProtocol),
    };
    let body = read(body, limit, patience).await?;
    if !matches!(arrival.method, Method::GET | Method::POST) {
        return Err(CommonError::UnsupportedProtocol);
    }
    let head = if arrival.method == Method::GET { arrival.head_length() } else { 0 };
    match body {
        Some(body) if body.len() + head <= limit => {
            arrival.body = body;
            Ok(())
        }
        _ => Err(refusal),
    }
}

/// The body, or `None` where it is larger than `limit`.
async fn read<B>(body: B, limit: usize, patience: Duration) -> Result<Option<Bytes>, CommonError>
where
    B: Body<Data = Bytes>,
{
    let announced = body.size_hint().lower();
    let mut body = std::pin::pin!(body);
    let mut read = 0;
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while !body.is_end_stream()
        && let Some(frame) = next_frame(body.as_mut(), patience).await?
    {
        let Ok(data) = frame.into_data() else { continue };
        read += data.len();
        if read > DRAIN_LIMIT {
            break;
        }
        if read > limit {
            rest.clear();
        } else if first.is_empty() {
            // Most bodies are one frame, which then needs no copy.
            first = data;
        } else {
            if rest.is_empty() {
                // What the client announced, at once and not by doubling; a page that is never written to takes no memory.
                rest.reserve(usize::try_from(announced).unwrap_or(limit).min(limit));
                rest.extend_from_slice(&first);
            }
            rest.extend_from_slice(&data);
        }
    }
    if read > limit {
        return Ok(None);
    }
    Ok(Some(if rest.is_empty() { first } else { rest.freeze() }))
}

/// The next frame of a body that goes on, or `None` at its end.
async fn next_frame<B>(mut body: Pin<&mut B>, patience: Duration) -> Result<Option<Frame<Bytes>>, CommonError>
where
    B: Body<Data = Bytes>,
{
    let mut frame = pin!(body.frame());
    // Most bodies have come with their heads, and need no clock.
    let frame = match poll_fn(|context| Poll::Ready(frame.as_mut().poll(context))).await {
        Poll::Ready(frame) => frame,
        Poll::Pending => timeout(patience, frame).await.map_err(|_| CommonError::IncompleteBody)?,
    };
    frame.transpose().map_err(|_| CommonError::IncompleteBody)
}
