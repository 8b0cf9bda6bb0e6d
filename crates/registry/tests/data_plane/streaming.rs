//! Bodies that are long, that break off, and that wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::stream;
use http::Method;
use http_body::Frame;
use http_body_util::StreamBody;
use rookery_registry::Digest;
use tokio::sync::mpsc::{self, Sender};

use crate::kit::Kit;

const UPLOADS: &str = "/v2/library/app/blobs/uploads/";

/// A body of frames, some of which may be errors.
fn frames(
    parts: Vec<std::io::Result<Bytes>>,
) -> StreamBody<impl futures_util::Stream<Item = Part> + Send + 'static> {
    StreamBody::new(stream::iter(parts.into_iter().map(|part| part.map(Frame::data))))
}

type Part = Result<Frame<Bytes>, std::io::Error>;

/// A body whose frames come when the test sends them. A frame that was sent while another waits has seen the other taken.
fn waiting() -> (Sender<Part>, StreamBody<impl futures_util::Stream<Item = Part> + Send + 'static>) {
    let (sender, mut receiver) = mpsc::channel(1);
    (sender, StreamBody::new(stream::poll_fn(move |context| receiver.poll_recv(context))))
}

async fn send(sender: &Sender<Part>, data: &'static str) {
    sender.send(Ok(Frame::data(data.into()))).await.expect("taken");
}

fn pattern(length: usize) -> Vec<u8> {
    (0..=252_u8).cycle().take(length).collect()
}

async fn start(kit: &Kit) -> String {
    kit.post(UPLOADS).await.is(202).header("location").to_owned()
}

#[tokio::test]
async fn a_layer_of_many_batches_in_odd_frames() {
    let kit = Kit::new();
    let content = pattern(5 * 1024 * 1024 + 17);
    let digest = Digest::sha256(&content);
    let location = start(&kit).await;
    let body = frames(content.chunks(100_003).map(|part| Ok(Bytes::copy_from_slice(part))).collect());
    let reply = kit.call(Method::PATCH, &location).send_body(body).await.is(202);
    assert_eq!(reply.header("range"), format!("0-{}", content.len() - 1));
    kit.call(Method::PUT, format!("{location}?digest={digest}")).send().await.is(201);
    let pulled = kit.get(format!("/v2/library/app/blobs/{digest}")).await.is(200);
    assert!(pulled.body == content);
    let part = kit
        .call(Method::GET, format!("/v2/library/app/blobs/{digest}"))
        .header("range", "bytes=1000000-3000000");
    let part = part.send().await.is(206);
    assert!(part.body == content[1_000_000..=3_000_000]);
}

#[tokio::test]
async fn more_than_one_write_back() {
    let kit = Kit::new();
    let content = Bytes::from(pattern(1024 * 1024));
    let parts = 140;
    let sent = Arc::new(AtomicUsize::new(0));
    let (counted, part) = (Arc::clone(&sent), content.clone());
    let body = StreamBody::new(stream::iter((0..parts).map(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok::<_, std::io::Error>(Frame::data(part.clone()))
    })));
    let location = start(&kit).await;
    kit.call(Method::PATCH, &location).send_body(body).await.is(202);
    assert_eq!(sent.load(Ordering::Relaxed), parts);
    let digest = Digest::sha256(&content.repeat(parts));
    kit.call(Method::PUT, format!("{location}?digest={digest}")).send().await.is(201);
}

#[tokio::test]
async fn what_came_before_a_break_is_kept() {
    let kit = Kit::new();
    let location = start(&kit).await;
    let body = frames(vec![Ok("abc".into()), Err(std::io::ErrorKind::ConnectionReset.into())]);
    kit.call(Method::PATCH, &location).send_body(body).await.fails(400, "BLOB_UPLOAD_INVALID");
    assert_eq!(kit.get(&location).await.is(204).header("range"), "0-2");
    let digest = Digest::sha256(b"abcdef");
    kit.call(Method::PATCH, &location).header("content-range", "3-5").body("def").send().await.is(202);
    kit.call(Method::PUT, format!("{location}?digest={digest}")).send().await.is(201);
}

#[tokio::test]
async fn a_last_body_that_breaks_can_be_resumed() {
    let kit = Kit::new();
    let location = start(&kit).await;
    let digest = Digest::sha256(b"abcdef");
    let body = frames(vec![Ok("abc".into()), Err(std::io::ErrorKind::ConnectionReset.into())]);
    let put = format!("{location}?digest={digest}");
    kit.call(Method::PUT, &put).send_body(body).await.fails(400, "BLOB_UPLOAD_INVALID");
    kit.call(Method::PUT, &put).body("def").send().await.is(201);
}

#[tokio::test]
async fn a_chunk_of_another_length_than_announced_is_undone() {
    let kit = Kit::new();
    let location = start(&kit).await;
    kit.call(Method::PATCH, &location).body("abc").send().await.is(202);
    let long = pattern(3 * 1024 * 1024);
    for (range, body) in [
        ("3-5".to_owned(), frames(vec![Ok("de".into())])),
        ("3-5".to_owned(), frames(vec![Ok("defg".into())])),
        (format!("3-{}", long.len()), frames(vec![Ok(long.clone().into()), Ok("more".into())])),
        (format!("3-{}", long.len() + 99), frames(vec![Ok(long.clone().into())])),
    ] {
        let call = kit.call(Method::PATCH, &location).header("content-range", &range);
        call.send_body(body).await.fails(400, "SIZE_INVALID");
        assert_eq!(kit.get(&location).await.is(204).header("range"), "0-2");
    }
    let digest = Digest::sha256(b"abcdef");
    kit.call(Method::PUT, format!("{location}?digest={digest}")).body("def").send().await.is(201);
}

#[tokio::test]
async fn one_request_at_a_time_writes_to_a_session() {
    let kit = Kit::new();
    let location = start(&kit).await;
    let (sender, body) = waiting();
    let writing = kit.call(Method::PATCH, &location).send_body(body);
    let meanwhile = async {
        // A first frame has been taken, so the session is claimed.
        send(&sender, "slow").await;
        send(&sender, "ly").await;
        let reply = kit.call(Method::PATCH, &location).body("x").send().await.fails(429, "TOOMANYREQUESTS");
        assert_eq!(reply.header("retry-after"), "1");
        kit.delete(&location).await.fails(429, "TOOMANYREQUESTS");
        assert_eq!(kit.get(&location).await.is(204).header("range"), "0-0");
        // Nor is it swept away.
        kit.world.advance(time::Duration::days(30));
        assert_eq!(kit.registry.sweep_uploads().await.expect("swept"), 0);
        drop(sender);
    };
    let (reply, ()) = tokio::join!(writing, meanwhile);
    assert_eq!(reply.is(202).header("range"), "0-5");
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_a_session_to_resume() {
    let kit = Kit::new();
    let location = start(&kit).await;
    let (sender, body) = waiting();
    let mut writing = Box::pin(kit.call(Method::PATCH, &location).send_body(body));
    let feed = async {
        send(&sender, "abc").await;
        send(&sender, "def").await;
    };
    tokio::select! {
        reply = &mut writing => panic!("answered early: {reply:?}"),
        () = feed => {}
    }
    drop(writing);
    sender.send(Err(std::io::ErrorKind::ConnectionReset.into())).await.expect("taken");
    // The task that writes ends by itself; until then the session is busy.
    let digest = Digest::sha256(b"abcdefghi");
    let put = format!("{location}?digest={digest}");
    let reply = loop {
        let reply = kit.call(Method::PUT, &put).header("content-range", "6-8").body("ghi").send().await;
        if reply.status != 429 {
            break reply;
        }
        tokio::task::yield_now().await;
    };
    reply.is(201);
}

#[tokio::test]
async fn a_client_that_sends_nothing_is_sent_away_and_can_resume() {
    let kit = Kit::impatient();
    let location = start(&kit).await;
    let (sender, body) = waiting();
    send(&sender, "abc").await;
    let reply = kit.call(Method::PATCH, &location).send_body(body).await;
    reply.fails(408, "BLOB_UPLOAD_INVALID");
    assert_eq!(kit.get(&location).await.is(204).header("range"), "0-2");
    let digest = Digest::sha256(b"abcdef");
    let (sender, body) = waiting();
    let finish = format!("{location}?digest={digest}");
    kit.call(Method::PUT, &finish).send_body(body).await.is(408);
    drop(sender);
    kit.call(Method::PUT, &finish).body("def").send().await.is(201);
    assert_eq!(kit.get(format!("/v2/library/app/blobs/{digest}")).await.is(200).body, "abcdef");
    let (sender, body) = waiting();
    kit.call(Method::PUT, "/v2/library/app/manifests/v1").send_body(body).await.is(408);
    drop(sender);
}
