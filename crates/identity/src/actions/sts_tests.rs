//! Rights as their holders meet them: keys, tokens and policies over rows of CAM.

mod bench;

use rookery_api::sts::{
    AssumeRoleRequest, ErrorCode, GetCallerIdentityRequest, GetFederationTokenRequest, QueryApiKeyRequest,
    Tag,
};
use rookery_gateway::{
    Caller, Circumstances, CredentialError, Decision, Identity as _, Language, Principal, Question,
    Refusal as _,
};
use time::Duration;

use self::bench::{BOUNDARY, Bench, GROUP, ROLE, USER, document, statement, trust};
use super::sts::assume_role::{self, assume_role};
use super::sts::get_caller_identity::get_caller_identity;
use super::sts::get_federation_token::get_federation_token;
use super::sts::query_api_key::query_api_key;
use crate::cam::access_keys::{AccessKeyRow, AccessKeys};
use crate::cam::attachments::Entity;
use crate::cam::changes::Changed;
use crate::cam::groups::{GroupRow, Groups, Memberships};
use crate::cam::roles::Roles;
use crate::cam::users::Users;

fn reason(decision: Decision) -> String {
    match decision {
        Decision::Allowed(words) => words.into_owned(),
        Decision::Denied { reason, .. } => reason,
    }
}

#[tokio::test]
async fn a_user_may_what_policies_and_boundary_allow_and_the_trace_says_which() {
    let bench = Bench::new().await;
    bench.user(USER, "alice", None).await;
    let alice = bench.caller("alice");
    assert_eq!(alice.principal, Principal::User { uin: USER, name: "alice".into() });
    assert!(reason(bench.ask(&alice, "tcr:PullRepository", "repository/a/b")).contains("policies of alice"));
    assert!(bench.may(&alice, "sts:GetCallerIdentity", "*"), "everybody may ask who one is");
    bench
        .attach(Entity::User(USER), 101, &document(&[statement("allow", "tcr:*", "qcs::tcr:::repository/*")]))
        .await;
    assert_eq!(
        reason(bench.ask(&alice, "tcr:PullRepository", "repository/a/b")),
        "statement 0 of policy p101 allows"
    );
    assert!(!bench.may(&alice, "tcr:CreateInstance", "*"));
    // A group's deny is over the user's allow.
    bench
        .change(|change, scope| {
            let row = GroupRow { name: "ops".to_owned(), remark: String::new(), created_at: 0 };
            change.tx.put::<Groups>(scope, &GROUP, &row)?;
            change.tx.put::<Memberships>(scope, &(GROUP, USER), &0)?;
            change.note(Changed::User(USER));
            Ok(())
        })
        .await;
    let deny = document(&[
        statement("allow", "kms:ListKeys", "*"),
        statement("deny", "tcr:Push*", "qcs::tcr:::repository/a/*"),
    ]);
    bench.attach(Entity::Group(GROUP), 102, &deny).await;
    assert_eq!(
        reason(bench.ask(&alice, "tcr:PushRepository", "repository/a/b")),
        "statement 1 of policy p102 of group ops denies"
    );
    assert!(bench.may(&alice, "tcr:PushRepository", "repository/c/d"));
    assert!(bench.may(&alice, "kms:ListKeys", "*"));
    // A boundary takes, and gives nothing.
    bench
        .policy(
            BOUNDARY,
            &document(&[statement("allow", "tcr:Pull*", "*"), statement("allow", "cvm:*", "*")]),
        )
        .await;
    bench.user(USER, "alice", Some(BOUNDARY)).await;
    assert!(bench.may(&alice, "tcr:PullRepository", "repository/c/d"));
    assert!(reason(bench.ask(&alice, "tcr:PushRepository", "repository/c/d")).contains("boundary"));
    assert!(!bench.may(&alice, "cvm:RunInstances", "*"));
    let foreign = Question {
        operation: "tcr:PullRepository",
        resources: &["qcs::tcr::uin/1:repository/c/d".to_owned()],
        resource_tags: &[],
        request_tags: &[],
        circumstances: Circumstances::inside(bench.world.now()),
    };
    assert!(matches!(bench.cam.decide(&alice, &foreign), Decision::Denied { .. }));
}

#[tokio::test]
async fn a_boundary_that_is_gone_and_a_policy_that_cannot_be_read_allow_nothing() {
    let bench = Bench::new().await;
    bench.user(USER, "alice", Some(BOUNDARY)).await;
    let alice = bench.caller("alice");
    bench.attach(Entity::User(USER), 101, &document(&[statement("allow", "*", "*")])).await;
    assert!(!bench.may(&alice, "tcr:PullRepository", "repository/a/b"));
    bench.user(USER, "alice", None).await;
    assert!(bench.may(&alice, "tcr:PullRepository", "repository/a/b"));
    bench.attach(Entity::User(USER), 102, "{}").await;
    assert!(reason(bench.ask(&alice, "tcr:PullRepository", "repository/a/b")).contains("p102"));
}

#[tokio::test]
async fn conditions_see_tags_time_and_address() {
    let bench = Bench::new().await;
    bench.user(USER, "alice", None).await;
    let alice = bench.caller("alice");
    for (number, (condition, expected)) in [
        (r#"{"for_any_value:string_equal":{"qcs:resource_tag":["env&dev"]}}"#, true),
        (r#"{"for_any_value:string_equal":{"qcs:resource_tag":["env&prod"]}}"#, false),
        (r#"{"for_any_value:string_equal":{"qcs:principal_tag":["team&build"]}}"#, true),
        (r#"{"ip_equal":{"qcs:ip":["127.0.0.1/8"]}}"#, true),
        (r#"{"ip_equal":{"qcs:ip":["10.0.0.0/8"]}}"#, false),
        (r#"{"date_less_than":{"qcs:current_time":"2026-11-23 00:00:00"}}"#, true),
        (r#"{"date_less_than":{"qcs:current_time":"2026-11-22 00:00:00"}}"#, false),
        (r#"{"null_equal":{"qcs:request_tag":"true"}}"#, true),
        (r#"{"bool_equal":{"qcs:secure_transport":"true"}}"#, false),
    ]
    .into_iter()
    .enumerate()
    {
        let text = format!(
            r#"{{"version":"2.0","statement":[{{"effect":"allow","action":"tcr:Op{number}","resource":"*","condition":{condition}}}]}}"#
        );
        bench.attach(Entity::User(USER), 200 + number as u64, &text).await;
        assert_eq!(bench.may(&alice, &format!("tcr:Op{number}"), "instance/x"), expected, "{condition}");
    }
}

#[tokio::test]
async fn keys_and_users_that_go_take_everything_with_them() {
    let bench = Bench::new().await;
    bench.user(USER, "alice", None).await;
    bench.attach(Entity::User(USER), 101, &document(&[statement("allow", "*", "*")])).await;
    let alice = bench.caller("alice");
    let request = GetFederationTokenRequest {
        name: "cos-sts-python".to_owned(),
        policy: document(&[statement("allow", "tcr:Pull*", "*")]),
        duration_seconds: None,
    };
    let reply = get_federation_token(&bench.cam, bench.call_as(alice.clone(), request)).await.unwrap();
    assert_eq!(reply.expired_time, (bench.world.unix_seconds() + 1800).unsigned_abs());
    assert_eq!(reply.expiration.as_deref(), Some("2026-11-22T09:30:00Z"));
    let (id, token) = (reply.credentials.tmp_secret_id, reply.credentials.token);
    let federated = bench.cam.credential(&id, Some(&token)).unwrap().caller;
    assert_eq!(federated.user_id(), format!("{USER}:cos-sts-python"));
    assert!(bench.may(&federated, "tcr:PullRepository", "repository/a/b"));
    assert!(!bench.may(&federated, "tcr:PushRepository", "repository/a/b"));
    // The same token after a restart.
    assert!(bench.restarted().await.credential(&id, Some(&token)).is_ok());
    // The key behind it is disabled, and comes back.
    for (active, expected) in [(false, Err(CredentialError::Token)), (true, Ok(()))] {
        let row = AccessKeyRow { active, ..bench.key_row(USER, "AKIDalice") };
        bench
            .change(move |change, scope| {
                change.tx.put::<AccessKeys>(scope, &"AKIDalice".to_owned(), &row)?;
                change.note(Changed::Key("AKIDalice".to_owned()));
                Ok(())
            })
            .await;
        assert_eq!(bench.cam.credential(&id, Some(&token)).map(drop), expected);
        assert_eq!(bench.cam.credential("AKIDalice", None).is_ok(), active);
    }
    bench
        .change(|change, scope| {
            change.tx.delete::<Users>(scope, &USER)?;
            change.note(Changed::User(USER));
            Ok(())
        })
        .await;
    assert_eq!(bench.cam.credential(&id, Some(&token)).unwrap_err(), CredentialError::Token);
    assert!(!bench.may(&alice, "tcr:PullRepository", "repository/a/b"), "a request in flight");
    assert!(!bench.may(&alice, "sts:GetCallerIdentity", "*"));
}

#[tokio::test]
async fn tokens_belong_to_their_key_and_their_time() {
    let bench = Bench::new().await;
    bench
        .role(
            &trust(&format!(r#"{{"qcs":"qcs::cam::uin/{}:root"}}"#, bench.owner()), "sts:AssumeRole", ""),
            0,
        )
        .await;
    let issue = async || {
        let request = AssumeRoleRequest { duration_seconds: Some(60), ..bench.asking() };
        assume_role(&bench.cam, bench.call_as(bench.root(), request)).await.unwrap().credentials
    };
    let (one, other) = (issue().await, issue().await);
    let open = |id: &str, token: Option<&str>| bench.cam.credential(id, token).map(drop);
    assert_eq!(open(&one.tmp_secret_id, Some(&one.token)), Ok(()));
    assert_eq!(open(&one.tmp_secret_id, Some(&other.token)), Err(CredentialError::Token));
    assert_eq!(open(&one.tmp_secret_id, Some("x")), Err(CredentialError::Token));
    assert_eq!(open(&one.tmp_secret_id, None), Err(CredentialError::NotFound));
    let another = Bench::new().await;
    assert_eq!(
        another.cam.credential(&one.tmp_secret_id, Some(&one.token)).unwrap_err(),
        CredentialError::Token
    );
    bench.world.advance(Duration::seconds(59));
    assert_eq!(open(&one.tmp_secret_id, Some(&one.token)), Ok(()));
    bench.world.advance(Duration::seconds(1));
    assert_eq!(open(&one.tmp_secret_id, Some(&one.token)), Err(CredentialError::Token));
    bench.world.advance(Duration::seconds(-120));
    assert_eq!(open(&one.tmp_secret_id, Some(&one.token)), Err(CredentialError::Token), "from the future");
    bench.world.advance(Duration::seconds(70));
    assert_eq!(open(&other.tmp_secret_id, Some(&other.token)), Ok(()));
    bench
        .change(|change, scope| {
            change.tx.delete::<Roles>(scope, &ROLE)?;
            change.note(Changed::Role(ROLE));
            Ok(())
        })
        .await;
    assert_eq!(
        open(&other.tmp_secret_id, Some(&other.token)),
        Err(CredentialError::Token),
        "the role is gone"
    );
}

#[tokio::test]
async fn a_role_is_taken_within_its_trust_and_its_policies() {
    let bench = Bench::new().await;
    let owner = bench.owner();
    bench.user(USER, "alice", None).await;
    bench.user(USER + 1, "bob", None).await;
    let external = r#","condition":{"string_equal":{"sts:external_id":"secret"}}"#;
    bench
        .role(
            &trust(
                &format!(r#"{{"qcs":"qcs::cam::uin/{owner}:uin/{USER}"}}"#),
                "name/sts:AssumeRole",
                external,
            ),
            3600,
        )
        .await;
    let rights = document(&[statement("allow", "tcr:*", "*")]);
    bench.attach(Entity::Role(ROLE), 301, &rights).await;
    let (alice, bob) = (bench.caller("alice"), bench.caller("bob"));
    let with = |id: &str| AssumeRoleRequest { external_id: Some(id.to_owned()), ..bench.asking() };
    let refused = bench.assume(bob, with("secret")).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::UnauthorizedOperation);
    let message = refused.message(Language::English);
    assert!(
        message.contains("(sts:AssumeRole)\nresource (qcs::cam::uin/")
            && message.ends_with("roleName/deploy) has no permission\n")
    );
    for wrong in [bench.asking(), with("Secret")] {
        assert_eq!(
            bench.assume(alice.clone(), wrong).await.unwrap_err().code(),
            ErrorCode::UnauthorizedOperation
        );
    }
    let role = bench.assume(alice.clone(), with("secret")).await.unwrap();
    assert_eq!(role.arn(), format!("qcs::sts:{owner}:assumed-role/{ROLE}"));
    assert_eq!(role.user_id(), format!("{ROLE}:session.1"));
    let who = get_caller_identity(&bench.cam, bench.call_as(role.clone(), GetCallerIdentityRequest {}))
        .await
        .unwrap();
    assert_eq!((who.r#type.as_str(), who.account_id), ("CAMRole", owner.to_string()));
    assert!(bench.may(&role, "tcr:PushRepository", "repository/a/b"));
    assert!(!bench.may(&role, "kms:ListKeys", "*"));
    // A session's policy narrows, and cannot widen.
    let narrow = AssumeRoleRequest {
        policy: Some(document(&[statement("allow", "tcr:Pull*", "*"), statement("allow", "kms:*", "*")])),
        tags: Some(vec![Tag { key: "team".to_owned(), value: "x".to_owned() }]),
        source_identity: Some("alice".to_owned()),
        ..with("secret")
    };
    let narrowed = bench.assume(alice.clone(), narrow).await.unwrap();
    assert!(bench.may(&narrowed, "tcr:PullRepository", "repository/a/b"));
    assert!(
        reason(bench.ask(&narrowed, "tcr:PushRepository", "repository/a/b")).contains("the session's policy")
    );
    assert!(!bench.may(&narrowed, "kms:ListKeys", "*"));
    let session = narrowed.session.as_ref().unwrap();
    assert_eq!((session.tags[0].1.as_str(), session.source_identity.as_deref()), ("x", Some("alice")));
    assert_eq!(session.expires_at - session.issued_at, 3600, "the role's own limit is below the usual");
    let again = AssumeRoleRequest { duration_seconds: Some(3601), ..with("secret") };
    assert_eq!(
        bench.assume(alice, again).await.unwrap_err().code(),
        ErrorCode::InvalidParameterOverTimeError
    );
}

/// What a request is changed into, and how it is refused then.
type Wrong = (fn(&mut AssumeRoleRequest), ErrorCode);

fn with_policy(request: &mut AssumeRoleRequest, text: &str) {
    request.policy = Some(text.to_owned());
}

const WRONG: [Wrong; 15] = [
    (|request| request.role_arn = "deploy".to_owned(), ErrorCode::InvalidParameterParamError),
    (
        |request| request.role_arn = request.role_arn.replace("deploy", "none"),
        ErrorCode::InternalErrorGetRoleError,
    ),
    (
        |request| request.role_arn = "qcs::cam::uin/1:roleName/deploy".to_owned(),
        ErrorCode::InternalErrorGetRoleError,
    ),
    (
        |request| {
            request.role_arn = request.role_arn.replace("roleName", "role/tencentcloudServiceRoleName");
        },
        ErrorCode::InternalErrorGetRoleError,
    ),
    (|request| request.role_session_name = "a b".to_owned(), ErrorCode::InvalidParameterParamError),
    (|request| request.external_id = Some("?".to_owned()), ErrorCode::InvalidParameterParamError),
    (|request| request.source_identity = Some("?".to_owned()), ErrorCode::InvalidParameterParamError),
    (|request| request.duration_seconds = Some(43_201), ErrorCode::InvalidParameterOverTimeError),
    (|request| with_policy(request, "x"), ErrorCode::InvalidParameterStrategyFormatError),
    (|request| with_policy(request, &"x".repeat(6145)), ErrorCode::InvalidParameterPolicyTooLong),
    (
        |request| {
            let long = format!("qcs::tcr:::{}", "x".repeat(4000));
            with_policy(request, &document(&[statement("allow", "tcr:*", &long)]));
        },
        ErrorCode::InvalidParameterPolicyTooLong,
    ),
    (
        |request| with_policy(request, &document(&[statement("allow", "tcr:*", "x")])),
        ErrorCode::InvalidParameterResouceError,
    ),
    (
        |request| with_policy(request, &trust(r#"{"service":"cvm.qcloud.com"}"#, "tcr:*", "")),
        ErrorCode::InvalidParameterStrategyInvalid,
    ),
    (|request| request.token_code = Some("1".to_owned()), ErrorCode::InvalidParameterParamError),
    (
        |request| {
            request.token_code = Some("1".to_owned());
            request.serial_number = Some("qcs::cam:uin/1::mfa/softToken".to_owned());
        },
        ErrorCode::FailedOperationCheckMFAError,
    ),
];

#[tokio::test]
async fn what_a_request_for_a_role_cannot_be() {
    let bench = Bench::new().await;
    let owner = bench.owner();
    bench.role(&trust(&format!(r#"{{"qcs":"qcs::cam::uin/{owner}:root"}}"#), "sts:AssumeRole", ""), 0).await;
    for (change, expected) in WRONG {
        let mut request = bench.asking();
        change(&mut request);
        let refused = bench.assume(bench.root(), request).await.unwrap_err();
        assert_eq!(refused.code(), expected, "{refused}");
    }
    bench.role("{}", 0).await;
    let refused = bench.assume(bench.root(), bench.asking()).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::InternalErrorSystemError);
    assert!(!refused.message(Language::English).contains("trust"));
}

#[tokio::test]
async fn permission_for_a_role_is_asked_by_its_name() {
    let bench = Bench::new().await;
    bench.role("{}", 0).await;
    let owner = bench.owner();
    for arn in
        [format!("qcs::cam::uin/{owner}:roleName/deploy"), format!("qcs::cam::uin/{owner}:role/{ROLE}")]
    {
        let call = bench.call_as(bench.root(), AssumeRoleRequest { role_arn: arn, ..bench.asking() });
        let resources = assume_role::resources(&bench.cam, &call);
        let names: Vec<_> =
            resources.into_iter().map(|resource| resource.qualified("sts", "", &call.caller)).collect();
        assert_eq!(names, [format!("qcs::cam::uin/{owner}:roleName/deploy")]);
    }
}

#[tokio::test]
async fn federation_needs_a_permanent_key_and_a_policy() {
    let bench = Bench::new().await;
    bench
        .role(
            &trust(&format!(r#"{{"qcs":"qcs::cam::uin/{}:root"}}"#, bench.owner()), "sts:AssumeRole", ""),
            0,
        )
        .await;
    let request = |name: &str, policy: &str, seconds| GetFederationTokenRequest {
        name: name.to_owned(),
        policy: policy.to_owned(),
        duration_seconds: seconds,
    };
    let all = document(&[statement("allow", "*", "*")]);
    let role = bench.assume(bench.root(), bench.asking()).await.unwrap();
    let refused =
        get_federation_token(&bench.cam, bench.call_as(role, request("x", &all, None))).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::FailedOperationTempKeyNotAllowed);
    for (request, expected) in [
        (request("", &all, None), ErrorCode::InvalidParameterParamError),
        (request("x", "", None), ErrorCode::InvalidParameterStrategyFormatError),
        (request("x", &all, Some(7201)), ErrorCode::InvalidParameterOverTimeError),
    ] {
        let refused =
            get_federation_token(&bench.cam, bench.call_as(bench.root(), request)).await.unwrap_err();
        assert_eq!(refused.code(), expected);
    }
    // A user's may last longer, and has the user's rights only.
    bench.user(USER, "alice", None).await;
    let call = bench.call_as(bench.caller("alice"), request("x", &all, Some(129_600)));
    let issued = get_federation_token(&bench.cam, call).await.unwrap().credentials;
    let federated = bench.cam.credential(&issued.tmp_secret_id, Some(&issued.token)).unwrap().caller;
    assert!(!bench.may(&federated, "tcr:PullRepository", "repository/a/b"));
    assert_eq!(federated.arn(), format!("qcs::sts:{}:federated-user/{USER}", bench.owner()));
}

#[tokio::test]
async fn ids_of_keys_are_listed_with_their_state() {
    let bench = Bench::new().await;
    bench.user(USER, "alice", None).await;
    let list = async |caller: Caller, target_uin| {
        query_api_key(&bench.cam, bench.call_as(caller, QueryApiKeyRequest { target_uin })).await
    };
    let keys = list(bench.caller("alice"), None).await.unwrap().id_keys;
    assert_eq!((keys.len(), keys[0].secret_id.as_str(), keys[0].status), (1, "AKIDalice", 2));
    assert_eq!(list(bench.root(), Some(USER)).await.unwrap().id_keys.len(), 1);
    assert_eq!(list(bench.root(), None).await.unwrap().id_keys.len(), 1);
    let refused = list(bench.root(), Some(7)).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::InvalidParameterAccountNotAvaliable);
}
