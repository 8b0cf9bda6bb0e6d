//! The refusals in Chinese.

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
        Error::InvalidAlias => "`Alias` 须为 1 到 60 个字母、数字、`-` 或 `_`，首字符须为字母或数字，且不能以云产品保留的 `kms-` 开头。".to_owned(),
        Error::AliasTaken(alias) => format!("别名 `{alias}` 在该地域已经存在。"),
        Error::DescriptionTooLong(limit) => format!("`Description` 不能超过 {limit} 字节。"),
        Error::UnknownKeyUsage(usage) => format!("密钥用途 `{usage}` 不存在。"),
        Error::WrongUsage(usage) => format!("该操作不适用于用途为 `{usage}` 的密钥。"),
        Error::UnknownType(kind) => format!("密钥类型 `{kind}` 不存在。"),
        Error::ExternalKeyPair(usage) => format!("只有用途为 `ENCRYPT_DECRYPT` 的密钥可以导入密钥材料（`Type` 为 2），用途为 `{usage}` 的密钥不可以。"),
        Error::UnknownHsmCluster(cluster) => format!("HSM 集群 `{cluster}` 不存在。"),
        Error::TagKeyRepeated(key) => format!("标签键 `{key}` 重复。"),
        Error::KeyLimit => format!("该账号在该地域的密钥数量已达上限 {KEY_LIMIT}。"),
        Error::MalformedKeyId => "`KeyId` 须为小写的 UUID。".to_owned(),
        Error::KeyIdRepeated(id) => format!("密钥 `{id}` 重复。"),
        Error::IdCount(count) => format!("须给出 1 到 {BATCH_LIMIT} 个 ID，实际为 {count} 个。"),
        Error::KeyNotFound(id) => format!("密钥 `{id}` 在该地域不存在。"),
        Error::KeyDisabled(id) => format!("密钥 `{id}` 已被禁用。"),
        Error::KeyArchived(id) => format!("密钥 `{id}` 已归档，只能用于解密。"),
        Error::KeyPendingDelete(id) => format!("密钥 `{id}` 已计划删除。"),
        Error::StateNotSupported(id, state) => format!("密钥 `{id}` 的状态为 `{state}`，不支持该操作。"),
        Error::KeyShouldBeDisabled(id) => format!("密钥 `{id}` 须先禁用，才能计划删除。"),
        Error::KeyNotPendingDelete(id) => format!("密钥 `{id}` 不是计划删除状态。"),
        Error::UsedByProduct(id) => format!("密钥 `{id}` 正在被云产品使用。"),
        Error::BindingNotFound(id) => format!("密钥 `{id}` 和该云资源的绑定关系不存在。"),
        Error::PendingWindow(days) => format!("`PendingWindowInDays` 须为 7 到 30，不能为 {days}。"),
        Error::RotateDays(days) => format!("`RotateDays` 须为 7 到 365，不能为 {days}。"),
        Error::ExternalCannotRotate(id) => format!("密钥 `{id}` 的密钥材料由用户导入，不能轮换。"),
        Error::RotateNotSupported(id) => format!("密钥 `{id}` 不支持轮转：只有由 KMS 创建密钥材料、且已开启轮转的对称密钥可以轮转。"),
        Error::RotatedLately(id) => format!("密钥 `{id}` 在 24 小时内已经轮转过。"),
        Error::NotExternal(id) => format!("密钥 `{id}` 不是 EXTERNAL 类型，其密钥材料由 KMS 创建。"),
        Error::ImportToken => "`ImportToken` 不是为该密钥签发的令牌。".to_owned(),
        Error::ImportTokenExpired => "`ImportToken` 已过期，或已被更新的令牌取代。".to_owned(),
        Error::MaterialUndecryptable => "无法解密 `EncryptedKeyMaterial`：须使用与 `ImportToken` 对应的公钥和算法加密。".to_owned(),
        Error::MaterialLength { expected, found } => format!("该地域的密钥材料须为 {} 位，实际为 {} 位。", expected * 8, found * 8),
        Error::MaterialMismatch => "导入的密钥材料和历史导入不同。".to_owned(),
        Error::Plaintext => format!("明文须为 1 到 {PLAINTEXT_LIMIT} 字节的标准 Base64。"),
        Error::EncryptionContext => format!("加密上下文须为键和值均为字符串的 JSON 对象，且不能超过 {CONTEXT_LIMIT} 个字符。"),
        Error::MalformedCiphertext => "密文格式错误，不是由 KMS 加密的密文。".to_owned(),
        Error::Undecryptable => "无法解密：密文被改动，或加密时使用了其它密钥、算法或加密上下文。".to_owned(),
        Error::CiphertextTooLong(length, limit) => format!("`Ciphertext` 在 Base64 编码前不能超过 {limit} 字节，实际为 {length} 字节。"),
        Error::Wrapping(error) => error.chinese(),
        Error::DataKey(error) => error.chinese(),
        Error::WhiteBox(error) => error.chinese(),
        Error::MemberAccounts => "Rookery 尚未实现成员账号：只能访问调用者自己的密钥。".to_owned(),
        Error::InvalidValue { parameter, value } => format!("参数 `{parameter}` 的取值 `{value}` 错误。"),
        Error::NoLength => "`KeySpec` 和 `NumberOfBytes` 必须指定一个。".to_owned(),
        Error::Needs { parameter, needed } => format!("参数 `{parameter}` 须与 `{needed}` 一起使用。"),
        Error::NotBase64(parameter) => format!("`{parameter}` 须为带填充的标准 Base64。"),
        Error::MessageTooLong(length) => format!("消息在 Base64 编码前不能超过 {RAW_LIMIT} 字节，实际为 {length} 字节。"),
        Error::DigestLength { expected, found } => format!("对于该算法，`DIGEST` 类型的 `Message` 在 Base64 编码前须为 {expected} 字节，实际为 {found} 字节。"),
        Error::UnsuitedAlgorithm(usage) => format!("`Algorithm` 不适用于用途为 `{usage}` 的密钥。"),
        Error::Store(_) | Error::Seal(_) | Error::Cryptography(_) | Error::Damaged(_) => {
            CommonError::Internal.message(Language::Chinese).into_owned()
        }
    }
}
