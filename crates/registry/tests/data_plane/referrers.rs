//! Row 12: what refers to a manifest.

use rookery_registry::Digest;
use serde_json::{Value, json};

use crate::kit::{IMAGE, INDEX, Kit, Reply, descriptor, digest_of};

const APP: &str = "library/app";

fn assert_index(reply: &Reply) -> Vec<Value> {
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), INDEX);
    let index = reply.json();
    assert_eq!((&index["schemaVersion"], &index["mediaType"]), (&json!(2), &json!(INDEX)));
    index["manifests"].as_array().expect("a list").clone()
}

/// Pushes an artifact that refers to `subject`.
async fn refer(kit: &Kit, subject: &Digest, artifact_type: Option<&str>, note: &str) -> Digest {
    kit.blob(APP, "{}").await;
    let mut manifest = json!({
        "schemaVersion": 2, "config": descriptor("application/vnd.example.config", b"{}"), "layers": [],
        "subject": {"mediaType": IMAGE, "digest": subject.as_str(), "size": 1}, "annotations": {"note": note},
    });
    if let Some(artifact_type) = artifact_type {
        manifest["artifactType"] = json!(artifact_type);
    }
    let digest = digest_of(&manifest);
    let reply = kit.put(APP, digest.as_str(), IMAGE, &manifest).await.is(201);
    assert_eq!(reply.header("oci-subject"), subject.as_str());
    digest
}

#[tokio::test]
async fn nothing_refers_to_the_unknown() {
    let kit = Kit::new();
    let path = format!("/v2/never/written/referrers/{}", Digest::sha256(b"x"));
    let reply = kit.get(&path).await;
    assert!(assert_index(&reply).is_empty());
    assert!(!reply.headers.contains_key("oci-filters-applied"));
    kit.get("/v2/library/app/referrers/sha256:x").await.fails(400, "DIGEST_INVALID");
    kit.post(path).await.fails(405, "UNSUPPORTED");
}

#[tokio::test]
async fn descriptors_say_what_the_manifests_say() {
    let kit = Kit::new();
    let subject = Digest::sha256(b"not there yet");
    let own = refer(&kit, &subject, Some("application/own"), "a").await;
    let config = refer(&kit, &subject, None, "b").await;
    let index = json!({
        "schemaVersion": 2, "manifests": [], "subject": {"mediaType": IMAGE, "digest": subject.as_str(), "size": 1},
    });
    kit.put(APP, "by-index", INDEX, &index).await.is(201);
    let listed = assert_index(&kit.get(format!("/v2/{APP}/referrers/{subject}")).await);
    assert_eq!(listed.len(), 3);
    let find =
        |digest: &Digest| listed.iter().find(|entry| entry["digest"] == digest.as_str()).expect("listed");
    assert_eq!(find(&own)["artifactType"], "application/own");
    assert_eq!(find(&own)["annotations"], json!({"note": "a"}));
    assert_eq!(find(&own)["mediaType"], IMAGE);
    assert!(find(&own)["size"].as_u64().is_some_and(|size| size > 0));
    assert_eq!(find(&config)["artifactType"], "application/vnd.example.config");
    assert_eq!(find(&digest_of(&index)).get("artifactType"), None);
}

#[tokio::test]
async fn a_filter_is_applied_and_said_to_be() {
    let kit = Kit::new();
    let subject = kit.image(APP, "v1", "one").await;
    let wanted = refer(&kit, &subject, Some("application/a+json"), "a").await;
    refer(&kit, &subject, Some("application/b"), "b").await;
    for filter in ["application/a+json", "application%2Fa%2Bjson"] {
        let reply = kit.get(format!("/v2/{APP}/referrers/{subject}?artifactType={filter}")).await;
        assert_eq!(reply.header("oci-filters-applied"), "artifactType");
        let listed = assert_index(&reply);
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0]["digest"], wanted.as_str());
    }
    let none = kit.get(format!("/v2/{APP}/referrers/{subject}?artifactType=application/c")).await;
    assert!(assert_index(&none).is_empty());
}

#[tokio::test]
async fn a_deleted_referrer_is_gone_at_once() {
    let kit = Kit::new();
    let subject = kit.image(APP, "v1", "one").await;
    let referrer = refer(&kit, &subject, None, "a").await;
    kit.delete(format!("/v2/{APP}/manifests/{referrer}")).await.is(202);
    assert!(assert_index(&kit.get(format!("/v2/{APP}/referrers/{subject}")).await).is_empty());
}

#[tokio::test]
async fn referrers_belong_to_their_repository() {
    let kit = Kit::new();
    let subject = kit.image(APP, "v1", "one").await;
    kit.image("library/other", "v1", "one").await;
    refer(&kit, &subject, None, "a").await;
    assert!(assert_index(&kit.get(format!("/v2/library/other/referrers/{subject}")).await).is_empty());
}

#[tokio::test]
async fn large_lists_come_in_pages() {
    let kit = Kit::new();
    let subject = kit.image(APP, "v1", "one").await;
    let mut pushed = Vec::new();
    for note in 0..4 {
        pushed.push(
            refer(&kit, &subject, Some("application/a+b"), &note.to_string().repeat(900_000))
                .await
                .to_string(),
        );
    }
    pushed.sort();
    let (mut path, mut seen) =
        (format!("/v2/{APP}/referrers/{subject}?artifactType=application/a%2Bb"), Vec::new());
    loop {
        let reply = kit.get(&path).await;
        assert!(reply.body.len() < 4 * 1024 * 1024);
        let listed = assert_index(&reply);
        assert!(!listed.is_empty());
        seen.extend(listed.iter().map(|entry| entry["digest"].as_str().expect("a digest").to_owned()));
        let Some((target, _)) = reply.header("link").split_once(';') else { break };
        path = target.trim_matches(['<', '>']).to_owned();
    }
    assert_eq!(seen, pushed);
}
