//! What the actions of white-box keys refuse, with the codes that the platform's SDKs list for them.

use rookery_api::kms::ErrorCode;

use super::{FINGERPRINT_LIMIT, KEY_LIMIT};
use crate::keys::{DESCRIPTION_LIMIT, KeyId};
use crate::primitives::block::BLOCK_LENGTH;

/// The longest text that is encrypted at once, in bytes.
pub(crate) const TEXT_LIMIT: usize = 4096;
/// How many keys an action changes at once.
pub(crate) const BATCH_LIMIT: usize = 50;

/// Why an action of white-box keys failed.
#[derive(Debug, thiserror::Error)]
pub enum WhiteBoxError {
    /// The account has no such white-box key in the region.
    #[error("the white-box key {0} does not exist")]
    NotFound(KeyId),
    /// The key is disabled.
    #[error("the white-box key {0} is disabled")]
    Disabled(KeyId),
    /// Only disabled keys are deleted.
    #[error("the white-box key {0} is enabled")]
    NotDisabled(KeyId),
    /// The account has as many keys in the region as it may have.
    #[error("too many white-box keys")]
    TooManyKeys,
    /// The algorithm is neither `AES_256` nor `SM4`.
    #[error("the algorithm {0} does not exist")]
    UnknownAlgorithm(String),
    /// The text to be encrypted is longer than 4,096 bytes.
    #[error("a text of {0} bytes is too long")]
    TextTooLong(usize),
    /// The initialization vector is not 16 bytes.
    #[error("an initialization vector of {0} bytes")]
    VectorLength(usize),
    /// More fingerprints than a key may have.
    #[error("{0} fingerprints are too many")]
    TooManyFingerprints(usize),
    /// A fingerprint is not of the form that the platform gives.
    #[error("a fingerprint is malformed")]
    MalformedFingerprint,
    /// A fingerprint is given twice.
    #[error("a fingerprint is repeated")]
    RepeatedFingerprint,
    /// The description of a fingerprint is longer than 1,024 bytes.
    #[error("the description of a fingerprint is too long")]
    DescriptionTooLong,
    /// An action on many keys names none, or more than 50.
    #[error("{0} keys at once")]
    BatchSize(usize),
    /// An action on many keys names one twice.
    #[error("the white-box key {0} is named twice")]
    RepeatedKeyId(KeyId),
}

impl WhiteBoxError {
    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            Self::NotFound(_) => ErrorCode::ResourceNotFound,
            Self::Disabled(_) => ErrorCode::ResourceUnavailableKeyDisabled,
            Self::NotDisabled(_) => ErrorCode::FailedOperation,
            Self::TooManyKeys => ErrorCode::LimitExceededKeyLimitExceeded,
            Self::TooManyFingerprints(_) => ErrorCode::LimitExceededFingerprintsLimitExceeded,
            Self::BatchSize(_) => ErrorCode::InvalidParameter,
            Self::RepeatedKeyId(_) => ErrorCode::InvalidParameterValueDuplicatedKeyId,
            Self::UnknownAlgorithm(_)
            | Self::TextTooLong(_)
            | Self::VectorLength(_)
            | Self::MalformedFingerprint
            | Self::RepeatedFingerprint
            | Self::DescriptionTooLong => ErrorCode::InvalidParameterValue,
        }
    }

    pub(crate) fn english(&self) -> String {
        match self {
            Self::NotFound(id) => format!("The white-box key `{id}` does not exist in this region."),
            Self::Disabled(id) => format!("The white-box key `{id}` is disabled."),
            Self::NotDisabled(id) => format!("The white-box key `{id}` is enabled; disable it before deleting it."),
            Self::TooManyKeys => format!("An account can have {KEY_LIMIT} white-box keys in a region."),
            Self::UnknownAlgorithm(name) => format!("The `Algorithm` `{name}` does not exist; white-box keys have `AES_256` or `SM4`."),
            Self::TextTooLong(length) => format!("`PlainText` must not exceed {TEXT_LIMIT} bytes before Base64; this one has {length}."),
            Self::VectorLength(length) => format!("`InitializationVector` must be {BLOCK_LENGTH} bytes before Base64; this one has {length}."),
            Self::TooManyFingerprints(count) => format!("A white-box key can have {FINGERPRINT_LIMIT} device fingerprints, not {count}."),
            Self::MalformedFingerprint => "`DeviceFingerprints.Identity` must be lower-case hexadecimal digits in groups of 8, 14, 14, 14 and 16, joined by `-`.".to_owned(),
            Self::RepeatedFingerprint => "A device fingerprint is given more than once.".to_owned(),
            Self::DescriptionTooLong => format!("`DeviceFingerprints.Description` must not exceed {DESCRIPTION_LIMIT} bytes."),
            Self::BatchSize(count) => format!("`KeyIds` must name 1 to {BATCH_LIMIT} keys, not {count}."),
            Self::RepeatedKeyId(id) => format!("`KeyIds` names the key `{id}` more than once."),
        }
    }

    pub(crate) fn chinese(&self) -> String {
        match self {
            Self::NotFound(id) => format!("白盒密钥 `{id}` 在该地域不存在。"),
            Self::Disabled(id) => format!("白盒密钥 `{id}` 已被禁用。"),
            Self::NotDisabled(id) => format!("白盒密钥 `{id}` 处于启用状态，须先禁用才能删除。"),
            Self::TooManyKeys => format!("每个账号在一个地域最多拥有 {KEY_LIMIT} 个白盒密钥。"),
            Self::UnknownAlgorithm(name) => {
                format!("`Algorithm` `{name}` 不存在；白盒密钥支持 `AES_256` 和 `SM4`。")
            }
            Self::TextTooLong(length) => {
                format!("`PlainText` 在 Base64 编码前不能超过 {TEXT_LIMIT} 字节，实际为 {length} 字节。")
            }
            Self::VectorLength(length) => format!(
                "`InitializationVector` 在 Base64 编码前须为 {BLOCK_LENGTH} 字节，实际为 {length} 字节。"
            ),
            Self::TooManyFingerprints(count) => {
                format!("一个白盒密钥最多绑定 {FINGERPRINT_LIMIT} 个设备指纹，实际为 {count} 个。")
            }
            Self::MalformedFingerprint => {
                "`DeviceFingerprints.Identity` 须为以 `-` 连接的 8、14、14、14、16 位小写十六进制数。"
                    .to_owned()
            }
            Self::RepeatedFingerprint => "设备指纹重复。".to_owned(),
            Self::DescriptionTooLong => {
                format!("`DeviceFingerprints.Description` 不能超过 {DESCRIPTION_LIMIT} 字节。")
            }
            Self::BatchSize(count) => {
                format!("`KeyIds` 须包含 1 到 {BATCH_LIMIT} 个密钥，实际为 {count} 个。")
            }
            Self::RepeatedKeyId(id) => format!("`KeyIds` 中的密钥 `{id}` 重复。"),
        }
    }
}
