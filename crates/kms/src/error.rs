//! What KMS refuses, with the platform's codes.
//!
//! Where the platform has no code of its own for a bad value, the code is `InvalidParameter`: the lists of possible codes that
//! its SDKs carry for each action name that one for listing, creating, signing and verifying alike.

mod chinese;
mod english;

use rookery_api::kms::ErrorCode;
use rookery_gateway::{CommonError, Language, Refusal};
use rookery_seal::SealError;
use rookery_store::StoreError;

use crate::data_keys::DataKeyError;
use crate::keys::KeyId;
use crate::whitebox::WhiteBoxError;
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
    /// A description is longer than it may be; holds the limit in bytes.
    #[error("the description is too long")]
    DescriptionTooLong(usize),
    /// The platform has no such key usage.
    #[error("the key usage {0} does not exist")]
    UnknownKeyUsage(String),
    /// The key has a usage that the action is not for; holds the key's.
    #[error("the action is not for keys of usage {0}")]
    WrongUsage(&'static str),
    /// `Type` is neither 1 nor 2.
    #[error("the key type {0} does not exist")]
    UnknownType(u64),
    /// `Type` 2 for a usage that is asymmetric: only symmetric material can be imported.
    #[error("material of the usage {0} cannot be imported")]
    ExternalKeyPair(&'static str),
    /// There are no HSM clusters here.
    #[error("the HSM cluster {0} does not exist")]
    UnknownHsmCluster(String),
    /// A tag key occurs twice in one request.
    #[error("the tag key {0} is repeated")]
    TagKeyRepeated(String),
    /// The account has as many keys in the region as it may have.
    #[error("there are too many keys")]
    KeyLimit,
    /// The key id is no lower-case UUID.
    #[error("a key id is malformed")]
    MalformedKeyId,
    /// A key id occurs twice in one request.
    #[error("the key {0} is repeated")]
    KeyIdRepeated(KeyId),
    /// A list of ids has none, or more than an action takes; holds the number.
    #[error("a list of {0} ids")]
    IdCount(usize),
    /// The account has no such key in the region.
    #[error("the key {0} does not exist")]
    KeyNotFound(KeyId),
    /// The key is disabled.
    #[error("the key {0} is disabled")]
    KeyDisabled(KeyId),
    /// The key is archived: it decrypts only.
    #[error("the key {0} is archived")]
    KeyArchived(KeyId),
    /// The key waits for its deletion.
    #[error("the key {0} is to be deleted")]
    KeyPendingDelete(KeyId),
    /// The key is in a state, which is named, in which the operation is not possible.
    #[error("the key {0} is in state {1}")]
    StateNotSupported(KeyId, &'static str),
    /// Only what is disabled can be scheduled for deletion.
    #[error("the key {0} is not disabled")]
    KeyShouldBeDisabled(KeyId),
    /// There is no deletion to cancel.
    #[error("the key {0} is not to be deleted")]
    KeyNotPendingDelete(KeyId),
    /// A resource of a cloud product depends on the key.
    #[error("the key {0} is bound to a cloud product")]
    UsedByProduct(KeyId),
    /// The resource of a cloud product is not bound to the key.
    #[error("there is no such binding of the key {0}")]
    BindingNotFound(KeyId),
    /// `PendingWindowInDays` is not within 7 to 30.
    #[error("a window of {0} days")]
    PendingWindow(u64),
    /// `RotateDays` is not within 7 to 365.
    #[error("a rotation every {0} days")]
    RotateDays(u64),
    /// The key's material was imported, so it cannot be rotated.
    #[error("the material of the key {0} was imported")]
    ExternalCannotRotate(KeyId),
    /// The key cannot be rotated: it is asymmetric, external, or its rotation is not enabled.
    #[error("the key {0} cannot be rotated")]
    RotateNotSupported(KeyId),
    /// The key was rotated within the last 24 hours.
    #[error("the key {0} was rotated less than a day ago")]
    RotatedLately(KeyId),
    /// The key's material was made here, so none can be imported.
    #[error("the material of the key {0} is not imported")]
    NotExternal(KeyId),
    /// An import token was not issued for the key.
    #[error("an import token is not the key's")]
    ImportToken,
    /// An import token has expired, or a later one replaced it.
    #[error("an import token has expired")]
    ImportTokenExpired,
    /// Imported material is not encrypted with the public key that belongs to its token.
    #[error("imported material cannot be decrypted")]
    MaterialUndecryptable,
    /// Imported material has another length than the cipher of its region takes.
    #[error("imported material of {found} bytes instead of {expected}")]
    MaterialLength {
        /// The length of a key of the cipher, in bytes.
        expected: usize,
        /// The length of the material, in bytes.
        found: usize,
    },
    /// Imported material is not what was imported first.
    #[error("imported material is another than before")]
    MaterialMismatch,
    /// A text to be encrypted is empty, too long, or no Base64.
    #[error("a text cannot be encrypted")]
    Plaintext,
    /// An encryption context is no JSON object of texts, or too long.
    #[error("an encryption context is malformed")]
    EncryptionContext,
    /// A ciphertext is not one that was made here.
    #[error("a ciphertext is malformed")]
    MalformedCiphertext,
    /// A ciphertext does not decrypt: it was altered, or belongs to another context or key.
    #[error("a ciphertext does not decrypt")]
    Undecryptable,
    /// A ciphertext is longer than an action takes; holds its length and the limit, in bytes.
    #[error("a ciphertext of {0} bytes is too long")]
    CiphertextTooLong(usize, usize),
    /// A reply could not be encrypted for the caller.
    #[error(transparent)]
    Wrapping(#[from] WrappingError),
    /// An action of hosted data keys refused.
    #[error(transparent)]
    DataKey(#[from] DataKeyError),
    /// An action of white-box keys refused.
    #[error(transparent)]
    WhiteBox(#[from] WhiteBoxError),
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
    /// Neither `KeySpec` nor `NumberOfBytes` says how long a data key is to be.
    #[error("a data key without a length")]
    NoLength,
    /// A parameter has an effect only together with another one.
    #[error("{parameter} needs {needed}")]
    Needs {
        /// The parameter.
        parameter: &'static str,
        /// What it needs.
        needed: &'static str,
    },
    /// A parameter is not standard Base64.
    #[error("{0} is not Base64")]
    NotBase64(&'static str),
    /// A message to be hashed is longer than 4,096 bytes.
    #[error("a message of {0} bytes is too long")]
    MessageTooLong(usize),
    /// A digest does not have the length of those that the algorithm signs.
    #[error("a digest of {found} bytes instead of {expected}")]
    DigestLength {
        /// The length that the algorithm signs, in bytes.
        expected: usize,
        /// The length of the digest, in bytes.
        found: usize,
    },
    /// The algorithm exists, but not for keys of this usage.
    #[error("the algorithm does not suit a key of usage {0}")]
    UnsuitedAlgorithm(&'static str),
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
            Self::UnknownKeyUsage(_) | Self::WrongUsage(_) => ErrorCode::InvalidParameterValueInvalidKeyUsage,
            Self::UnknownType(_) | Self::ExternalKeyPair(_) => ErrorCode::InvalidParameterValueInvalidType,
            Self::UnknownHsmCluster(_) => ErrorCode::InvalidParameterValueInvalidHsmClusterId,
            Self::TagKeyRepeated(_) => ErrorCode::InvalidParameterValueTagKeysDuplicated,
            Self::KeyLimit => ErrorCode::LimitExceededCmkLimitExceeded,
            Self::MalformedKeyId => ErrorCode::InvalidParameterValueInvalidKeyId,
            Self::KeyIdRepeated(_) => ErrorCode::InvalidParameterValueDuplicatedKeyId,
            Self::KeyNotFound(_) => ErrorCode::ResourceUnavailableCmkNotFound,
            Self::KeyDisabled(_) => ErrorCode::ResourceUnavailableCmkDisabled,
            Self::KeyArchived(_) => ErrorCode::ResourceUnavailableCmkArchived,
            Self::KeyPendingDelete(_) => ErrorCode::ResourceUnavailableKeyPendingDelete,
            Self::StateNotSupported(..) => ErrorCode::ResourceUnavailableCmkStateNotSupport,
            Self::KeyShouldBeDisabled(_) => ErrorCode::ResourceUnavailableCmkShouldBeDisabled,
            Self::KeyNotPendingDelete(_) => ErrorCode::ResourceUnavailableCmkNotPendingDelete,
            Self::UsedByProduct(_) => ErrorCode::FailedOperationCmkUsedByCloudProduct,
            Self::BindingNotFound(_) => ErrorCode::ResourceUnavailableCloudResourceBindingNotFound,
            Self::PendingWindow(_) => ErrorCode::InvalidParameterInvalidPendingWindowInDays,
            Self::ExternalCannotRotate(_) => ErrorCode::UnsupportedOperationExternalCmkCanNotRotate,
            Self::RotateNotSupported(_) => ErrorCode::UnsupportedOperationRotateNotSupported,
            Self::RotatedLately(_) => ErrorCode::RequestLimitExceededRotateRateLimited,
            Self::NotExternal(_) => ErrorCode::UnsupportedOperationNotExternalCmk,
            Self::ImportTokenExpired => ErrorCode::ResourceUnavailableTokenExpired,
            Self::MaterialUndecryptable => ErrorCode::InvalidParameterDecryptMaterialError,
            Self::MaterialMismatch => ErrorCode::InvalidParameterValueMaterialNotMatch,
            Self::Plaintext => ErrorCode::InvalidParameterValueInvalidPlaintext,
            Self::MalformedCiphertext => ErrorCode::InvalidParameterValueInvalidCiphertext,
            Self::Undecryptable => ErrorCode::FailedOperationDecryptError,
            Self::Wrapping(error) => error.code(),
            Self::DataKey(error) => error.code(),
            Self::WhiteBox(error) => error.code(),
            Self::MemberAccounts => ErrorCode::UnsupportedOperation,
            Self::DescriptionTooLong(_)
            | Self::IdCount(_)
            | Self::RotateDays(_)
            | Self::ImportToken
            | Self::MaterialLength { .. }
            | Self::EncryptionContext
            | Self::InvalidValue { .. }
            | Self::NoLength
            | Self::Needs { .. }
            | Self::NotBase64(_)
            | Self::MessageTooLong(_)
            | Self::CiphertextTooLong(..)
            | Self::DigestLength { .. }
            | Self::UnsuitedAlgorithm(_) => ErrorCode::InvalidParameter,
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
            (_, Language::English) => english::message(self),
            (_, Language::Chinese) => chinese::message(self),
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
