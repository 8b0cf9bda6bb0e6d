//! Reading everything back finds what is damaged, and says whom it concerns.

use std::fs;

use rookery_registry::{Damage, Digest, Finding, Scrub};
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
