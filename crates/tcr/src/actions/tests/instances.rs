//! Instances: names, states, payment, listing, editions, deletion.

use rookery_api::tcr::{
    CheckInstanceNameRequest, CheckInstanceRequest, CreateInstanceRequest, DeleteInstanceRequest,
    DescribeInstanceStatusRequest, DescribeInstancesRequest, DescribeInstancesResponse,
    DescribeRegionsRequest, ErrorCode, Filter, ModifyInstanceRequest, Registry, RegistryChargePrepaid, Tag,
    TagSpecification,
};
use rookery_api::{Nulls, Structure as _};
use rookery_gateway::{CommonError, Refusal as _};
use rookery_registry::{CollectOptions, Totals};
use time::Duration;

use super::{Bench, RSA_KEY, UIN, call, call_of, code, repository};
use crate::actions::instance::check_instance::check_instance;
use crate::actions::instance::check_instance_name::check_instance_name;
use crate::actions::instance::create_instance::create_instance;
use crate::actions::instance::delete_instance::delete_instance;
use crate::actions::instance::describe_instance_status::describe_instance_status;
use crate::actions::instance::describe_instances::describe_instances;
use crate::actions::instance::describe_regions::describe_regions;
use crate::actions::instance::modify_instance::modify_instance;
use crate::actions::namespace::create_namespace::create_namespace;
use crate::actions::signature::create_signature_policy::create_signature_policy;
use crate::actions::token::create_instance_token::create_instance_token;

fn request(name: &str, edition: &str) -> CreateInstanceRequest {
    CreateInstanceRequest {
        registry_name: name.to_owned(),
        registry_type: edition.to_owned(),
        ..CreateInstanceRequest::default()
    }
}

async fn describe(bench: &Bench, request: DescribeInstancesRequest) -> DescribeInstancesResponse {
    describe_instances(&bench.tcr, call(request)).await.unwrap()
}

async fn one(bench: &Bench, id: &str) -> Option<Registry> {
    let request = DescribeInstancesRequest {
        registryids: Some(vec![id.to_owned()]),
        ..DescribeInstancesRequest::default()
    };
    describe(bench, request).await.registries.pop()
}

fn filter(name: &str, value: &str) -> DescribeInstancesRequest {
    let filter = Filter { name: name.to_owned(), values: vec![value.to_owned()] };
    DescribeInstancesRequest { filters: Some(vec![filter]), ..DescribeInstancesRequest::default() }
}

fn delete(id: &str) -> DeleteInstanceRequest {
    DeleteInstanceRequest { registry_id: id.to_owned(), ..DeleteInstanceRequest::default() }
}

fn modify(id: &str) -> ModifyInstanceRequest {
    ModifyInstanceRequest { registry_id: id.to_owned(), ..ModifyInstanceRequest::default() }
}

#[tokio::test]
async fn a_new_instance_shows_every_member() {
    let bench = Bench::new().await;
    let id = bench.instance("demo1", "premium").await;
    assert!(id.strip_prefix("tcr-").is_some_and(|rest| rest.len() == 8), "{id}");
    let shown = String::from_utf8(one(&bench, &id).await.unwrap().to_json(Nulls::Written)).unwrap();
    let expected = format!(
        r#"{{"RegistryId":"{id}","RegistryName":"demo1","RegistryType":"premium","Status":"Running","PublicDomain":"demo1.cr.localhost","CreatedAt":"2024-12-10T22:04:56+08:00","RegionName":"ap-guangzhou","RegionId":1,"EnableAnonymous":true,"TokenValidTime":87600,"InternalEndpoint":"","TagSpecification":{{"ResourceType":"instance","Tags":[]}},"ExpiredAt":"","PayMod":0,"RenewFlag":0,"DeletionProtection":false,"AIFeature":false,"EnableCosMAZ":false,"EnableCosVersioning":true}}"#
    );
    assert_eq!(shown, expected);
}

#[tokio::test]
async fn an_instance_walks_through_its_states_by_the_clock() {
    let bench = Bench::with(|options| {
        options.pending = Duration::seconds(5);
        options.deploying = Duration::seconds(30);
    })
    .await;
    let id = bench.instance("demo1", "basic").await;
    let namespace = || rookery_api::tcr::CreateNamespaceRequest {
        registry_id: id.clone(),
        namespace_name: "library".to_owned(),
        ..Default::default()
    };
    for (after, state) in
        [(0, "Pending"), (4, "Pending"), (1, "Deploying"), (29, "Deploying"), (1, "Running")]
    {
        bench.world.advance(Duration::seconds(after));
        assert_eq!(one(&bench, &id).await.unwrap().status, state);
        let status = DescribeInstanceStatusRequest { registry_ids: vec![id.clone(), "tcr-other".to_owned()] };
        let set =
            describe_instance_status(&bench.tcr, call(status)).await.unwrap().registry_status_set.unwrap();
        assert_eq!((set.len(), &*set[0].status, &*set[0].conditions[0].status), (1, state, state));
        if state != "Running" {
            let refused = create_namespace(&bench.tcr, call(namespace())).await;
            assert_eq!(code(refused), ErrorCode::OperationDenied);
            let token = rookery_api::tcr::CreateInstanceTokenRequest {
                registry_id: id.clone(),
                ..Default::default()
            };
            let refused = create_instance_token(&bench.tcr, call(token)).await;
            assert_eq!(code(refused), ErrorCode::UnsupportedOperation);
            let policy = super::policy_request(&id, RSA_KEY);
            let refused = create_signature_policy(&bench.tcr, call(policy)).await;
            assert_eq!(code(refused), ErrorCode::UnsupportedOperation);
            assert_eq!(
                code(modify_instance(&bench.tcr, call(modify(&id))).await),
                ErrorCode::OperationDenied
            );
        }
    }
    create_namespace(&bench.tcr, call(namespace())).await.unwrap();
}

#[tokio::test]
async fn names_are_refused_by_their_fault() {
    let bench = Bench::new().await;
    bench.instance("demo1", "basic").await;
    let cases = [
        ("demo2", 0, None),
        ("Demo", 1, Some(ErrorCode::InvalidParameterErrorNameIllegal)),
        ("console", 2, Some(ErrorCode::InvalidParameterErrorNameReserved)),
        ("demo1", 3, Some(ErrorCode::InvalidParameterErrorNameExists)),
    ];
    for (name, detail, refusal) in cases {
        let check = CheckInstanceNameRequest { registry_name: name.to_owned() };
        let checked = check_instance_name(&bench.tcr, call(check)).await.unwrap();
        assert_eq!((checked.is_validated, checked.detail_code), (detail == 0, detail), "{name}");
        // Names are unique over all accounts and regions.
        let created = create_instance(&bench.tcr, call_of(7, "ap-shanghai", request(name, "basic"))).await;
        match refusal {
            None => assert!(created.is_ok()),
            Some(refusal) => assert_eq!(code(created), refusal, "{name}"),
        }
    }
}

#[tokio::test]
async fn unusable_requests_for_an_instance_are_refused() {
    let bench = Bench::with(|options| options.instances_per_region = 2).await;
    let prepaid = |period, renew_flag| CreateInstanceRequest {
        registry_charge_type: Some(1),
        registry_charge_prepaid: Some(RegistryChargePrepaid { period, renew_flag }),
        ..request("demo1", "basic")
    };
    let tags = (0..11).map(|n| Tag { key: format!("k{n}"), value: "v".to_owned() }).collect();
    let tagged = CreateInstanceRequest {
        tag_specification: Some(TagSpecification { resource_type: "instance".to_owned(), tags }),
        ..request("demo1", "basic")
    };
    let cases = [
        (request("demo1", "gold"), ErrorCode::InvalidParameter),
        (
            CreateInstanceRequest { registry_charge_type: Some(2), ..request("demo1", "basic") },
            ErrorCode::InvalidParameter,
        ),
        (
            CreateInstanceRequest { registry_charge_type: Some(1), ..request("demo1", "basic") },
            ErrorCode::MissingParameter,
        ),
        (prepaid(0, 0), ErrorCode::InvalidParameter),
        (prepaid(1, 3), ErrorCode::InvalidParameter),
        (tagged, ErrorCode::InvalidParameterErrorTagOverLimit),
    ];
    for (request, expected) in cases {
        assert_eq!(code(create_instance(&bench.tcr, call(request)).await), expected);
    }
    for name in ["demo1", "demo2"] {
        bench.instance(name, "basic").await;
    }
    let over = create_instance(&bench.tcr, call(request("demo3", "basic"))).await;
    assert_eq!(code(over), ErrorCode::OperationDeniedQuotaOverLimit);
    // The quota is one of a region.
    create_instance(&bench.tcr, call_of(UIN, "ap-shanghai", request("demo3", "basic"))).await.unwrap();
}

#[tokio::test]
async fn a_prepaid_instance_is_isolated_when_its_time_is_over() {
    let bench = Bench::new().await;
    let prepaid = |name, renew_flag| CreateInstanceRequest {
        registry_charge_type: Some(1),
        registry_charge_prepaid: Some(RegistryChargePrepaid { period: 1, renew_flag }),
        ..request(name, "basic")
    };
    let manual = create_instance(&bench.tcr, call(prepaid("demo1", 0))).await.unwrap().registry_id;
    let automatic = create_instance(&bench.tcr, call(prepaid("demo2", 1))).await.unwrap().registry_id;
    let shown = one(&bench, &manual).await.unwrap();
    assert_eq!(
        (shown.pay_mod, &*shown.expired_at, &*shown.status),
        (1, "2025-01-10T22:04:56+08:00", "Running")
    );
    bench.world.advance(Duration::days(31));
    assert_eq!(one(&bench, &manual).await.unwrap().status, "Isolate");
    let renewed = one(&bench, &automatic).await.unwrap();
    assert_eq!(
        (renewed.renew_flag, &*renewed.expired_at, &*renewed.status),
        (1, "2025-02-10T22:04:56+08:00", "Running")
    );
}

#[tokio::test]
async fn listings_are_filtered_by_account_region_id_name_and_tag() {
    let bench = Bench::new().await;
    let first = bench.instance("demo1", "basic").await;
    bench.world.advance(Duration::seconds(1));
    let tags = vec![Tag { key: "env".to_owned(), value: "ci".to_owned() }];
    let tagged = CreateInstanceRequest {
        tag_specification: Some(TagSpecification { resource_type: "instance".to_owned(), tags }),
        ..request("demo2", "basic")
    };
    let second = create_instance(&bench.tcr, call(tagged)).await.unwrap().registry_id;
    create_instance(&bench.tcr, call_of(UIN, "ap-shanghai", request("demo3", "basic"))).await.unwrap();
    create_instance(&bench.tcr, call_of(7, super::REGION, request("demo4", "basic"))).await.unwrap();

    let names = |reply: DescribeInstancesResponse| {
        assert_eq!(usize::try_from(reply.total_count).unwrap(), reply.registries.len());
        reply.registries.into_iter().map(|registry| registry.registry_name).collect::<Vec<_>>()
    };
    assert_eq!(names(describe(&bench, DescribeInstancesRequest::default()).await), ["demo2", "demo1"]);
    let everywhere = DescribeInstancesRequest { all_region: Some(true), ..Default::default() };
    assert_eq!(names(describe(&bench, everywhere).await).len(), 3);
    assert_eq!(names(describe(&bench, filter("RegistryName", "demo1")).await), ["demo1"]);
    assert_eq!(names(describe(&bench, filter("RegistryName", "demo")).await), [""; 0]);
    assert_eq!(names(describe(&bench, filter("Tags", "env:ci")).await), ["demo2"]);
    let refused = describe_instances(&bench.tcr, call(filter("Zone", "1"))).await;
    assert_eq!(code(refused), ErrorCode::InvalidParameter);
    let ids = DescribeInstancesRequest {
        registryids: Some(vec![first, second, "tcr-missing1".to_owned()]),
        offset: Some(1),
        limit: Some(200),
        ..Default::default()
    };
    let page = describe(&bench, ids).await;
    assert_eq!((page.total_count, page.registries.len()), (2, 1));
    let negative = DescribeInstancesRequest { offset: Some(-1), ..Default::default() };
    assert_eq!(code(describe_instances(&bench.tcr, call(negative)).await), ErrorCode::InvalidParameter);
}

#[tokio::test]
async fn pages_of_any_size_are_pieces_of_the_same_list() {
    let bench = Bench::new().await;
    for number in 0..12 {
        let region = if number % 3 == 0 { "ap-shanghai" } else { super::REGION };
        let asked = request(&format!("demo{number:02}"), "basic");
        create_instance(&bench.tcr, call_of(UIN, region, asked)).await.unwrap();
        // Four of each moment.
        if number % 4 == 3 {
            bench.world.advance(Duration::seconds(1));
        }
    }
    create_instance(&bench.tcr, call_of(7, super::REGION, request("other", "basic"))).await.unwrap();
    for (all_region, total) in [(None, 8), (Some(true), 12)] {
        let asked = |offset: usize, limit: usize| DescribeInstancesRequest {
            all_region,
            offset: i64::try_from(offset).ok(),
            limit: i64::try_from(limit).ok(),
            ..Default::default()
        };
        let whole = describe(&bench, asked(0, 1000)).await;
        assert_eq!((whole.total_count, whole.registries.len()), (i64::try_from(total).unwrap(), total));
        let ages: Vec<_> = whole
            .registries
            .iter()
            .map(|one| (std::cmp::Reverse(&one.created_at), &one.registry_id))
            .collect();
        assert!(ages.is_sorted(), "the newest first, then by id: {ages:?}");
        for limit in 1..=total + 1 {
            for offset in 0..=total + 1 {
                let page = describe(&bench, asked(offset, limit)).await;
                let expected: Vec<_> = whole.registries.iter().skip(offset).take(limit).collect();
                assert_eq!(page.registries.iter().collect::<Vec<_>>(), expected, "{offset} {limit}");
                assert_eq!(page.total_count, whole.total_count);
            }
        }
    }
    // A row that changes keeps its place, and one that goes leaves the list.
    let oldest =
        describe(&bench, DescribeInstancesRequest { offset: Some(7), limit: Some(1), ..Default::default() });
    let oldest = oldest.await.registries.remove(0).registry_id;
    let protected = ModifyInstanceRequest { deletion_protection: Some(false), ..modify(&oldest) };
    modify_instance(&bench.tcr, call(protected)).await.unwrap();
    assert_eq!(
        describe(&bench, DescribeInstancesRequest { limit: Some(1), ..Default::default() }).await.total_count,
        8
    );
    delete_instance(&bench.tcr, call(delete(&oldest))).await.unwrap();
    let left = describe(&bench, DescribeInstancesRequest { limit: Some(1), ..Default::default() }).await;
    assert_eq!((left.total_count, left.registries.len()), (7, 1));
}

#[tokio::test]
async fn many_ids_are_found_as_few_are() {
    let bench = Bench::new().await;
    let id = bench.instance("demo1", "basic").await;
    bench.instance("demo2", "basic").await;
    for others in [0, 1, 200] {
        let missing = (0..others).map(|number| format!("tcr-missing{number}"));
        let registryids = Some(missing.chain([id.clone(), id.clone()]).collect());
        let found = describe(&bench, DescribeInstancesRequest { registryids, ..Default::default() }).await;
        assert_eq!((found.total_count, &*found.registries[0].registry_name), (1, "demo1"), "{others}");
    }
}

#[tokio::test]
async fn an_id_is_valid_for_its_owner_in_any_region() {
    let bench = Bench::new().await;
    let id =
        create_instance(&bench.tcr, call_of(UIN, "ap-shanghai", request("demo1", "basic"))).await.unwrap();
    let check = || CheckInstanceRequest { registry_id: id.registry_id.clone() };
    let own = check_instance(&bench.tcr, call(check())).await.unwrap();
    assert_eq!((own.is_validated, own.region_id), (true, 4));
    let foreign = check_instance(&bench.tcr, call_of(7, "ap-shanghai", check())).await.unwrap();
    assert_eq!((foreign.is_validated, foreign.region_id), (false, 0));
}

#[tokio::test]
async fn an_edition_can_grow_and_shrinks_only_to_what_is_used() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    let to = |edition: &str| ModifyInstanceRequest { registry_type: Some(edition.to_owned()), ..modify(&id) };
    bench.policy(&id, RSA_KEY).await;
    assert_eq!(code(modify_instance(&bench.tcr, call(to("standard"))).await), ErrorCode::OperationDenied);
    assert_eq!(code(modify_instance(&bench.tcr, call(to("gold"))).await), ErrorCode::InvalidParameter);
    let missing = ModifyInstanceRequest { registry_id: "tcr-missing1".to_owned(), ..to("basic") };
    assert_eq!(code(modify_instance(&bench.tcr, call(missing)).await), ErrorCode::InternalErrorErrNotExist);

    let other = bench.instance("demo2", "standard").await;
    for number in 0..51 {
        bench.namespace(&other, &format!("team-{number}"), false).await;
    }
    let shrink = ModifyInstanceRequest { registry_id: other.clone(), ..to("basic") };
    assert_eq!(code(modify_instance(&bench.tcr, call(shrink)).await), ErrorCode::OperationDenied);
    let grow = ModifyInstanceRequest {
        registry_id: other.clone(),
        deletion_protection: Some(true),
        enable_cos_versioning: Some(true),
        ..to("premium")
    };
    modify_instance(&bench.tcr, call(grow)).await.unwrap();
    let shown = one(&bench, &other).await.unwrap();
    assert!(shown.deletion_protection && shown.enable_cos_versioning);
    assert_eq!(shown.registry_type, "premium");
}

#[tokio::test]
async fn a_protected_instance_stays_and_a_dry_run_deletes_nothing() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    let protect = |on| ModifyInstanceRequest { deletion_protection: Some(on), ..modify(&id) };
    modify_instance(&bench.tcr, call(protect(true))).await.unwrap();
    assert_eq!(code(delete_instance(&bench.tcr, call(delete(&id))).await), ErrorCode::OperationDenied);
    modify_instance(&bench.tcr, call(protect(false))).await.unwrap();
    let dry = DeleteInstanceRequest { dry_run: Some(true), ..delete(&id) };
    let told = delete_instance(&bench.tcr, call(dry)).await.unwrap_err();
    assert_eq!(told.common(), Some(CommonError::DryRunOperation));
    assert!(one(&bench, &id).await.is_some());
    let refused = delete_instance(&bench.tcr, call(delete("tcr-missing1"))).await;
    assert_eq!(code(refused), ErrorCode::ResourceNotFound);
    let foreign = delete_instance(&bench.tcr, call_of(7, super::REGION, delete(&id))).await;
    assert_eq!(code(foreign), ErrorCode::ResourceNotFound);
}

#[tokio::test]
async fn a_deleted_instance_leaves_nothing_and_frees_its_name() {
    for delete_bucket in [false, true] {
        let bench = Bench::new().await;
        let id = bench.library().await;
        bench.policy(&id, RSA_KEY).await;
        bench.push(&id, "library/app", "v1", "content").await;
        let token = rookery_api::tcr::CreateInstanceTokenRequest {
            registry_id: id.clone(),
            token_type: Some("longterm".to_owned()),
            ..Default::default()
        };
        create_instance_token(&bench.tcr, call(token)).await.unwrap();
        let delete = DeleteInstanceRequest { delete_bucket: Some(delete_bucket), ..delete(&id) };
        delete_instance(&bench.tcr, call(delete)).await.unwrap();

        assert!(one(&bench, &id).await.is_none());
        let registry = bench.tcr.registry();
        assert_eq!(
            registry.registry_totals(&rookery_registry::RegistryId::new(id.as_str())).unwrap(),
            Totals::default()
        );
        let mut left = Vec::new();
        bench.store.export(&mut left).unwrap();
        let left = String::from_utf8(left).unwrap();
        assert!(!left.contains(&id), "{left}");
        // With DeleteBucket the bytes are gone already.
        let options = CollectOptions { older_than: Duration::ZERO, untagged_manifests: false, dry_run: true };
        let other = rookery_registry::RegistryId::new("tcr-none");
        let garbage = registry.collect(&other, options).await.unwrap();
        assert_eq!(garbage.blobs > 0, !delete_bucket, "{garbage:?}");
        assert!(
            registry
                .manifest_info(&repository(&id, "library/app"), &"v1".parse().unwrap())
                .unwrap()
                .is_none()
        );
        bench.instance("demo1", "basic").await;
    }
}

#[tokio::test]
async fn an_interrupted_deletion_is_finished_by_the_next_process() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    bench.push(&id, "library/app", "v1", "content").await;
    // The transaction of DeleteInstance, and then the process ends.
    let gone = id.clone();
    bench
        .store
        .write(move |tx| {
            let instance = crate::instances::find(tx, &gone)?.unwrap();
            crate::removals::remove(tx, &instance, true)
        })
        .await
        .unwrap();
    let registry = rookery_registry::RegistryId::new(id.as_str());
    assert!(bench.tcr.registry().registry_totals(&registry).unwrap().manifests > 0);
    let tcr = bench.restarted().await;
    tcr.work_off(crate::signing_queue::Which::All).await;
    assert_eq!(tcr.registry().registry_totals(&registry).unwrap(), Totals::default());
    assert_eq!(tcr.unfinished_removals().unwrap().len(), 0);
}

#[tokio::test]
async fn regions_are_those_of_the_catalogue() {
    let bench = Bench::new().await;
    let reply = describe_regions(&bench.tcr, call(DescribeRegionsRequest::default())).await.unwrap();
    assert_eq!(reply.total_count, reply.regions.len() as u64);
    let guangzhou = reply.regions.iter().find(|region| region.alias == "gz").unwrap();
    assert_eq!(
        (guangzhou.region_id, &*guangzhou.region_name, &*guangzhou.status),
        (1, "ap-guangzhou", "alluser")
    );
}
