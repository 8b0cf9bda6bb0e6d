//! The refusals in English.

use rookery_gateway::{CommonError, Language};

use super::Error;
use crate::context::CONTEXT_LIMIT;
use crate::envelope::PLAINTEXT_LIMIT;
use crate::keys::KEY_LIMIT;
use crate::listing::BATCH_LIMIT;
use crate::message::RAW_LIMIT;

/// What the client reads; for what went wrong inside, no more than that.
pub(super) fn message(error: &Error) -> String {
    match error {
        Error::InvalidAlias => "`Alias` must be 1 to 60 letters, digits, `-` and `_`, begin with a letter or a digit, and not begin with `kms-`, which is reserved for cloud products.".to_owned(),
        Error::AliasTaken(alias) => format!("The alias `{alias}` already exists in this region."),
        Error::DescriptionTooLong(limit) => format!("`Description` must not exceed {limit} bytes."),
        Error::UnknownKeyUsage(usage) => format!("The key usage `{usage}` does not exist."),
        Error::WrongUsage(usage) => format!("The action is not for keys of usage `{usage}`."),
        Error::UnknownType(kind) => format!("The key type `{kind}` does not exist."),
        Error::ExternalKeyPair(usage) => format!("Only keys of usage `ENCRYPT_DECRYPT` can have imported material (`Type` 2), not those of usage `{usage}`."),
        Error::UnknownHsmCluster(cluster) => format!("The HSM cluster `{cluster}` does not exist."),
        Error::TagKeyRepeated(key) => format!("The tag key `{key}` is given more than once."),
        Error::KeyLimit => format!("The account has {KEY_LIMIT} keys in this region, which is the limit."),
        Error::MalformedKeyId => "`KeyId` must be a lower-case UUID.".to_owned(),
        Error::KeyIdRepeated(id) => format!("The key `{id}` is given more than once."),
        Error::IdCount(count) => format!("1 to {BATCH_LIMIT} ids must be given; these are {count}."),
        Error::KeyNotFound(id) => format!("The key `{id}` does not exist in this region."),
        Error::KeyDisabled(id) => format!("The key `{id}` is disabled."),
        Error::KeyArchived(id) => format!("The key `{id}` is archived: it can only decrypt."),
        Error::KeyPendingDelete(id) => format!("The key `{id}` is scheduled for deletion."),
        Error::StateNotSupported(id, state) => format!("The key `{id}` is in state `{state}`, which does not support the operation."),
        Error::KeyShouldBeDisabled(id) => format!("The key `{id}` must be disabled before it can be scheduled for deletion."),
        Error::KeyNotPendingDelete(id) => format!("The key `{id}` is not scheduled for deletion."),
        Error::UsedByProduct(id) => format!("The key `{id}` is used by a cloud product."),
        Error::BindingNotFound(id) => format!("The resource is not bound to the key `{id}`."),
        Error::PendingWindow(days) => format!("`PendingWindowInDays` must be 7 to 30, not {days}."),
        Error::RotateDays(days) => format!("`RotateDays` must be 7 to 365, not {days}."),
        Error::ExternalCannotRotate(id) => format!("The key `{id}` has imported material, which cannot be rotated."),
        Error::RotateNotSupported(id) => format!("The key `{id}` cannot be rotated: only symmetric keys whose material was made by KMS, and whose rotation is enabled, can."),
        Error::RotatedLately(id) => format!("The key `{id}` was rotated less than 24 hours ago."),
        Error::NotExternal(id) => format!("The key `{id}` is not external: its material was made by KMS."),
        Error::ImportToken => "`ImportToken` is not one that was issued for this key.".to_owned(),
        Error::ImportTokenExpired => "`ImportToken` has expired or was replaced by a later one.".to_owned(),
        Error::MaterialUndecryptable => "`EncryptedKeyMaterial` cannot be decrypted: it must be encrypted with the public key and the algorithm that belong to `ImportToken`.".to_owned(),
        Error::MaterialLength { expected, found } => format!("The key material must be {} bits in this region, not {}.", expected * 8, found * 8),
        Error::MaterialMismatch => "The key material is not the one that was imported before.".to_owned(),
        Error::Plaintext => format!("The plaintext must be standard Base64 of 1 to {PLAINTEXT_LIMIT} bytes."),
        Error::EncryptionContext => format!("The encryption context must be a JSON object of strings, in at most {CONTEXT_LIMIT} characters."),
        Error::MalformedCiphertext => "The ciphertext is not one that KMS made.".to_owned(),
        Error::Undecryptable => "The ciphertext cannot be decrypted: it was altered, or encrypted with another key, algorithm or encryption context.".to_owned(),
        Error::CiphertextTooLong(length, limit) => format!("`Ciphertext` must not exceed {limit} bytes before Base64; this one has {length}."),
        Error::Wrapping(error) => error.english(),
        Error::DataKey(error) => error.english(),
        Error::WhiteBox(error) => error.english(),
        Error::MemberAccounts => "Rookery does not implement member accounts: only the caller's own keys can be reached.".to_owned(),
        Error::InvalidValue { parameter, value } => format!("The value `{value}` specified in the parameter `{parameter}` is not valid."),
        Error::NoLength => "`KeySpec` or `NumberOfBytes` must be given.".to_owned(),
        Error::Needs { parameter, needed } => format!("The parameter `{parameter}` needs `{needed}`."),
        Error::NotBase64(parameter) => format!("`{parameter}` must be standard Base64 with padding."),
        Error::MessageTooLong(length) => format!("A message must not exceed {RAW_LIMIT} bytes before Base64; this one has {length}."),
        Error::DigestLength { expected, found } => format!("A `Message` of type `DIGEST` must be {expected} bytes before Base64 for this algorithm; this one has {found}."),
        Error::UnsuitedAlgorithm(usage) => format!("The `Algorithm` does not suit a key of usage `{usage}`."),
        Error::Store(_) | Error::Seal(_) | Error::Cryptography(_) | Error::Damaged(_) => {
            CommonError::Internal.message(Language::English).into_owned()
        }
    }
}
