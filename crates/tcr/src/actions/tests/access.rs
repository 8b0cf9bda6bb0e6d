//! The registry's questions: which instance an address means, who logs in, and what a login may touch.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use rookery_api::tcr::{
    CreateInstanceRequest, DeleteInstanceRequest, DeleteInstanceTokenRequest, ModifyInstanceRequest,
    ModifyInstanceTokenRequest, ModifyNamespaceRequest, RegistryChargePrepaid, RenewInstanceRequest,
};
use rookery_gateway::{Account, Caller, Principal, Session};
use rookery_registry::{Access, AccessError, Actions, Located, RegistryId, Subject};
use time::Duration;

use super::tokens::{create, token};
use super::{Bench, UIN, call, repository};
use crate::SUFFIX;
use crate::actions::instance::create_instance::create_instance;
use crate::actions::instance::delete_instance::delete_instance;
use crate::actions::instance::modify_instance::modify_instance;
use crate::actions::instance::renew_instance::renew_instance;
use crate::actions::namespace::modify_namespace::modify_namespace;
use crate::actions::token::create_instance_token::create_instance_token;
use crate::actions::token::delete_instance_token::delete_instance_token;
use crate::actions::token::modify_instance_token::modify_instance_token;
use crate::registry_access::RegistryAccess;
use crate::standing::{Key, Known};

pub(super) const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

pub(super) fn access(bench: &Bench) -> RegistryAccess {
    RegistryAccess::new(bench.store.clone(), bench.world.clone(), Arc::clone(&bench.rights) as _, SUFFIX)
}

async fn log_in(bench: &Bench, registry: Option<&str>, username: &str, password: &str) -> Option<Subject> {
    let registry = registry.map(RegistryId::new);
    access(bench).authenticate(registry.as_ref(), username, password).await.unwrap()
}

async fn granted(bench: &Bench, subject: Option<&Subject>, id: &str, name: &str) -> Actions {
    access(bench).grant(subject, &repository(id, name), Actions::ALL, PEER).await.unwrap()
}

#[tokio::test]
async fn an_instance_is_addressed_by_host_or_by_path() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    let access: Arc<dyn Access> = Arc::new(access(&bench));
    let by_host = Located { repository: repository(&id, "library/app"), prefix: None };
    for host in ["demo1.cr.localhost", "demo1.cr.localhost:8080", "demo1.tencentcloudcr.com"] {
        assert_eq!(access.locate(host, "library/app").unwrap(), Some(by_host.clone()), "{host}");
        assert_eq!(access.locate_host(host), Some(RegistryId::new(id.as_str())), "{host}");
    }
    let by_path = Located { prefix: Some("demo1".to_owned()), ..by_host };
    assert_eq!(access.locate("127.0.0.1:8080", "demo1/library/app").unwrap(), Some(by_path));
    for (host, name) in [
        ("127.0.0.1:8080", "library/app"),
        ("127.0.0.1:8080", "demo1"),
        ("other.cr.localhost", "demo1/library/app"),
        ("other.cr.localhost", "library/app"),
    ] {
        assert_eq!(access.locate(host, name).unwrap(), None, "{host}/{name}");
    }
    assert_eq!(access.locate_host("127.0.0.1:8080"), None);
}

#[tokio::test]
async fn an_instance_that_does_not_run_is_closed() {
    let bench = Bench::with(|options| options.pending = Duration::seconds(5)).await;
    let id = bench.instance("demo1", "premium").await;
    let access = access(&bench);
    assert!(matches!(access.locate("demo1.cr.localhost", "library/app"), Err(AccessError::Denied(_))));
    assert_eq!(access.locate_host("demo1.cr.localhost"), None);
    assert_eq!(granted(&bench, None, &id, "library/app").await, Actions::NONE);
    let refused = bench.try_push(&id, "library/app", "v1", "content").await.unwrap_err();
    assert_eq!(refused.code(), "DENIED");
    bench.world.advance(Duration::seconds(5));
    assert!(access.locate("demo1.cr.localhost", "library/app").unwrap().is_some());
}

/// With the memory of the product, as the registry asks.
fn remembering(bench: &Bench) -> RegistryAccess {
    let mut access = access(bench);
    access.standing = bench.tcr.standing.clone();
    access
}

/// Which instance a host means, asked twice: the second answer is from memory.
fn located(access: &RegistryAccess) -> Option<String> {
    let locate = || access.locate("demo1.cr.localhost", "library/app");
    let first = locate();
    assert_eq!(first.is_ok(), locate().is_ok());
    first.ok()?.map(|located| located.repository.registry().as_str().to_owned())
}

#[tokio::test]
async fn a_deleted_instance_is_not_remembered() {
    let bench = Bench::new().await;
    let id = bench.instance("demo1", "basic").await;
    let access = remembering(&bench);
    assert_eq!(located(&access), Some(id.clone()));
    let delete = DeleteInstanceRequest { registry_id: id.clone(), ..DeleteInstanceRequest::default() };
    delete_instance(&bench.tcr, call(delete)).await.unwrap();
    assert_eq!(located(&access), None);
    let other = bench.instance("demo1", "basic").await;
    assert_ne!(other, id);
    assert_eq!(located(&access), Some(other));
}

#[tokio::test]
async fn a_renewed_instance_is_open_again_at_once() {
    let bench = Bench::new().await;
    let prepaid = RegistryChargePrepaid { period: 1, renew_flag: 0 };
    let create = CreateInstanceRequest {
        registry_name: "demo1".to_owned(),
        registry_type: "basic".to_owned(),
        registry_charge_type: Some(1),
        registry_charge_prepaid: Some(prepaid.clone()),
        ..CreateInstanceRequest::default()
    };
    let id = create_instance(&bench.tcr, call(create)).await.unwrap().registry_id;
    let access = remembering(&bench);
    assert_eq!(located(&access), Some(id.clone()));
    bench.world.advance(Duration::days(32));
    assert_eq!(located(&access), None, "what is remembered ends with the time that was paid for");
    let renew = RenewInstanceRequest { registry_id: id.clone(), registry_charge_prepaid: prepaid, flag: 0 };
    renew_instance(&bench.tcr, call(renew)).await.unwrap();
    assert_eq!(located(&access), Some(id));
}

#[tokio::test]
async fn a_modified_instance_is_remembered_as_it_is() {
    let bench = Bench::new().await;
    let id = bench.instance("demo1", "basic").await;
    let access = remembering(&bench);
    let protected = || match access.standing.look(Key::Instance("demo1")) {
        Ok(Known::Instance(instance)) => Some(instance.row.deletion_protection),
        _ => None,
    };
    located(&access).unwrap();
    assert_eq!(protected(), Some(false));
    let modify = ModifyInstanceRequest {
        registry_id: id,
        deletion_protection: Some(true),
        ..ModifyInstanceRequest::default()
    };
    modify_instance(&bench.tcr, call(modify)).await.unwrap();
    assert_eq!(protected(), None);
    located(&access).unwrap();
    assert_eq!(protected(), Some(true));
}

#[tokio::test]
async fn a_token_opens_its_own_instance_only() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    let other = bench.instance("demo2", "basic").await;
    bench.namespace(&other, "library", false).await;
    let user = UIN.to_string();
    for kind in ["temp", "longterm"] {
        let password = token(&bench, &id, kind).await.token;
        let subject = log_in(&bench, Some(&id), &user, &password).await.unwrap();
        assert_eq!(subject.id, user);
        assert_eq!(granted(&bench, Some(&subject), &id, "library/app").await, Actions::ALL);
        assert_eq!(granted(&bench, Some(&subject), &other, "library/app").await, Actions::NONE);
        // At a bare host the token itself says which instance it is for.
        assert_eq!(log_in(&bench, None, &user, &password).await, Some(subject.clone()));
        assert_eq!(log_in(&bench, Some(&other), &user, &password).await, None);
        assert_eq!(log_in(&bench, Some(&id), "100000000002", &password).await, None);
        // Nothing is in a namespace that is not there, and every repository is in one.
        assert_eq!(granted(&bench, Some(&subject), &id, "missing/app").await, Actions::NONE);
        assert_eq!(granted(&bench, Some(&subject), &id, "library").await, Actions::NONE);
    }
    // No policy speaks of the root.
    assert!(bench.rights.asked.lock().is_empty());
}

#[tokio::test]
async fn a_login_may_do_what_its_maker_may() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    let owner = Account { uin: UIN, app_id: 1_251_707_795 };
    let mut as_user = call(create(&id, "temp"));
    as_user.caller = Caller::new(owner, Principal::User { uin: 7, name: "ci".into() }, "AKIDuser");
    let made = create_instance_token(&bench.tcr, as_user).await.unwrap();
    assert_eq!(made.username, "7");
    let subject = log_in(&bench, Some(&id), "7", &made.token).await.unwrap();
    assert_eq!(granted(&bench, Some(&subject), &id, "library/app").await, Actions::ALL);
    let resource = format!("qcs::tcr:ap-guangzhou:uin/{UIN}:repository/{id}/library/app");
    let asked: Vec<String> = ["PullRepository", "PushRepository", "DeleteImage"]
        .map(|operation| format!("7 tcr:{operation} {resource}"))
        .into();
    assert_eq!(*bench.rights.asked.lock(), asked);
    bench.rights.denied.lock().push(asked[1].clone());
    assert_eq!(
        granted(&bench, Some(&subject), &id, "library/app").await,
        Actions::PULL | Actions::DELETE,
        "what is refused later is refused"
    );
    assert_eq!(log_in(&bench, Some(&id), &UIN.to_string(), &made.token).await, None, "not as the root");
    let place = repository(&id, "library/app");
    let stands = |actions| access(&bench).stands(Some(&subject), &place, actions, PEER).unwrap();
    assert!(
        stands(Actions::PULL) && !stands(Actions::PUSH),
        "also of a bearer token that was given out before"
    );
}

#[tokio::test]
async fn no_login_outlives_the_temporary_key_that_made_it() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    for kind in ["temp", "longterm"] {
        let ends = bench.world.unix_seconds() + 60;
        let mut as_role = call(create(&id, kind));
        as_role.caller.principal =
            Principal::Role { id: "4611".into(), name: "deploy".into(), session: "s".into() };
        as_role.caller.session = Some(Arc::new(Session {
            issued_at: ends - 60,
            expires_at: ends,
            policy: None,
            tags: Vec::new(),
            source_identity: None,
        }));
        let made = create_instance_token(&bench.tcr, as_role).await.unwrap();
        assert_eq!(made.exp_time, ends * 1000);
        let subject = log_in(&bench, Some(&id), &made.username, &made.token).await.unwrap();
        assert_eq!(granted(&bench, Some(&subject), &id, "library/app").await, Actions::ALL);
        assert!(bench.rights.asked.lock().iter().any(|asked| asked.starts_with("4611:s tcr:Pull")));
        bench.world.advance(Duration::seconds(60));
        assert_eq!(log_in(&bench, Some(&id), &made.username, &made.token).await, None);
        assert_eq!(granted(&bench, Some(&subject), &id, "library/app").await, Actions::NONE);
    }
}

#[tokio::test]
async fn what_is_no_token_of_an_instance_opens_nothing() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    let user = UIN.to_string();
    let password = token(&bench, &id, "longterm").await.token;
    let parts: Vec<&str> = password.split('.').collect();
    let another = token(&bench, &id, "temp").await.token;
    let another: Vec<&str> = another.split('.').collect();
    for altered in [
        String::new(),
        "secret".to_owned(),
        "..".to_owned(),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}.{}", parts[0], parts[1], another[2]),
        format!("{}.{}.{}", parts[0], another[1], parts[2]),
        format!("{}.{}.{}A", parts[0], parts[1], parts[2]),
        "x".repeat(10_000),
    ] {
        assert_eq!(log_in(&bench, Some(&id), &user, &altered).await, None, "{altered}");
    }
}

#[tokio::test]
async fn tokens_end_and_so_do_their_logins() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    let user = UIN.to_string();
    let temporary = token(&bench, &id, "temp").await;
    let (kept, deleted) = (token(&bench, &id, "longterm").await, token(&bench, &id, "longterm").await);
    let mut subjects = Vec::new();
    for made in [&temporary, &kept, &deleted] {
        subjects.push(log_in(&bench, None, &user, &made.token).await.unwrap());
    }
    let switch = |enable| ModifyInstanceTokenRequest {
        registry_id: id.clone(),
        token_id: kept.token_id.clone(),
        enable: Some(enable),
        ..ModifyInstanceTokenRequest::default()
    };
    modify_instance_token(&bench.tcr, call(switch(false))).await.unwrap();
    let delete = DeleteInstanceTokenRequest { registry_id: id.clone(), token_id: deleted.token_id.clone() };
    delete_instance_token(&bench.tcr, call(delete)).await.unwrap();
    for (made, subject) in [&kept, &deleted].into_iter().zip(&subjects[1..]) {
        assert_eq!(log_in(&bench, None, &user, &made.token).await, None);
        assert_eq!(granted(&bench, Some(subject), &id, "library/app").await, Actions::NONE);
    }
    modify_instance_token(&bench.tcr, call(switch(true))).await.unwrap();
    assert!(log_in(&bench, None, &user, &kept.token).await.is_some());
    bench.world.advance(Duration::seconds(3599));
    assert_eq!(granted(&bench, Some(&subjects[0]), &id, "library/app").await, Actions::ALL);
    bench.world.advance(Duration::seconds(1));
    assert_eq!(log_in(&bench, None, &user, &temporary.token).await, None);
    assert_eq!(granted(&bench, Some(&subjects[0]), &id, "library/app").await, Actions::NONE);
    bench.world.advance(Duration::days(3650));
    assert_eq!(log_in(&bench, None, &user, &kept.token).await, None);
}

#[tokio::test]
async fn everybody_pulls_from_public_namespaces_and_nobody_else_pushes() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    let other = bench.instance("demo2", "basic").await;
    let password = token(&bench, &other, "temp").await.token;
    let foreign = log_in(&bench, None, &UIN.to_string(), &password).await;
    for public in [false, true] {
        let change = ModifyNamespaceRequest {
            registry_id: id.clone(),
            namespace_name: "library".to_owned(),
            is_public: Some(public),
            ..ModifyNamespaceRequest::default()
        };
        modify_namespace(&bench.tcr, call(change)).await.unwrap();
        let expected = if public { Actions::PULL } else { Actions::NONE };
        for subject in [None, foreign.as_ref()] {
            assert_eq!(granted(&bench, subject, &id, "library/app").await, expected);
        }
    }
}

#[tokio::test]
async fn a_push_needs_a_namespace() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    for name in ["missing/app", "library"] {
        let refused = bench.try_push(&id, name, "v1", "content").await.unwrap_err();
        assert_eq!(refused.code(), "NAME_UNKNOWN", "{name}");
    }
    let refused = bench.try_push("tcr-missing1", "library/app", "v1", "content").await.unwrap_err();
    assert_eq!(refused.code(), "NAME_UNKNOWN");
}

#[tokio::test]
async fn bearer_tokens_outlive_a_restart() {
    let bench = Bench::new().await;
    let key = |tcr: &crate::Tcr| format!("{:?}", tcr.registry());
    let restarted = bench.restarted().await;
    assert_eq!(key(&bench.tcr), key(&restarted));
    let mut kept = Vec::new();
    bench.store.export(&mut kept).unwrap();
    let kept = String::from_utf8(kept).unwrap();
    assert_eq!(kept.matches("tcr.token-key").count(), 1, "{kept}");
}
