//! Repositories: made by action or by push, listed, described, deleted.

use rookery_api::tcr::{
    CreateRepositoryRequest, DeleteRepositoryRequest, DescribeRepositoriesRequest,
    DescribeRepositoriesResponse, ErrorCode, ModifyRepositoryRequest,
};
use rookery_api::{Nulls, Structure as _};
use rookery_gateway::{Language, Refusal as _};
use time::Duration;

use super::{Bench, call, code, repository};
use crate::actions::repository::create_repository::create_repository;
use crate::actions::repository::delete_repository::delete_repository;
use crate::actions::repository::describe_repositories::describe_repositories;
use crate::actions::repository::modify_repository::modify_repository;

fn create(id: &str, namespace: &str, name: &str) -> CreateRepositoryRequest {
    CreateRepositoryRequest {
        registry_id: id.to_owned(),
        namespace_name: namespace.to_owned(),
        repository_name: name.to_owned(),
        brief_description: None,
        description: None,
    }
}

fn of(id: &str) -> DescribeRepositoriesRequest {
    DescribeRepositoriesRequest { registry_id: id.to_owned(), ..DescribeRepositoriesRequest::default() }
}

fn delete(id: &str, name: &str, force_delete: Option<bool>) -> DeleteRepositoryRequest {
    DeleteRepositoryRequest {
        registry_id: id.to_owned(),
        namespace_name: "library".to_owned(),
        repository_name: name.to_owned(),
        force_delete,
    }
}

async fn describe(bench: &Bench, request: DescribeRepositoriesRequest) -> DescribeRepositoriesResponse {
    describe_repositories(&bench.tcr, call(request)).await.unwrap()
}

fn names(reply: DescribeRepositoriesResponse) -> Vec<String> {
    reply.repository_list.into_iter().map(|repository| repository.name).collect()
}

#[tokio::test]
async fn a_repository_shows_every_member_and_what_was_changed() {
    let bench = Bench::new().await;
    let id = bench.instance("demo1", "basic").await;
    bench.namespace(&id, "multi-arch", true).await;
    let request = CreateRepositoryRequest {
        brief_description: Some("brief".to_owned()),
        description: Some("# full".to_owned()),
        ..create(&id, "multi-arch", "busybox")
    };
    create_repository(&bench.tcr, call(request)).await.unwrap();
    let shown = describe(&bench, of(&id)).await.repository_list.pop().unwrap();
    assert_eq!(
        String::from_utf8(shown.to_json(Nulls::Written)).unwrap(),
        r##"{"Name":"multi-arch/busybox","Namespace":"multi-arch","CreationTime":"2024-12-10 14:04:56.806284 +0000 UTC","Public":true,"Description":"# full","BriefDescription":"brief","UpdateTime":"2024-12-10 14:04:56.806284 +0000 UTC"}"##
    );
    let entry = bench.tcr.registry().repository(&repository(&id, "multi-arch/busybox")).unwrap();
    assert!(entry.is_some(), "the data plane knows it too");
    bench.world.advance(Duration::seconds(1));
    let change = |brief: &str| ModifyRepositoryRequest {
        registry_id: id.clone(),
        namespace_name: "multi-arch".to_owned(),
        repository_name: "busybox".to_owned(),
        brief_description: brief.to_owned(),
        description: String::new(),
    };
    modify_repository(&bench.tcr, call(change("shorter"))).await.unwrap();
    let shown = describe(&bench, of(&id)).await.repository_list.pop().unwrap();
    assert_eq!((&*shown.brief_description, &*shown.description), ("shorter", ""));
    assert_eq!(shown.update_time, "2024-12-10 14:04:57.806284 +0000 UTC");
    let long = modify_repository(&bench.tcr, call(change(&"x".repeat(101)))).await;
    assert_eq!(code(long), ErrorCode::InvalidParameter);
    let missing = ModifyRepositoryRequest { repository_name: "other".to_owned(), ..change("") };
    let missing = modify_repository(&bench.tcr, call(missing)).await;
    assert_eq!(code(missing), ErrorCode::ResourceNotFoundTcrResourceNotFound);
}

#[tokio::test]
async fn unusable_repositories_are_refused() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    create_repository(&bench.tcr, call(create(&id, "library", "app"))).await.unwrap();
    let invalid = ErrorCode::InvalidParameterErrorTcrInvalidParameter;
    let cases = [
        (create(&id, "library", "App"), invalid),
        (create(&id, "library", "app"), ErrorCode::InternalErrorErrorTcrResourceConflict),
        (create(&id, "missing", "app"), ErrorCode::ResourceNotFound),
        (create("tcr-missing1", "library", "app"), ErrorCode::ResourceNotFound),
        (
            CreateRepositoryRequest { description: Some("x".repeat(1001)), ..create(&id, "library", "b2") },
            invalid,
        ),
        (
            CreateRepositoryRequest {
                brief_description: Some("签".repeat(101)),
                ..create(&id, "library", "b2")
            },
            invalid,
        ),
    ];
    for (request, expected) in cases {
        assert_eq!(code(create_repository(&bench.tcr, call(request)).await), expected);
    }
}

#[tokio::test]
async fn the_edition_limits_the_number_for_actions_and_pushes() {
    let bench = Bench::new().await;
    let id = bench.instance("demo1", "basic").await;
    bench.namespace(&id, "library", false).await;
    let place = id.clone();
    let filled = bench.store.write(move |tx| {
        let instance = crate::instances::find(tx, &place)?.unwrap();
        let row = crate::repositories::RepositoryRow::new(instance.row.created_at);
        for number in 0..1000 {
            crate::repositories::create(tx, &instance, &format!("library/app-{number}"), &row)?;
        }
        Ok::<_, crate::error::Error>(())
    });
    filled.await.unwrap();
    let over = create_repository(&bench.tcr, call(create(&id, "library", "one-more"))).await;
    assert_eq!(code(over), ErrorCode::OperationDenied);
    let pushed = bench.try_push(&id, "library/one-more", "v1", "content").await.unwrap_err();
    assert_eq!(pushed.code(), "DENIED");
    bench.push(&id, "library/app-1", "v1", "content").await;
}

#[tokio::test]
async fn a_push_makes_the_repository_and_changes_it() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    bench.push(&id, "library/app/deep", "v1", "content").await;
    bench.world.advance(Duration::seconds(2));
    bench.push(&id, "library/app/deep", "v2", "other").await;
    let shown = describe(&bench, of(&id)).await.repository_list.pop().unwrap();
    assert_eq!(shown.name, "library/app/deep");
    assert_eq!(shown.creation_time, "2024-12-10 14:04:56.806284 +0000 UTC");
    assert_eq!(shown.update_time, "2024-12-10 14:04:58.806284 +0000 UTC");
}

#[tokio::test]
async fn listings_are_narrowed_sorted_and_paged() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    bench.namespace(&id, "lib", false).await;
    for (namespace, name) in [("library", "bb"), ("library", "aa"), ("lib", "aa"), ("library", "aaa")] {
        bench.world.advance(Duration::seconds(1));
        create_repository(&bench.tcr, call(create(&id, namespace, name))).await.unwrap();
    }
    let asked = |namespace: &str, name: &str, sort: &str| DescribeRepositoriesRequest {
        namespace_name: Some(namespace.to_owned()),
        repository_name: Some(name.to_owned()),
        sort_by: Some(sort.to_owned()),
        ..of(&id)
    };
    let listed = async |request| names(describe(&bench, request).await);
    assert_eq!(listed(of(&id)).await, ["lib/aa", "library/aa", "library/aaa", "library/bb"]);
    assert_eq!(listed(asked("library", "", "")).await, ["library/aa", "library/aaa", "library/bb"]);
    assert_eq!(listed(asked("library", "aa", "")).await, ["library/aa"]);
    assert_eq!(listed(asked("", "aa", "-name")).await, ["library/aa", "lib/aa"]);
    assert_eq!(listed(asked("library", "", "-name")).await, ["library/bb", "library/aaa", "library/aa"]);
    assert_eq!(
        listed(asked("library", "", "-creation_time")).await,
        ["library/aaa", "library/aa", "library/bb"]
    );
    assert_eq!(listed(asked("missing", "", "")).await, [""; 0]);
    bench.world.advance(Duration::seconds(1));
    bench.push(&id, "library/bb", "v1", "content").await;
    assert_eq!(listed(asked("library", "", "-update_time")).await[0], "library/bb");
    let refused = describe_repositories(&bench.tcr, call(asked("", "", "size"))).await;
    assert_eq!(code(refused), ErrorCode::InvalidParameter);
    let page =
        describe(&bench, DescribeRepositoriesRequest { offset: Some(2), limit: Some(3), ..of(&id) }).await;
    assert_eq!((page.total_count, names(page)), (4, vec!["library/bb".to_owned()]));
    let missing = describe_repositories(&bench.tcr, call(of("tcr-missing1"))).await;
    assert_eq!(code(missing), ErrorCode::ResourceNotFound);
}

#[tokio::test]
async fn the_loops_of_the_known_clients_end_with_every_repository() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    let place = id.clone();
    let filled = bench.store.write(move |tx| {
        let instance = crate::instances::find(tx, &place)?.unwrap();
        let row = crate::repositories::RepositoryRow::new(instance.row.created_at);
        for number in 0..430 {
            crate::repositories::create(tx, &instance, &format!("library/app-{number}"), &row)?;
        }
        Ok::<_, crate::error::Error>(())
    });
    filled.await.unwrap();
    let page = async |offset: i64, limit: i64| {
        let request = DescribeRepositoriesRequest { offset: Some(offset), limit: Some(limit), ..of(&id) };
        let reply = describe(&bench, request).await;
        (usize::try_from(reply.total_count).unwrap(), names(reply))
    };
    // Harbor's adapter: pages of 20 from 1 until it has exactly TotalCount rows.
    let (mut harbor, mut offset) = (Vec::new(), 1);
    loop {
        let (total, names) = page(offset, 20).await;
        harbor.extend(names);
        if harbor.len() == total {
            break;
        }
        offset += 1;
        assert!(offset < 50);
    }
    // Terraform: 200 rows at a time from 0 until there are fewer.
    let (mut terraform, mut offset) = (Vec::new(), 0);
    loop {
        let (_, names) = page(offset, 200).await;
        let short = names.len() < 200;
        terraform.extend(names);
        if short {
            break;
        }
        offset += 200;
    }
    assert_eq!(harbor, terraform);
    harbor.dedup();
    assert_eq!(harbor.len(), 430);
}

#[tokio::test]
async fn a_full_repository_is_deleted_unless_the_request_forbids_it() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    bench.push(&id, "library/app", "v1", "content").await;
    let refused = delete_repository(&bench.tcr, call(delete(&id, "app", Some(false)))).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::FailedOperationPreconditionFailed);
    let words = "repository is not empty, cannot delete without ForceDelete=true";
    assert_eq!([Language::English, Language::Chinese].map(|language| refused.message(language)), [words; 2]);
    delete_repository(&bench.tcr, call(delete(&id, "app", None))).await.unwrap();
    assert_eq!(describe(&bench, of(&id)).await.total_count, 0);
    let tag = "v1".parse().unwrap();
    let left = bench.tcr.registry().manifest_info(&repository(&id, "library/app"), &tag).unwrap();
    assert_eq!(left, None);
    let again = delete_repository(&bench.tcr, call(delete(&id, "app", None))).await;
    assert_eq!(code(again), ErrorCode::ResourceNotFoundTcrResourceNotFound);
    // An empty one needs no force.
    create_repository(&bench.tcr, call(create(&id, "library", "empty"))).await.unwrap();
    delete_repository(&bench.tcr, call(delete(&id, "empty", Some(false)))).await.unwrap();
    assert_eq!(describe(&bench, of(&id)).await.total_count, 0);
}
