//! The errors that every action may answer (the platform's common codes), in the platform's words, and the form that a
//! product's own errors take.
//!
//! Codes and texts: `protocol.md` §5. Where no runtime text is known, the official meaning is the message.

use std::borrow::Cow;

use rookery_api::decode::DecodeError;

use crate::action::Reason;
use crate::call::Language;
use crate::multipart::MalformedMultipart;

/// An error of a product: a business code of its model, and words for the client.
pub trait Refusal: std::error::Error + Send + 'static {
    /// The generated codes of the product, so that a code outside the model does not compile.
    type Code: rookery_api::ErrorCode;
    /// The code.
    fn code(&self) -> Self::Code;
    /// The words for the client. They never hold secrets, paths or inner errors.
    fn message(&self, language: Language) -> String;
    /// The common error that this is, where it is none of the product's own: it is answered with that one's code and words.
    fn common(&self) -> Option<CommonError> {
        None
    }
    /// What went wrong inside, for the trace and the log only.
    fn internal(&self) -> Option<String> {
        None
    }
}

/// A common error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each variant is the code of its name; the words are in `message`")]
pub enum CommonError {
    #[error("InvalidAuthorization: {0}")]
    InvalidAuthorization(String),
    #[error("SecretIdNotFound")]
    SecretIdNotFound,
    #[error("SignatureExpire")]
    SignatureExpire,
    #[error("SignatureFailure")]
    SignatureFailure,
    /// A v1 body over 1 MB is a signature failure with a text of its own.
    #[error("SignatureFailure: v1 body too large")]
    SignatureBodyTooLarge,
    #[error("TokenFailure")]
    TokenFailure,
    #[error("UnauthorizedOperation")]
    UnauthorizedOperation { request_id: String, operation: String, resource: String },
    #[error("MissingParameter {0}")]
    MissingParameter(String),
    #[error("MissingParameter header {0}")]
    MissingHeader(&'static str),
    /// The address may not call: it is in a network that is refused.
    #[error("IpInBlacklist")]
    IpInBlacklist,
    /// The address may not call: it is in none of the networks that may.
    #[error("IpNotInWhitelist")]
    IpNotInWhitelist,
    #[error("ActionOffline")]
    ActionOffline,
    /// The call would have succeeded, but it asked for `DryRun` (`protocol.md` §4.5): an action says so through [`Refusal::common`].
    #[error("DryRunOperation")]
    DryRunOperation,
    #[error("InvalidRequest: {0}")]
    InvalidRequest(#[from] MalformedMultipart),
    #[error("InvalidAction {action}")]
    InvalidAction { action: String, service: String, version: String },
    /// Neither the address nor the scope names a product, and no product has the action.
    #[error("InvalidAction {0}")]
    ActionNotFound(String),
    #[error("NoSuchProduct")]
    NoSuchProduct,
    #[error("NoSuchVersion {version}")]
    NoSuchVersion { version: String, service: String },
    /// A common parameter (region, language, content type) has a value that cannot be used.
    #[error("InvalidParameterValue {0}")]
    InvalidCommonValue(&'static str),
    #[error("InvalidParameterValue X-TC-Content-SHA256")]
    ContentSha256,
    #[error("InvalidParameter {0} type")]
    CommonType(&'static str),
    /// A common parameter's value is not UTF-8.
    #[error("InvalidParameter {0} format")]
    CommonFormat(&'static str),
    #[error("InvalidParameter {0} repeated")]
    CommonRepeated(&'static str),
    #[error("{0}")]
    Parameters(#[from] DecodeError),
    #[error("UnsupportedRegion")]
    UnsupportedRegion,
    /// No function is registered; with a reason where there will be none.
    #[error("UnsupportedOperation {action}")]
    NotImplemented { action: &'static str, reason: Option<Reason> },
    #[error("UnsupportedProtocol")]
    UnsupportedProtocol,
    #[error("RequestLimitExceeded")]
    RequestLimitExceeded { limit: u32 },
    #[error("RequestLimitExceeded.IPLimitExceeded")]
    IpLimitExceeded,
    #[error("RequestLimitExceeded.UinLimitExceeded")]
    UinLimitExceeded,
    #[error("RequestLimitExceeded.GlobalRegionUinLimitExceeded")]
    GlobalRegionUinLimitExceeded,
    #[error("RequestSizeLimitExceeded")]
    RequestSizeLimitExceeded,
    #[error("ResponseSizeLimitExceeded")]
    ResponseSizeLimitExceeded,
    /// The connection broke before the body was whole. Hardly a client reads the answer; the trace does.
    #[error("InvalidParameter: incomplete body")]
    IncompleteBody,
    #[error("InternalError")]
    Internal,
}

impl CommonError {
    /// The code on the wire.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidAuthorization(_) => "AuthFailure.InvalidAuthorization",
            Self::SecretIdNotFound => "AuthFailure.SecretIdNotFound",
            Self::SignatureExpire => "AuthFailure.SignatureExpire",
            Self::SignatureFailure | Self::SignatureBodyTooLarge => "AuthFailure.SignatureFailure",
            Self::TokenFailure => "AuthFailure.TokenFailure",
            Self::UnauthorizedOperation { .. } => "UnauthorizedOperation",
            Self::MissingParameter(_)
            | Self::MissingHeader(_)
            | Self::Parameters(DecodeError::Missing(_)) => "MissingParameter",
            Self::InvalidAction { .. } | Self::ActionNotFound(_) => "InvalidAction",
            Self::IpInBlacklist => "IpInBlacklist",
            Self::IpNotInWhitelist => "IpNotInWhitelist",
            Self::ActionOffline => "ActionOffline",
            Self::DryRunOperation => "DryRunOperation",
            Self::InvalidRequest(_) => "InvalidRequest",
            Self::NoSuchProduct => "NoSuchProduct",
            Self::NoSuchVersion { .. } => "NoSuchVersion",
            Self::InvalidCommonValue(_) | Self::ContentSha256 => "InvalidParameterValue",
            Self::Parameters(DecodeError::Unknown(_)) => "UnknownParameter",
            Self::CommonType(_)
            | Self::CommonFormat(_)
            | Self::CommonRepeated(_)
            | Self::Parameters(_)
            | Self::IncompleteBody => "InvalidParameter",
            Self::UnsupportedRegion => "UnsupportedRegion",
            Self::NotImplemented { .. } => "UnsupportedOperation",
            Self::UnsupportedProtocol => "UnsupportedProtocol",
            Self::RequestLimitExceeded { .. } => "RequestLimitExceeded",
            Self::IpLimitExceeded => "RequestLimitExceeded.IPLimitExceeded",
            Self::UinLimitExceeded => "RequestLimitExceeded.UinLimitExceeded",
            Self::GlobalRegionUinLimitExceeded => "RequestLimitExceeded.GlobalRegionUinLimitExceeded",
            Self::RequestSizeLimitExceeded => "RequestSizeLimitExceeded",
            Self::ResponseSizeLimitExceeded => "ResponseSizeLimitExceeded",
            Self::Internal => "InternalError",
        }
    }

    /// What the trace says beyond the words for the client.
    #[must_use]
    pub fn detail(&self) -> Option<String> {
        match self {
            Self::InvalidRequest(why) => Some(why.to_string()),
            _ => None,
        }
    }

    /// The words for the client.
    #[must_use]
    pub fn message(&self, language: Language) -> Cow<'static, str> {
        match language {
            Language::English => self.english(),
            Language::Chinese => self.chinese(),
        }
    }

    fn english(&self) -> Cow<'static, str> {
        match self {
            Self::InvalidAuthorization(part) => format!(
                "The request `Authorization` header does not conform to tencentcloud standards: {part}"
            )
            .into(),
            Self::SecretIdNotFound => {
                "The SecretId is not found, please ensure that your SecretId is correct.".into()
            }
            Self::SignatureExpire => "The signature is expired, please request again.".into(),
            Self::SignatureFailure => {
                "The provided credentials could not be validated. Please check your signature is correct.".into()
            }
            Self::SignatureBodyTooLarge => "The provided credentials could not be validated because of exceeding request size limit, please use new signature method `TC3-HMAC-SHA256`.".into(),
            Self::TokenFailure => "Token verification failed, please check if your Token is correct.".into(),
            Self::UnauthorizedOperation { request_id, operation, resource } => format!(
                "[request id:{request_id}]you are not authorized to perform operation ({operation})\nresource ({resource}) has no permission\n"
            )
            .into(),
            Self::MissingParameter(name) => {
                format!("The request is missing a required parameter `{name}`.").into()
            }
            Self::MissingHeader(name) => {
                format!("The request header is missing a required common parameter `{name}`.").into()
            }
            Self::InvalidAction { action, service, version } => format!(
                "The request action=`{action}` is invalid or not found in service=`{service}` and version=`{version}`."
            )
            .into(),
            Self::ActionNotFound(_) => "The request `Action` is invalid or not found.".into(),
            Self::IpInBlacklist => "Your IP is in uin IP blacklist.".into(),
            Self::IpNotInWhitelist => "Your IP is not in uin IP whitelist.".into(),
            Self::ActionOffline => "This API has been deprecated.".into(),
            Self::DryRunOperation => "DryRun Operation. It means that the request would have succeeded, but the DryRun parameter was used.".into(),
            Self::InvalidRequest(_) => "The multipart format of the request body is incorrect.".into(),
            Self::NoSuchProduct => "The product does not exist.".into(),
            Self::NoSuchVersion { version, service } => {
                format!("The specified api version=`{version}` does not exist in service=`{service}`.").into()
            }
            Self::InvalidCommonValue(name) => {
                format!("A value specified in `{name}` is not valid, is unsupported, or cannot be used.").into()
            }
            Self::ContentSha256 => "The value specified in `X-TC-Content-SHA256` is not correct.".into(),
            Self::CommonType(name) => format!("Parameter `{name}` type error.").into(),
            Self::CommonFormat(name) => format!("Parameter `{name}` format invalid.").into(),
            Self::CommonRepeated(name) => format!("Parameter `{name}` input repeated.").into(),
            Self::Parameters(error) => parameters_english(error).into(),
            Self::UnsupportedRegion => "The action not support this region.".into(),
            Self::NotImplemented { action, reason: Some(reason) } => {
                format!("Rookery does not implement `{action}`: {}.", reason.english).into()
            }
            Self::NotImplemented { action, reason: None } => {
                format!("Rookery does not implement `{action}` yet; the evidence page lists what it does.").into()
            }
            Self::UnsupportedProtocol => {
                "HTTP(S) request protocol error; only GET and POST requests are supported.".into()
            }
            Self::RequestLimitExceeded { limit } => format!(
                "Your current request times equals to `{}` in a second, which exceeds the frequency limit `{limit}` for a second. Please reduce the frequency of calls.",
                u64::from(*limit) + 1
            )
            .into(),
            Self::IpLimitExceeded => "The number of ip requests exceeds the frequency limit.".into(),
            Self::UinLimitExceeded => "The number of uin requests exceeds the frequency limit.".into(),
            Self::GlobalRegionUinLimitExceeded => "Uin exceeds the frequency limit.".into(),
            Self::RequestSizeLimitExceeded => "The request size exceeds the upper limit.".into(),
            Self::ResponseSizeLimitExceeded => "The response size exceeds the upper limit.".into(),
            Self::IncompleteBody => "The request body ended before it was complete.".into(),
            Self::Internal => {
                "An internal error has occurred. Retry your request, but if the problem persists, contact us.".into()
            }
        }
    }

    fn chinese(&self) -> Cow<'static, str> {
        match self {
            // The English one names the part; of the Chinese only the official meaning is known.
            Self::InvalidAuthorization(_) => "请求头部的`Authorization`不符合腾讯云标准。".into(),
            Self::SecretIdNotFound => "SecretId不存在，请输入正确的密钥。".into(),
            Self::SignatureExpire => {
                "签名过期。Timestamp和服务器时间相差不得超过五分钟，请检查本地时间是否和标准时间同步。".into()
            }
            Self::SignatureFailure => "请求签名验证失败，请检查您的签名计算是否正确。".into(),
            Self::SignatureBodyTooLarge => {
                "由于请求包大小超过限制，请求签名验证失败，请使用新的签名方法 `TC3-HMAC-SHA256`。".into()
            }
            Self::TokenFailure => "token错误。".into(),
            // The platform sends this one in English whatever the language (captured).
            Self::UnauthorizedOperation { .. } => self.english(),
            Self::MissingParameter(name) => format!("请求缺少必传参数 `{name}`。").into(),
            Self::MissingHeader(name) => format!("请求头部缺少必传的公共参数 `{name}`。").into(),
            Self::InvalidAction { .. } | Self::ActionNotFound(_) => "接口不存在。".into(),
            Self::IpInBlacklist => "IP地址在黑名单中。".into(),
            Self::IpNotInWhitelist => "IP地址不在白名单中。".into(),
            Self::ActionOffline => "接口已下线。".into(),
            Self::DryRunOperation => "DryRun操作，代表请求将会是成功的，只是多传了DryRun参数。".into(),
            Self::InvalidRequest(_) => "请求body的multipart格式错误。".into(),
            Self::NoSuchProduct => "产品不存在。".into(),
            Self::NoSuchVersion { .. } => "接口版本不存在。".into(),
            Self::InvalidCommonValue(name) => format!("参数 `{name}` 取值错误。").into(),
            Self::ContentSha256 => "参数 `X-TC-Content-SHA256` 计算值不正确。".into(),
            Self::CommonType(name) => format!("参数 `{name}` 取值类型错误。").into(),
            Self::CommonFormat(name) => format!("参数 `{name}` 格式非法。").into(),
            Self::CommonRepeated(name) => format!("参数 `{name}` 重复输入。").into(),
            Self::Parameters(error) => parameters_chinese(error).into(),
            Self::UnsupportedRegion => "接口不支持所传地域。".into(),
            Self::NotImplemented { action, reason: Some(reason) } => {
                format!("操作不支持：Rookery 未实现 `{action}`：{}。", reason.chinese).into()
            }
            Self::NotImplemented { action, reason: None } => {
                format!("操作不支持：Rookery 尚未实现 `{action}`。").into()
            }
            Self::UnsupportedProtocol => "http(s)请求协议错误，只支持GET和POST请求。".into(),
            Self::RequestLimitExceeded { limit } => format!(
                "您当前每秒请求 `{}` 次，超过了每秒频率上限 `{limit}`，请稍后重试。",
                u64::from(*limit) + 1
            )
            .into(),
            Self::IpLimitExceeded => "IP限频。".into(),
            Self::UinLimitExceeded => "主账号限频。".into(),
            Self::GlobalRegionUinLimitExceeded => "主账号超过频率限制。".into(),
            Self::RequestSizeLimitExceeded => "请求包超过限制大小。".into(),
            Self::ResponseSizeLimitExceeded => "返回包超过限制大小。".into(),
            Self::IncompleteBody => "请求包不完整。".into(),
            Self::Internal => "内部服务错误，请稍后重试。".into(),
        }
    }
}

fn parameters_english(error: &DecodeError) -> String {
    match error {
        DecodeError::NotJson => {
            "The request content not valid json format for specified content-type=application/json."
                .to_owned()
        }
        DecodeError::PartNotJson(name) => format!("Parameter `{name}` invalid json format."),
        DecodeError::NoEquals => "Url key and value should be splited by `=`.".to_owned(),
        DecodeError::EmptyName => "The request has a parameter key which is empty string.".to_owned(),
        DecodeError::Encoding(name) => format!("Parameter `{name}` format invalid."),
        DecodeError::Unknown(name) => format!("The parameter `{name}` is not recognized."),
        DecodeError::Missing(name) => format!("The request is missing a required parameter `{name}`."),
        DecodeError::Repeated(name) => format!("Parameter `{name}` input repeated."),
        DecodeError::ArrayIndices(name) => format!(
            "Parameter `{name}` invalid array format, array index must be continuous and starts with 0."
        ),
        DecodeError::Type { path, expected } => {
            format!("The value type of parameter `{path}` is not valid, input type should be `{expected}`")
        }
    }
}

fn parameters_chinese(error: &DecodeError) -> String {
    match error {
        DecodeError::NotJson => {
            "对于指定content-type=application/json协议下，请求内容不是合法的Json格式。".to_owned()
        }
        DecodeError::PartNotJson(name) => format!("参数 `{name}` 是非法的Json格式。"),
        DecodeError::NoEquals => "参数错误，请求URL中参数key和value必须以 `=` 分隔。".to_owned(),
        DecodeError::EmptyName => "参数错误，请求参数key不能为空字符串。".to_owned(),
        DecodeError::Encoding(name) => format!("参数 `{name}` 格式非法。"),
        // Of the Chinese one only the official meaning is known, which names nothing.
        DecodeError::Unknown(_) => "未知参数错误，用户多传未定义的参数会导致错误。".to_owned(),
        DecodeError::Missing(name) => format!("请求缺少必传参数 `{name}`。"),
        DecodeError::Repeated(name) => format!("参数 `{name}` 重复输入。"),
        DecodeError::ArrayIndices(name) => {
            format!("参数 `{name}` 是非法是数组格式，数组下标必须是连续的而且从0下标开始。")
        }
        DecodeError::Type { path, .. } => format!("参数 `{path}` 取值类型错误。"),
    }
}
