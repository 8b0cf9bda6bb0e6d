//! The S3 adapter against a real server: versitygw, which `scripts/install-test-tools` puts into `.tools/bin`.

use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use http_body_util::BodyExt as _;
use tempfile::TempDir;

use super::s3::{Bucket, S3Blobs};
use super::suite::blobs_come_and_go;
use super::{BlobStore, Upload};
use crate::digest::Digest;

const PART: usize = 8 * 1024 * 1024;

/// A server of its own with one bucket, gone when dropped.
struct Server {
    process: Child,
    directory: TempDir,
    endpoint: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let ended = self.process.kill().and_then(|()| self.process.wait());
        assert!(ended.is_ok() || std::thread::panicking(), "{ended:?}");
    }
}

impl Server {
    /// `None` where the server is not installed; in CI that is a failure.
    fn start() -> Option<Self> {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/bin/versitygw");
        if !program.is_file() {
            assert!(std::env::var_os("CI").is_none(), "{} is missing", program.display());
            eprintln!("skipped: scripts/install-test-tools installs versitygw");
            return None;
        }
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::create_dir_all(directory.path().join("data/layers")).expect("a bucket");
        std::fs::create_dir(directory.path().join("uploads")).expect("made");
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        let process = Command::new(program)
            .args(["--access", "key", "--secret", "secret", "--region", "eu-west-3", "--quiet"])
            .args(["--keep-alive", "--port", &format!("127.0.0.1:{port}"), "posix"])
            .arg(directory.path().join("data"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("started");
        let server = Self { process, directory, endpoint: format!("http://127.0.0.1:{port}") };
        for _ in 0..500 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(server);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the server does not answer");
    }

    fn uploads(&self) -> PathBuf {
        self.directory.path().join("uploads")
    }

    fn bucket(&self, secret: &str) -> Bucket {
        let setting = |name: &str| {
            let value = match name {
                "AWS_REGION" => "eu-west-3",
                "AWS_ACCESS_KEY_ID" => "key",
                "AWS_SECRET_ACCESS_KEY" => secret,
                _ => return None,
            };
            Some(value.to_owned())
        };
        Bucket::parse("s3://layers/of images", Some(&self.endpoint), setting).expect("valid")
    }

    fn upload(&self, bytes: &[u8]) -> (Upload, Digest) {
        let digest = Digest::sha256(bytes);
        let path = self.uploads().join(digest.hex());
        std::fs::write(&path, bytes).expect("written");
        (Upload { path, size: bytes.len() as u64 }, digest)
    }
}

#[tokio::test]
async fn it_does_what_every_adapter_does() {
    let Some(server) = Server::start() else { return };
    let blobs = S3Blobs::open(&server.bucket("secret")).expect("opens");
    // One request, one part and a bit, several parts.
    blobs_come_and_go(&blobs, &server.uploads(), &[PART, PART + 1, 5 * PART + 17]).await;
    let left = std::fs::read_dir(server.uploads()).expect("listed").count();
    assert_eq!(left, 0, "uploads are left behind");
}

#[tokio::test]
async fn listings_go_over_pages() {
    let Some(server) = Server::start() else { return };
    let blobs = S3Blobs::open(&server.bucket("secret")).expect("opens");
    let place = server.directory.path().join("data/layers/of images/blobs/sha256");
    std::fs::create_dir_all(&place).expect("made");
    let mut expected: Vec<Digest> =
        (0..1234_u32).map(|number| Digest::sha256(&number.to_be_bytes())).collect();
    for digest in &expected {
        std::fs::write(place.join(digest.hex()), "x").expect("written");
    }
    std::fs::write(place.join("stranger"), "x").expect("written");
    expected.sort();
    let later = SystemTime::now() + Duration::from_mins(5);
    let mut listed = blobs.older_than(60, later).await.expect("listed");
    listed.sort();
    assert_eq!(listed, expected);
}

#[tokio::test]
async fn a_wrong_key_is_refused_and_nothing_is_lost() {
    let Some(server) = Server::start() else { return };
    let blobs = S3Blobs::open(&server.bucket("wrong")).expect("opens");
    for size in [3, PART + 1] {
        let (upload, digest) = server.upload(&vec![7; size]);
        let refused = blobs.publish(upload.clone(), digest.clone()).await.expect_err("a wrong key");
        assert_eq!(refused.kind(), ErrorKind::PermissionDenied, "{refused}");
        assert!(upload.path.exists(), "the upload is still there, to be tried again");
        let right = S3Blobs::open(&server.bucket("secret")).expect("opens");
        assert_eq!(right.size(&digest).await.expect("asked"), None);
        right.publish(upload, digest.clone()).await.expect("published");
        assert_eq!(right.size(&digest).await.expect("asked"), Some(size as u64));
    }
}

#[tokio::test]
async fn an_object_that_was_tampered_with_is_noticed() {
    let Some(server) = Server::start() else { return };
    let blobs = S3Blobs::open(&server.bucket("secret")).expect("opens");
    let (upload, digest) = server.upload(b"content");
    blobs.publish(upload, digest.clone()).await.expect("published");
    let place = server.directory.path().join("data/layers/of images/blobs/sha256").join(digest.hex());
    std::fs::write(&place, "conten").expect("shortened");
    let short = blobs.read(digest.clone(), 7, 0, 7).await.expect_err("shorter than its row says");
    assert_eq!(short.kind(), ErrorKind::InvalidData);
    std::fs::write(&place, "cOntent").expect("changed");
    let body = blobs.read(digest, 7, 2, 3).await.expect("opened");
    assert_eq!(body.collect().await.expect("read").to_bytes(), "nte");
}

#[tokio::test]
async fn a_server_that_is_gone_is_an_error_of_its_own() {
    let Some(server) = Server::start() else { return };
    let blobs = S3Blobs::open(&server.bucket("secret")).expect("opens");
    let (upload, digest) = server.upload(b"content");
    drop(server);
    let gone = blobs.size(&digest).await.expect_err("nobody answers");
    assert_ne!(gone.kind(), ErrorKind::NotFound, "{gone}: absent is not the same as unknown");
    assert!(blobs.publish(upload, digest).await.is_err());
}

#[tokio::test]
async fn uploads_that_never_ended_are_given_up() {
    let Some(server) = Server::start() else { return };
    let blobs = S3Blobs::open(&server.bucket("secret")).expect("opens");
    let mut elsewhere = server.bucket("secret");
    elsewhere.prefix = "of others".to_owned();
    let others = S3Blobs::open(&elsewhere).expect("opens");
    let digests: Vec<Digest> = (0..3_u8).map(|number| Digest::sha256(&[number])).collect();
    for digest in &digests {
        blobs.begin(digest).await.expect("begun");
    }
    others.begin(&digests[0]).await.expect("begun");
    let (now, later) = (SystemTime::now(), SystemTime::now() + Duration::from_mins(5));
    assert_eq!(blobs.abandon(60, now).await.expect("listed"), 0, "they are fresh");
    assert_eq!(blobs.abandon(60, later).await.expect("given up"), 3);
    assert_eq!(blobs.abandon(60, later).await.expect("listed"), 0);
    assert_eq!(others.abandon(60, later).await.expect("given up"), 1, "those of others were left alone");
}
