//! What comes from a bucket, asked for again from where it broke off.

use std::io::{self, ErrorKind};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body::{Body, Frame};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Incoming;
use tokio::time::timeout;

use super::S3Blobs;
use crate::digest::Digest;

/// How often a download that brings nothing is asked for again.
const TRIES: u32 = 3;

/// The time until the next piece comes.
const PIECE_TIMEOUT: Duration = Duration::from_secs(30);

struct Download {
    blobs: S3Blobs,
    digest: Digest,
    size: u64,
    /// The next byte.
    at: u64,
    /// Bytes that have not come yet.
    left: u64,
    body: Incoming,
    /// How often it broke off since the last byte came.
    broken: u32,
}

/// The `length` bytes from `start` of a blob of `size` bytes, of which `body` has begun.
pub(super) fn resumed(
    blobs: S3Blobs,
    digest: Digest,
    size: u64,
    start: u64,
    length: u64,
    body: Incoming,
) -> impl Body<Data = Bytes, Error = io::Error> + Send {
    let download = Download { blobs, digest, size, at: start, left: length, body, broken: 0 };
    StreamBody::new(stream::try_unfold(download, |mut download| async move {
        let piece = download.next().await?;
        Ok(piece.map(|piece| (Frame::data(piece), download)))
    }))
}

impl Download {
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        while self.left > 0 {
            let error = match timeout(PIECE_TIMEOUT, self.body.frame()).await {
                Ok(Some(Ok(frame))) => {
                    let Ok(piece) = frame.into_data() else { continue };
                    let length = piece.len() as u64;
                    self.left = self.left.checked_sub(length).ok_or(ErrorKind::InvalidData)?;
                    self.at += length;
                    self.broken = 0;
                    return Ok(Some(piece));
                }
                Ok(Some(Err(error))) => io::Error::other(error),
                Ok(None) => ErrorKind::UnexpectedEof.into(),
                Err(_) => io::Error::new(ErrorKind::TimedOut, "the bucket stopped sending"),
            };
            self.broken += 1;
            if self.broken > TRIES {
                return Err(error);
            }
            tracing::debug!(digest = %self.digest, at = self.at, %error, "a download from the bucket is resumed");
            self.body = self.blobs.get(&self.digest, self.size, self.at, self.left).await?;
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parking_lot::Mutex;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    use super::super::Bucket;
    use super::*;
    use crate::storage::BlobStore as _;

    const CONTENT: &[u8] = b"0123456789";

    /// A server that gives of each answer only so many bytes, and then hangs up; the ranges that it was asked for.
    async fn server(bytes_at_once: usize) -> (S3Blobs, Arc<Mutex<Vec<String>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                answer(stream, bytes_at_once, &noted).await;
            }
        });
        let setting = |name: &str| (name != "AWS_SESSION_TOKEN").then(|| "x".to_owned());
        let bucket = Bucket::parse("s3://layers", Some(&endpoint), setting).expect("valid");
        (S3Blobs::open(&bucket).expect("opens"), asked)
    }

    async fn answer(mut stream: TcpStream, bytes_at_once: usize, asked: &Mutex<Vec<String>>) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.expect("a head"));
        }
        let head = String::from_utf8(head).expect("text").to_ascii_lowercase();
        let range = head.split_once("range: bytes=").and_then(|(_, rest)| rest.split_once("\r\n"));
        let range = range.expect("a range").0.to_owned();
        let (start, end) = range.split_once('-').expect("a range");
        let part = &CONTENT[start.parse().expect("a number")..=end.parse().expect("a number")];
        let reply = format!(
            "HTTP/1.1 206 Partial Content\r\nContent-Length: {}\r\nContent-Range: bytes {range}/{}\r\n\r\n",
            part.len(),
            CONTENT.len()
        );
        asked.lock().push(range);
        stream.write_all(reply.as_bytes()).await.expect("sent");
        stream.write_all(&part[..part.len().min(bytes_at_once)]).await.expect("sent");
    }

    #[tokio::test]
    async fn what_breaks_off_is_resumed() {
        let (blobs, asked) = server(3).await;
        let body = blobs.read(Digest::sha256(CONTENT), 10, 1, 8).await.expect("begun");
        assert_eq!(body.collect().await.expect("whole").to_bytes(), "12345678");
        assert_eq!(*asked.lock(), ["1-8", "4-8", "7-8"]);
    }

    #[tokio::test]
    async fn what_brings_nothing_ends() {
        let (blobs, asked) = server(0).await;
        let body = blobs.read(Digest::sha256(CONTENT), 10, 0, 10).await.expect("begun");
        assert!(body.collect().await.is_err());
        assert_eq!(asked.lock().len(), 4);
    }
}
