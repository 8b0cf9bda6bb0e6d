//! What the actions of hosted data keys refuse, with the codes that the platform's SDKs list for them.

use rookery_api::kms::ErrorCode;

use super::DESCRIPTION_LIMIT;
use crate::keys::KeyId;
use crate::listing::BATCH_LIMIT;

/// Why an action of hosted data keys failed.
#[derive(Debug, thiserror::Error)]
pub enum DataKeyError {
    /// The id is no lower-case UUID.
    #[error("a data key id is malformed")]
    MalformedId,
    /// The account has no such data key in the region.
    #[error("the data key {0} does not exist")]
    NotFound(KeyId),
    /// The data key is disabled.
    #[error("the data key {0} is disabled")]
    Disabled(KeyId),
    /// The data key waits for its deletion.
    #[error("the data key {0} is to be deleted")]
    PendingDelete(KeyId),
    /// There is no deletion to cancel.
    #[error("the data key {0} is not to be deleted")]
    NotPendingDelete(KeyId),
    /// The data key is in a state, which is named, in which the action is not possible.
    #[error("the data key {0} is in state {1}")]
    State(KeyId, &'static str),
    /// The name breaks the rules.
    #[error("the name of a data key is malformed")]
    InvalidName,
    /// Another data key of the account has this name in the region.
    #[error("the name {0} is taken")]
    NameTaken(String),
    /// The description is longer than 100 bytes.
    #[error("the description is too long")]
    DescriptionTooLong,
    /// The account has as many data keys in the region as it may have.
    #[error("too many data keys")]
    TooMany,
    /// Imported material is no ciphertext of a data key that was made here.
    #[error("an imported ciphertext is none of ours")]
    ImportedCiphertext,
    /// Imported material is no Base64 of 1 to 1,024 bytes.
    #[error("an imported data key is malformed")]
    ImportedPlaintext,
    /// The key that is named is not the one that encrypted the imported material.
    #[error("imported material is of another key")]
    OtherKey,
    /// `ImportType` is neither 1 nor 2.
    #[error("the import type {0} does not exist")]
    ImportType(u64),
    /// An action on many data keys names none, or more than 100.
    #[error("{0} data keys at once")]
    BatchSize(usize),
    /// An action on many data keys names one twice.
    #[error("the data key {0} is named twice")]
    Repeated(KeyId),
}

impl DataKeyError {
    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            Self::MalformedId => ErrorCode::InvalidParameterValueInvalidDataKeyId,
            Self::NotFound(_) => ErrorCode::ResourceUnavailableDataKeyNotFound,
            Self::Disabled(_) => ErrorCode::ResourceUnavailableDataKeyDisabled,
            Self::PendingDelete(_) => ErrorCode::ResourceUnavailableDataKeyPendingDelete,
            Self::NotPendingDelete(_) => ErrorCode::ResourceUnavailableDataKeyNotPendingDelete,
            Self::State(..) => ErrorCode::ResourceUnavailableDataKeyStateNotSupport,
            Self::InvalidName => ErrorCode::InvalidParameterValueInvalidDataKeyName,
            Self::NameTaken(_) => ErrorCode::InvalidParameterValueDataKeyNameAlreadyExists,
            Self::TooMany => ErrorCode::LimitExceededDataKeyLimitExceeded,
            Self::ImportedCiphertext => ErrorCode::InvalidParameterValueInvalidImportKeyMaterial,
            Self::ImportedPlaintext => ErrorCode::InvalidParameterValueInvalidPlaintext,
            Self::OtherKey => ErrorCode::InvalidParameterValueInvalidKeyId,
            Self::ImportType(_) => ErrorCode::InvalidParameterValueInvalidType,
            Self::Repeated(_) => ErrorCode::InvalidParameterValueDuplicatedDataKeyId,
            Self::DescriptionTooLong | Self::BatchSize(_) => ErrorCode::InvalidParameterValue,
        }
    }

    pub(crate) fn english(&self) -> String {
        match self {
            Self::MalformedId => "`DataKeyId` must be a lower-case UUID.".to_owned(),
            Self::NotFound(id) => format!("The data key `{id}` does not exist in this region."),
            Self::Disabled(id) => format!("The data key `{id}` is disabled."),
            Self::PendingDelete(id) => format!("The data key `{id}` is scheduled for deletion."),
            Self::NotPendingDelete(id) => format!("The data key `{id}` is not scheduled for deletion."),
            Self::State(id, state) => format!("The data key `{id}` is in the state `{state}`, which does not admit this."),
            Self::InvalidName => "`DataKeyName` must be 1 to 60 letters, digits, `-` and `_`, begin with a letter or a digit, and not begin with `kms-`.".to_owned(),
            Self::NameTaken(name) => format!("The data key name `{name}` already exists in this region."),
            Self::DescriptionTooLong => format!("`Description` must not exceed {DESCRIPTION_LIMIT} bytes."),
            Self::TooMany => "The account cannot have more data keys in this region.".to_owned(),
            Self::ImportedCiphertext => "`ImportKeyMaterial` of `ImportType` 1 must be a ciphertext without encryption context that this region's KMS made of 1 to 1024 bytes.".to_owned(),
            Self::ImportedPlaintext => "`ImportKeyMaterial` of `ImportType` 2 must be the standard Base64 of 1 to 1024 bytes.".to_owned(),
            Self::OtherKey => "`KeyId` is not the key that encrypted `ImportKeyMaterial`.".to_owned(),
            Self::ImportType(kind) => format!("The `ImportType` `{kind}` does not exist."),
            Self::BatchSize(count) => format!("`DataKeyIds` must name 1 to {BATCH_LIMIT} data keys, not {count}."),
            Self::Repeated(id) => format!("`DataKeyIds` names the data key `{id}` more than once."),
        }
    }

    pub(crate) fn chinese(&self) -> String {
        match self {
            Self::MalformedId => "`DataKeyId` 须为小写的 UUID。".to_owned(),
            Self::NotFound(id) => format!("数据密钥 `{id}` 在该地域不存在。"),
            Self::Disabled(id) => format!("数据密钥 `{id}` 已被禁用。"),
            Self::PendingDelete(id) => format!("数据密钥 `{id}` 已计划删除。"),
            Self::NotPendingDelete(id) => format!("数据密钥 `{id}` 不在计划删除状态。"),
            Self::State(id, state) => format!("数据密钥 `{id}` 处于 `{state}` 状态，不支持该操作。"),
            Self::InvalidName => "`DataKeyName` 须为 1 到 60 个字母、数字、`-` 或 `_`，首字符须为字母或数字，且不能以 `kms-` 开头。".to_owned(),
            Self::NameTaken(name) => format!("数据密钥名称 `{name}` 在该地域已经存在。"),
            Self::DescriptionTooLong => format!("`Description` 不能超过 {DESCRIPTION_LIMIT} 字节。"),
            Self::TooMany => "该账号在该地域的数据密钥数量已达上限。".to_owned(),
            Self::ImportedCiphertext => "`ImportType` 为 1 时，`ImportKeyMaterial` 须为该地域 KMS 对 1 到 1024 字节内容生成的、不带加密上下文的密文。".to_owned(),
            Self::ImportedPlaintext => "`ImportType` 为 2 时，`ImportKeyMaterial` 须为 1 到 1024 字节内容的标准 Base64。".to_owned(),
            Self::OtherKey => "`KeyId` 与加密 `ImportKeyMaterial` 的密钥不一致。".to_owned(),
            Self::ImportType(kind) => format!("`ImportType` `{kind}` 不存在。"),
            Self::BatchSize(count) => format!("`DataKeyIds` 须包含 1 到 {BATCH_LIMIT} 个数据密钥，实际为 {count} 个。"),
            Self::Repeated(id) => format!("`DataKeyIds` 中的数据密钥 `{id}` 重复。"),
        }
    }
}
