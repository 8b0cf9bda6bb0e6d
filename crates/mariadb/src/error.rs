//! What the actions refuse, and what fails underneath. The platform's own words are not public but for its codes; the words are ours.

use rookery_api::mariadb::ErrorCode;
use rookery_gateway::tls::TlsError;
use rookery_gateway::{CommonError, Language, Refusal};
use rookery_seal::SealError;
use rookery_store::StoreError;
use rookery_supervisor::StartError;

use crate::server::Missing;
use crate::sql::SqlError;

/// Why an action was refused, or failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The request asks for what cannot be.
    #[error("{english}")]
    Refused { code: ErrorCode, english: String, chinese: String },
    /// The database server is not on this machine.
    #[error(transparent)]
    NotInstalled(#[from] Missing),
    /// A server did not start.
    #[error("The database server did not start.")]
    Start(#[from] StartError),
    /// A server refused a statement, or its connection broke.
    #[error("{0}")]
    Sql(#[from] SqlError),
    /// A program that takes backups, restores them or reads logs did not do it.
    #[error("{what} ended with {status}; it wrote: {said}")]
    Tool { what: &'static str, status: std::process::ExitStatus, said: String },
    #[error("the system refused: {0}")]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// What was stored contradicts itself, or a server did not do what it was told.
    #[error("{0}")]
    Inconsistent(&'static str),
}

impl Error {
    pub(crate) fn refuse(code: ErrorCode, english: impl Into<String>, chinese: impl Into<String>) -> Self {
        Self::Refused { code, english: english.into(), chinese: chinese.into() }
    }

    pub(crate) fn no_instance(id: &str) -> Self {
        Self::refuse(
            ErrorCode::ResourceNotFoundNoInstanceFound,
            format!("The instance `{id}` does not exist in this region."),
            format!("实例 `{id}` 在该地域不存在。"),
        )
    }

    /// The instance is in a state in which this cannot be done.
    pub(crate) fn state(id: &str, state: &str) -> Self {
        Self::refuse(
            ErrorCode::ResourceUnavailableInstanceStatusAbnormal,
            format!("The instance `{id}` is in the state `{state}`, in which this cannot be done."),
            format!("实例 `{id}` 当前状态为 `{state}`，不支持该操作。"),
        )
    }

    pub(crate) fn locked(id: &str, flow: u64) -> Self {
        Self::refuse(
            ErrorCode::ResourceUnavailableInstanceHasBeenLocked,
            format!("The instance `{id}` is locked by the flow {flow}."),
            format!("实例 `{id}` 正被流程 {flow} 锁定。"),
        )
    }

    pub(crate) fn invalid(parameter: &str, rule: &str) -> Self {
        Self::refuse(
            ErrorCode::InvalidParameterIllegalParameterError,
            format!("The parameter `{parameter}` {rule}."),
            format!("参数 `{parameter}` 取值错误。"),
        )
    }

    /// Something that exists on the platform and not here.
    pub(crate) fn unsupported(what: &str) -> Self {
        Self::refuse(
            ErrorCode::UnsupportedOperationInvalidOperation,
            format!("Rookery does not implement {what}."),
            format!("Rookery 尚未实现：{what}。"),
        )
    }

    /// Whether the same may succeed in a moment.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Refused { .. } | Self::NotInstalled(_) | Self::Store(_) | Self::Seal(_) => false,
            Self::Start(error) => {
                !matches!(error, StartError::TooMany { .. } | StartError::Memory { .. } | StartError::Closed)
            }
            _ => true,
        }
    }

    fn told(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::NotInstalled(_) | Self::Sql(SqlError::Refused { .. }))
    }
}

impl Refusal for Error {
    type Code = ErrorCode;

    fn code(&self) -> ErrorCode {
        match self {
            Self::Refused { code, .. } => *code,
            Self::NotInstalled(_) => ErrorCode::ResourceInsufficient,
            Self::Sql(SqlError::Refused { .. }) => ErrorCode::FailedOperation,
            Self::Sql(_) => ErrorCode::InternalErrorDbOperationFailed,
            Self::Start(_)
            | Self::Io(_)
            | Self::Store(_)
            | Self::Seal(_)
            | Self::Tls(_)
            | Self::Tool { .. }
            | Self::Inconsistent(_) => ErrorCode::InternalError,
        }
    }

    fn message(&self, language: Language) -> String {
        match (self, language) {
            (Self::Refused { chinese, .. }, Language::Chinese) => chinese.clone(),
            (Self::NotInstalled(missing), Language::Chinese) => missing.chinese(),
            _ if self.told() => self.to_string(),
            _ => CommonError::Internal.message(language).into_owned(),
        }
    }

    fn internal(&self) -> Option<String> {
        (!self.told()).then(|| match self {
            Self::Start(error) => error.to_string(),
            other => other.to_string(),
        })
    }
}
