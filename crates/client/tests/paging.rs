//! Lists in pages.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by failing")]

mod stub;

use rookery_api::Request;
use rookery_api::sts::GetCallerIdentityRequest;
use rookery_api::tcr::{
    DescribeInstancesRequest, DescribeInstancesResponse, DescribeReplicationInstanceSyncStatusRequest,
    DescribeRepositoriesRequest,
};
use rookery_client::{ClientError, Paging, TryStreamExt};
use serde_json::Value;
use stub::{Answer, Stub};

fn number(request: &http::Request<bytes::Bytes>, name: &str) -> usize {
    let body: Value = serde_json::from_slice(request.body()).unwrap();
    usize::try_from(body[name].as_u64().unwrap()).unwrap()
}

/// A server with `total` instances that gives at most `most` in a page.
async fn instances(total: usize, most: usize, tells: bool) -> Stub {
    Stub::start(move |_, request| {
        let first = number(request, "Offset");
        let last = (first + number(request, "Limit").min(most)).min(total);
        let rows: Vec<_> = (first..last).map(|n| format!(r#"{{"RegistryId":"tcr-{n}"}}"#)).collect();
        let count = if tells { format!(r#""TotalCount":{total},"#) } else { String::new() };
        Answer::response(&format!(r#"{count}"Registries":[{}]"#, rows.join(",")))
    })
    .await
}

async fn ids(stub: &Stub, limit: u64) -> Vec<String> {
    let of = |page: DescribeInstancesResponse| page.registries;
    let items = stub.client().items(&DescribeInstancesRequest::default(), Paging::records(limit), of);
    let items: Vec<_> = items.try_collect().await.unwrap();
    items.into_iter().map(|registry| registry.registry_id).collect()
}

#[tokio::test]
async fn every_item_comes_once_and_in_order() {
    for (total, limit, most, tells, calls) in [
        (7, 3, 100, true, 3),
        (6, 3, 100, true, 2),
        (6, 3, 100, false, 3),
        (7, 100, 3, true, 3),
        (0, 3, 100, true, 1),
    ] {
        let stub = instances(total, most, tells).await;
        let expected: Vec<_> = (0..total).map(|n| format!("tcr-{n}")).collect();
        assert_eq!(ids(&stub, limit).await, expected, "{total} by {limit}");
        assert_eq!(stub.count(), calls, "{total} by {limit}");
    }
}

#[tokio::test]
async fn pages_may_be_numbered() {
    let stub = Stub::start(|number, _| {
        let rows = if number < 2 { "{},{}" } else { "{}" };
        Answer::response(&format!(r#""RepositoryList":[{rows}],"TotalCount":5"#))
    })
    .await;
    let pages = stub.client().pages(&DescribeRepositoriesRequest::default(), Paging::pages(2));
    let pages: Vec<_> = pages.try_collect().await.unwrap();
    assert_eq!(pages.iter().map(|page| page.response.repository_list.len()).sum::<usize>(), 5);
    let offsets: Vec<_> = stub.seen().iter().map(|request| number(request, "Offset")).collect();
    assert_eq!(offsets, [1, 2, 3]);
    assert_eq!(Paging::of("tcr", "DescribeRepositories", 2), Paging::pages(2));
    assert_eq!(Paging::of("tcr", "DescribeInstances", 2), Paging::records(2));
    assert_eq!(Paging::of("cvm", "DescribeImages", 2), Paging::records(2));
}

#[tokio::test]
async fn an_error_ends_the_pages() {
    let stub = Stub::start(|number, _| match number {
        0 => Answer::response(r#""TotalCount":9,"Registries":[{}]"#),
        _ => Answer::refusal("InternalError"),
    })
    .await;
    let mut pages = stub.client().pages(&DescribeInstancesRequest::default(), Paging::records(1));
    assert!(pages.try_next().await.unwrap().is_some());
    assert_eq!(pages.try_next().await.unwrap_err().code(), Some("InternalError"));
    assert!(pages.try_next().await.unwrap().is_none());
    assert_eq!(stub.count(), 2);
}

#[tokio::test]
async fn actions_that_do_not_list_are_refused_before_a_call() {
    async fn refused<R: Request>(stub: &Stub, request: &R, limit: u64) -> bool {
        let ended = stub.client().pages(request, Paging::records(limit)).try_next().await;
        matches!(ended, Err(ClientError::NotPaged { .. }))
    }
    let stub = Stub::start(|_, _| Answer::response("")).await;
    assert!(refused(&stub, &GetCallerIdentityRequest {}, 1).await, "no Offset");
    assert!(refused(&stub, &DescribeReplicationInstanceSyncStatusRequest::default(), 1).await, "no list");
    assert!(refused(&stub, &DescribeInstancesRequest::default(), 0).await, "no end");
    assert_eq!(stub.count(), 0);
}
