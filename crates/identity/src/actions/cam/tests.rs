//! What clients cannot easily see: quotas, races, and what is written down.

use std::sync::Arc;

use rookery_api::ErrorCode as _;
use rookery_api::cam::{
    AddUserRequest, CreateAccessKeyRequest, CreateGroupRequest, CreatePolicyRequest, CreateRoleRequest,
    UpdateAccessKeyRequest,
};
use rookery_gateway::{
    Call, Caller, Circumstances, CredentialError, Identity as _, Language, Principal, Refusal as _, RequestId,
};
use rookery_seal::Seal;
use rookery_store::{Account, Read, Store};
use rookery_world::World;
use tempfile::TempDir;
use time::OffsetDateTime;

use super::access_key::create_access_key::create_access_key;
use super::access_key::update_access_key::update_access_key;
use super::group::create_group::create_group;
use super::policy::create_policy::create_policy;
use super::role::create_role::create_role;
use super::user::add_user::add_user;
use crate::Cam;
use crate::cam::error::Error;
use crate::cam::groups::{GROUPS, GroupRow, Groups};
use crate::cam::policies::{POLICIES, Policies, PolicyRow};
use crate::cam::roles::{ROLES, RoleKind, RoleRow, Roles};
use crate::cam::settings::MfaFlags;
use crate::cam::users::{MOST, UserRow, Users};
use crate::root_key::RootKey;

struct Scene {
    cam: Arc<Cam>,
    store: Store,
    seal: Seal,
    directory: TempDir,
}

impl Scene {
    async fn new() -> Self {
        let (store, seal) = (Store::in_memory(), Seal::ephemeral().unwrap());
        let directory = tempfile::tempdir().unwrap();
        let cam = Cam::open(&store, &seal, &World::system(), directory.path(), None).await.unwrap();
        Self { cam, store, seal, directory }
    }

    fn scope(&self) -> Account {
        Account { uin: self.cam.root().uin }
    }

    fn call<R>(&self, request: R) -> Call<R> {
        Call {
            request,
            caller: Caller::new(self.cam.root(), Principal::Root, "AKIDroot"),
            region: String::new(),
            language: Language::English,
            request_id: RequestId(World::system().uuid()),
            circumstances: Circumstances {
                source: [127, 0, 0, 1].into(),
                now: OffsetDateTime::UNIX_EPOCH,
                secure: None,
            },
        }
    }

    async fn add(&self, name: &str) -> Result<u64, Error> {
        let request = AddUserRequest { name: name.to_owned(), ..AddUserRequest::default() };
        Ok(add_user(&self.cam, self.call(request)).await?.uin)
    }

    async fn key(&self, uin: u64) -> Result<String, Error> {
        let request = CreateAccessKeyRequest { target_uin: Some(uin), description: None };
        let reply = create_access_key(&self.cam, self.call(request)).await?;
        Ok(reply.access_key.unwrap().access_key_id)
    }

    /// As many users, groups, policies and roles as an account may have.
    async fn fill(&self) {
        let scope = self.scope();
        let fill = move |tx: &mut rookery_store::Transaction<'_>| {
            for number in 0..MOST as u64 {
                tx.put::<Users>(&scope, &(number + 1), &user(number))?;
            }
            for number in 0..GROUPS as u64 {
                let row = GroupRow { name: format!("group-{number}"), remark: String::new(), created_at: 0 };
                tx.put::<Groups>(&scope, &number, &row)?;
            }
            for number in 0..POLICIES as u64 {
                let row = PolicyRow {
                    name: format!("policy-{number}"),
                    description: String::new(),
                    created_at: 0,
                    updated_at: 0,
                    default_version: 1,
                    last_version: 1,
                    tags: Vec::new(),
                };
                tx.put::<Policies>(&scope, &(number + 1_000), &row)?;
            }
            for number in 0..ROLES as u64 {
                let row = RoleRow {
                    name: format!("role-{number}"),
                    description: String::new(),
                    trust: String::new(),
                    created_at: 0,
                    updated_at: 0,
                    console_login: false,
                    session_duration: 0,
                    kind: RoleKind::User,
                    boundary: None,
                    tags: Vec::new(),
                };
                tx.put::<Roles>(&scope, &number, &row)?;
            }
            Ok::<_, rookery_store::StoreError>(())
        };
        self.store.write(fill).await.unwrap();
    }

    /// Everything that is kept, as an export has it.
    fn kept(&self) -> String {
        let mut text = Vec::new();
        self.store.export(&mut text).unwrap();
        String::from_utf8(text).unwrap()
    }
}

fn user(uid: u64) -> UserRow {
    UserRow {
        name: format!("user-{uid}"),
        uid,
        remark: String::new(),
        console_login: false,
        need_reset_password: false,
        phone: String::new(),
        country_code: String::new(),
        email: String::new(),
        created_at: 0,
        passwords: Vec::new(),
        boundary: None,
        mfa: MfaFlags::default(),
        tags: Vec::new(),
    }
}

#[tokio::test]
async fn every_quota_ends_with_its_own_code() {
    let scene = Scene::new().await;
    scene.fill().await;
    let name = || "one-more".to_owned();
    let refused = scene.add(&name()).await.unwrap_err();
    assert_eq!(refused.code().name(), "InvalidParameter.SubUserFull");
    let group = CreateGroupRequest { group_name: name(), remark: None };
    let refused = create_group(&scene.cam, scene.call(group)).await.unwrap_err();
    assert_eq!(refused.code().name(), "InvalidParameter.GroupFull");
    let policy = CreatePolicyRequest {
        policy_name: name(),
        policy_document:
            r#"{"version":"2.0","statement":[{"effect":"allow","action":["*"],"resource":["*"]}]}"#.to_owned(),
        description: None,
        tags: None,
    };
    let refused = create_policy(&scene.cam, scene.call(policy)).await.unwrap_err();
    assert_eq!(refused.code().name(), "FailedOperation.PolicyFull");
    let role = CreateRoleRequest {
        role_name: name(),
        policy_document: r#"{"version":"2.0","statement":[{"effect":"allow","action":"name/sts:AssumeRole","principal":{"service":["cvm.qcloud.com"]}}]}"#
            .to_owned(),
        ..CreateRoleRequest::default()
    };
    let refused = create_role(&scene.cam, scene.call(role)).await.unwrap_err();
    assert_eq!(refused.code().name(), "InvalidParameter.RoleFull");
}

#[tokio::test]
async fn of_many_keys_made_at_once_two_are() {
    let scene = Scene::new().await;
    let uin = scene.add("busy").await.unwrap();
    let made = futures_util::future::join_all((0..6).map(|_| scene.key(uin))).await;
    let refused: Vec<_> = made.iter().filter_map(|made| made.as_ref().err()).collect();
    assert_eq!(refused.len(), 4);
    assert!(refused.iter().all(|error| matches!(error, Error::KeysFull)));
    for id in made.iter().flatten() {
        assert!(scene.cam.credential(id, None).is_ok());
    }
}

#[tokio::test]
async fn a_change_whose_client_goes_away_is_still_told() {
    let scene = Scene::new().await;
    let uin = scene.add("leaver").await.unwrap();
    let id = scene.key(uin).await.unwrap();
    let request = UpdateAccessKeyRequest {
        access_key_id: id.clone(),
        status: "Inactive".to_owned(),
        target_uin: Some(uin),
    };
    {
        let call = update_access_key(&scene.cam, scene.call(request));
        // Polled once, so that the change is on its way, and dropped: the connection is gone.
        assert!(futures_util::FutureExt::now_or_never(call).is_none());
    }
    for _ in 0..10_000 {
        if scene.cam.credential(&id, None).is_err() {
            break;
        }
        tokio::task::yield_now().await;
        std::thread::yield_now();
    }
    assert_eq!(scene.cam.credential(&id, None).unwrap_err(), CredentialError::NotFound);
}

#[tokio::test]
async fn neither_passwords_nor_secrets_are_kept_as_text() {
    let scene = Scene::new().await;
    let request = AddUserRequest {
        name: "secretive".to_owned(),
        console_login: Some(1),
        use_api: Some(1),
        password: Some("Open-sesame-1".to_owned()),
        ..AddUserRequest::default()
    };
    let reply = add_user(&scene.cam, scene.call(request)).await.unwrap();
    let kept = scene.kept();
    // Keys of rows are written in hexadecimal digits.
    assert!(kept.contains("secretive") && kept.contains(&hex::encode(&reply.secret_id)));
    for secret in ["Open-sesame-1", &reply.secret_key] {
        assert!(!kept.contains(secret) && !kept.contains(&hex::encode(secret)));
    }
    let row = scene.store.read(|view| view.get::<Users>(&scene.scope(), &reply.uin)).unwrap().unwrap();
    assert!(row.passwords[0].is_of("Open-sesame-1"));
}

#[tokio::test]
async fn the_roots_first_key_stays_its_own_beside_a_second() {
    let scene = Scene::new().await;
    let first = RootKey::read(scene.directory.path(), &scene.seal).unwrap();
    let second = scene.key(scene.cam.root().uin).await.unwrap();
    let again =
        Cam::open(&scene.store, &scene.seal, &World::system(), scene.directory.path(), None).await.unwrap();
    assert!(again.credential(&first.secret_id, None).is_ok() && again.credential(&second, None).is_ok());
    assert_eq!(RootKey::read(scene.directory.path(), &scene.seal).unwrap(), first);
    let pinned = RootKey::new("AKIDpinned".to_owned(), "key".to_owned()).unwrap();
    let pinned = Cam::open(&scene.store, &scene.seal, &World::system(), scene.directory.path(), Some(pinned))
        .await
        .unwrap();
    assert!(pinned.credential("AKIDpinned", None).is_ok() && pinned.credential(&second, None).is_ok());
    assert_eq!(pinned.credential(&first.secret_id, None).unwrap_err(), CredentialError::NotFound);
}
