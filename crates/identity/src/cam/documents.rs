//! Policy documents as they arrive: JSON, plain or URL-encoded, checked by the policy engine's own reader.

use percent_encoding::percent_decode_str;
use rookery_api::cam::ErrorCode;
use rookery_policy::{Document, Fault, LIMIT, SyntaxError};
use serde_json::Value;

use crate::cam::error::Error;

/// The text of a document, decoded where it came URL-encoded. No JSON object begins with `%`.
pub(crate) fn text(sent: &str) -> Result<String, Error> {
    if !sent.trim_start().starts_with('%') {
        return Ok(sent.to_owned());
    }
    let decoded = percent_decode_str(&sent.replace('+', " ")).decode_utf8().map(String::from);
    decoded.map_err(|_| Error::Document {
        code: ErrorCode::InvalidParameterPolicyDocumentError,
        what: "not UTF-8 after URL-decoding".to_owned(),
    })
}

/// The text of an identity's policy that the engine can use.
pub(crate) fn policy(sent: &str) -> Result<String, Error> {
    let text = text(sent)?;
    Document::parse(&text).map_err(|error| refused(&error))?;
    Ok(text)
}

/// The text of a trust policy that the engine can use.
pub(crate) fn trust(sent: &str) -> Result<String, Error> {
    let text = text(sent)?;
    Document::parse_trust(&text).map_err(|error| refused(&error))?;
    Ok(text)
}

fn refused(error: &SyntaxError) -> Error {
    use ErrorCode as Code;
    let code = match error.fault {
        Fault::Length => return Error::PolicyTooLong { limit: LIMIT },
        Fault::Document => Code::InvalidParameterPolicyDocumentError,
        Fault::Version => Code::InvalidParameterVersionError,
        Fault::Statement => Code::InvalidParameterStatementError,
        Fault::Effect => Code::InvalidParameterEffectError,
        Fault::ActionMissing => Code::InvalidParameterActionMiss,
        Fault::Action => Code::InvalidParameterActionError,
        Fault::Resource => Code::InvalidParameterResourceError,
        Fault::ResourceQcs => Code::InvalidParameterResourceQcsError,
        Fault::ResourceProject => Code::InvalidParameterResourceProjectError,
        Fault::ResourceRegion => Code::InvalidParameterResourceRegionError,
        Fault::ResourceUin => Code::InvalidParameterResourceUinError,
        Fault::ResourceContent => Code::InvalidParameterResourceContentError,
        Fault::Condition => Code::InvalidParameterConditionError,
        Fault::ConditionType => Code::InvalidParameterConditionTypeError,
        Fault::ConditionContent => Code::InvalidParameterConditionContentError,
        Fault::Principal => Code::InvalidParameterPrincipalError,
        Fault::PrincipalQcs => Code::InvalidParameterPrincipalQcsError,
        Fault::PrincipalService => Code::InvalidParameterPrincipalServiceNotExist,
    };
    Error::Document { code, what: error.to_string() }
}

/// A text, or a list of texts.
fn texts(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(texts)) => texts.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The statements of a document that has been checked: whether each allows, and its JSON.
fn statements(document: &Value) -> Vec<(bool, &Value)> {
    let statements = match document.get("statement") {
        Some(Value::Array(statements)) => statements.iter().collect(),
        Some(statement) => vec![statement],
        None => Vec::new(),
    };
    let allows = |statement: &Value| {
        statement
            .get("effect")
            .and_then(Value::as_str)
            .is_some_and(|effect| effect.eq_ignore_ascii_case("allow"))
    };
    statements.into_iter().map(|statement| (allows(statement), statement)).collect()
}

/// The action patterns of a checked document, each with whether its statement allows; without the prefix `name/`.
pub(crate) fn actions(document: &str) -> Vec<(bool, String)> {
    let document: Value = serde_json::from_str(document).unwrap_or_default();
    let plain = |action: &str| action.strip_prefix("name/").unwrap_or(action).to_owned();
    statements(&document)
        .into_iter()
        .flat_map(|(allows, statement)| {
            texts(statement.get("action")).into_iter().map(move |action| (allows, plain(action)))
        })
        .collect()
}

/// Whom the statements of a checked trust policy name: the kind (`qcs`, `service`, `federated`) and the name.
pub(crate) fn principals(document: &str) -> Vec<(String, String)> {
    let document: Value = serde_json::from_str(document).unwrap_or_default();
    let mut principals = Vec::new();
    for (_, statement) in statements(&document) {
        let kinds = statement.get("principal").and_then(Value::as_object);
        for (kind, names) in kinds.into_iter().flatten() {
            principals.extend(texts(Some(names)).into_iter().map(|name| (kind.clone(), name.to_owned())));
        }
    }
    principals
}

/// Whether a pattern of actions (`cvm:Describe*`, `*`) covers `action`; `*` stands for any text, wherever it is.
pub(crate) fn covers(pattern: &str, action: &str) -> bool {
    let (pattern, action) = (pattern.to_ascii_lowercase(), action.to_ascii_lowercase());
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| action.strip_prefix(first)) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use rookery_gateway::Refusal as _;

    use super::*;

    const PLAIN: &str =
        r#"{"version":"2.0","statement":[{"effect":"allow","action":["name/cos:*"],"resource":["*"]}]}"#;

    #[test]
    fn documents_arrive_plain_or_url_encoded() {
        let encoded = percent_encoding::percent_encode(PLAIN.as_bytes(), percent_encoding::NON_ALPHANUMERIC);
        let encoded = encoded.to_string();
        assert_eq!(policy(PLAIN).unwrap(), PLAIN);
        assert_eq!(policy(&encoded).unwrap(), PLAIN);
        assert!(matches!(policy("%FF%FE"), Err(Error::Document { .. })));
    }

    #[test]
    fn each_fault_has_its_code() {
        let with = |from: &str, to: &str| policy(&PLAIN.replace(from, to)).unwrap_err().code();
        assert_eq!(with("2.0", "3.0"), ErrorCode::InvalidParameterVersionError);
        assert_eq!(with("\"allow\"", "\"perhaps\""), ErrorCode::InvalidParameterEffectError);
        assert_eq!(with("[\"*\"]", "[\"qcs:x\"]"), ErrorCode::InvalidParameterResourceQcsError);
        assert_eq!(policy("nothing").unwrap_err().code(), ErrorCode::InvalidParameterPolicyDocumentError);
        let long = PLAIN.replace("cos:*", &"c".repeat(LIMIT));
        assert_eq!(
            policy(&long).unwrap_err().code(),
            ErrorCode::InvalidParameterPolicyDocumentLengthOverLimit
        );
        assert_eq!(trust(PLAIN).unwrap_err().code(), ErrorCode::InvalidParameterPrincipalError);
    }

    #[test]
    fn actions_and_principals_are_listed() {
        assert_eq!(actions(PLAIN), [(true, "cos:*".to_owned())]);
        let trust = r#"{"version":"2.0","statement":{"effect":"allow","action":"sts:AssumeRole","principal":{"service":"a.qcloud.com","qcs":["x","y"]}}}"#;
        let names: Vec<_> = principals(trust).into_iter().map(|(_, name)| name).collect();
        assert_eq!(names.len(), 3);
        assert!(names.contains(&"a.qcloud.com".to_owned()));
    }

    #[test]
    fn patterns_cover_what_they_say() {
        for (pattern, action, covered) in [
            ("*", "cvm:RunInstances", true),
            ("cvm:*", "cvm:RunInstances", true),
            ("cvm:Describe*", "cvm:DescribeZones", true),
            ("cvm:Describe*", "cvm:RunInstances", false),
            ("*:Describe*", "kms:DescribeKey", true),
            ("cvm:RunInstances", "cvm:RunInstances", true),
            ("cvm:Run", "cvm:RunInstances", false),
            ("cvm:*Instances", "cvm:RunInstances", true),
            ("cvm:*a*b", "cvm:xaxb", true),
            ("cvm:*b*b", "cvm:xb", false),
        ] {
            assert_eq!(covers(pattern, action), covered, "{pattern} {action}");
        }
    }
}
