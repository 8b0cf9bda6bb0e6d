//! The common errors: each that the gateway produces, by a request that meets it, to the letter in both languages; and the order in which
//! they are met.

#![allow(clippy::unwrap_used, reason = "a test says what it expects by failing")]

mod kit;

use std::num::NonZeroU32;

use kit::{Draft, NOW, Sent, UNAVAILABLE_ID, gateway, gateway_at, laboratory, options, v1_request};
use rookery_gateway::arrival::{GET_LIMIT, V1_BODY_LIMIT};
use rookery_gateway::rate::{ActionLimit, Limits};
use rookery_gateway::reply::REPLY_LIMIT;
use rookery_gateway::{Gateway, Options};

/// An error as the platform's table has it, and a request that meets it.
struct Case {
    code: &'static str,
    english: &'static str,
    chinese: &'static str,
    request: Sent,
}

fn case(code: &'static str, english: &'static str, chinese: &'static str, request: Sent) -> Case {
    Case { code, english, chinese, request }
}

/// A request of a product with regions; nothing of it is registered here.
fn regional(region: Option<&str>) -> Draft {
    let draft = Draft {
        host: "tcr.tencentcloudapi.com".to_owned(),
        service: "tcr".to_owned(),
        ..Draft::post("DescribeInstances", "{}")
    };
    region.map_or(draft.clone(), |region| draft.header("X-TC-Region", region.as_bytes()))
}

fn version_of_tcr(sent: Sent) -> Sent {
    sent.with("X-TC-Version", Some("2019-09-24"))
}

fn callers() -> Vec<Case> {
    let v1_large = v1_request("POST", &[("Action", "Echo")]).body(&vec![b'&'; V1_BODY_LIMIT + 1]);
    vec![
        case(
            "AuthFailure.InvalidAuthorization",
            "The request `Authorization` header does not conform to tencentcloud standards: `Service` in Credential not valid.",
            "请求头部的`Authorization`不符合腾讯云标准。",
            Draft { service: "127".to_owned(), ..regional(None) }.sign(),
        ),
        case(
            "AuthFailure.SecretIdNotFound",
            "The SecretId is not found, please ensure that your SecretId is correct.",
            "SecretId不存在，请输入正确的密钥。",
            Draft { secret_id: "AKIDnobody".to_owned(), ..Draft::post("Echo", "{}") }.sign(),
        ),
        case(
            "AuthFailure.SignatureExpire",
            "The signature is expired, please request again.",
            "签名过期。Timestamp和服务器时间相差不得超过五分钟，请检查本地时间是否和标准时间同步。",
            Draft { timestamp: NOW - 301, ..Draft::post("Echo", "{}") }.sign(),
        ),
        case(
            "AuthFailure.SignatureFailure",
            "The provided credentials could not be validated. Please check your signature is correct.",
            "请求签名验证失败，请检查您的签名计算是否正确。",
            Draft::post("Echo", "{}").sign().body(b"{ }"),
        ),
        case(
            "AuthFailure.SignatureFailure",
            "The provided credentials could not be validated because of exceeding request size limit, please use new signature method `TC3-HMAC-SHA256`.",
            "由于请求包大小超过限制，请求签名验证失败，请使用新的签名方法 `TC3-HMAC-SHA256`。",
            v1_large,
        ),
        case(
            "AuthFailure.TokenFailure",
            "Token verification failed, please check if your Token is correct.",
            "token错误。",
            Draft::post("Echo", "{}").header("X-TC-Token", b"t").sign(),
        ),
        case(
            "InternalError",
            "An internal error has occurred. Retry your request, but if the problem persists, contact us.",
            "内部服务错误，请稍后重试。",
            Draft { secret_id: UNAVAILABLE_ID.to_owned(), ..Draft::post("Echo", "{}") }.sign(),
        ),
        case(
            "UnsupportedProtocol",
            "HTTP(S) request protocol error; only GET and POST requests are supported.",
            "http(s)请求协议错误，只支持GET和POST请求。",
            Draft::post("Echo", "{}").sign().method("PUT"),
        ),
        case(
            "RequestSizeLimitExceeded",
            "The request size exceeds the upper limit.",
            "请求包超过限制大小。",
            Draft::get("Echo", "").sign().body(&vec![b' '; GET_LIMIT]),
        ),
    ]
}

fn common_parameters() -> Vec<Case> {
    let v1 = |parameters: &[(&str, &str)]| v1_request("GET", parameters);
    vec![
        case(
            "MissingParameter",
            "The request header is missing a required common parameter `X-TC-Action`.",
            "请求头部缺少必传的公共参数 `X-TC-Action`。",
            Draft::post("Echo", "{}").sign().with("X-TC-Action", None),
        ),
        case(
            "MissingParameter",
            "The request is missing a required parameter `Timestamp`.",
            "请求缺少必传参数 `Timestamp`。",
            v1(&[("Action", "Echo"), ("Timestamp", "")]),
        ),
        case(
            "InvalidParameter",
            "Parameter `Nonce` type error.",
            "参数 `Nonce` 取值类型错误。",
            v1(&[("Action", "Echo"), ("Nonce", "-1")]),
        ),
        case(
            "InvalidParameter",
            "Parameter `X-TC-Region` format invalid.",
            "参数 `X-TC-Region` 格式非法。",
            Draft::post("Echo", "{}").header("X-TC-Region", b"\xff").sign(),
        ),
        case(
            "InvalidParameter",
            "Parameter `X-TC-Region` input repeated.",
            "参数 `X-TC-Region` 重复输入。",
            Draft::post("Echo", "{}").header("X-TC-Region", b"a").header("X-TC-Region", b"b").sign(),
        ),
        case(
            "InvalidParameterValue",
            "A value specified in `X-TC-Region` is not valid, is unsupported, or cannot be used.",
            "参数 `X-TC-Region` 取值错误。",
            version_of_tcr(regional(Some("ap-atlantis")).sign()),
        ),
        case(
            "InvalidParameterValue",
            "The value specified in `X-TC-Content-SHA256` is not correct.",
            "参数 `X-TC-Content-SHA256` 计算值不正确。",
            Draft::post("Echo", "{}").header("X-TC-Content-SHA256", b"00").sign(),
        ),
        case(
            "UnsupportedRegion",
            "The action not support this region.",
            "接口不支持所传地域。",
            version_of_tcr(regional(Some("na-toronto")).sign()),
        ),
        case(
            "MissingParameter",
            "The request header is missing a required common parameter `X-TC-Region`.",
            "请求头部缺少必传的公共参数 `X-TC-Region`。",
            version_of_tcr(regional(None).sign()),
        ),
    ]
}

fn actions() -> Vec<Case> {
    let nosuch = Draft { host: "nosuch.tencentcloudapi.com".to_owned(), ..Draft::post("Echo", "{}") };
    let nobody =
        Draft { host: "127.0.0.1".to_owned(), service: "127".to_owned(), ..Draft::post("Ecco", "{}") };
    vec![
        case(
            "ActionOffline",
            "This API has been deprecated.",
            "接口已下线。",
            Draft::post("Gone", "{}").sign(),
        ),
        case(
            "InvalidAction",
            "The request action=`Ecco` is invalid or not found in service=`lab` and version=`2026-01-01`.",
            "接口不存在。",
            Draft::post("Ecco", "{}").sign(),
        ),
        case("InvalidAction", "The request `Action` is invalid or not found.", "接口不存在。", nobody.sign()),
        case("NoSuchProduct", "The product does not exist.", "产品不存在。", nosuch.sign()),
        case(
            "NoSuchVersion",
            "The specified api version=`2019-07-22` does not exist in service=`lab`.",
            "接口版本不存在。",
            Draft::post("Echo", "{}").sign().with("X-TC-Version", Some("2019-07-22")),
        ),
        case(
            "UnsupportedOperation",
            "Rookery does not implement `Unbuilt` yet; the evidence page lists what it does.",
            "操作不支持：Rookery 尚未实现 `Unbuilt`。",
            Draft::post("Unbuilt", "{}").sign(),
        ),
        case(
            "ResponseSizeLimitExceeded",
            "The response size exceeds the upper limit.",
            "返回包超过限制大小。",
            Draft::post("Large", &format!("{{\"Size\":{REPLY_LIMIT}}}")).sign(),
        ),
    ]
}

fn parameters() -> Vec<Case> {
    let part = b"--B\r\nContent-Disposition: form-data; name=\"Name\"\r\nContent-Type: application/json\r\n\r\n{\r\n--B--";
    let multipart = |body: &[u8]| Draft::typed("Upload", "multipart/form-data; boundary=B", body).sign();
    let get = |query: &str| Draft::get("Echo", query).sign();
    vec![
        case(
            "InvalidParameter",
            "Parameter `Text` format invalid.",
            "参数 `Text` 格式非法。",
            get("Text=%FF"),
        ),
        case(
            "InvalidParameter",
            "Parameter `Int` input repeated.",
            "参数 `Int` 重复输入。",
            get("Int=1&Int=1"),
        ),
        case(
            "InvalidParameter",
            "Parameter `Name` invalid json format.",
            "参数 `Name` 是非法的Json格式。",
            multipart(part),
        ),
        case(
            "InvalidParameter",
            "Parameter `Texts` invalid array format, array index must be continuous and starts with 0.",
            "参数 `Texts` 是非法是数组格式，数组下标必须是连续的而且从0下标开始。",
            get("Texts.1=a"),
        ),
        case(
            "InvalidParameter",
            "The value type of parameter `Text` is not valid, input type should be `string`",
            "参数 `Text` 取值类型错误。",
            Draft::post("Echo", r#"{"Text":7}"#).sign(),
        ),
        case(
            "InvalidParameter",
            "Url key and value should be splited by `=`.",
            "参数错误，请求URL中参数key和value必须以 `=` 分隔。",
            get("Text"),
        ),
        case(
            "InvalidParameter",
            "The request has a parameter key which is empty string.",
            "参数错误，请求参数key不能为空字符串。",
            get("=a"),
        ),
        case(
            "InvalidParameter",
            "The request content not valid json format for specified content-type=application/json.",
            "对于指定content-type=application/json协议下，请求内容不是合法的Json格式。",
            Draft::post("Echo", "{").sign(),
        ),
        case(
            "DryRunOperation",
            "DryRun Operation. It means that the request would have succeeded, but the DryRun parameter was used.",
            "DryRun操作，代表请求将会是成功的，只是多传了DryRun参数。",
            Draft::post("Rehearse", "{}").sign(),
        ),
        case(
            "InvalidRequest",
            "The multipart format of the request body is incorrect.",
            "请求body的multipart格式错误。",
            multipart(b"--B"),
        ),
        case(
            "MissingParameter",
            "The request is missing a required parameter `Size`.",
            "请求缺少必传参数 `Size`。",
            Draft::post("Large", "{}").sign(),
        ),
        case(
            "UnknownParameter",
            "The parameter `$schema` is not recognized.",
            "未知参数错误，用户多传未定义的参数会导致错误。",
            Draft::post("Echo", r#"{"$schema":1}"#).sign(),
        ),
    ]
}

#[tokio::test]
async fn every_error_is_the_tables_in_both_languages() {
    let cases = [callers(), common_parameters(), actions(), parameters()];
    for Case { code, english, chinese, request } in cases.into_iter().flatten() {
        let expected = (code.to_owned(), english.to_owned());
        assert_eq!(request.clone().error(&gateway()).await, expected);
        let english_asked = request.clone().with("X-TC-Language", Some("en-US"));
        assert_eq!(english_asked.error(&gateway()).await, expected);
        let chinese_asked = request.with("X-TC-Language", Some("zh-CN"));
        assert_eq!(chinese_asked.error(&gateway()).await, (code.to_owned(), chinese.to_owned()));
    }
}

#[tokio::test]
async fn v1_asks_for_its_language_with_a_parameter() {
    let repeated = |language| [("Action", "Echo"), ("Language", language), ("Nope", "1")];
    for (language, expected) in [
        ("en-US", "The parameter `Nope` is not recognized."),
        ("", "The parameter `Nope` is not recognized."),
        ("zh-CN", "未知参数错误，用户多传未定义的参数会导致错误。"),
    ] {
        assert_eq!(v1_request("GET", &repeated(language)).error(&gateway()).await.1, expected);
    }
    let expected = "A value specified in `Language` is not valid, is unsupported, or cannot be used.";
    let expected = ("InvalidParameterValue".to_owned(), expected.to_owned());
    assert_eq!(v1_request("GET", &repeated("fr-FR")).error(&gateway()).await, expected);
    let v3 = Draft::post("Echo", "{}").header("X-TC-Language", b"fr-FR").sign();
    assert_eq!(v3.code(&gateway()).await, "InvalidParameterValue");
}

#[tokio::test]
async fn a_denied_resource_is_named() {
    let reply =
        Draft::post("Forbidden", "{}").header("X-TC-Language", b"zh-CN").sign().answer(&gateway()).await;
    assert_eq!(reply["Error"]["Code"], "UnauthorizedOperation");
    let id = reply["RequestId"].as_str().unwrap();
    let expected = format!(
        "[request id:{id}]you are not authorized to perform operation (lab:Forbidden)\nresource (qcs::lab::uin/100:thing/forbidden) has no permission\n"
    );
    assert_eq!(reply["Error"]["Message"], expected);
}

fn guarded() -> Gateway {
    let (allow, deny) = ("10.0.0.0/8".parse().unwrap(), "10.9.0.0/16".parse().unwrap());
    let options = Options { allow: vec![allow], deny: vec![deny], ..options() };
    gateway_at(NOW, None, laboratory::actions(), options)
}

#[tokio::test]
async fn networks_are_let_in_or_kept_out() {
    let gateway = guarded();
    for (peer, language, code, message) in [
        ([10, 1, 2, 3], "en-US", "", ""),
        ([10, 9, 0, 1], "en-US", "IpInBlacklist", "Your IP is in uin IP blacklist."),
        ([10, 9, 0, 1], "zh-CN", "IpInBlacklist", "IP地址在黑名单中。"),
        ([127, 0, 0, 1], "en-US", "IpNotInWhitelist", "Your IP is not in uin IP whitelist."),
        ([127, 0, 0, 1], "zh-CN", "IpNotInWhitelist", "IP地址不在白名单中。"),
    ] {
        let sent = Draft::post("Echo", "{}").header("X-TC-Language", language.as_bytes()).sign();
        let reply = sent.answer_from(&gateway, peer).await;
        assert_eq!(reply["Error"]["Code"].as_str().unwrap_or_default(), code);
        assert_eq!(reply["Error"]["Message"].as_str().unwrap_or_default(), message);
    }
    let skipped = Draft::post("AssumeRoleWithSAML", "{}").sign().with("Authorization", Some("SKIP"));
    assert_eq!(skipped.code(&gateway).await, "IpNotInWhitelist", "unsigned calls as well");
}

#[tokio::test]
async fn each_limit_has_its_own_code() {
    let one = NonZeroU32::new(1);
    let action = ActionLimit::Fixed(NonZeroU32::MIN);
    let off = Limits::default();
    for (rates, code, english, chinese) in [
        (
            Limits { action, ..off },
            "RequestLimitExceeded",
            "Your current request times equals to `2` in a second, which exceeds the frequency limit `1` for a second. Please reduce the frequency of calls.",
            "您当前每秒请求 `2` 次，超过了每秒频率上限 `1`，请稍后重试。",
        ),
        (
            Limits { address: one, ..off },
            "RequestLimitExceeded.IPLimitExceeded",
            "The number of ip requests exceeds the frequency limit.",
            "IP限频。",
        ),
        (
            Limits { account: one, ..off },
            "RequestLimitExceeded.UinLimitExceeded",
            "The number of uin requests exceeds the frequency limit.",
            "主账号限频。",
        ),
        (
            Limits { account_everywhere: one, ..off },
            "RequestLimitExceeded.GlobalRegionUinLimitExceeded",
            "Uin exceeds the frequency limit.",
            "主账号超过频率限制。",
        ),
    ] {
        for (language, message) in [("en-US", english), ("zh-CN", chinese)] {
            let gateway = gateway_at(NOW, None, laboratory::actions(), Options { rates, ..options() });
            // The call over the limit is told so before its parameters are looked at.
            assert_eq!(Draft::post("Echo", "{}").sign().code(&gateway).await, "ok");
            let over = Draft::post("Echo", "{").header("X-TC-Language", language.as_bytes()).sign();
            assert_eq!(over.error(&gateway).await, (code.to_owned(), message.to_owned()));
            let unbuilt = Draft::post("Unbuilt", "{}").sign();
            assert_eq!(
                unbuilt.code(&gateway).await,
                "UnsupportedOperation",
                "what is not there is not counted"
            );
        }
    }
}

/// One mistake, at one step of `docs/protocol/order-of-checks.md`.
struct Step {
    name: &'static str,
    code: &'static str,
    /// What goes wrong before the request is signed.
    draft: fn(&mut Draft),
    /// What goes wrong after.
    sent: fn(Sent) -> Sent,
}

fn as_it_is(sent: Sent) -> Sent {
    sent
}

fn right(_: &mut Draft) {}

/// Every step that a request of a product with regions meets, in order, up to the registered action.
const STEPS: [Step; 15] = [
    Step { name: "method", code: "UnsupportedProtocol", draft: right, sent: |sent| sent.method("PUT") },
    Step {
        name: "size",
        code: "RequestSizeLimitExceeded",
        draft: right,
        sent: |sent| sent.body(&vec![b' '; 10 * 1024 * 1024 + 1]),
    },
    Step { name: "network", code: "IpNotInWhitelist", draft: right, sent: as_it_is },
    Step {
        name: "common parameters",
        code: "MissingParameter",
        draft: right,
        sent: |sent| sent.with("X-TC-Version", None),
    },
    Step {
        name: "form of Authorization",
        code: "AuthFailure.InvalidAuthorization",
        draft: right,
        sent: |sent| {
            let (_, value) = sent.headers.iter().find(|(name, _)| name == "Authorization").unwrap();
            let value = String::from_utf8(value.clone()).unwrap();
            let (unfinished, _) = value.split_once(", Signature=").unwrap();
            sent.with("Authorization", Some(unfinished))
        },
    },
    Step {
        name: "service of the scope",
        code: "AuthFailure.InvalidAuthorization",
        draft: |draft| "127".clone_into(&mut draft.service),
        sent: as_it_is,
    },
    Step {
        name: "date of the scope",
        code: "AuthFailure.InvalidAuthorization",
        draft: |draft| draft.date = Some("2019-02-24".to_owned()),
        sent: as_it_is,
    },
    Step {
        name: "timestamp",
        code: "AuthFailure.SignatureExpire",
        draft: |draft| draft.timestamp = NOW - 301,
        sent: as_it_is,
    },
    Step {
        name: "key",
        code: "AuthFailure.SecretIdNotFound",
        draft: |draft| "AKIDnobody".clone_into(&mut draft.secret_id),
        sent: as_it_is,
    },
    Step {
        name: "token",
        code: "AuthFailure.TokenFailure",
        draft: right,
        sent: |sent| sent.with("X-TC-Token", Some("t")),
    },
    Step {
        name: "content hash",
        code: "InvalidParameterValue",
        draft: right,
        sent: |sent| sent.with("X-TC-Content-SHA256", Some("00")),
    },
    Step {
        name: "signature",
        code: "AuthFailure.SignatureFailure",
        draft: right,
        sent: |sent| sent.with("Content-Type", Some("text/plain")),
    },
    Step {
        name: "version",
        code: "NoSuchVersion",
        draft: right,
        sent: |sent| sent.with("X-TC-Version", Some("2020-01-01")),
    },
    Step {
        name: "action",
        code: "InvalidAction",
        draft: right,
        sent: |sent| sent.with("X-TC-Action", Some("NoSuchAction")),
    },
    Step {
        name: "region",
        code: "UnsupportedRegion",
        draft: right,
        sent: |sent| sent.with("X-TC-Region", Some("na-toronto")),
    },
];

/// A request with the mistakes of `steps`; the last ones first, so that where two exclude one another the earlier stands.
async fn error_of(steps: &[Step]) -> (String, String) {
    // Nothing of this product is registered and the parameter does not exist: what comes after the last step is wrong as well.
    let mut draft = Draft { body: b"{\"Nope\":1}".to_vec(), ..regional(Some("ap-guangzhou")) };
    steps.iter().rev().for_each(|step| (step.draft)(&mut draft));
    let sent = steps.iter().rev().fold(version_of_tcr(draft.sign()), |sent, step| (step.sent)(sent));
    let peer = if steps.iter().any(|step| step.name == "network") { [127, 0, 0, 1] } else { [10, 0, 0, 1] };
    let reply = sent.answer_from(&guarded(), peer).await;
    let text = |name: &str| reply["Error"][name].as_str().unwrap_or("ok").to_owned();
    (text("Code"), text("Message"))
}

#[tokio::test]
async fn the_earlier_mistake_is_the_one_that_is_told() {
    for at in 0..STEPS.len() {
        let step = &STEPS[at];
        let alone = error_of(&STEPS[at..=at]).await;
        assert_eq!(alone.0, step.code, "{} alone", step.name);
        // The same words as alone: three steps share a code and differ in them.
        assert_eq!(error_of(&STEPS[at..]).await, alone, "{} before all that follow", step.name);
        if let Some(next) = STEPS.get(at + 1) {
            assert_eq!(error_of(&STEPS[at..=at + 1]).await, alone, "{} before {}", step.name, next.name);
        }
    }
    assert_eq!(
        error_of(&[]).await.0,
        "UnsupportedOperation",
        "an action that is not there before its parameters"
    );
}

#[tokio::test]
async fn an_unknown_product_is_told_after_the_signature_and_before_the_version() {
    let nosuch = Draft { host: "nosuch.tencentcloudapi.com".to_owned(), ..Draft::post("Echo", "{}") };
    assert_eq!(nosuch.sign().body(b"{ }").code(&gateway()).await, "AuthFailure.SignatureFailure");
    let version = nosuch.sign().with("X-TC-Version", Some("2020-01-01"));
    assert_eq!(version.code(&gateway()).await, "NoSuchProduct");
}

#[tokio::test]
async fn parameters_come_after_their_form_and_before_permission() {
    let form = Draft::typed("Forbidden", "text/plain", b"{").sign();
    assert_eq!(form.code(&gateway()).await, "InvalidParameterValue");
    assert_eq!(Draft::post("Forbidden", "{").sign().code(&gateway()).await, "InvalidParameter");
    let unknown = Draft::post("Forbidden", r#"{"Nope":1}"#).sign();
    assert_eq!(unknown.code(&gateway()).await, "UnknownParameter");
    let two = Draft::post("Echo", r#"{"Nope":1,"Text":7}"#).sign();
    assert_eq!(two.code(&gateway()).await, "UnknownParameter", "members in the order sent");
    let missing = Draft::post("Echo", r#"{"Pair":{"Values":[7]}}"#).sign();
    assert_eq!(missing.code(&gateway()).await, "InvalidParameter", "what was sent before what was not");
    assert_eq!(Draft::post("Forbidden", "{}").sign().code(&gateway()).await, "UnauthorizedOperation");
    assert_eq!(Draft::post("Unbuilt", "{").sign().code(&gateway()).await, "UnsupportedOperation");
}
