//! Rate limits, the replay guard and the keeping of signing keys, through the whole street.

#![allow(clippy::unwrap_used, reason = "a test says what it expects by failing")]

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use parking_lot::Mutex;
use rookery_api::products::tcr;
use rookery_gateway::diagnosis::SOUGHT_PER_SECOND;
use rookery_gateway::rate::{ActionLimit, Limits};
use rookery_gateway::{
    Account, Actions, Call, Caller, Credential, CredentialError, Decision, Gateway, Identity, Language,
    Options, Principal, Question, Refusal, Resource, SecretKey,
};
use rookery_tc3::{v1, v3};
use rookery_world::World;
use serde_json::Value;
use time::{Duration, OffsetDateTime};

const NOW: i64 = 1_551_113_065;

/// Keys `AKID0`, `AKID1` … of accounts 100, 101 …, whose secrets the tests change.
#[derive(Default)]
struct Keys {
    secrets: Mutex<Vec<Option<SecretKey>>>,
}

impl Keys {
    fn of(secrets: &[&str]) -> Arc<Self> {
        let secrets = secrets.iter().map(|secret| Some(SecretKey::new((*secret).to_owned()))).collect();
        Arc::new(Self { secrets: Mutex::new(secrets) })
    }

    fn set(&self, position: usize, secret: Option<&str>) {
        self.secrets.lock()[position] = secret.map(|secret| SecretKey::new(secret.to_owned()));
    }
}

impl Identity for Keys {
    fn credential(&self, secret_id: &str, _: Option<&str>) -> Result<Credential, CredentialError> {
        let number: u64 =
            secret_id.trim_start_matches("AKID").parse().map_err(|_| CredentialError::NotFound)?;
        let secrets = self.secrets.lock();
        let secret = secrets.get(usize::try_from(number).unwrap()).cloned().flatten();
        let caller = Caller::new(Account { uin: 100 + number, app_id: 1 }, Principal::Root, secret_id);
        Ok(Credential { caller, secret_key: secret.ok_or(CredentialError::NotFound)? })
    }

    fn decide(&self, _: &Caller, _: &Question<'_>) -> Decision {
        Decision::Allowed("test".into())
    }
}

#[derive(Debug, thiserror::Error)]
#[error("never")]
struct Never;

impl Refusal for Never {
    type Code = tcr::ErrorCode;

    fn code(&self) -> tcr::ErrorCode {
        tcr::ErrorCode::InternalErrorDbError
    }

    fn message(&self, _: Language) -> String {
        String::new()
    }
}

struct Cloud {
    gateway: Gateway,
    world: World,
    keys: Arc<Keys>,
}

fn cloud(options: Options) -> Cloud {
    let mut actions = Actions::new();
    actions.add(
        |_: &Call<tcr::DescribeInstancesRequest>| vec![Resource::any()],
        |_: Call<tcr::DescribeInstancesRequest>| {
            Box::pin(async {
                Ok::<_, Never>(tcr::DescribeInstancesResponse { total_count: 0, registries: Vec::new() })
            })
        },
    );
    let world = World::pinned(OffsetDateTime::from_unix_timestamp(NOW).unwrap(), 1);
    let keys = Keys::of(&["first", "second"]);
    let gateway = Gateway::new(world.clone(), Arc::clone(&keys) as _, actions, options);
    Cloud { gateway, world, keys }
}

fn limited(rates: Limits) -> Cloud {
    cloud(Options { rates, traces: 10, ..Options::default() })
}

const fn calls(number: u32) -> Option<NonZeroU32> {
    NonZeroU32::new(number)
}

/// Who asks, and from where.
#[derive(Clone, Copy)]
struct Asker {
    key: usize,
    secret: &'static str,
    host: &'static str,
    address: [u8; 4],
}

const FIRST: Asker =
    Asker { key: 0, secret: "first", host: "tcr.tencentcloudapi.com", address: [127, 0, 0, 1] };
const SECOND: Asker = Asker { key: 1, secret: "second", ..FIRST };

impl Cloud {
    async fn ask(&self, asker: Asker) -> String {
        self.reply(asker).await["Error"]["Code"].as_str().unwrap_or("ok").to_owned()
    }

    async fn reply(&self, asker: Asker) -> Value {
        let (at, body) = (self.world.unix_seconds(), b"{}");
        let timestamp = at.to_string();
        let headers: [(&str, &[u8]); 2] =
            [("content-type", b"application/json"), ("host", asker.host.as_bytes())];
        let request = v3::Request {
            method: "POST",
            path: "/",
            query: "",
            headers: &headers,
            body,
            timestamp: &timestamp,
        };
        let date = v3::scope_date(at).unwrap();
        let id = format!("AKID{}", asker.key);
        let authorization = v3::sign(&request, &["content-type", "host"], &date, "tcr", &id, asker.secret);
        let request = Request::post("/")
            .header("host", asker.host)
            .header("content-type", "application/json")
            .header("authorization", authorization)
            .header("x-tc-action", "DescribeInstances")
            .header("x-tc-version", "2019-09-24")
            .header("x-tc-timestamp", timestamp)
            .header("x-tc-region", "ap-guangzhou");
        self.send(request.body(Full::new(Bytes::from_static(body))).unwrap(), asker).await
    }

    async fn ask_v1(&self, nonce: &str, at: i64) -> Value {
        let mut parameters: Vec<(String, String)> = [
            ("Action", "DescribeInstances"),
            ("Version", "2019-09-24"),
            ("Timestamp", &at.to_string()),
            ("Nonce", nonce),
            ("Region", "ap-guangzhou"),
            ("SecretId", "AKID0"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        let host = FIRST.host.as_bytes();
        let request = v1::Request { method: "GET", host, path: "/", parameters: &parameters };
        let signature = v1::sign(&request, v1::Method::HmacSha1, FIRST.secret);
        parameters.push((
            "Signature".to_owned(),
            signature.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D"),
        ));
        let query: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = Request::get(format!("/?{}", query.join("&")))
            .header("host", FIRST.host)
            .header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(Full::new(Bytes::new())).unwrap(), FIRST).await
    }

    async fn send(&self, request: Request<Full<Bytes>>, asker: Asker) -> Value {
        let peer = SocketAddr::new(IpAddr::from(asker.address), 1);
        let reply = self.gateway.answer(request, peer).await.into_body().collect().await.unwrap();
        serde_json::from_slice::<Value>(&reply.to_bytes()).unwrap()["Response"].take()
    }
}

#[tokio::test]
async fn an_action_has_its_limit_for_each_identity_and_access_region() {
    let cloud = limited(Limits { action: ActionLimit::Platform, ..Limits::default() });
    for _ in 0..20 {
        assert_eq!(cloud.ask(FIRST).await, "ok");
    }
    let refused = cloud.reply(FIRST).await;
    assert_eq!(refused["Error"]["Code"], "RequestLimitExceeded");
    assert_eq!(
        refused["Error"]["Message"],
        "Your current request times equals to `21` in a second, which exceeds the frequency limit `20` for a second. Please reduce the frequency of calls."
    );
    assert_eq!(cloud.ask(SECOND).await, "ok");
    assert_eq!(cloud.ask(Asker { host: "tcr.ap-tokyo.tencentcloudapi.com", ..FIRST }).await, "ok");
    cloud.world.advance(Duration::SECOND);
    assert_eq!(cloud.ask(FIRST).await, "ok");
}

#[tokio::test]
async fn accounts_and_addresses_have_limits_of_their_own() {
    let tokyo = Asker { host: "tcr.ap-tokyo.tencentcloudapi.com", ..FIRST };
    let elsewhere = Asker { address: [192, 0, 2, 1], ..FIRST };
    for (limits, refused, code, answered) in [
        (
            Limits { account: calls(1), ..Limits::default() },
            FIRST,
            "RequestLimitExceeded.UinLimitExceeded",
            [SECOND, tokyo],
        ),
        (
            Limits { account_everywhere: calls(1), ..Limits::default() },
            tokyo,
            "RequestLimitExceeded.GlobalRegionUinLimitExceeded",
            [SECOND, Asker { host: tokyo.host, ..SECOND }],
        ),
        (
            Limits { address: calls(1), ..Limits::default() },
            SECOND,
            "RequestLimitExceeded.IPLimitExceeded",
            [elsewhere, Asker { address: [192, 0, 2, 2], ..SECOND }],
        ),
    ] {
        let cloud = limited(limits);
        assert_eq!(cloud.ask(FIRST).await, "ok");
        assert_eq!(cloud.ask(refused).await, code);
        // The second of the two has a bucket of its own only where its account or address has not been counted.
        assert_eq!(cloud.ask(answered[0]).await, "ok", "{code}");
        cloud.world.advance(Duration::SECOND);
        assert_eq!(cloud.ask(answered[1]).await, "ok", "{code}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_clients_at_once_get_exactly_the_limit() {
    let limit = 100;
    let action = ActionLimit::Fixed(NonZeroU32::new(limit).unwrap());
    let cloud = Arc::new(limited(Limits { action, ..Limits::default() }));
    let start = Arc::new(tokio::sync::Barrier::new(64));
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let (cloud, start) = (Arc::clone(&cloud), Arc::clone(&start));
        clients.spawn(async move {
            start.wait().await;
            let mut answered = 0;
            for _ in 0..10 {
                match cloud.ask(FIRST).await.as_str() {
                    "ok" => answered += 1,
                    code => assert_eq!(code, "RequestLimitExceeded"),
                }
            }
            answered
        });
    }
    // The clock stands still, so not one call more or less than the limit fits.
    assert_eq!(clients.join_all().await.into_iter().sum::<u32>(), limit);
}

#[tokio::test]
async fn a_repeated_v1_request_is_answered_once_where_the_guard_is_on() {
    let guarded = cloud(Options { replay_guard: true, traces: 10, ..Options::default() });
    assert!(guarded.ask_v1("11886", NOW).await["Error"].is_null());
    let repeated = guarded.ask_v1("11886", NOW).await;
    assert_eq!(repeated["Error"]["Code"], "AuthFailure.SignatureExpire");
    assert_eq!(repeated["Error"]["Message"], "The signature is expired, please request again.");
    let cause = guarded.gateway.traces().latest(1).remove(0).likely_cause.unwrap();
    assert_eq!(cause.cause, "replayed");
    assert!(guarded.ask_v1("11887", NOW).await["Error"].is_null());
    assert!(guarded.ask_v1("11886", NOW + 1).await["Error"].is_null());
    // v3 has no nonce.
    assert_eq!(guarded.ask(FIRST).await, "ok");
    assert_eq!(guarded.ask(FIRST).await, "ok");

    let open = cloud(Options::default());
    for _ in 0..2 {
        assert!(open.ask_v1("11886", NOW).await["Error"].is_null());
    }
}

#[tokio::test]
async fn a_key_that_is_gone_or_replaced_verifies_nothing_more() {
    let cloud = cloud(Options::default());
    assert_eq!(cloud.ask(FIRST).await, "ok");
    assert_eq!(cloud.ask(FIRST).await, "ok");
    cloud.keys.set(0, Some("another"));
    assert_eq!(cloud.ask(FIRST).await, "AuthFailure.SignatureFailure");
    let replaced = Asker { secret: "another", ..FIRST };
    assert_eq!(cloud.ask(replaced).await, "ok");
    cloud.keys.set(0, None);
    assert_eq!(cloud.ask(replaced).await, "AuthFailure.SecretIdNotFound");
    assert_eq!(cloud.ask(SECOND).await, "ok");
    cloud.keys.set(0, Some("first"));
    assert_eq!(cloud.ask(FIRST).await, "ok");
    assert_eq!(cloud.ask(replaced).await, "AuthFailure.SignatureFailure");
}

#[tokio::test]
async fn a_flood_of_refusals_is_not_explained() {
    let cloud = cloud(Options { traces: 10, ..Options::default() });
    let wrong = Asker { secret: "first\n", ..FIRST };
    let cause = async || {
        assert_eq!(cloud.ask(wrong).await, "AuthFailure.SignatureFailure");
        cloud.gateway.traces().latest(1).remove(0).likely_cause.unwrap().cause
    };
    for _ in 0..SOUGHT_PER_SECOND {
        assert_eq!(cause().await, "key-white-space");
    }
    assert_eq!(cause().await, "not-sought");
    cloud.world.advance(Duration::SECOND);
    assert_eq!(cause().await, "key-white-space");
}
