//! What a crash may leave behind, and what it may not show.

use std::fs;
use std::time::SystemTime;

use http::Method;
use rookery_registry::{CollectOptions, Digest, RegistryId};
use time::Duration;

use crate::kit::Kit;

const UPLOADS: &str = "/v2/library/app/blobs/uploads/";

#[tokio::test]
async fn a_file_without_a_row_is_invisible_until_it_is_pushed() {
    let kit = Kit::new();
    let digest = Digest::sha256(b"renamed, then the power went");
    let place = kit.directory.path().join("blobs/sha256").join(&digest.hex()[..2]);
    fs::create_dir_all(&place).expect("made");
    fs::write(place.join(digest.hex()), b"renamed, then the power went").expect("written");
    let path = format!("/v2/library/app/blobs/{digest}");
    kit.get(&path).await.fails(404, "BLOB_UNKNOWN");
    kit.post(format!("{UPLOADS}?mount={digest}")).await.is(202);
    kit.blob("library/app", "renamed, then the power went").await;
    kit.get(&path).await.is(200);
}

#[tokio::test]
async fn a_file_without_a_row_is_collected_when_it_is_old() {
    let kit = Kit::new();
    let kept = kit.blob("library/app", "kept").await;
    let digest = Digest::sha256(b"orphan");
    let file = kit.directory.path().join("blobs/sha256").join(&digest.hex()[..2]).join(digest.hex());
    fs::create_dir_all(file.parent().expect("a directory")).expect("made");
    fs::write(&file, b"orphan").expect("written");
    let options = CollectOptions { older_than: Duration::HOUR, untagged_manifests: false, dry_run: false };
    kit.registry.collect(&RegistryId::new("tcr-demo"), options).await.expect("collected");
    assert!(file.exists(), "it may be on its way");
    kit.world.advance(Duration::minutes(61));
    let dry = CollectOptions { dry_run: true, ..options };
    kit.registry.collect(&RegistryId::new("tcr-other"), dry).await.expect("collected");
    assert!(file.exists(), "only asked about");
    kit.registry.collect(&RegistryId::new("tcr-other"), options).await.expect("collected");
    assert!(!file.exists());
    kit.get(format!("/v2/library/app/blobs/{kept}")).await.is(200);
}

#[tokio::test]
async fn a_blob_that_lost_its_bytes_is_replaced_by_a_push() {
    let kit = Kit::new();
    let digest = kit.blob("library/app", "x".repeat(100_000)).await;
    let file = kit.directory.path().join("blobs/sha256").join(&digest.hex()[..2]).join(digest.hex());
    fs::write(&file, b"torn").expect("written");
    kit.get(format!("/v2/library/app/blobs/{digest}")).await.fails(500, "UNKNOWN");
    kit.blob("library/app", "x".repeat(100_000)).await;
    assert_eq!(kit.get(format!("/v2/library/app/blobs/{digest}")).await.is(200).body.len(), 100_000);
    fs::remove_file(&file).expect("removed");
    kit.get(format!("/v2/library/app/blobs/{digest}")).await.fails(500, "UNKNOWN");
    kit.head(format!("/v2/library/app/blobs/{digest}")).await.is(404);
    kit.blob("library/app", "x".repeat(100_000)).await;
    kit.get(format!("/v2/library/app/blobs/{digest}")).await.is(200);
}

#[tokio::test]
async fn an_upload_goes_on_after_a_restart() {
    let kit = Kit::new();
    let location = kit.post(UPLOADS).await.is(202).header("location").to_owned();
    kit.call(Method::PATCH, &location).header("content-range", "0-2").body("abc").send().await.is(202);
    let kit = kit.restarted();
    assert_eq!(kit.get(&location).await.is(204).header("range"), "0-2");
    kit.call(Method::PATCH, &location).header("content-range", "0-2").body("abc").send().await.is(416);
    kit.call(Method::PATCH, &location).header("content-range", "3-5").body("def").send().await.is(202);
    let kit = kit.restarted();
    let digest = Digest::sha256(b"abcdef");
    kit.call(Method::PUT, format!("{location}?digest={digest}")).send().await.is(201);
    assert_eq!(kit.get(format!("/v2/library/app/blobs/{digest}")).await.is(200).body, "abcdef");
}

#[tokio::test]
async fn bytes_beyond_the_acknowledged_ones_are_checked_too() {
    let kit = Kit::new();
    let location = kit.post(UPLOADS).await.is(202).header("location").to_owned();
    kit.call(Method::PATCH, &location).body("abc").send().await.is(202);
    let uploads = kit.directory.path().join("uploads");
    let file = fs::read_dir(&uploads).expect("listed").next().expect("one").expect("an entry").path();
    fs::write(&file, b"aXcd").expect("torn by the crash");
    let kit = kit.restarted();
    assert_eq!(kit.get(&location).await.is(204).header("range"), "0-3");
    let digest = Digest::sha256(b"abcd");
    kit.call(Method::PUT, format!("{location}?digest={digest}")).send().await.fails(400, "DIGEST_INVALID");
    kit.get(format!("/v2/library/app/blobs/{digest}")).await.fails(404, "BLOB_UNKNOWN");
}

#[tokio::test]
async fn a_lost_upload_file_is_an_unknown_upload() {
    let kit = Kit::new();
    for lose_at in ["patch", "put"] {
        let location = kit.post(UPLOADS).await.is(202).header("location").to_owned();
        for entry in fs::read_dir(kit.directory.path().join("uploads")).expect("listed") {
            fs::remove_file(entry.expect("an entry").path()).expect("removed");
        }
        let reply = if lose_at == "patch" {
            kit.call(Method::PATCH, &location).body("abc").send().await
        } else {
            let put = format!("{location}?digest={}", Digest::sha256(b"abc"));
            kit.call(Method::PUT, put).body("abc").send().await
        };
        reply.fails(404, "BLOB_UPLOAD_UNKNOWN");
        kit.get(&location).await.fails(404, "BLOB_UPLOAD_UNKNOWN");
    }
}

#[tokio::test]
async fn old_uploads_are_swept_and_young_ones_stay() {
    let kit = Kit::new();
    let old = kit.post(UPLOADS).await.is(202).header("location").to_owned();
    let written = SystemTime::from(kit.world.now() - Duration::hours(25));
    let file = fs::read_dir(kit.directory.path().join("uploads"))
        .expect("listed")
        .next()
        .expect("one")
        .expect("an entry");
    fs::File::options().write(true).open(file.path()).expect("opened").set_modified(written).expect("aged");
    let young = kit.post(UPLOADS).await.is(202).header("location").to_owned();
    let kit =
        if kit.registry.sweep_uploads().await.expect("swept") == 1 { kit } else { panic!("nothing swept") };
    kit.get(&old).await.fails(404, "BLOB_UPLOAD_UNKNOWN");
    kit.get(&young).await.is(204);
    // At a start as well.
    kit.world.advance(Duration::days(2));
    let kit = kit.restarted();
    kit.get(&young).await.fails(404, "BLOB_UPLOAD_UNKNOWN");
    assert_eq!(fs::read_dir(kit.directory.path().join("uploads")).expect("listed").count(), 0);
}

#[tokio::test]
async fn abandoned_uploads_go_without_being_asked() {
    let kit = Kit::new();
    let location = kit.post(UPLOADS).await.is(202).header("location").to_owned();
    kit.image("library/app", "v1", "one").await;
    kit.image("library/app", "v1", "two").await;
    kit.world.advance(Duration::days(2));
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let maintenance = tokio::spawn(kit.registry.clone().run_maintenance(stopped));
    while kit.get(location.clone()).await.status != 404 {
        tokio::task::yield_now().await;
    }
    stop.send(true).expect("told");
    maintenance.await.expect("ended");
    // The past tag went in the same pass, or in this one.
    kit.registry.forget_past_tags().await.expect("forgotten");
    let past = kit.registry.tag_history(&crate::kit::repository("library/app"), None, 9).expect("listed");
    assert_eq!(past, Vec::new());
}

#[tokio::test]
async fn a_registry_is_ready_while_it_can_write() {
    let kit = Kit::new();
    kit.registry.ready().await.expect("ready");
    let (uploads, away) = (kit.directory.path().join("uploads"), kit.directory.path().join("away"));
    fs::rename(&uploads, &away).expect("moved");
    assert!(matches!(kit.registry.ready().await, Err(rookery_registry::Error::Disk { .. })));
    fs::rename(&away, &uploads).expect("moved back");
    kit.registry.ready().await.expect("ready again");
    assert_eq!(fs::read_dir(uploads).expect("listed").count(), 0);
}
