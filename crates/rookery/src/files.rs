//! Files of databases, by signed addresses: backups and logs. Unlike the admin pages they are for whoever has an address.

use http::header::{ACCEPT_RANGES, ALLOW, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_RANGE, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use rookery_mariadb::{Denied, Download, FILES, MariaDb};
use rookery_registry::{ResponseBody, Wanted, wanted};
use tokio::task::spawn_blocking;

type Answer = Response<ResponseBody>;

/// GET, whole or a part, and HEAD.
pub(crate) async fn answer<B>(mariadb: &MariaDb, request: &Request<B>) -> Answer {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut answer = empty(StatusCode::METHOD_NOT_ALLOWED);
        answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return answer;
    }
    let uri = request.uri();
    let path = uri.path().strip_prefix(FILES).unwrap_or_default();
    match mariadb.download(path, uri.query().unwrap_or_default()).await {
        Ok(download) => send(download, request.method() == Method::HEAD, request.headers()).await,
        Err(Denied::Signature) => empty(StatusCode::FORBIDDEN),
        Err(Denied::Gone) => empty(StatusCode::NOT_FOUND),
        Err(Denied::Failed) => empty(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

async fn send(download: Download, head: bool, headers: &HeaderMap) -> Answer {
    let Download { file, length, name } = download;
    // Logs grow, so they have no entity tag: a part with `If-Range` is answered by the whole.
    let (status, start, size) = match wanted(headers, length, "") {
        Wanted::Whole => (StatusCode::OK, 0, length),
        Wanted::Part { start, length } => (StatusCode::PARTIAL_CONTENT, start, length),
        Wanted::Unsatisfiable => {
            let mut answer = empty(StatusCode::RANGE_NOT_SATISFIABLE);
            insert(answer.headers_mut(), CONTENT_RANGE, format!("bytes */{length}"));
            return answer;
        }
    };
    let reading = spawn_blocking(move || {
        if head { Ok(ResponseBody::default()) } else { ResponseBody::part_of(file, start, size) }
    });
    let Ok(Ok(body)) = reading.await else { return empty(StatusCode::INTERNAL_SERVER_ERROR) };
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    let fields = answer.headers_mut();
    fields.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    fields.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    fields.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    insert(fields, CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\""));
    insert(fields, http::header::CONTENT_LENGTH, size.to_string());
    if status == StatusCode::PARTIAL_CONTENT {
        insert(fields, CONTENT_RANGE, format!("bytes {start}-{}/{length}", start + size - 1));
    }
    answer
}

/// Names of files and numbers are always values; anything else is left out.
fn insert(fields: &mut HeaderMap, name: http::HeaderName, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        fields.insert(name, value);
    }
}

fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(ResponseBody::default());
    *answer.status_mut() = status;
    answer
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use http::header::{CONTENT_LENGTH, RANGE};
    use http_body_util::BodyExt;

    use super::*;

    async fn sent(range: Option<&'static str>, head: bool) -> (StatusCode, HeaderMap, Vec<u8>) {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("slow.log");
        std::fs::File::create(&path).unwrap().write_all(b"0123456789").unwrap();
        let download =
            Download { file: std::fs::File::open(&path).unwrap(), length: 10, name: "slow.log".to_owned() };
        let mut headers = HeaderMap::new();
        headers.extend(range.map(|range| (RANGE, HeaderValue::from_static(range))));
        let (parts, body) = send(download, head, &headers).await.into_parts();
        (parts.status, parts.headers, body.collect().await.unwrap().to_bytes().to_vec())
    }

    #[tokio::test]
    async fn a_file_is_sent_whole_or_in_part() {
        let (status, fields, body) = sent(None, false).await;
        assert_eq!((status, body.as_slice()), (StatusCode::OK, b"0123456789".as_slice()));
        assert_eq!(fields[CONTENT_DISPOSITION], "attachment; filename=\"slow.log\"");
        let (status, fields, body) = sent(Some("bytes=2-4"), false).await;
        assert_eq!((status, body.as_slice()), (StatusCode::PARTIAL_CONTENT, b"234".as_slice()));
        assert_eq!(
            (&fields[CONTENT_RANGE], &fields[CONTENT_LENGTH]),
            (&"bytes 2-4/10".parse().unwrap(), &"3".parse().unwrap())
        );
        let (status, fields, _) = sent(Some("bytes=10-"), false).await;
        assert_eq!(
            (status, &fields[CONTENT_RANGE]),
            (StatusCode::RANGE_NOT_SATISFIABLE, &"bytes */10".parse().unwrap())
        );
        let (status, fields, body) = sent(None, true).await;
        assert_eq!(
            (status, &fields[CONTENT_LENGTH], body.len()),
            (StatusCode::OK, &"10".parse().unwrap(), 0)
        );
    }
}
