//! Reading everything back finds what is damaged, and says whom it concerns.

use std::fs;

use rookery_registry::{Damage, Digest, Finding, Scrub};
use rookery_store::{Global, Read as _, StoreError, Table};
use serde_json::json;

use crate::kit::{IMAGE, INDEX, Kit, descriptor, digest_of};

const APP: &str = "library/app";

fn file_of(kit: &Kit, digest: &Digest) -> std::path::PathBuf {
    kit.directory.path().join("blobs/sha256").join(&digest.hex()[..2]).join(digest.hex())
}

async fn scrub(kit: &Kit) -> Vec<Finding> {
    let mut reports = 0;
    let (scrubbed, findings) = kit.registry.scrub(4, |_| reports += 1).await.expect("scrubbed");
    assert_eq!((scrubbed.blobs, reports), (scrubbed.blobs_in_all, scrubbed.blobs + 1));
    let offline = Scrub::of_directory(kit.store.clone(), kit.directory.path()).expect("opened");
    assert_eq!(offline.run(1, |_| ()).await.expect("scrubbed"), (scrubbed, findings.clone()));
    findings
}

#[tokio::test]
async fn what_is_whole_is_not_reported() {
    let kit = Kit::new();
    kit.image(APP, "v1", "one").await;
    kit.blob(APP, vec![7; 2 << 20]).await;
    assert_eq!(scrub(&kit).await, Vec::new());
    let (scrubbed, _) = kit.registry.scrub(1, |_| ()).await.expect("scrubbed");
    assert_eq!((scrubbed.blobs, scrubbed.manifests), (3, 1));
    assert!(scrubbed.bytes > scrubbed.bytes_in_all && scrubbed.bytes_in_all == (2 << 20) + 14 + 9);
}

#[tokio::test]
async fn damage_is_found_with_the_images_it_touches() {
    let kit = Kit::new();
    let child = kit.image_manifest(APP, "one").await;
    kit.put(APP, "v1", IMAGE, &child).await.is(201);
    let index = json!({"schemaVersion": 2, "manifests": [descriptor(IMAGE, child.to_string().as_bytes())]});
    kit.put(APP, digest_of(&index).as_str(), INDEX, &index).await.is(201);
    kit.image("other/app", "v9", "one").await;
    kit.image("other/app", "whole", "two").await;
    let lonely = kit.blob(APP, "lonely").await;
    let (config, layer) = (Digest::sha256(br#"{"seed":"one"}"#), Digest::sha256(b"layer one"));
    fs::write(file_of(&kit, &layer), "lAyer one").expect("written");
    fs::write(file_of(&kit, &lonely), "lonel").expect("written");
    fs::remove_file(file_of(&kit, &config)).expect("removed");
    let images = vec![
        "tcr-demo/library/app:v1".to_owned(),
        format!("tcr-demo/library/app@{}", digest_of(&index)),
        "tcr-demo/other/app:v9".to_owned(),
    ];
    let both = vec!["tcr-demo/library/app".to_owned(), "tcr-demo/other/app".to_owned()];
    let mut expected = vec![
        Finding { digest: layer, damage: Damage::Rotten, repositories: both.clone(), images: images.clone() },
        Finding { digest: config, damage: Damage::Missing, repositories: both.clone(), images },
        Finding {
            digest: lonely,
            damage: Damage::WrongSize,
            repositories: both[..1].to_vec(),
            images: Vec::new(),
        },
    ];
    expected.sort_by(|one, other| one.digest.as_str().cmp(other.digest.as_str()));
    assert_eq!(scrub(&kit).await, expected);
    // Whoever pushes what is missing again has mended it.
    kit.blob(APP, r#"{"seed":"one"}"#).await;
    assert_eq!(scrub(&kit).await.len(), 2);
}

#[tokio::test]
async fn a_rotten_blob_is_handed_out_no_more_until_it_is_pushed_again() {
    let kit = Kit::new();
    // One that is kept in memory when it is pulled, and one that is not.
    for content in [vec![7; 100], vec![8; 1 << 20]] {
        let blob = kit.blob(APP, content.clone()).await;
        kit.blob("other/app", content.clone()).await;
        let path = |name: &str| format!("/v2/{name}/blobs/{blob}");
        let mut rotten = content.clone();
        rotten[50] = 0;
        fs::write(file_of(&kit, &blob), &rotten).expect("written");
        for name in [APP, "other/app"] {
            kit.head(path(name)).await.is(200);
        }
        assert_eq!(scrub(&kit).await[0].damage, Damage::Rotten);
        for name in [APP, "other/app"] {
            // Whoever is about to push it has to be told that it is not there.
            kit.head(path(name)).await.is(404);
            let told = kit.get(path(name)).await.fails(500, "UNKNOWN").json();
            assert_eq!(told["errors"][0]["detail"]["content"], blob.as_str());
        }
        let mount = format!("/v2/third/app/blobs/uploads/?mount={blob}&from={APP}");
        kit.post(&mount).await.is(202);
        kit.blob("other/app", content.clone()).await;
        for name in [APP, "other/app"] {
            assert!(kit.get(path(name)).await.is(200).body == content);
        }
        kit.post(&mount).await.is(201);
        assert_eq!(scrub(&kit).await, Vec::new());
    }
}

#[tokio::test]
async fn a_push_mends_what_no_scrub_has_seen() {
    let kit = Kit::new();
    let content = vec![8; 1 << 20];
    let blob = kit.blob(APP, content.clone()).await;
    fs::write(file_of(&kit, &blob), vec![9; 1 << 20]).expect("written");
    kit.blob(APP, content.clone()).await;
    assert!(kit.get(format!("/v2/{APP}/blobs/{blob}")).await.is(200).body == content);
}

#[tokio::test]
async fn a_pull_that_finds_damage_marks_it() {
    let kit = Kit::new();
    let damage: [fn(&std::path::Path) -> std::io::Result<()>; 3] = [
        |file| fs::write(file, fs::read(file)?.to_ascii_uppercase()),
        |file| fs::write(file, "of another size"),
        |file| fs::remove_file(file),
    ];
    // Each time other bytes: what was pulled once is in memory, and good.
    for (damage, layer) in damage.into_iter().zip(["one", "two", "three"]) {
        let blob = kit.blob(APP, layer).await;
        damage(&file_of(&kit, &blob)).expect("damaged");
        let path = format!("/v2/{APP}/blobs/{blob}");
        kit.head(&path).await.is(200);
        kit.get(&path).await.fails(500, "UNKNOWN");
        kit.head(&path).await.is(404);
        kit.blob(APP, layer).await;
        assert_eq!(kit.get(&path).await.is(200).body, layer);
    }
}

#[tokio::test]
async fn what_is_whole_again_by_itself_is_handed_out_again() {
    let kit = Kit::new();
    let blob = kit.blob(APP, vec![8; 1 << 20]).await;
    let (path, file) = (format!("/v2/{APP}/blobs/{blob}"), file_of(&kit, &blob));
    fs::rename(&file, file.with_extension("away")).expect("moved");
    assert_eq!(scrub(&kit).await[0].damage, Damage::Missing);
    kit.head(&path).await.is(404);
    fs::rename(file.with_extension("away"), &file).expect("moved back");
    let offline = Scrub::of_directory(kit.store.clone(), kit.directory.path()).expect("opened");
    assert_eq!(offline.run(1, |_| ()).await.expect("scrubbed").1, Vec::new());
    kit.head(&path).await.is(200);
}

/// The registry's own table of manifests' bytes.
struct Contents;

impl Table for Contents {
    const NAME: &'static str = "registry.contents";
    type Scope = Global;
    type Key = (String, String, String);
    type Row = String;
}

async fn rot(kit: &Kit, name: &str, digest: &Digest) {
    let key = ("tcr-demo".to_owned(), name.to_owned(), digest.to_string());
    let rot = move |tx: &mut rookery_store::Transaction<'_>| {
        let text = tx.get::<Contents>(&Global, &key)?.expect("kept");
        tx.put::<Contents>(&Global, &key, &text.replacen('2', "3", 1))
    };
    kit.store.write::<_, StoreError, _>(rot).await.expect("written");
}

#[tokio::test]
async fn a_rotten_manifest_is_handed_out_no_more_until_it_is_pushed_again() {
    let mut kit = Kit::new();
    let manifest = kit.image_manifest(APP, "one").await;
    let digest = digest_of(&manifest);
    for name in [APP, "other/app"] {
        kit.image(name, "v1", "one").await;
    }
    rot(&kit, APP, &digest).await;
    kit = kit.restarted();
    let [finding] = scrub(&kit).await.try_into().expect("one finding");
    assert_eq!((finding.digest, finding.damage), (digest.clone(), Damage::Rotten));
    assert_eq!(finding.repositories, ["tcr-demo/library/app"]);
    assert_eq!(finding.images, ["tcr-demo/library/app:v1"]);
    for reference in ["v1", digest.as_str()] {
        let path = format!("/v2/{APP}/manifests/{reference}");
        kit.head(&path).await.is(404);
        let told = kit.get(&path).await.fails(500, "UNKNOWN").json();
        assert_eq!(told["errors"][0]["detail"]["content"], digest.as_str());
        kit.get(path.replace(APP, "other/app")).await.is(200);
    }
    kit.put(APP, "v1", IMAGE, &manifest).await.is(201);
    kit.head(format!("/v2/{APP}/manifests/v1")).await.is(200);
    kit = kit.restarted();
    assert_eq!(Digest::sha256(&kit.get(format!("/v2/{APP}/manifests/v1")).await.is(200).body), digest);
    assert_eq!(scrub(&kit).await, Vec::new());
}

#[tokio::test]
async fn a_pull_that_finds_a_rotten_manifest_marks_it() {
    let mut kit = Kit::new();
    let digest = kit.image(APP, "v1", "one").await;
    rot(&kit, APP, &digest).await;
    kit = kit.restarted();
    let path = format!("/v2/{APP}/manifests/v1");
    kit.head(&path).await.is(200);
    kit.get(&path).await.fails(500, "UNKNOWN");
    kit.head(&path).await.is(404);
    // A push of another tag mends it under every tag.
    kit.image(APP, "v2", "one").await;
    kit.head(&path).await.is(200);
}
