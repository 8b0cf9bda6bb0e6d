//! What KMS refuses, with the platform's codes.
//!
//! Where the platform has no code of its own for a bad value, the code is `InvalidParameter`: the lists of possible codes that
//! its SDKs carry for each action name that one for listing, creating, signing and verifying alike.

use rookery_api::kms::ErrorCode;
use rookery_gateway::{CommonError, Language, Refusal};
use rookery_seal::SealError;
use rookery_store::StoreError;

use crate::keys::{DESCRIPTION_LIMIT, KeyId};
use crate::message::{DIGEST_LENGTH, RAW_LIMIT};
use crate::wrapping::WrappingError;

/// How much of a refused value its message repeats, in characters.
const QUOTED: usize = 64;

/// Why an action of KMS failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The alias breaks the rules of `products.md` §3.6.
    #[error("the alias is malformed")]
    InvalidAlias,
    /// Another key of the account has this alias in the region.
    #[error("the alias {0} is taken")]
    AliasTaken(String),
    /// The description is longer than 1,024 bytes.
    #[error("the description is too long")]
    DescriptionTooLong,
    /// The platform has no such key usage.
    #[error("the key usage {0} does not exist")]
    UnknownKeyUsage(String),
    /// The platform has that key usage, this implementation not yet.
    #[error("the key usage {0} is not implemented")]
    KeyUsageNotImplemented(&'static str),
    /// `Type` is neither 1 nor 2.
    #[error("the key type {0} does not exist")]
    UnknownType(u64),
    /// `Type` 2: keys whose material the customer imports.
    #[error("external key material is not implemented")]
    ExternalNotImplemented,
    /// There are no HSM clusters here.
    #[error("the HSM cluster {0} does not exist")]
    UnknownHsmCluster(String),
    /// A tag key occurs twice in one request.
    #[error("the tag key {0} is repeated")]
    TagKeyRepeated(String),
    /// The key id is no lower-case UUID.
    #[error("a key id is malformed")]
    MalformedKeyId,
    /// The account has no such key in the region.
    #[error("the key {0} does not exist")]
    KeyNotFound(KeyId),
    /// The key is disabled.
    #[error("the key {0} is disabled")]
    KeyDisabled(KeyId),
    /// `MemberAccount` or `MemberAccounts` was given: an account reaches only its own keys.
    #[error("member accounts are not implemented")]
    MemberAccounts,
    /// A parameter has a value that is not among the ones it may have.
    #[error("the value {value} of {parameter} is not valid")]
    InvalidValue {
        /// The parameter.
        parameter: &'static str,
        /// The value, shortened.
        value: String,
    },
    /// A parameter is not standard Base64.
    #[error("{0} is not Base64")]
    NotBase64(&'static str),
    /// A message to be hashed is longer than 4,096 bytes.
    #[error("a message of {0} bytes is too long")]
    MessageTooLong(usize),
    /// A digest is not 32 bytes.
    #[error("a digest of {0} bytes does not have the length of SHA-256")]
    DigestLength(usize),
    /// The algorithm exists, but not for keys of this usage.
    #[error("the algorithm does not suit a key of usage {0}")]
    UnsuitedAlgorithm(&'static str),
    /// A reply could not be encrypted for the caller.
    #[error(transparent)]
    Wrapping(#[from] WrappingError),
    /// The state could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A private key could not be sealed or unsealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The cryptographic library failed; holds at what.
    #[error("{0}")]
    Cryptography(&'static str),
    /// The stored state contradicts itself; holds how.
    #[error("the stored keys are damaged: {0}")]
    Damaged(&'static str),
}

impl Error {
    /// A value that its parameter may not have.
    pub(crate) fn value(parameter: &'static str, value: &(impl ToString + ?Sized)) -> Self {
        Self::InvalidValue { parameter, value: shortened(&value.to_string()) }
    }
}

/// The beginning of a text from a request.
pub(crate) fn shortened(text: &str) -> String {
    text.chars().take(QUOTED).collect()
}

impl Refusal for Error {
    type Code = ErrorCode;

    fn code(&self) -> ErrorCode {
        match self {
            Self::InvalidAlias => ErrorCode::InvalidParameterValueInvalidAlias,
            Self::AliasTaken(_) => ErrorCode::InvalidParameterValueAliasAlreadyExists,
            Self::UnknownKeyUsage(_) => ErrorCode::InvalidParameterValueInvalidKeyUsage,
            Self::UnknownType(_) => ErrorCode::InvalidParameterValueInvalidType,
            Self::UnknownHsmCluster(_) => ErrorCode::InvalidParameterValueInvalidHsmClusterId,
            Self::TagKeyRepeated(_) => ErrorCode::InvalidParameterValueTagKeysDuplicated,
            Self::MalformedKeyId => ErrorCode::InvalidParameterValueInvalidKeyId,
            Self::KeyNotFound(_) => ErrorCode::ResourceUnavailableCmkNotFound,
            Self::KeyDisabled(_) => ErrorCode::ResourceUnavailableCmkDisabled,
            Self::KeyUsageNotImplemented(_) | Self::ExternalNotImplemented | Self::MemberAccounts => {
                ErrorCode::UnsupportedOperation
            }
            Self::DescriptionTooLong
            | Self::InvalidValue { .. }
            | Self::NotBase64(_)
            | Self::MessageTooLong(_)
            | Self::DigestLength(_)
            | Self::UnsuitedAlgorithm(_) => ErrorCode::InvalidParameter,
            Self::Wrapping(error) => error.code(),
            Self::Store(_) | Self::Seal(_) | Self::Cryptography(_) | Self::Damaged(_) => {
                ErrorCode::InternalError
            }
        }
    }

    fn message(&self, language: Language) -> String {
        match (self, language) {
            (Self::Store(_) | Self::Seal(_) | Self::Cryptography(_) | Self::Damaged(_), _) => {
                CommonError::Internal.message(language).into_owned()
            }
            (_, Language::English) => self.english(),
            (_, Language::Chinese) => self.chinese(),
        }
    }

    fn internal(&self) -> Option<String> {
        match self {
            Self::Store(_) | Self::Seal(_) | Self::Cryptography(_) | Self::Damaged(_) => {
                Some(self.to_string())
            }
            _ => None,
        }
    }
}

impl Error {
    fn english(&self) -> String {
        match self {
            Self::InvalidAlias => "`Alias` must be 1 to 60 letters, digits, `-` and `_`, begin with a letter or a digit, and not begin with `kms-`, which is reserved for cloud products.".to_owned(),
            Self::AliasTaken(alias) => format!("The alias `{alias}` already exists in this region."),
            Self::DescriptionTooLong => format!("`Description` must not exceed {DESCRIPTION_LIMIT} bytes."),
            Self::UnknownKeyUsage(usage) => format!("The key usage `{usage}` does not exist."),
            Self::KeyUsageNotImplemented(usage) => format!("Rookery does not implement keys of usage `{usage}` yet."),
            Self::UnknownType(kind) => format!("The key type `{kind}` does not exist."),
            Self::ExternalNotImplemented => "Rookery does not implement keys with imported material (`Type` 2) yet.".to_owned(),
            Self::UnknownHsmCluster(cluster) => format!("The HSM cluster `{cluster}` does not exist."),
            Self::TagKeyRepeated(key) => format!("The tag key `{key}` is given more than once."),
            Self::MalformedKeyId => "`KeyId` must be a lower-case UUID.".to_owned(),
            Self::KeyNotFound(id) => format!("The key `{id}` does not exist in this region."),
            Self::KeyDisabled(id) => format!("The key `{id}` is disabled."),
            Self::MemberAccounts => "Rookery does not implement member accounts: only the caller's own keys can be reached.".to_owned(),
            Self::InvalidValue { parameter, value } => format!("The value `{value}` specified in the parameter `{parameter}` is not valid."),
            Self::NotBase64(parameter) => format!("`{parameter}` must be standard Base64 with padding."),
            Self::MessageTooLong(length) => format!("A `Message` of type `RAW` must not exceed {RAW_LIMIT} bytes before Base64; this one has {length}."),
            Self::DigestLength(length) => format!("A `Message` of type `DIGEST` must be {DIGEST_LENGTH} bytes before Base64; this one has {length}."),
            Self::UnsuitedAlgorithm(usage) => format!("The `Algorithm` does not suit a key of usage `{usage}`."),
            Self::Wrapping(error) => error.english(),
            Self::Store(_) | Self::Seal(_) | Self::Cryptography(_) | Self::Damaged(_) => {
                CommonError::Internal.message(Language::English).into_owned()
            }
        }
    }

    fn chinese(&self) -> String {
        match self {
            Self::InvalidAlias => "`Alias` 须为 1 到 60 个字母、数字、`-` 或 `_`，首字符须为字母或数字，且不能以云产品保留的 `kms-` 开头。".to_owned(),
            Self::AliasTaken(alias) => format!("别名 `{alias}` 在该地域已经存在。"),
            Self::DescriptionTooLong => format!("`Description` 不能超过 {DESCRIPTION_LIMIT} 字节。"),
            Self::UnknownKeyUsage(usage) => format!("密钥用途 `{usage}` 不存在。"),
            Self::KeyUsageNotImplemented(usage) => format!("Rookery 尚未实现用途为 `{usage}` 的密钥。"),
            Self::UnknownType(kind) => format!("密钥类型 `{kind}` 不存在。"),
            Self::ExternalNotImplemented => "Rookery 尚未实现导入密钥材料的密钥（`Type` 为 2）。".to_owned(),
            Self::UnknownHsmCluster(cluster) => format!("HSM 集群 `{cluster}` 不存在。"),
            Self::TagKeyRepeated(key) => format!("标签键 `{key}` 重复。"),
            Self::MalformedKeyId => "`KeyId` 须为小写的 UUID。".to_owned(),
            Self::KeyNotFound(id) => format!("密钥 `{id}` 在该地域不存在。"),
            Self::KeyDisabled(id) => format!("密钥 `{id}` 已被禁用。"),
            Self::MemberAccounts => "Rookery 尚未实现成员账号：只能访问调用者自己的密钥。".to_owned(),
            Self::InvalidValue { parameter, value } => format!("参数 `{parameter}` 的取值 `{value}` 错误。"),
            Self::NotBase64(parameter) => format!("`{parameter}` 须为带填充的标准 Base64。"),
            Self::MessageTooLong(length) => format!("`RAW` 类型的 `Message` 在 Base64 编码前不能超过 {RAW_LIMIT} 字节，实际为 {length} 字节。"),
            Self::DigestLength(length) => format!("`DIGEST` 类型的 `Message` 在 Base64 编码前须为 {DIGEST_LENGTH} 字节，实际为 {length} 字节。"),
            Self::UnsuitedAlgorithm(usage) => format!("`Algorithm` 不适用于用途为 `{usage}` 的密钥。"),
            Self::Wrapping(error) => error.chinese(),
            Self::Store(_) | Self::Seal(_) | Self::Cryptography(_) | Self::Damaged(_) => {
                CommonError::Internal.message(Language::Chinese).into_owned()
            }
        }
    }
}
