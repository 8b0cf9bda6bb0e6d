//! Resources: what a request touches, and the patterns of a policy that may mean it.

use crate::error::{Fault, SyntaxError};
use crate::pattern::Pattern;

/// What a request touches, in its segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourceName<'a> {
    /// The product: `tcr`.
    pub service: &'a str,
    /// The region; empty for products without regions.
    pub region: &'a str,
    /// The number of the account that owns it.
    pub uin: u64,
    /// The application id of that account.
    pub app_id: u64,
    /// The last segment: `instance/tcr-ab12cd34`.
    pub path: &'a str,
}

impl<'a> ResourceName<'a> {
    /// Reads `qcs::tcr:ap-guangzhou:uin/100000000001:instance/tcr-1`, whose account has the application id `app_id` where it is
    /// `owner`'s; `None` for another form.
    #[must_use]
    pub fn parse(text: &'a str, owner: u64, app_id: u64) -> Option<Self> {
        let mut segments = text.splitn(6, ':');
        let mut next = || segments.next();
        if next()? != "qcs" {
            return None;
        }
        let (_project, service, region, account, path) = (next()?, next()?, next()?, next()?, next()?);
        let uin = if account.is_empty() { owner } else { account.strip_prefix("uin/")?.parse().ok()? };
        Some(Self { service, region, uin, app_id: if uin == owner { app_id } else { 0 }, path })
    }
}

/// A resource of a policy: `*`, or six segments. An empty service or region means all of them, an empty account the policy's owner.
/// `*` stands for any characters within a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ResourcePattern {
    /// `*`: everything, and the only one that an action without resources of its own asks for.
    All,
    Named {
        service: Pattern,
        region: Pattern,
        account: AccountPattern,
        path: Pattern,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AccountPattern {
    /// Whoever owns the policy.
    Owner,
    Any,
    Uin(u64),
    AppId(u64),
}

impl ResourcePattern {
    pub(crate) fn parse(text: &str, at: &str) -> Result<Self, SyntaxError> {
        if text == "*" {
            return Ok(Self::All);
        }
        let fail = |fault, what: String| Err(SyntaxError::new(fault, at, what));
        let segments: Vec<&str> = text.splitn(6, ':').collect();
        let ["qcs", project, service, region, account, path] = segments[..] else {
            return fail(
                Fault::ResourceQcs,
                format!("`{text}` is neither `*` nor of the form `qcs::service:region:account:resource`"),
            );
        };
        let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !(project.is_empty() || project == "*" || project.strip_prefix("id/").is_some_and(number)) {
            return fail(Fault::ResourceProject, format!("`{project}` is no project; leave it empty"));
        }
        let plain = |text: &str| {
            text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'*'))
        };
        if !plain(service) {
            return fail(Fault::ResourceQcs, format!("`{service}` is no service"));
        }
        if !plain(region) {
            return fail(Fault::ResourceRegion, format!("`{region}` is no region"));
        }
        if path.is_empty() {
            return fail(Fault::ResourceContent, format!("`{text}` names no resource; write `*` for all"));
        }
        let Some(account) = AccountPattern::parse(account) else {
            return fail(
                Fault::ResourceUin,
                format!("`{account}` is no account: `uin/<number>`, `uid/<number>` or empty"),
            );
        };
        Ok(Self::Named {
            service: Pattern::or_any(service),
            region: Pattern::or_any(region),
            account,
            path: Pattern::new(path),
        })
    }

    /// Whether it means what a request touches; `None` is an action that is authorised as a whole, which only `*` means. `owner`
    /// is whose policy it is.
    pub(crate) fn matches(&self, touched: Option<&ResourceName<'_>>, owner: u64) -> bool {
        match (self, touched) {
            (Self::All, _) => true,
            (Self::Named { .. }, None) => false,
            (Self::Named { service, region, account, path }, Some(touched)) => {
                service.matches(touched.service)
                    && account.matches(touched, owner)
                    && path.matches(touched.path)
                    // What has no region is in all of them.
                    && (touched.region.is_empty() || region.matches(touched.region))
            }
        }
    }
}

impl AccountPattern {
    /// `uin/` with nothing after it is the owner as well: clients write it so.
    fn parse(text: &str) -> Option<Self> {
        let number = |text: &str| text.parse().ok();
        match text {
            "" | "uin/" | "uid/" => Some(Self::Owner),
            "*" | "uin/*" | "uid/*" => Some(Self::Any),
            _ => match text.strip_prefix("uin/") {
                Some(uin) => number(uin).map(Self::Uin),
                None => number(text.strip_prefix("uid/")?).map(Self::AppId),
            },
        }
    }

    fn matches(&self, touched: &ResourceName<'_>, owner: u64) -> bool {
        match self {
            Self::Any => true,
            Self::Owner => touched.uin == owner,
            Self::Uin(uin) => touched.uin == *uin,
            Self::AppId(app_id) => touched.app_id == *app_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: u64 = 100_000_000_001;

    fn matches(pattern: &str, touched: &str) -> bool {
        let touched = ResourceName::parse(touched, OWNER, 1_250_000_001).unwrap();
        ResourcePattern::parse(pattern, "").unwrap().matches(Some(&touched), OWNER)
    }

    #[test]
    fn six_segments_with_their_defaults() {
        let instance = "qcs::tcr:ap-guangzhou:uin/100000000001:instance/tcr-1";
        for pattern in [
            "*",
            "qcs::tcr:ap-guangzhou:uin/100000000001:instance/tcr-1",
            "qcs::tcr:ap-guangzhou::instance/tcr-1",
            "qcs::tcr::uin/:instance/tcr-1",
            "qcs:id/0:tcr:*:*:instance/*",
            "qcs:::::*",
            "qcs::tcr:ap-*:uid/1250000001:instance/tcr-*",
        ] {
            assert!(matches(pattern, instance), "{pattern}");
        }
        for pattern in [
            "qcs::kms::uin/:instance/tcr-1",
            "qcs::tcr:ap-shanghai::instance/tcr-1",
            "qcs::tcr::uin/2:instance/tcr-1",
            "qcs::tcr::uid/1:instance/tcr-1",
            "qcs::tcr:::instance/tcr-",
            "qcs::tcr:::repository/*",
        ] {
            assert!(!matches(pattern, instance), "{pattern}");
        }
        assert!(matches("qcs::cam:ap-guangzhou::roleName/*", "qcs::cam::uin/100000000001:roleName/x"));
        assert!(matches("qcs::tcr:::a:b", "qcs::tcr:::a:b"), "the last segment may hold colons");
    }

    #[test]
    fn an_action_without_resources_asks_for_a_star() {
        assert!(ResourcePattern::parse("*", "").unwrap().matches(None, OWNER));
        assert!(!ResourcePattern::parse("qcs:::::*", "").unwrap().matches(None, OWNER));
    }

    #[test]
    fn each_segment_has_its_own_fault() {
        for (text, fault) in [
            ("", Fault::ResourceQcs),
            ("tcr", Fault::ResourceQcs),
            ("qcs::tcr:ap-guangzhou:instance/x", Fault::ResourceQcs),
            ("arn::tcr:::instance/x", Fault::ResourceQcs),
            ("qcs::t/r:::x", Fault::ResourceQcs),
            ("qcs:p:tcr:::instance/x", Fault::ResourceProject),
            ("qcs::tcr:ap/x::instance/x", Fault::ResourceRegion),
            ("qcs::tcr::100:instance/x", Fault::ResourceUin),
            ("qcs::tcr::uin/x:instance/x", Fault::ResourceUin),
            ("qcs::tcr:::", Fault::ResourceContent),
        ] {
            assert_eq!(ResourcePattern::parse(text, "").unwrap_err().fault, fault, "{text}");
        }
    }
}
