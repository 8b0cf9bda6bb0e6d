//! What the actions refuse, with the code and the words of each case.
//!
//! Which of several possible codes an action answers follows from the list that the platform documents for it (`tcr.md`
//! Appendix A), so cases that many actions share carry their code. The platform's own texts are not public but for one; the
//! words here are ours.

use rookery_api::tcr::ErrorCode;
use rookery_gateway::{CommonError, Language, Refusal};
use rookery_registry::TokenKeyError;
use rookery_seal::SealError;
use rookery_signing::SignerError;
use rookery_signing::simple::ExistingError;
use rookery_store::StoreError;

use crate::editions::Edition;

/// What a value must be, in words that follow the parameter's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) english: &'static str,
    pub(crate) chinese: &'static str,
}

/// A thing that is counted against a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counted {
    /// Instances of an account in a region.
    Instances,
    /// Namespaces of an instance.
    Namespaces,
    /// Repositories of an instance.
    Repositories,
    /// Service accounts of an instance.
    ServiceAccounts,
}

impl Counted {
    fn english(self) -> &'static str {
        match self {
            Self::Instances => "instances",
            Self::Namespaces => "namespaces",
            Self::Repositories => "repositories",
            Self::ServiceAccounts => "service accounts",
        }
    }

    fn chinese(self) -> &'static str {
        match self {
            Self::Instances => "实例",
            Self::Namespaces => "命名空间",
            Self::Repositories => "镜像仓库",
            Self::ServiceAccounts => "服务级账号",
        }
    }
}

/// Why an action was refused, or failed. The `Display` text is what clients read in English.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("The instance `{id}` does not exist.")]
    NoInstance { id: String, code: ErrorCode },
    #[error("The instance `{id}` is not running.")]
    NotRunning { id: String, code: ErrorCode },
    #[error("The namespace `{name}` does not exist.")]
    NoNamespace { name: String, code: ErrorCode },
    #[error("The repository `{name}` does not exist.")]
    NoRepository { name: String },
    #[error("The image `{reference}` does not exist.")]
    NoImage { reference: String },
    #[error("The token `{id}` does not exist.")]
    NoToken { id: String },
    #[error("The service account `{0}` does not exist.")]
    NoServiceAccount(String),
    #[error("The service account `{0}` exists already.")]
    ServiceAccountTaken(String),
    #[error("The domain `{0}` does not exist.")]
    NoDomain(String),
    #[error("The domain `{0}` is bound to an instance already.")]
    DomainTaken(String),
    #[error("The trigger {0} does not exist.")]
    NoTrigger(i64),
    #[error("The rule `{0}` does not exist.")]
    NoSyncRule(String),
    #[error("The rule `{0}` exists already.")]
    SyncRuleTaken(String),
    #[error("Synchronisation needs instances of the standard or premium edition.")]
    SyncNotIncluded,
    #[error("The token is none of the instance and the account that it is to open.")]
    PeerRefused,
    #[error("Replicas need an instance of the premium edition.")]
    ReplicasNotIncluded,
    #[error("The instance has a replica in `{0}` already.")]
    ReplicaTaken(String),
    #[error("The replica `{0}` does not exist.")]
    NoReplica(String),
    #[error("The instance `{0}` has replicas, which have to go first.")]
    HasReplicas(String),
    #[error("Garbage is being collected already.")]
    CollectionUnderWay,
    #[error("The rule {id} does not exist.")]
    NoRule { id: i64, code: ErrorCode },
    #[error("The namespace `{namespace}` has a rule of this kind already.")]
    RuleTaken { namespace: String, code: ErrorCode },
    #[error("The run {0} does not exist.")]
    NoExecution(i64),
    #[error("The rule {0} is being carried out already.")]
    ExecutionUnderWay(i64),
    #[error("The tag `{0}` is immutable.")]
    ImmutableTag(String),
    #[error("The tag `{0}` exists already.")]
    TagTaken(String),
    #[error("The parameter `{parameter}` {}.", rule.english)]
    Invalid { parameter: &'static str, rule: Rule, code: ErrorCode },
    #[error("The parameter `{0}` is missing.")]
    Missing(&'static str),
    #[error(
        "The instance name `{0}` must have 4 to 50 lower-case letters, digits and hyphens, with no hyphen first or last."
    )]
    InstanceNameIllegal(String),
    #[error("The instance name `{0}` is reserved.")]
    InstanceNameReserved(String),
    #[error("The instance name `{0}` exists already.")]
    InstanceNameTaken(String),
    #[error("At most {limit} cloud tags are allowed.")]
    TooManyTags { limit: usize, code: ErrorCode },
    #[error("The quota of {limit} {} is used up.", counted.english())]
    Quota { counted: Counted, limit: usize, code: ErrorCode },
    /// All checks have passed, and nothing else was asked for.
    #[error("The request would have succeeded.")]
    DryRun,
    #[error("Deletion protection is on for the instance `{0}`.")]
    Protected(String),
    #[error("The instance uses what the edition `{}` does not include.", .0.name())]
    Downgrade(Edition),
    #[error("The namespace `{0}` exists already.")]
    NamespaceTaken(String),
    #[error("The namespace `{0}` is not empty.")]
    NamespaceNotEmpty(String),
    #[error("The repository `{0}` exists already.")]
    RepositoryTaken(String),
    // The one text of this product that is public, to the letter.
    #[error("repository is not empty, cannot delete without ForceDelete=true")]
    RepositoryNotEmpty,
    #[error("Image signatures need an instance of the premium edition.")]
    SigningNotIncluded,
    #[error("The namespace `{0}` has a signature policy already.")]
    PolicyTaken(String),
    #[error("The namespace `{0}` has no signature policy.")]
    NoPolicy(String),
    #[error("The namespace `{0}` has no signature policy.")]
    NoPolicyToDelete(String),
    #[error("The signature policy of the namespace `{0}` is disabled.")]
    PolicyDisabled(String),
    #[error(
        "This cannot be signed: only an image with a sha256 digest can, and nothing that is attached to one."
    )]
    Unsignable,
    #[error("The tag that belongs to the image's signatures holds something else.")]
    SignaturesOccupied(#[source] ExistingError),
    #[error("The key service refused: {}.", signer_english(.0))]
    KeyService(#[source] SignerError),
    #[error("An internal error has occurred.")]
    Store(#[from] StoreError),
    #[error("An internal error has occurred.")]
    Seal(#[from] SealError),
    #[error("The registry failed.")]
    Registry(#[from] rookery_registry::Error),
    #[error("An internal error has occurred.")]
    Key(#[from] TokenKeyError),
    #[error("An internal error has occurred.")]
    Interrupted(#[from] tokio::task::JoinError),
}

/// The states of a key in words; what an outage looks like inside stays inside.
fn signer_english(error: &SignerError) -> String {
    match error {
        SignerError::Unavailable(_) => "it is unavailable".to_owned(),
        told => told.to_string(),
    }
}

fn signer_chinese(error: &SignerError) -> &'static str {
    match error {
        SignerError::NoSuchKey => "密钥不存在",
        SignerError::KeyDisabled => "密钥已被禁用",
        SignerError::KeyPendingDelete => "密钥处于计划删除状态",
        SignerError::KeyUnusable(_) => "密钥当前状态不可用",
        SignerError::UnsuitableUsage => "密钥用途不支持签名",
        SignerError::Unavailable(_) => "服务不可用",
    }
}

impl Error {
    fn chinese(&self) -> String {
        match self {
            Self::NoInstance { id, .. } => format!("实例 `{id}` 不存在。"),
            Self::DryRun => "请求将会成功。".to_owned(),
            Self::NotRunning { id, .. } => format!("实例 `{id}` 未处于运行状态。"),
            Self::NoNamespace { name, .. } => format!("命名空间 `{name}` 不存在。"),
            Self::NoRepository { name } => format!("镜像仓库 `{name}` 不存在。"),
            Self::NoImage { reference } => format!("镜像 `{reference}` 不存在。"),
            Self::NoToken { id } => format!("访问凭证 `{id}` 不存在。"),
            Self::NoServiceAccount(name) => format!("服务级账号 `{name}` 不存在。"),
            Self::ServiceAccountTaken(name) => format!("服务级账号 `{name}` 已存在。"),
            Self::NoDomain(name) => format!("自定义域名 `{name}` 不存在。"),
            Self::DomainTaken(name) => format!("自定义域名 `{name}` 已绑定实例。"),
            Self::NoTrigger(id) => format!("触发器{id}不存在。"),
            Self::NoSyncRule(name) => format!("同步规则 `{name}` 不存在。"),
            Self::SyncRuleTaken(name) => format!("同步规则 `{name}` 已存在。"),
            Self::SyncNotIncluded => "仅标准版与高级版实例支持实例同步。".to_owned(),
            Self::PeerRefused => "对端访问凭证无效。".to_owned(),
            Self::ReplicasNotIncluded => "仅高级版实例支持实例复制。".to_owned(),
            Self::ReplicaTaken(region) => format!("实例在 `{region}` 已有复制实例。"),
            Self::NoReplica(id) => format!("复制实例 `{id}` 不存在。"),
            Self::HasReplicas(id) => format!("实例 `{id}` 存在复制实例，请先删除。"),
            Self::CollectionUnderWay => "已有正在执行的垃圾回收任务。".to_owned(),
            Self::NoRule { id, .. } => format!("规则{id}不存在。"),
            Self::RuleTaken { namespace, .. } => format!("命名空间 `{namespace}` 已存在同类规则。"),
            Self::NoExecution(id) => format!("执行记录{id}不存在。"),
            Self::ExecutionUnderWay(id) => format!("规则{id}正在执行中。"),
            Self::ImmutableTag(tag) => format!("镜像版本 `{tag}` 不可变。"),
            Self::TagTaken(tag) => format!("镜像版本 `{tag}` 已存在。"),
            Self::Invalid { parameter, rule, .. } => format!("参数 `{parameter}` {}。", rule.chinese),
            Self::Missing(parameter) => format!("缺少参数 `{parameter}`。"),
            Self::InstanceNameIllegal(name) => {
                format!(
                    "实例名称 `{name}` 不合法：须为4-50个小写字母、数字或连字符，且不能以连字符开头或结尾。"
                )
            }
            Self::InstanceNameReserved(name) => format!("实例名称 `{name}` 为保留名称。"),
            Self::InstanceNameTaken(name) => format!("实例名称 `{name}` 已存在。"),
            Self::TooManyTags { limit, .. } => format!("云标签数量不能超过{limit}个。"),
            Self::Quota { counted, limit, .. } => format!("{}数量已达配额上限{limit}。", counted.chinese()),
            Self::Protected(id) => format!("实例 `{id}` 已开启删除保护。"),
            Self::Downgrade(edition) => format!("实例正在使用 `{}` 规格不支持的功能。", edition.name()),
            Self::NamespaceTaken(name) => format!("命名空间 `{name}` 已存在。"),
            Self::NamespaceNotEmpty(name) => format!("命名空间 `{name}` 不为空。"),
            Self::RepositoryTaken(name) => format!("镜像仓库 `{name}` 已存在。"),
            Self::RepositoryNotEmpty => self.to_string(),
            Self::SigningNotIncluded => "仅高级版实例支持镜像签名。".to_owned(),
            Self::PolicyTaken(name) => format!("命名空间 `{name}` 已存在签名策略。"),
            Self::NoPolicy(name) | Self::NoPolicyToDelete(name) => {
                format!("命名空间 `{name}` 没有签名策略。")
            }
            Self::PolicyDisabled(name) => format!("命名空间 `{name}` 的签名策略已被禁用。"),
            Self::Unsignable => "仅支持对sha256摘要的镜像签名，不支持对镜像的附属制品签名。".to_owned(),
            Self::SignaturesOccupied(_) => "镜像签名对应的版本已被其他内容占用。".to_owned(),
            Self::KeyService(error) => format!("密钥服务异常：{}。", signer_chinese(error)),
            Self::Registry(_) => "镜像仓库服务异常。".to_owned(),
            Self::Store(_) | Self::Seal(_) | Self::Key(_) | Self::Interrupted(_) => "内部错误。".to_owned(),
        }
    }
}

impl Refusal for Error {
    type Code = ErrorCode;

    fn code(&self) -> ErrorCode {
        match self {
            Self::NoInstance { code, .. }
            | Self::NotRunning { code, .. }
            | Self::NoNamespace { code, .. }
            | Self::Invalid { code, .. }
            | Self::NoRule { code, .. }
            | Self::RuleTaken { code, .. }
            | Self::TooManyTags { code, .. }
            | Self::Quota { code, .. } => *code,
            Self::NoRepository { .. }
            | Self::NoImage { .. }
            | Self::NoPolicyToDelete(_)
            | Self::NoTrigger(_) => ErrorCode::ResourceNotFoundTcrResourceNotFound,
            Self::NoToken { .. } | Self::NoServiceAccount(_) | Self::ServiceAccountTaken(_) => {
                ErrorCode::InvalidParameter
            }
            Self::NoDomain(_) => ErrorCode::InternalErrorErrNotExist,
            Self::DomainTaken(_) | Self::HasReplicas(_) => ErrorCode::InternalErrorErrorConflict,
            Self::Missing(_) => ErrorCode::MissingParameter,
            Self::InstanceNameIllegal(_) => ErrorCode::InvalidParameterErrorNameIllegal,
            Self::InstanceNameReserved(_) => ErrorCode::InvalidParameterErrorNameReserved,
            Self::InstanceNameTaken(_) => ErrorCode::InvalidParameterErrorNameExists,
            Self::NamespaceTaken(_) => ErrorCode::FailedOperationErrorTcrResourceConflict,
            Self::NamespaceNotEmpty(_) | Self::RepositoryNotEmpty | Self::ImmutableTag(_) => {
                ErrorCode::FailedOperationPreconditionFailed
            }
            Self::RepositoryTaken(_) | Self::SignaturesOccupied(_) | Self::TagTaken(_) => {
                ErrorCode::InternalErrorErrorTcrResourceConflict
            }
            Self::NoExecution(_) | Self::NoSyncRule(_) => ErrorCode::ResourceNotFound,
            Self::SyncRuleTaken(_) => ErrorCode::InternalErrorErrorTcrResourceConflict,
            Self::PeerRefused => ErrorCode::UnauthorizedOperation,
            Self::ExecutionUnderWay(_) | Self::CollectionUnderWay => ErrorCode::InternalErrorErrConflict,
            Self::SigningNotIncluded | Self::SyncNotIncluded | Self::ReplicasNotIncluded => {
                ErrorCode::UnsupportedOperation
            }
            Self::ReplicaTaken(_) => ErrorCode::InvalidParameterReplicationExists,
            Self::NoReplica(_) => ErrorCode::InvalidParameter,
            Self::PolicyTaken(_) => ErrorCode::InvalidParameterErrorTcrInvalidParameter,
            Self::Protected(_)
            | Self::Downgrade(_)
            | Self::NoPolicy(_)
            | Self::PolicyDisabled(_)
            | Self::Unsignable => ErrorCode::OperationDenied,
            Self::KeyService(_) => ErrorCode::FailedOperationDependenceError,
            Self::Registry(_) => ErrorCode::InternalErrorErrorTcrInternal,
            // What a dry run answers is no code of the product's: `common` says it.
            Self::DryRun | Self::Store(_) | Self::Seal(_) | Self::Key(_) | Self::Interrupted(_) => {
                ErrorCode::InternalError
            }
        }
    }

    fn message(&self, language: Language) -> String {
        match language {
            Language::English => self.to_string(),
            Language::Chinese => self.chinese(),
        }
    }

    fn common(&self) -> Option<CommonError> {
        matches!(self, Self::DryRun).then_some(CommonError::DryRunOperation)
    }

    fn internal(&self) -> Option<String> {
        let source = std::error::Error::source(self)?;
        let chain = std::iter::successors(source.source(), |error| error.source());
        Some(chain.fold(source.to_string(), |text, error| format!("{text}: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_inside_is_told_to_nobody_but_the_trace() {
        let damaged = StoreError::Damaged { table: "tcr.tokens".to_owned(), what: "a row".to_owned() };
        let outage = SignerError::Unavailable("10.0.0.1 does not answer".to_owned());
        for error in [Error::Store(damaged), Error::KeyService(outage)] {
            let internal = error.internal().unwrap();
            assert!(internal.contains("tcr.tokens") || internal.contains("10.0.0.1"), "{internal}");
            for language in [Language::English, Language::Chinese] {
                let told = error.message(language);
                assert!(!told.contains("tcr.tokens") && !told.contains("10.0.0.1"), "{told}");
            }
        }
        assert_eq!(Error::RepositoryNotEmpty.internal(), None);
    }

    #[test]
    fn both_languages_name_what_is_wrong() {
        let error =
            Error::Quota { counted: Counted::Namespaces, limit: 50, code: ErrorCode::OperationDenied };
        assert_eq!(error.message(Language::English), "The quota of 50 namespaces is used up.");
        assert_eq!(error.message(Language::Chinese), "命名空间数量已达配额上限50。");
    }
}
