//! An account with users, groups, policies and a role, made as rows, and calls in it.

use std::sync::Arc;

use rookery_api::sts::AssumeRoleRequest;
use rookery_gateway::{
    Call, Caller, Circumstances, Decision, Identity as _, Language, Principal, Question, RequestId,
};
use rookery_seal::Seal;
use rookery_store::{Account as Scope, Store};
use rookery_world::World;
use tempfile::TempDir;
use time::macros::datetime;

use crate::Cam;
use crate::actions::sts::assume_role::assume_role;
use crate::cam::access_keys::{AccessKeyRow, AccessKeys, seal_context};
use crate::cam::attachments::{AttachmentRow, Attachments, Entity};
use crate::cam::changes::{Change, Changed};
use crate::cam::error::Error as CamError;
use crate::cam::policies::{Policies, PolicyRow, PolicyVersionRow, PolicyVersions};
use crate::cam::roles::{RoleKind, RoleRow, Roles};
use crate::cam::settings::MfaFlags;
use crate::cam::users::{UserRow, Users};
use crate::sts::error::Error;

pub(super) const USER: u64 = 100_100_000_001;
pub(super) const GROUP: u64 = 100_001;
pub(super) const ROLE: u64 = 4_611_686_018_427_390_001;
pub(super) const BOUNDARY: u64 = 100_000_900;

pub(super) struct Bench {
    pub(super) cam: Arc<Cam>,
    pub(super) world: World,
    store: Store,
    seal: Seal,
    directory: TempDir,
}

pub(super) fn statement(effect: &str, action: &str, resource: &str) -> String {
    format!(r#"{{"effect":"{effect}","action":"{action}","resource":"{resource}"}}"#)
}

pub(super) fn document(statements: &[String]) -> String {
    format!(r#"{{"version":"2.0","statement":[{}]}}"#, statements.join(","))
}

pub(super) fn trust(principal: &str, action: &str, condition: &str) -> String {
    format!(
        r#"{{"version":"2.0","statement":[{{"effect":"allow","action":"{action}","principal":{principal}{condition}}}]}}"#
    )
}

impl Bench {
    pub(super) async fn new() -> Self {
        let world = World::pinned(datetime!(2026-11-22 09:00 UTC), 1);
        let (store, seal) = (Store::in_memory(), Seal::ephemeral().unwrap());
        let directory = tempfile::tempdir().unwrap();
        let cam = Cam::open(&store, &seal, &world, directory.path(), None).await.unwrap();
        Self { cam, world, store, seal, directory }
    }

    pub(super) async fn restarted(&self) -> Arc<Cam> {
        Cam::open(&self.store, &self.seal, &self.world, self.directory.path(), None).await.unwrap()
    }

    pub(super) fn owner(&self) -> u64 {
        self.cam.root().uin
    }

    pub(super) async fn change(
        &self,
        f: impl Fn(&mut Change<'_, '_>, &Scope) -> Result<(), CamError> + Send + 'static,
    ) {
        let scope = Scope { uin: self.owner() };
        self.cam.change(self.owner(), move |change| f(change, &scope)).await.unwrap();
    }

    pub(super) async fn user(&self, uin: u64, name: &str, boundary: Option<u64>) {
        let row = UserRow {
            name: name.to_owned(),
            uid: uin % 1_000_000,
            remark: String::new(),
            console_login: false,
            need_reset_password: false,
            phone: String::new(),
            country_code: String::new(),
            email: String::new(),
            created_at: 0,
            passwords: Vec::new(),
            boundary,
            mfa: MfaFlags::default(),
            tags: vec![("team".to_owned(), "build".to_owned())],
        };
        let key = self.key_row(uin, &format!("AKID{name}"));
        let secret_id = format!("AKID{name}");
        self.change(move |change, scope| {
            change.tx.put::<Users>(scope, &uin, &row)?;
            change.tx.put::<AccessKeys>(scope, &secret_id, &key)?;
            change.note(Changed::User(uin));
            change.note(Changed::Key(secret_id.clone()));
            Ok(())
        })
        .await;
    }

    pub(super) fn key_row(&self, uin: u64, secret_id: &str) -> AccessKeyRow {
        AccessKeyRow {
            uin,
            secret: self.seal.seal(&seal_context(secret_id), b"secret").unwrap(),
            created_at: 1,
            active: true,
            description: String::new(),
            given: false,
        }
    }

    pub(super) async fn attach(&self, entity: Entity, id: u64, text: &str) {
        self.policy(id, text).await;
        self.change(move |change, scope| {
            let row = AttachmentRow { at: 0, by_account: 1, by: 1, by_role: false };
            change.tx.put::<Attachments>(scope, &entity.key(id), &row)?;
            change.note(Changed::Policy(id));
            Ok(())
        })
        .await;
    }

    pub(super) async fn policy(&self, id: u64, text: &str) {
        let version = PolicyVersionRow { document: text.to_owned(), created_at: 0 };
        self.change(move |change, scope| {
            let row = PolicyRow {
                name: format!("p{id}"),
                description: String::new(),
                created_at: 0,
                updated_at: 0,
                default_version: 1,
                last_version: 1,
                tags: Vec::new(),
            };
            change.tx.put::<Policies>(scope, &id, &row)?;
            change.tx.put::<PolicyVersions>(scope, &(id, 1), &version)?;
            change.note(Changed::Policy(id));
            Ok(())
        })
        .await;
    }

    pub(super) async fn role(&self, trust: &str, session_duration: u64) {
        let row = RoleRow {
            name: "deploy".to_owned(),
            description: String::new(),
            trust: trust.to_owned(),
            created_at: 0,
            updated_at: 0,
            console_login: false,
            session_duration,
            kind: RoleKind::User,
            boundary: None,
            tags: Vec::new(),
        };
        self.change(move |change, scope| {
            change.tx.put::<Roles>(scope, &ROLE, &row)?;
            change.note(Changed::Role(ROLE));
            Ok(())
        })
        .await;
    }

    pub(super) fn call_as<R>(&self, caller: Caller, request: R) -> Call<R> {
        Call {
            request,
            caller,
            region: String::new(),
            language: Language::English,
            request_id: RequestId(self.world.uuid()),
            circumstances: Circumstances::inside(self.world.now()),
        }
    }

    pub(super) fn caller(&self, name: &str) -> Caller {
        self.cam.credential(&format!("AKID{name}"), None).unwrap().caller
    }

    pub(super) fn root(&self) -> Caller {
        Caller::new(self.cam.root(), Principal::Root, "AKIDroot")
    }

    pub(super) fn ask(&self, caller: &Caller, operation: &str, path: &str) -> Decision {
        let resource = match path {
            "*" => "*".to_owned(),
            path => format!("qcs::tcr:ap-guangzhou:uin/{}:{path}", self.owner()),
        };
        let question = Question {
            operation,
            resources: &[resource],
            resource_tags: &[vec![("env".to_owned(), "dev".to_owned())]],
            request_tags: &[],
            circumstances: Circumstances::inside(self.world.now()),
        };
        self.cam.decide(caller, &question)
    }

    pub(super) fn may(&self, caller: &Caller, operation: &str, path: &str) -> bool {
        matches!(self.ask(caller, operation, path), Decision::Allowed(_))
    }

    pub(super) async fn assume(&self, caller: Caller, request: AssumeRoleRequest) -> Result<Caller, Error> {
        let reply = assume_role(&self.cam, self.call_as(caller, request)).await?;
        assert!(reply.expired_time > self.world.unix_seconds());
        let credentials = reply.credentials;
        let found = self.cam.credential(&credentials.tmp_secret_id, Some(&credentials.token)).unwrap();
        assert_eq!(found.secret_key.reveal(), credentials.tmp_secret_key);
        Ok(found.caller)
    }

    pub(super) fn asking(&self) -> AssumeRoleRequest {
        AssumeRoleRequest {
            role_arn: format!("qcs::cam::uin/{}:roleName/deploy", self.owner()),
            role_session_name: "session.1".to_owned(),
            ..AssumeRoleRequest::default()
        }
    }
}
