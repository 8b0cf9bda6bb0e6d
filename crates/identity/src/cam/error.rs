//! What CAM refuses, each case with its code and its words in both languages.
//!
//! The codes of each action are the platform's; its texts are not public, so the words are ours.

use rookery_api::cam::ErrorCode;
use rookery_gateway::{Language, Refusal};
use rookery_seal::SealError;
use rookery_store::StoreError;

use crate::cam::passwords::NoSalt;

/// Declares the cases once: what is told, the code, English, Chinese.
macro_rules! refusals {
    ($($name:ident $({ $($field:ident: $type:ty),+ })? = $code:ident, $english:literal, $chinese:literal;)+) => {
        /// Why an action was refused, or failed. The `Display` text is what clients read in English.
        #[derive(Debug, thiserror::Error)]
        pub(crate) enum Error {
            $(#[error($english)] $name $({ $($field: $type),+ })?,)+
            /// A policy document that cannot be used; the code says which part of it.
            #[error("The policy document is not valid: {what}.")]
            Document { code: ErrorCode, what: String },
            #[error("An internal error has occurred.")]
            Store(#[from] StoreError),
            #[error("An internal error has occurred.")]
            Seal(#[from] SealError),
            #[error("An internal error has occurred.")]
            Salt(#[from] NoSalt),
            #[error("An internal error has occurred.")]
            Interrupted(#[from] tokio::task::JoinError),
        }

        impl Refusal for Error {
            type Code = ErrorCode;

            fn code(&self) -> ErrorCode {
                match self {
                    $(Self::$name { .. } => ErrorCode::$code,)+
                    Self::Document { code, .. } => *code,
                    Self::Store(_) | Self::Seal(_) | Self::Salt(_) | Self::Interrupted(_) => {
                        ErrorCode::InternalErrorSystemError
                    }
                }
            }

            fn message(&self, language: Language) -> String {
                match (language, self) {
                    (Language::English, _) => self.to_string(),
                    $((Language::Chinese, Self::$name $({ $($field),+ })?) => format!($chinese),)+
                    (Language::Chinese, Self::Document { what, .. }) => format!("策略文档不合法（{what}）。"),
                    (Language::Chinese, _) => "内部错误。".to_owned(),
                }
            }

            fn internal(&self) -> Option<String> {
                match self {
                    Self::Store(error) => Some(error.to_string()),
                    Self::Seal(error) => Some(error.to_string()),
                    Self::Salt(error) => Some(error.to_string()),
                    Self::Interrupted(error) => Some(error.to_string()),
                    _ => None,
                }
            }
        }
    };
}

refusals! {
    // Parameters.
    Parameter { parameter: &'static str, rule: &'static str } = InvalidParameterParamError, "The parameter `{parameter}` {rule}.", "参数 `{parameter}` 不合法（{rule}）。";
    PlainParameter { parameter: &'static str, rule: &'static str } = InvalidParameter, "The parameter `{parameter}` {rule}.", "参数 `{parameter}` 不合法（{rule}）。";
    DescriptionTooLong = InvalidParameterDescriptionLengthOverlimit, "The description is longer than 300 bytes.", "描述长度不能超过300字节。";
    KeywordTooLong = InvalidParameterSearchKeywordLengthError, "The keyword is longer than 200 characters.", "搜索关键字长度不能超过200个字符。";
    // Users.
    NoUser { user: String } = ResourceNotFoundUserNotExist, "The user `{user}` does not exist.", "用户 `{user}` 不存在。";
    NoTarget { uin: u64 } = InvalidParameterUserNotExist, "The user `{uin}` does not exist.", "用户 `{uin}` 不存在。";
    NeitherUinNorUid = InvalidParameterUserUinAndUinNotAllNull, "One of `Uin` and `Uid` must be given.", "参数 `Uin` 与 `Uid` 不能同时为空。";
    UserNameIllegal { name: String } = InvalidParameterUserNameIllegal, "The user name `{name}` must have 1 to 64 letters, digits and + = , . @ _ -.", "用户名 `{name}` 不合法：须为1-64个字母、数字或+=,.@_-。";
    UserNameTaken { name: String } = InvalidParameterSubUserNameInUse, "The user name `{name}` exists already.", "用户名 `{name}` 已存在。";
    UsersFull { limit: usize } = InvalidParameterSubUserFull, "The quota of {limit} sub-users is used up.", "子用户数量已达上限{limit}。";
    PasswordViolatesRules { rule: String } = InvalidParameterPasswordViolatedRules, "The password breaks the rules of the account: {rule}.", "密码不符合账号的密码规则（{rule}）。";
    PasswordRules { rule: &'static str } = InvalidParameterPasswordRuleError, "The password rules are not valid: {rule}.", "密码规则不合法（{rule}）。";
    UserHasKeys { name: String } = OperationDeniedHaveKeys, "The user `{name}` still has API keys.", "用户 `{name}` 存在未删除的API密钥。";
    MayNotDeleteKeys = UnauthorizedOperationDeleteApiKey, "Deleting the user's keys needs the permission cam:DeleteApiKey.", "没有删除API密钥的权限（cam:DeleteApiKey）。";
    Marker = InvalidParameterPaginationTokenInvalid, "The marker is not one of this list.", "无效的分页标记。";
    // Keys.
    NoKey { id: String } = ResourceNotFoundSecretNotExist, "The key `{id}` does not exist.", "密钥 `{id}` 不存在。";
    KeysFull = OperationDeniedAccessKeyOverLimit, "An identity has at most two access keys.", "每个账号最多支持两个访问密钥。";
    KeyOfRoot = OperationDeniedSubUin, "A sub-user cannot manage the root account's keys.", "子用户不允许操作主账号密钥。";
    KeyOfAnother = OperationDeniedUinNotMatch, "The key belongs to another identity.", "被操作密钥与账号不匹配。";
    KeyOfTemporary = FailedOperationAccesskey, "A role or a federated user has no access keys of its own.", "角色或联合身份没有访问密钥。";
    // Groups.
    NoGroup { id: u64 } = ResourceNotFoundGroupNotExist, "The group `{id}` does not exist.", "用户组 `{id}` 不存在。";
    NoGroupNamed { id: u64 } = InvalidParameterGroupNotExist, "The group `{id}` does not exist.", "用户组 `{id}` 不存在。";
    GroupNameTaken { name: String } = InvalidParameterGroupNameInUse, "The group name `{name}` exists already.", "用户组名称 `{name}` 已存在。";
    GroupsFull { limit: usize } = InvalidParameterGroupFull, "The quota of {limit} groups is used up.", "用户组数量已达上限{limit}。";
    GroupUsersFull { limit: usize } = InvalidParameterGroupUserFull, "A group has at most {limit} users.", "用户组中的子用户数量已达上限{limit}。";
    UserGroupsFull { limit: usize } = InvalidParameterUserGroupFull, "A user is in at most {limit} groups.", "子用户加入的用户组数量已达上限{limit}。";
    // Policies.
    NoPolicy { id: u64 } = ResourceNotFoundPolicyIdNotFound, "The policy `{id}` does not exist.", "策略 `{id}` 不存在。";
    NoSuchPolicy { id: u64 } = InvalidParameterPolicyIdNotExist, "The policy `{id}` does not exist.", "策略 `{id}` 不存在。";
    NoPolicyNamed { name: String } = InvalidParameterPolicyNameError, "The policy `{name}` does not exist.", "策略 `{name}` 不存在。";
    PolicyIdIllegal = InvalidParameterPolicyIdError, "The policy is the platform's and cannot be changed.", "预设策略不能修改。";
    PolicyNameIllegal { name: String } = InvalidParameterPolicyNameError, "The policy name `{name}` must have 1 to 128 letters, digits and + = , . @ _ -.", "策略名 `{name}` 不合法：须为1-128个字母、数字或+=,.@_-。";
    PolicyNameTaken { name: String } = FailedOperationPolicyNameInUse, "The policy name `{name}` exists already.", "策略名 `{name}` 已存在。";
    PoliciesFull { limit: usize } = FailedOperationPolicyFull, "The quota of {limit} policies is used up.", "策略数量已达上限{limit}。";
    PolicyTooLong { limit: usize } = InvalidParameterPolicyDocumentLengthOverLimit, "The policy document is longer than {limit} characters.", "策略文档长度不能超过{limit}个字符。";
    VersionsFull { limit: usize } = FailedOperationPolicyVersionFull, "A policy has at most {limit} versions.", "策略版本数已达上限{limit}。";
    NoVersion { version: u64 } = InvalidParameterPolicyVersionNotExists, "The policy version `{version}` does not exist.", "策略版本 `{version}` 不存在。";
    DefaultVersion { version: u64 } = FailedOperationPolicyVersionAlreadyDefault, "The policy version `{version}` is the default one.", "策略版本 `{version}` 是默认版本。";
    TooManyPolicies { limit: usize } = InvalidParameterOperatePoliciesOverLimit, "At most {limit} policies can be changed at once.", "一次最多操作{limit}个策略。";
    AttachmentsFull { limit: usize } = InvalidParameterAttachmentFull, "At most {limit} policies can be attached to an identity.", "授权对象关联的策略数已达上限{limit}。";
    EntityFilter = InvalidParameterEntityFilterError, "`EntityFilter` must be All, User, Group or Role.", "`EntityFilter` 只能为 All、User、Group 或 Role。";
    Scope = InvalidParameterScopeError, "`Scope` must be All, QCS or Local.", "`Scope` 只能为 All、QCS 或 Local。";
    LinkedRoleWithBoundary = InvalidParameterServiceLinkedRoleCantUsePermissionBoundary, "A service-linked role cannot have a boundary.", "服务相关角色不能设置权限边界。";
    PolicyIsBoundary { id: u64 } = InvalidParameterParamError, "The policy `{id}` is the boundary of a user or a role; remove it there first.", "策略 `{id}` 已被设为权限边界，请先解除。";
    NoEntityPolicy { id: u64 } = InvalidParameterPolicyIdError, "The policy `{id}` does not exist.", "策略 `{id}` 不存在。";
    // Roles.
    LinkedRole { role: String } = InvalidParameterParamError, "The role `{role}` is service-linked; only its product changes it.", "角色 `{role}` 为服务相关角色，不能直接修改。";
    NotLinkedRole { role: String } = InvalidParameterParamError, "The role `{role}` is not service-linked.", "角色 `{role}` 不是服务相关角色。";
    NoRole { role: String } = InvalidParameterRoleNotExist, "The role `{role}` does not exist.", "角色 `{role}` 不存在。";
    RoleNameIllegal { name: String } = InvalidParameterRoleNameError, "The role name `{name}` must have 1 to 128 letters, digits and + = , . @ _ -.", "角色名 `{name}` 不合法：须为1-128个字母、数字或+=,.@_-。";
    RoleNameTaken { name: String } = InvalidParameterRoleNameInUse, "The role name `{name}` exists already.", "角色名 `{name}` 已存在。";
    RolesFull { limit: usize } = InvalidParameterRoleFull, "The quota of {limit} roles is used up.", "角色数量已达上限{limit}。";
    PrincipalNotFound { principal: String } = InvalidParameterPrincipalQcsNotExist, "The principal `{principal}` does not exist.", "授权对象 `{principal}` 不存在。";
    PrincipalForm { principal: String } = InvalidParameterPrincipalQcsError, "The principal `{principal}` is not a user, a root account or a provider.", "授权对象 `{principal}` 格式不正确。";
    NoService { service: String } = InvalidParameterPrincipalServiceNotExist, "The service `{service}` does not exist.", "服务 `{service}` 不存在。";
    NoDeletion { task: String } = InvalidParameterDeletionTaskNotExist, "The deletion `{task}` does not exist.", "删除任务 `{task}` 不存在。";
    TagsFull { limit: usize } = InvalidParameterTagLimitExceeded, "At most {limit} tags are allowed.", "标签数量不能超过{limit}个。";
    Tag { rule: &'static str } = InvalidParameterTagParamError, "The tags are not valid: {rule}.", "标签参数不合法（{rule}）。";
    // Providers and single sign-on.
    NoProvider { name: String } = ResourceNotFoundIdentityNotExist, "The identity provider `{name}` does not exist.", "身份提供商 `{name}` 不存在。";
    ProviderTaken { name: String } = InvalidParameterIdentityNameInUse, "The identity provider `{name}` exists already.", "身份提供商 `{name}` 已存在。";
    ProvidersFull { limit: usize } = LimitExceededIdentityFull, "The quota of {limit} identity providers is used up.", "身份提供商数量已达上限{limit}。";
    ProviderName { name: String } = InvalidParameterValueNameError, "The provider name `{name}` must have 1 to 128 letters, digits and _ . -.", "身份提供商名称 `{name}` 不合法：须为1-128个字母、数字或_.-。";
    Metadata { what: &'static str } = InvalidParameterValueMetadataError, "The metadata document is not valid: {what}.", "身份提供商元数据文档不合法（{what}）。";
    ProviderUrl = InvalidParameterValueIdentityUrlError, "The provider's URL must be an https URL without query and fragment.", "身份提供商URL须为不含参数的https地址。";
    ProviderKey { what: &'static str } = InvalidParameterValueIdentityKeyError, "The signing key is not valid: {what}.", "签名公钥不合法（{what}）。";
    ProviderKeyOfRole { what: &'static str } = InvalidParameterValueMetadataError, "The signing key is not valid: {what}.", "签名公钥不合法（{what}）。";
    // Settings and receivers.
    NoPhone = FailedOperationUserNotBindPhone, "The user has no phone number.", "用户未绑定手机。";
    NoWechat = FailedOperationUserNotBindWechat, "The user is not bound to WeChat.", "用户未绑定微信。";
    Network { network: String } = InvalidParameterIPIllegal, "`{network}` is not an IP address or a network in CIDR form.", "IP段 `{network}` 格式不合法。";
    NetworksOverlap { network: String } = InvalidParameterIPRangeOverlapping, "`{network}` overlaps another network of the list.", "IP段 `{network}` 与其他IP段重叠。";
    Effect = InvalidParameterEffectError, "`Effect` must be Allow or Deny.", "`Effect` 只能为 Allow 或 Deny。";
    ApproverType = InvalidParameterAssitApproverTypeError, "Approvers need somebody to ask, which is not there; leave them out.", "不支持审批人。";
    LoginPolicyFull { limit: usize } = FailedOperationPolicyFull, "A log-in policy has at most {limit} networks.", "登录IP策略最多包含{limit}个IP段。";
    ReceiversFull { limit: usize } = InvalidParameterReceiverOverLimit, "The quota of {limit} message receivers is used up.", "消息接收人数量已达上限{limit}。";
    NoReceiver { name: String } = ResourceNotFoundUserNotExists, "The message receiver `{name}` does not exist.", "消息接收人 `{name}` 不存在。";
}
