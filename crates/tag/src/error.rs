//! What the tag service refuses, each case with its code and its words in both languages.

use rookery_api::ErrorCode as _;
use rookery_api::tag::{ErrorCode, FailedResource};
use rookery_gateway::{Language, Refusal};
use rookery_store::StoreError;

use crate::holder::HolderError;

macro_rules! refusals {
    ($($name:ident $({ $($field:ident: $type:ty),+ })? = $code:ident, $english:literal, $chinese:literal;)+) => {
        /// Why an action was refused, or failed. The `Display` text is what clients read in English.
        #[derive(Debug, thiserror::Error)]
        pub(crate) enum Error {
            $(#[error($english)] $name $({ $($field: $type),+ })?,)+
            #[error("An internal error has occurred.")]
            Store(#[from] StoreError),
            #[error("An internal error has occurred.")]
            Holder(#[from] HolderError),
        }

        impl Refusal for Error {
            type Code = ErrorCode;

            fn code(&self) -> ErrorCode {
                match self {
                    $(Self::$name { .. } => ErrorCode::$code,)+
                    // The product documents no internal error of its own.
                    Self::Store(_) | Self::Holder(_) => ErrorCode::FailedOperation,
                }
            }

            fn message(&self, language: Language) -> String {
                match (language, self) {
                    (Language::English, _) => self.to_string(),
                    $((Language::Chinese, Self::$name $({ $($field),+ })?) => format!($chinese),)+
                    (Language::Chinese, _) => "内部错误。".to_owned(),
                }
            }

            fn internal(&self) -> Option<String> {
                match self {
                    Self::Store(error) => Some(error.to_string()),
                    Self::Holder(error) => Some(error.to_string()),
                    _ => None,
                }
            }
        }
    };
}

impl Error {
    /// The refusal of one of several resources, as the reply tells it; what went wrong inside fails the whole request.
    pub(crate) fn of_resource(self, resource: String, language: Language) -> Result<FailedResource, Self> {
        if self.internal().is_some() {
            return Err(self);
        }
        let (code, message) = (self.code().name().to_owned(), self.message(language));
        Ok(FailedResource { resource, code, message })
    }
}

refusals! {
    Parameter { parameter: &'static str, rule: &'static str } = InvalidParameter, "The parameter `{parameter}` {rule}.", "参数 `{parameter}` 不合法（{rule}）。";
    Failed { what: String } = FailedOperation, "The operation failed: {what}.", "操作失败（{what}）。";
    Resource { name: String, what: &'static str } = InvalidParameterValueResourceDescriptionError, "The resource `{name}` is not valid: {what}.", "资源描述 `{name}` 错误（{what}）。";
    ServiceType { service: String } = InvalidParameterValueServiceTypeInvalid, "There is no product `{service}`.", "业务类型 `{service}` 错误。";
    Prefix = InvalidParameterValueResourcePrefixInvalid, "`ResourcePrefix` is missing.", "资源前缀错误。";
    Region { region: String } = InvalidParameterValueRegionInvalid, "There is no region `{region}`.", "地域 `{region}` 错误。";
    ResourceIds { most: usize } = InvalidParameterValueResourceIdInvalid, "`ResourceIds` must have 1 to {most} ids.", "资源ID数量须为1-{most}个。";
    NoFilters = InvalidParameterValueTagFilters, "`TagFilters` is missing.", "标签过滤条件不能为空。";
    FiltersFull { limit: usize } = InvalidParameterValueTagFiltersLengthExceeded, "At most {limit} filters are allowed.", "标签过滤条件不能超过{limit}组。";
    KeyEmpty = InvalidParameterValueTagKeyEmpty, "A tag's key must not be empty.", "标签键不能为空。";
    KeyTooLong { limit: usize } = InvalidParameterValueTagKeyLengthExceeded, "A tag's key has at most {limit} characters.", "标签键长度不能超过{limit}个字符。";
    KeyIllegal { key: String } = InvalidParameterValueTagKeyCharacterIllegal, "The tag key `{key}` has characters that keys do not have.", "标签键 `{key}` 包含非法字符。";
    KeyReserved { key: String } = InvalidParameterReservedTagKey, "The tag key `{key}` is reserved.", "标签键 `{key}` 为系统保留键。";
    ValueTooLong { limit: usize } = InvalidParameterValueTagValueLengthExceeded, "A tag's value has at most {limit} characters.", "标签值长度不能超过{limit}个字符。";
    ValueIllegal { value: String } = InvalidParameterValueTagValueCharacterIllegal, "The tag value `{value}` has characters that values do not have.", "标签值 `{value}` 包含非法字符。";
    Repeated { key: String } = InvalidParameterTag, "The tag key `{key}` comes twice.", "标签键 `{key}` 重复。";
    TooManyTags { limit: usize } = LimitExceededQuota, "At most {limit} tags can be changed at once.", "一次最多操作{limit}个标签。";
    NothingToDo = InvalidParameterTag, "One of `ReplaceTags` and `DeleteTags` must be given, and none may be empty.", "`ReplaceTags` 与 `DeleteTags` 至少存在一个，且不能为空数组。";
    BothWays { key: String } = InvalidParameterValueDeleteTagsParamError, "The tag key `{key}` is to be set and to be taken away.", "标签键 `{key}` 同时出现在 `ReplaceTags` 与 `DeleteTags` 中。";
    ResourceFull { limit: usize } = LimitExceededResourceAttachedTags, "A resource has at most {limit} tags.", "资源关联的标签数不能超过{limit}个。";
    KeysFull { limit: usize } = LimitExceededTagKey, "The quota of {limit} tag keys is used up.", "标签键数量已达上限{limit}。";
    ValuesFull { limit: usize } = LimitExceededTagValue, "The quota of {limit} values of a tag key is used up.", "单个标签键的标签值数量已达上限{limit}。";
    TagTaken { key: String, value: String } = ResourceInUseTagDuplicate, "The tag `{key}` with `{value}` exists already.", "标签 `{key}`:`{value}` 已存在。";
    KeyAttached { key: String } = ResourceInUseTagKeyAttached, "The resource has the tag key `{key}` already.", "资源已关联标签键 `{key}`。";
    NotAttached { key: String } = ResourceNotFoundAttachedTagKeyNotFound, "The resource has no tag key `{key}`.", "资源未关联标签键 `{key}`。";
    NoTag { key: String, value: String } = ResourceNotFoundTagNonExist, "The tag `{key}` with `{value}` does not exist.", "标签 `{key}`:`{value}` 不存在。";
    InUse { key: String, value: String } = FailedOperationTagAttachedResource, "The tag `{key}` with `{value}` still hangs on a resource.", "标签 `{key}`:`{value}` 已关联资源。";
    TooManyFilters { limit: usize } = LimitExceededTagNumPerRequest, "At most {limit} filters are allowed.", "标签过滤条件不能超过{limit}组。";
    TooManyResources { limit: usize } = LimitExceededResourceNumPerRequest, "At most {limit} resources can be asked for at once.", "一次最多查询{limit}个资源。";
    Token = InvalidParameterPaginationTokenInvalid, "The pagination token is not one of this list.", "无效的分页标记。";
    Creator { uin: u64 } = InvalidParameterValueUinInvalid, "`{uin}` is no creator of tags.", "创建者 `{uin}` 错误。";
    ProjectTaken { name: String } = InvalidParameterProjectNameExisted, "The project `{name}` exists already.", "项目名称 `{name}` 已存在。";
    ProjectsFull { limit: usize } = FailedOperationProjectNumExceed, "The quota of {limit} projects is used up.", "项目数量已达上限{limit}。";
    NoProject { id: u64 } = ResourceNotFoundRecordNotFound, "The project `{id}` does not exist.", "项目 `{id}` 不存在。";
    ProjectDisabled { id: u64 } = FailedOperationProjectDisabled, "The project `{id}` is disabled.", "项目 `{id}` 已被禁用。";
}
