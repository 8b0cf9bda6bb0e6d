//! Images: listing tags, reading manifests, deleting.

use rookery_api::tcr::{
    DeleteImageRequest, DescribeImageManifestsRequest, DescribeImagesRequest, DescribeImagesResponse,
    ErrorCode,
};
use rookery_registry::Digest;
use time::Duration;

use super::{Bench, OCI, RSA_KEY, call, code, repository};
use crate::actions::image::delete_image::delete_image;
use crate::actions::image::describe_image_manifests::describe_image_manifests;
use crate::actions::image::describe_images::describe_images;

fn of(id: &str) -> DescribeImagesRequest {
    DescribeImagesRequest {
        registry_id: id.to_owned(),
        namespace_name: "library".to_owned(),
        repository_name: "app".to_owned(),
        ..DescribeImagesRequest::default()
    }
}

fn manifests(id: &str, version: &str) -> DescribeImageManifestsRequest {
    DescribeImageManifestsRequest {
        registry_id: id.to_owned(),
        namespace_name: "library".to_owned(),
        repository_name: "app".to_owned(),
        image_version: version.to_owned(),
    }
}

fn delete(id: &str, version: &str) -> DeleteImageRequest {
    DeleteImageRequest {
        registry_id: id.to_owned(),
        namespace_name: "library".to_owned(),
        repository_name: "app".to_owned(),
        image_version: version.to_owned(),
    }
}

async fn describe(bench: &Bench, request: DescribeImagesRequest) -> DescribeImagesResponse {
    describe_images(&bench.tcr, call(request)).await.unwrap()
}

fn tags(reply: DescribeImagesResponse) -> Vec<String> {
    reply.image_info_list.into_iter().map(|image| image.image_version).collect()
}

#[tokio::test]
async fn every_tag_is_a_row_the_last_pushed_first() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    let first = bench.push(&id, "library/app", "v1", "one").await;
    bench.world.advance(Duration::seconds(1));
    bench.push(&id, "library/app", "v1.1", "one").await;
    bench.push(&id, "library/app", "latest", "two").await;
    let reply = describe(&bench, of(&id)).await;
    let image = reply.image_info_list.iter().find(|image| image.image_version == "v1").unwrap();
    let info = bench
        .tcr
        .registry()
        .manifest_info(&repository(&id, "library/app"), &first.clone().into())
        .unwrap()
        .unwrap();
    assert_eq!(image.digest, first.to_string());
    assert_eq!(image.size, i64::try_from(info.size + info.total_size).unwrap());
    assert_eq!(image.kind, format!("Artifact::{OCI}"));
    assert_eq!(image.update_time, "2024-12-10T14:04:56.806284Z");
    assert_eq!(image.kms_signature, "");
    assert_eq!(tags(reply), ["latest", "v1.1", "v1"]);

    let named = |tag: &str, exact| DescribeImagesRequest {
        image_version: Some(tag.to_owned()),
        exact_match: exact,
        ..of(&id)
    };
    assert_eq!(tags(describe(&bench, named("1", None)).await), ["v1.1", "v1"]);
    assert_eq!(tags(describe(&bench, named("v1", Some(true))).await), ["v1"]);
    let by_digest = DescribeImagesRequest { digest: Some(first.to_string()), ..of(&id) };
    assert_eq!(tags(describe(&bench, by_digest).await), ["v1.1", "v1"]);
}

#[tokio::test]
async fn the_loops_of_the_known_clients_end_with_every_image() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    for number in 0..45 {
        bench.push(&id, "library/app", &format!("v{number}"), &format!("content {}", number % 7)).await;
    }
    let page = async |offset: i64, limit: i64| {
        let request = DescribeImagesRequest { offset: Some(offset), limit: Some(limit), ..of(&id) };
        let reply = describe(&bench, request).await;
        (usize::try_from(reply.total_count).unwrap(), tags(reply))
    };
    let mut listings = Vec::new();
    // Harbor's adapter and image-transfer: pages from 1, until there are TotalCount rows.
    for limit in [20, 100] {
        let (mut rows, mut offset) = (Vec::new(), 1);
        loop {
            let (total, tags) = page(offset, limit).await;
            rows.extend(tags);
            if rows.len() == total {
                break;
            }
            offset += 1;
            assert!(offset < 50);
        }
        listings.push(rows);
    }
    // Terraform: 20 rows at a time from 0, until there are fewer.
    let (mut rows, mut offset) = (Vec::new(), 0);
    loop {
        let (_, tags) = page(offset, 20).await;
        let short = tags.len() < 20;
        rows.extend(tags);
        if short {
            break;
        }
        offset += 20;
    }
    listings.push(rows);
    for rows in &mut listings {
        rows.sort();
        rows.dedup();
        assert_eq!(rows.len(), 45);
    }
}

#[tokio::test]
async fn a_manifest_is_shown_with_its_doubly_encoded_config() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    let digest = bench.push(&id, "library/app", "v1", "one").await;
    for version in ["v1".to_owned(), digest.to_string()] {
        let reply = describe_image_manifests(&bench.tcr, call(manifests(&id, &version))).await.unwrap();
        assert_eq!(Digest::sha256(reply.manifest.as_bytes()), digest);
        let config: String = serde_json::from_str(&reply.config).unwrap();
        let config: serde_json::Value = serde_json::from_str(&config).unwrap();
        assert_eq!(config["architecture"], "amd64");
        assert_eq!((reply.labels.len(), &*reply.labels[0].key, &*reply.labels[0].value), (1, "of", "one"));
        assert!(reply.size > i64::try_from(reply.manifest.len()).unwrap());
    }
}

#[tokio::test]
async fn an_index_has_neither_config_nor_labels() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    super::signing::push_index(&bench, &id, "multi").await;
    let reply = describe_image_manifests(&bench.tcr, call(manifests(&id, "multi"))).await.unwrap();
    assert_eq!((&*reply.config, reply.labels.len()), (r#""""#, 0));
    let kinds: Vec<_> =
        describe(&bench, of(&id)).await.image_info_list.into_iter().map(|image| image.kind).collect();
    assert!(kinds.contains(&"Artifact::application/vnd.oci.image.index.v1+json".to_owned()));
}

#[tokio::test]
async fn deleting_a_tag_deletes_the_image_with_its_other_tags_and_signatures() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    bench.policy(&id, RSA_KEY).await;
    bench.push(&id, "library/app", "v1", "one").await;
    bench.push(&id, "library/app", "v1.1", "one").await;
    bench.push(&id, "library/app", "v2", "two").await;
    delete_image(&bench.tcr, call(delete(&id, "v1"))).await.unwrap();
    assert_eq!(tags(describe(&bench, of(&id)).await), ["v2"]);
    // One image and its signature in three formats are left.
    let totals = bench.tcr.registry().repository_totals(&repository(&id, "library/app")).unwrap();
    assert_eq!((totals.tags, totals.manifests), (2, 4));
    assert_eq!(bench.tcr.signing.orphaned().unwrap().len(), 0);
    let again = delete_image(&bench.tcr, call(delete(&id, "v1"))).await;
    assert_eq!(code(again), ErrorCode::ResourceNotFoundTcrResourceNotFound);
}

#[tokio::test]
async fn what_is_not_there_is_refused() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    bench.push(&id, "library/app", "v1", "one").await;
    let missing = ErrorCode::ResourceNotFoundTcrResourceNotFound;
    for version in ["v2", "no tag!", "sha256:00"] {
        let shown = describe_image_manifests(&bench.tcr, call(manifests(&id, version))).await;
        assert_eq!(code(shown), missing, "{version}");
    }
    let elsewhere = DescribeImagesRequest { repository_name: "other".to_owned(), ..of(&id) };
    assert_eq!(code(describe_images(&bench.tcr, call(elsewhere)).await), missing);
    let nowhere = ErrorCode::ResourceNotFound;
    assert_eq!(code(describe_images(&bench.tcr, call(of("tcr-missing1"))).await), nowhere);
    assert_eq!(
        code(describe_image_manifests(&bench.tcr, call(manifests("tcr-missing1", "v1"))).await),
        nowhere
    );
    assert_eq!(code(delete_image(&bench.tcr, call(delete("tcr-missing1", "v1"))).await), nowhere);
}
