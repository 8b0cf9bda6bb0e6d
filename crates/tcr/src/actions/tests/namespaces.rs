//! Namespaces: names, quotas, listing as the known clients page, deletion.

use rookery_api::tcr::{
    CVEWhitelistItem, CreateNamespaceRequest, DeleteNamespaceRequest, DescribeNamespacesRequest,
    DescribeNamespacesResponse, ErrorCode, Filter, ModifyNamespaceRequest, Tag, TagSpecification,
};
use rookery_api::{Nulls, Structure as _};

use super::{Bench, RSA_KEY, call, code, policy_request};
use crate::actions::namespace::create_namespace::create_namespace;
use crate::actions::namespace::delete_namespace::delete_namespace;
use crate::actions::namespace::describe_namespaces::describe_namespaces;
use crate::actions::namespace::modify_namespace::modify_namespace;
use crate::actions::signature::create_signature_policy::create_signature_policy;

fn create(id: &str, name: &str) -> CreateNamespaceRequest {
    CreateNamespaceRequest {
        registry_id: id.to_owned(),
        namespace_name: name.to_owned(),
        ..CreateNamespaceRequest::default()
    }
}

fn of(id: &str) -> DescribeNamespacesRequest {
    DescribeNamespacesRequest { registry_id: id.to_owned(), ..DescribeNamespacesRequest::default() }
}

fn delete(id: &str, name: &str) -> DeleteNamespaceRequest {
    DeleteNamespaceRequest { registry_id: id.to_owned(), namespace_name: name.to_owned() }
}

async fn describe(bench: &Bench, request: DescribeNamespacesRequest) -> DescribeNamespacesResponse {
    describe_namespaces(&bench.tcr, call(request)).await.unwrap()
}

fn names(reply: DescribeNamespacesResponse) -> Vec<String> {
    reply.namespace_list.into_iter().map(|namespace| namespace.name).collect()
}

#[tokio::test]
async fn a_namespace_shows_every_member_and_what_was_changed() {
    let bench = Bench::new().await;
    let id = bench.instance("demo1", "basic").await;
    let cve = || Some(vec![CVEWhitelistItem { cveid: Some("CVE-2024-1234".to_owned()) }]);
    let request = CreateNamespaceRequest {
        is_public: true,
        is_auto_scan: Some(true),
        severity: Some("high".to_owned()),
        cve_whitelist_items: cve(),
        ..create(&id, "library")
    };
    create_namespace(&bench.tcr, call(request)).await.unwrap();
    let shown = describe(&bench, of(&id)).await.namespace_list.pop().unwrap();
    assert_eq!(
        String::from_utf8(shown.to_json(Nulls::Written)).unwrap(),
        r#"{"Name":"library","CreationTime":"2024-12-10T14:04:56Z","Public":true,"NamespaceId":1,"TagSpecification":{"ResourceType":"namespace","Tags":[]},"Metadata":[{"Key":"public","Value":"true"},{"Key":"auto_scan","Value":"true"},{"Key":"prevent_vul","Value":"false"}],"CVEWhitelistItems":[{"CVEID":"CVE-2024-1234"}],"AutoScan":true,"PreventVUL":false,"Severity":"high"}"#
    );
    let tags = vec![Tag { key: "env".to_owned(), value: "ci".to_owned() }];
    let change = ModifyNamespaceRequest {
        registry_id: id.clone(),
        namespace_name: "library".to_owned(),
        is_public: Some(false),
        is_prevent_vul: Some(true),
        tag_specification: Some(TagSpecification { resource_type: "namespace".to_owned(), tags }),
        ..ModifyNamespaceRequest::default()
    };
    modify_namespace(&bench.tcr, call(change)).await.unwrap();
    let filter = Filter { name: "Tags".to_owned(), values: vec!["env:ci".to_owned()] };
    let tagged = DescribeNamespacesRequest { filters: Some(vec![filter]), ..of(&id) };
    let shown = describe(&bench, tagged).await.namespace_list.pop().unwrap();
    assert!(!shown.public && shown.prevent_vul && shown.auto_scan);
    assert_eq!((&*shown.severity, shown.cve_whitelist_items.len()), ("high", 1));
}

#[tokio::test]
async fn unusable_namespaces_are_refused() {
    let bench = Bench::new().await;
    let id = bench.instance("demo1", "basic").await;
    bench.namespace(&id, "library", false).await;
    let tags = (0..11).map(|n| Tag { key: format!("k{n}"), value: String::new() }).collect();
    let cases = [
        (create(&id, "a"), ErrorCode::InvalidParameterErrorTcrInvalidParameter),
        (create(&id, "library"), ErrorCode::FailedOperationErrorTcrResourceConflict),
        (create("tcr-missing1", "other"), ErrorCode::ResourceNotFound),
        (
            CreateNamespaceRequest { severity: Some("worst".to_owned()), ..create(&id, "other") },
            ErrorCode::InvalidParameter,
        ),
        (
            CreateNamespaceRequest {
                cve_whitelist_items: Some(vec![CVEWhitelistItem { cveid: Some("x".to_owned()) }]),
                ..create(&id, "other")
            },
            ErrorCode::InvalidParameter,
        ),
        (
            CreateNamespaceRequest {
                tag_specification: Some(TagSpecification { resource_type: String::new(), tags }),
                ..create(&id, "other")
            },
            ErrorCode::InvalidParameter,
        ),
    ];
    for (request, expected) in cases {
        assert_eq!(code(create_namespace(&bench.tcr, call(request)).await), expected);
    }
    let missing = |name: &str, id: &str| ModifyNamespaceRequest {
        registry_id: id.to_owned(),
        namespace_name: name.to_owned(),
        ..ModifyNamespaceRequest::default()
    };
    let refused = modify_namespace(&bench.tcr, call(missing("other", &id))).await;
    assert_eq!(code(refused), ErrorCode::ResourceNotFoundTcrResourceNotFound);
    let refused = modify_namespace(&bench.tcr, call(missing("library", "tcr-missing1"))).await;
    assert_eq!(code(refused), ErrorCode::ResourceNotFound);
    let refused = describe_namespaces(&bench.tcr, call(of("tcr-missing1"))).await;
    assert_eq!(code(refused), ErrorCode::ResourceNotFound);
}

#[tokio::test]
async fn the_edition_limits_the_number() {
    let bench = Bench::new().await;
    let id = bench.instance("demo1", "basic").await;
    for number in 0..50 {
        bench.namespace(&id, &format!("team-{number}"), false).await;
    }
    let over = create_namespace(&bench.tcr, call(create(&id, "one-more"))).await;
    assert_eq!(code(over), ErrorCode::OperationDenied);
}

#[tokio::test]
async fn names_are_found_by_parts_with_the_exact_one_first() {
    let bench = Bench::new().await;
    let id = bench.instance("demo1", "basic").await;
    for name in ["a-project", "project", "projects", "other"] {
        bench.namespace(&id, name, false).await;
    }
    let found = DescribeNamespacesRequest { namespace_name: Some("project".to_owned()), ..of(&id) };
    assert_eq!(names(describe(&bench, found).await), ["project", "a-project", "projects"]);
    assert_eq!(names(describe(&bench, of(&id)).await), ["a-project", "other", "project", "projects"]);
    // Numbers are never used again.
    delete_namespace(&bench.tcr, call(delete(&id, "other"))).await.unwrap();
    bench.namespace(&id, "other", false).await;
    let found = DescribeNamespacesRequest { namespace_name: Some("other".to_owned()), ..of(&id) };
    assert_eq!(describe(&bench, found).await.namespace_list[0].namespace_id, 5);
}

#[tokio::test]
async fn the_loops_of_the_known_clients_end_with_every_namespace() {
    let bench = Bench::new().await;
    let id = bench.instance("demo1", "premium").await;
    let mut all: Vec<String> = (0..230).map(|number| format!("team-{number:03}")).collect();
    all.sort();
    for name in &all {
        bench.namespace(&id, name, false).await;
    }
    let page = async |offset: i64, limit: i64| {
        let request = DescribeNamespacesRequest { offset: Some(offset), limit: Some(limit), ..of(&id) };
        let reply = describe(&bench, request).await;
        (usize::try_from(reply.total_count).unwrap(), names(reply))
    };
    // Harbor's adapter counts from 0, image-transfer from 1; both stop when they have TotalCount rows.
    for (first, limit) in [(0, 20), (1, 100)] {
        let (mut rows, mut offset) = (Vec::new(), first);
        loop {
            let (total, names) = page(offset, limit).await;
            rows.extend(names);
            if rows.len() >= total {
                break;
            }
            offset += 1;
            assert!(offset < 50);
        }
        assert_eq!(rows, all, "from {first}");
    }
    // Terraform adds the limit until a page is short.
    let (mut rows, mut offset) = (Vec::new(), 0);
    loop {
        let (_, names) = page(offset, 200).await;
        let short = names.len() < 200;
        rows.extend(names);
        if short {
            break;
        }
        offset += 200;
    }
    assert_eq!(rows, all);
    assert_eq!(page(99, 20).await, (230, Vec::new()), "past the end");
    let everything = DescribeNamespacesRequest { all: Some(true), limit: Some(1), ..of(&id) };
    assert_eq!(describe(&bench, everything).await.namespace_list.len(), 230);
}

#[tokio::test]
async fn only_namespaces_that_sign_are_shown_on_request() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    bench.namespace(&id, "silent", false).await;
    bench.namespace(&id, "plain", false).await;
    bench.policy(&id, RSA_KEY).await;
    let disabled = rookery_api::tcr::CreateSignaturePolicyRequest {
        namespace_name: "silent".to_owned(),
        disabled: Some(true),
        ..policy_request(&id, RSA_KEY)
    };
    create_signature_policy(&bench.tcr, call(disabled)).await.unwrap();
    let signing = DescribeNamespacesRequest { kms_sign_policy: Some(true), ..of(&id) };
    assert_eq!(names(describe(&bench, signing).await), ["library"]);
}

#[tokio::test]
async fn only_an_empty_namespace_is_deleted_and_its_policy_with_it() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    bench.policy(&id, RSA_KEY).await;
    bench.push(&id, "library/app", "v1", "content").await;
    let refused = delete_namespace(&bench.tcr, call(delete(&id, "library"))).await;
    assert_eq!(code(refused), ErrorCode::FailedOperationPreconditionFailed);
    let repository = super::repository(&id, "library/app");
    bench.tcr.registry().delete_repository(&repository, rookery_registry::Origin::Internal).await.unwrap();
    // A layer that no manifest ever named goes with the namespace.
    let layer = bytes::Bytes::from_static(b"layer");
    let layer = bench.tcr.registry().put_blob(&repository, layer).await.unwrap();
    delete_namespace(&bench.tcr, call(delete(&id, "library"))).await.unwrap();
    assert_eq!(bench.tcr.registry().blob_size(&repository, &layer).unwrap(), None);
    let refused = delete_namespace(&bench.tcr, call(delete(&id, "library"))).await;
    assert_eq!(code(refused), ErrorCode::ResourceNotFoundTcrResourceNotFound);
    bench.namespace(&id, "library", false).await;
    bench.policy(&id, RSA_KEY).await;
}
