//! What the clock brings: retention by the calendar, the end of accounts, renewed instances; and jobs over restarts.

use rookery_api::tcr::{
    CreateGCJobRequest, CreateServiceAccountRequest, CreateTagRetentionRuleRequest, DescribeGCJobsRequest,
    DescribeInstanceStatusRequest, DescribeTagRetentionExecutionRequest, DescribeTagRetentionRulesRequest,
    ErrorCode, Permission, RegistryChargePrepaid, RenewInstanceRequest, RetentionRule, TerminateGCJobRequest,
};
use rookery_registry::{Access as _, Actions, RegistryId};
use time::Duration;

use super::access::{PEER, access};
use super::{Bench, call, code, repository};
use crate::actions::garbage_collection::create_gc_job::create_gc_job;
use crate::actions::garbage_collection::describe_gc_jobs::describe_gc_jobs;
use crate::actions::garbage_collection::terminate_gc_job::terminate_gc_job;
use crate::actions::instance::describe_instance_status::describe_instance_status;
use crate::actions::instance::renew_instance::renew_instance;
use crate::actions::service_account::create_service_account::create_service_account;
use crate::actions::tag_retention::create_tag_retention_rule::create_tag_retention_rule;
use crate::actions::tag_retention::describe_tag_retention_execution::describe_tag_retention_execution;
use crate::actions::tag_retention::describe_tag_retention_rules::describe_tag_retention_rules;
use crate::signing_queue::Which;

fn tags(bench: &Bench, id: &str) -> Vec<String> {
    let tags = bench.tcr.registry().tags(&repository(id, "library/app"), None, 100).unwrap();
    tags.into_iter().map(|entry| entry.tag.to_string()).collect()
}

/// A daily rule that keeps one image; its number.
async fn daily(bench: &Bench, id: &str) -> i64 {
    let request = CreateTagRetentionRuleRequest {
        registry_id: id.to_owned(),
        namespace_id: 1,
        cron_setting: "daily".to_owned(),
        retention_rule: Some(RetentionRule { key: "latestPushedK".to_owned(), value: 1 }),
        ..CreateTagRetentionRuleRequest::default()
    };
    create_tag_retention_rule(&bench.tcr, call(request)).await.unwrap();
    let request = DescribeTagRetentionRulesRequest {
        registry_id: id.to_owned(),
        ..DescribeTagRetentionRulesRequest::default()
    };
    let rules = describe_tag_retention_rules(&bench.tcr, call(request)).await.unwrap().retention_policy_list;
    assert_eq!(rules[0].next_execution_time, "2024-12-11T00:00:00Z");
    rules[0].retention_id
}

#[tokio::test]
async fn a_rule_is_carried_out_by_the_calendar_once_a_day() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    for tag in ["1", "2"] {
        bench.push(&id, "library/app", tag, tag).await;
        bench.world.advance(Duration::SECOND);
    }
    let rule = daily(&bench, &id).await;
    let runs = async || {
        let request = DescribeTagRetentionExecutionRequest {
            registry_id: id.clone(),
            retention_id: rule,
            ..DescribeTagRetentionExecutionRequest::default()
        };
        let reply = describe_tag_retention_execution(&bench.tcr, call(request)).await.unwrap();
        reply.retention_execution_list.into_iter().map(|run| run.status).collect::<Vec<_>>()
    };
    bench.tcr.work_off(Which::Due).await;
    assert_eq!((tags(&bench, &id).len(), runs().await.len()), (2, 0));
    bench.world.advance(Duration::DAY);
    for _ in 0..3 {
        bench.tcr.work_off(Which::Due).await;
    }
    assert_eq!((tags(&bench, &id), runs().await), (vec!["2".to_owned()], vec!["Succeed".to_owned()]));
    // Days that nobody was there for are not made up for.
    bench.world.advance(Duration::days(5));
    for _ in 0..3 {
        bench.tcr.work_off(Which::Due).await;
    }
    assert_eq!(runs().await.len(), 2);
}

#[tokio::test]
async fn an_account_ends_with_its_time_and_so_do_its_bearer_tokens() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    let request = CreateServiceAccountRequest {
        registry_id: id.clone(),
        name: "ci".to_owned(),
        permissions: vec![Permission {
            resource: "library".to_owned(),
            actions: vec!["tcr:PullRepository".to_owned()],
        }],
        duration: Some(1),
        ..CreateServiceAccountRequest::default()
    };
    let account = create_service_account(&bench.tcr, call(request)).await.unwrap();
    assert_eq!(account.name, "tcr$ci");
    let access = access(&bench);
    let (registry, place) = (RegistryId::new(id.as_str()), repository(&id, "library/app"));
    let log_in = || access.authenticate(Some(&registry), "tcr$ci", &account.password);
    let subject = log_in().await.unwrap().expect("the account is good");
    // The second login is remembered and not hashed again; both are the same.
    assert_eq!(log_in().await.unwrap(), Some(subject.clone()));
    assert!(access.stands(Some(&subject), &place, Actions::PULL, PEER).unwrap());
    assert!(!access.stands(Some(&subject), &place, Actions::PUSH, PEER).unwrap());
    assert!(!access.stands(Some(&subject), &repository(&id, "other/app"), Actions::PULL, PEER).unwrap());
    bench.world.advance(Duration::DAY);
    assert!(!access.stands(Some(&subject), &place, Actions::PULL, PEER).unwrap());
    assert_eq!(log_in().await.unwrap(), None);
}

#[tokio::test]
async fn an_isolated_instance_runs_again_when_it_is_renewed() {
    let bench = Bench::new().await;
    let id = bench.instance("demo1", "basic").await;
    let renew = |flag, months| {
        let charge = RegistryChargePrepaid { period: months, renew_flag: 0 };
        let request = RenewInstanceRequest { registry_id: id.clone(), registry_charge_prepaid: charge, flag };
        renew_instance(&bench.tcr, call(request))
    };
    let status = async || {
        let request = DescribeInstanceStatusRequest { registry_ids: vec![id.clone()] };
        let reply = describe_instance_status(&bench.tcr, call(request)).await.unwrap();
        reply.registry_status_set.unwrap_or_default()[0].status.clone()
    };
    assert_eq!(code(renew(0, 1).await), ErrorCode::InvalidParameter);
    renew(1, 1).await.unwrap();
    assert_eq!(code(renew(1, 1).await), ErrorCode::InvalidParameter);
    bench.world.advance(Duration::days(32));
    assert_eq!(status().await, "Isolate");
    renew(0, 1).await.unwrap();
    assert_eq!(status().await, "Running");
}

#[tokio::test]
async fn a_job_is_begun_again_by_the_next_process_and_can_be_stopped_before() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    let start = || {
        create_gc_job(&bench.tcr, call(CreateGCJobRequest { registry_id: id.clone(), gc_parameters: None }))
    };
    let stop = || terminate_gc_job(&bench.tcr, call(TerminateGCJobRequest { registry_id: id.clone() }));
    start().await.unwrap();
    assert_eq!(code(start().await), ErrorCode::InternalErrorErrConflict);
    assert_eq!(stop().await.unwrap().status, "success");
    assert_eq!(stop().await.unwrap().status, "error");
    start().await.unwrap();
    let next = bench.restarted().await;
    let statuses = async || {
        let request = DescribeGCJobsRequest { registry_id: id.clone() };
        let reply = describe_gc_jobs(&next, call(request)).await.unwrap();
        reply.jobs.into_iter().map(|job| job.job_status).collect::<Vec<_>>()
    };
    assert_eq!(statuses().await, ["pending", "stopped"]);
    while statuses().await[0] != "finished" {
        next.work_off(Which::All).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(statuses().await, ["finished", "stopped"]);
}
