//! What STS refuses, each case with its code and its words in both languages. The platform's texts are not public; the words are ours.

use rookery_api::sts::ErrorCode;
use rookery_gateway::{Language, Refusal};
use rookery_policy::{Fault, SyntaxError};
use rookery_store::StoreError;

use crate::sessions::IssueError;

/// Why an action was refused, or failed. The `Display` text is what clients read in English.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("The parameter `{parameter}` {rule}.")]
    Parameter { parameter: &'static str, rule: &'static str },
    #[error("The parameter `DurationSeconds` must be from 1 to {longest}.")]
    Duration { longest: u64 },
    #[error("At most {limit} session tags can be given.")]
    Tags { limit: usize },
    #[error("The policy is not valid: {0}.")]
    Policy(SyntaxError),
    #[error("The policy is too long for a token.")]
    TokenTooLong,
    /// The platform answers a role that is not there with an internal error (captured).
    #[error("The role `{role}` does not exist.")]
    NoRole { role: String },
    /// As the platform words a refusal of CAM, with the operation and the resource.
    #[error(
        "[request id:{request_id}]you are not authorized to perform operation ({operation})\nresource ({role}) has no permission\n"
    )]
    NotTrusted { request_id: String, operation: String, role: String },
    #[error("A temporary key cannot be used for this.")]
    TemporaryKey,
    #[error("The account `{uin}` is not available.")]
    NoAccount { uin: u64 },
    #[error("The token of the identity provider is not valid: {0}.")]
    WebIdentity(&'static str),
    #[error("The SAML assertion is not valid: {0}.")]
    Assertion(&'static str),
    #[error("The identity has no MFA device of that serial number.")]
    NoMfaDevice,
    #[error("The MFA code is wrong, too old, or was used before.")]
    WrongMfaCode,
    #[error("Only software tokens (`softToken`) are supported as MFA devices.")]
    MfaType,
    #[error("An internal error has occurred.")]
    Store(#[from] StoreError),
    #[error("An internal error has occurred.")]
    Seal,
    #[error("An internal error has occurred.")]
    Damaged(&'static str),
}

impl From<IssueError> for Error {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::TooLong => Self::TokenTooLong,
            IssueError::Seal => Self::Seal,
        }
    }
}

impl Refusal for Error {
    type Code = ErrorCode;

    fn code(&self) -> ErrorCode {
        match self {
            // STS has no code of its own for assertions.
            Self::Parameter { .. } | Self::Assertion(_) => ErrorCode::InvalidParameterParamError,
            Self::Duration { .. } => ErrorCode::InvalidParameterOverTimeError,
            Self::Tags { .. } => ErrorCode::InvalidParameterOverLimit,
            Self::Policy(error) => match error.fault {
                Fault::Length => ErrorCode::InvalidParameterPolicyTooLong,
                Fault::Document => ErrorCode::InvalidParameterStrategyFormatError,
                Fault::Resource
                | Fault::ResourceQcs
                | Fault::ResourceProject
                | Fault::ResourceRegion
                | Fault::ResourceUin
                | Fault::ResourceContent => ErrorCode::InvalidParameterResouceError,
                _ => ErrorCode::InvalidParameterStrategyInvalid,
            },
            Self::TokenTooLong => ErrorCode::InvalidParameterPolicyTooLong,
            Self::NoRole { .. } => ErrorCode::InternalErrorGetRoleError,
            Self::NotTrusted { .. } => ErrorCode::UnauthorizedOperation,
            Self::TemporaryKey => ErrorCode::FailedOperationTempKeyNotAllowed,
            Self::NoAccount { .. } => ErrorCode::InvalidParameterAccountNotAvaliable,
            Self::WebIdentity(_) => ErrorCode::InvalidParameterWebIdentityTokenError,
            Self::NoMfaDevice | Self::WrongMfaCode => ErrorCode::FailedOperationCheckMFAError,
            Self::MfaType => ErrorCode::FailedOperationMFATypeNotSupported,
            Self::Store(_) => ErrorCode::InternalErrorDbError,
            Self::Seal => ErrorCode::InternalErrorEncryptError,
            Self::Damaged(_) => ErrorCode::InternalErrorSystemError,
        }
    }

    fn message(&self, language: Language) -> String {
        if language == Language::English {
            return self.to_string();
        }
        match self {
            Self::Parameter { parameter, rule } => format!("参数 `{parameter}` 不合法（{rule}）。"),
            Self::Duration { longest } => format!("参数 `DurationSeconds` 须为1到{longest}。"),
            Self::Tags { limit } => format!("会话标签最多{limit}个。"),
            Self::Policy(error) => format!("策略不合法（{error}）。"),
            Self::TokenTooLong => "策略过长。".to_owned(),
            Self::NoRole { role } => format!("角色 `{role}` 不存在。"),
            // As the gateway does, whose refusals of this kind are in English whatever the language.
            Self::NotTrusted { .. } => self.to_string(),
            Self::TemporaryKey => "不支持使用临时密钥调用。".to_owned(),
            Self::NoAccount { uin } => format!("账号 `{uin}` 不可用。"),
            Self::WebIdentity(why) => format!("身份提供商的令牌不合法（{why}）。"),
            Self::Assertion(why) => format!("SAML断言不合法（{why}）。"),
            Self::WrongMfaCode => "MFA验证码错误、已过期或已使用。".to_owned(),
            Self::MfaType => "仅支持软token（`softToken`）类型的MFA设备。".to_owned(),
            Self::NoMfaDevice => "未绑定该序列号的MFA设备。".to_owned(),
            Self::Store(_) | Self::Seal | Self::Damaged(_) => "内部错误。".to_owned(),
        }
    }

    fn internal(&self) -> Option<String> {
        match self {
            Self::Store(error) => Some(error.to_string()),
            Self::Damaged(what) => Some((*what).to_owned()),
            Self::Seal => Some("a token could not be sealed".to_owned()),
            _ => None,
        }
    }
}
