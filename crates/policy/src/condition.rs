//! Conditions: `{"<operator>":{"<key>": value or list}}`.
//!
//! Keys and operators all have to hold; of the values of a key one is enough. Chosen where the documents are silent:
//! - A negative operator (`…_not_…`) holds when the value equals none of the listed ones, or a list of two would always hold.
//! - A key that is absent fails every operator but `null_equal`; `_if_exist` makes it hold. That goes for negative operators, too, or the
//!   suffix would mean nothing on them.
//! - A key with several values and no qualifier: one of them is enough; for a negative operator it has to be all.
//! - A value that an operator cannot read (a text that is no number) is unequal to everything.

use std::cmp::Ordering;
use std::net::IpAddr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ipnet::IpNet;
use time::OffsetDateTime;

use crate::context::{self, Context, Value};
use crate::error::{Fault, SyntaxError};
use crate::instant;
use crate::json::Json;
use crate::pattern::Pattern;

/// One key under one operator.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Condition {
    operator: Operator,
    qualifier: Qualifier,
    if_exist: bool,
    key: Box<str>,
    operands: Box<[Operand]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Qualifier {
    None,
    Any,
    All,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Operator {
    family: Family,
    negated: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Text,
    TextIgnoringCase,
    Like,
    Number(Comparison),
    Date(Comparison),
    Boolean,
    Binary,
    Address,
    Null,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

/// A value of the policy, read once for its operator.
#[derive(Clone, Debug, PartialEq)]
enum Operand {
    /// In lower case where case is ignored.
    Text(Box<str>),
    Pattern(Pattern),
    Number(f64),
    Instant(OffsetDateTime),
    Boolean(bool),
    Binary(Box<[u8]>),
    Network(IpNet),
}

impl Operator {
    fn named(name: &str) -> Option<Self> {
        let plain = |family| Some(Self { family, negated: false });
        let negated = |family| Some(Self { family, negated: true });
        match name {
            "string_equal" => plain(Family::Text),
            "string_not_equal" => negated(Family::Text),
            "string_equal_ignore_case" => plain(Family::TextIgnoringCase),
            "string_not_equal_ignore_case" => negated(Family::TextIgnoringCase),
            "string_like" => plain(Family::Like),
            "string_not_like" => negated(Family::Like),
            "bool_equal" => plain(Family::Boolean),
            "binary_equal" => plain(Family::Binary),
            "ip_equal" => plain(Family::Address),
            "ip_not_equal" => negated(Family::Address),
            "null_equal" => plain(Family::Null),
            _ => {
                let (family, comparison): (fn(Comparison) -> Family, _) = match name.strip_prefix("numeric_")
                {
                    Some(comparison) => (Family::Number, comparison),
                    None => (Family::Date, name.strip_prefix("date_")?),
                };
                match comparison {
                    "equal" => plain(family(Comparison::Equal)),
                    "not_equal" => negated(family(Comparison::Equal)),
                    "less_than" => plain(family(Comparison::Less)),
                    "less_than_equal" => plain(family(Comparison::LessOrEqual)),
                    "greater_than" => plain(family(Comparison::Greater)),
                    "greater_than_equal" => plain(family(Comparison::GreaterOrEqual)),
                    _ => None,
                }
            }
        }
    }

    fn operand(self, value: &Json, at: &str) -> Result<Operand, SyntaxError> {
        let unusable = |what: &str| {
            let given = match value {
                Json::Text(text) => format!("`{text}`"),
                other => other.kind().to_owned(),
            };
            SyntaxError::new(Fault::ConditionContent, at, format!("{given} is not {what}"))
        };
        let text = match value {
            Json::Text(text) => text.clone(),
            Json::Number(number) => number.clone(),
            Json::Boolean(value) => value.to_string(),
            Json::Null | Json::List(_) | Json::Object(_) => {
                return Err(unusable("a text, a number or a boolean"));
            }
        };
        match self.family {
            Family::Text => Ok(Operand::Text(text.into())),
            Family::TextIgnoringCase => Ok(Operand::Text(text.to_lowercase().into())),
            Family::Like => Ok(Operand::Pattern(Pattern::new(&text))),
            Family::Number(_) => text
                .parse()
                .ok()
                .filter(|number: &f64| number.is_finite())
                .map(Operand::Number)
                .ok_or_else(|| unusable("a number")),
            Family::Date(_) => {
                instant::parse(&text).map(Operand::Instant).ok_or_else(|| unusable("a date in ISO 8601"))
            }
            Family::Boolean | Family::Null => {
                context::boolean(&text).map(Operand::Boolean).ok_or_else(|| unusable("`true` or `false`"))
            }
            Family::Binary => BASE64_STANDARD
                .decode(&text)
                .map(|bytes| Operand::Binary(bytes.into()))
                .map_err(|_| unusable("Base64")),
            Family::Address => {
                network(&text).map(Operand::Network).ok_or_else(|| unusable("an address or a network"))
            }
        }
    }
}

/// A network in CIDR form, whose host bits may be set (the platform's own example sets them), or one address.
fn network(text: &str) -> Option<IpNet> {
    let network = text.parse::<IpNet>().ok();
    network.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from)).map(|network| network.trunc())
}

impl Condition {
    /// The conditions of a statement.
    pub(crate) fn parse_all(value: &Json, at: &str) -> Result<Box<[Self]>, SyntaxError> {
        let no_object = |at: &str, value: &Json| {
            SyntaxError::new(Fault::Condition, at, format!("must be an object, not {}", value.kind()))
        };
        let Json::Object(operators) = value else { return Err(no_object(at, value)) };
        let mut conditions = Vec::new();
        for (name, keys) in operators {
            let at = format!("{at}.{name}");
            let Json::Object(keys) = keys else { return Err(no_object(&at, keys)) };
            for (key, values) in keys {
                conditions.push(Self::parse(name, key, values, &at)?);
            }
        }
        Ok(conditions.into())
    }

    fn parse(name: &str, key: &str, values: &Json, at: &str) -> Result<Self, SyntaxError> {
        let (qualifier, unqualified) = match name.split_once(':') {
            Some(("for_any_value", rest)) => (Qualifier::Any, rest),
            Some(("for_all_value", rest)) => (Qualifier::All, rest),
            _ => (Qualifier::None, name),
        };
        let (if_exist, bare) = match unqualified.strip_suffix("_if_exist") {
            Some(bare) => (true, bare),
            None => (false, unqualified),
        };
        // Whether a key is there can be asked of the key only, and only once.
        let operator = Operator::named(bare).filter(|operator| {
            operator.family != Family::Null || (!if_exist && qualifier == Qualifier::None)
        });
        let operator = operator.ok_or_else(|| {
            SyntaxError::new(Fault::ConditionType, at, format!("there is no operator `{name}`"))
        })?;
        let at = format!("{at}.{key}");
        if key.is_empty() || key.contains(char::is_whitespace) {
            return Err(SyntaxError::new(Fault::Condition, at, format!("`{key}` is no condition key")));
        }
        let values = match values {
            Json::List(values) => values.as_slice(),
            one => std::slice::from_ref(one),
        };
        if values.is_empty() {
            return Err(SyntaxError::new(Fault::ConditionContent, at, "has no value"));
        }
        let operands = values.iter().map(|value| operator.operand(value, &at)).collect::<Result<_, _>>()?;
        Ok(Self { operator, qualifier, if_exist, key: key.into(), operands })
    }

    /// Whether it holds.
    pub(crate) fn holds(&self, context: &dyn Context) -> bool {
        let values = context.values(&self.key);
        if self.operator.family == Family::Null {
            return self.operands.contains(&Operand::Boolean(values.is_empty()));
        }
        if values.is_empty() {
            return self.if_exist;
        }
        let one = |value: &Value<'_>| {
            self.operands.iter().any(|operand| self.operator.family.meets(value, operand))
                != self.operator.negated
        };
        match (self.qualifier, self.operator.negated) {
            (Qualifier::Any, _) | (Qualifier::None, false) => values.iter().any(one),
            (Qualifier::All, _) | (Qualifier::None, true) => values.iter().all(one),
        }
    }
}

impl Family {
    /// Whether a value of the request meets one of the policy.
    fn meets(self, value: &Value<'_>, operand: &Operand) -> bool {
        match (self, operand) {
            (Self::Text, Operand::Text(text)) => *value.text() == **text,
            (Self::TextIgnoringCase, Operand::Text(text)) => value.text().to_lowercase() == **text,
            (_, Operand::Pattern(pattern)) => pattern.matches(&value.text()),
            (Self::Number(comparison), Operand::Number(number)) => value
                .number()
                .and_then(|value| value.partial_cmp(number))
                .is_some_and(|ordering| comparison.holds(ordering)),
            (Self::Date(comparison), Operand::Instant(instant)) => {
                value.instant().is_some_and(|value| comparison.holds(value.cmp(instant)))
            }
            (_, Operand::Boolean(expected)) => value.boolean() == Some(*expected),
            (_, Operand::Binary(bytes)) => {
                BASE64_STANDARD.decode(&*value.text()).is_ok_and(|value| *value == **bytes)
            }
            (_, Operand::Network(network)) => {
                value.address().is_some_and(|address| network.contains(&address))
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conditions(text: &str) -> Result<Box<[Condition]>, SyntaxError> {
        Condition::parse_all(&serde_json::from_str(text).unwrap(), "condition")
    }

    fn holds(text: &str, context: &[(&str, &str)]) -> bool {
        struct Borrowed<'a>(&'a [(&'a str, &'a str)]);
        impl Context for Borrowed<'_> {
            fn values(&self, key: &str) -> Vec<Value<'_>> {
                self.0.values(key)
            }
        }
        conditions(text).unwrap().iter().all(|condition| condition.holds(&Borrowed(context)))
    }

    #[test]
    fn every_operator() {
        for (operator, value, yes, no) in [
            ("string_equal", r#"["a","b"]"#, "b", "c"),
            ("string_not_equal", r#"["a","b"]"#, "c", "b"),
            ("string_equal_ignore_case", r#""Ab""#, "aB", "b"),
            ("string_not_equal_ignore_case", r#""Ab""#, "b", "aB"),
            ("string_like", r#""a*c""#, "abc", "abd"),
            ("string_not_like", r#""a*c""#, "abd", "abc"),
            ("numeric_equal", "10", "10.0", "11"),
            ("numeric_not_equal", "10", "11", "10"),
            ("numeric_less_than", r#""10""#, "9.5", "10"),
            ("numeric_less_than_equal", "10", "10", "10.1"),
            ("numeric_greater_than", "10", "10.1", "x"),
            ("numeric_greater_than_equal", "10", "10", "9"),
            ("date_equal", r#""2022-05-31""#, "2022-05-31T00:00:00Z", "2022-05-31T00:00:01Z"),
            ("date_not_equal", r#""2022-05-31""#, "2022-06-01", "2022-05-31"),
            ("date_less_than", r#""2022-05-31 00:00:00""#, "2022-05-30", "2022-05-31"),
            ("date_less_than_equal", r#""2022-05-31""#, "2022-05-31", "2022-06-01"),
            ("date_greater_than", r#""2022-05-31""#, "2022-06-01", "2022-05-31"),
            ("date_greater_than_equal", r#""2022-05-31""#, "2022-05-31", "2022-05-30"),
            ("bool_equal", "true", "TRUE", "false"),
            ("binary_equal", r#""AAE=""#, "AAE=", "AAI="),
            ("ip_equal", r#"["10.217.182.3/24","111.21.33.72/24"]"#, "111.21.33.1", "111.21.34.1"),
            ("ip_equal", r#""fe80::/10""#, "fe80::1", "10.0.0.1"),
            ("ip_not_equal", r#""10.0.0.1""#, "10.0.0.2", "::ffff:10.0.0.1"),
        ] {
            let text = format!(r#"{{"{operator}":{{"k":{value}}}}}"#);
            assert!(holds(&text, &[("k", yes)]), "{text} {yes}");
            assert!(!holds(&text, &[("k", no)]), "{text} {no}");
            assert!(!holds(&text, &[("K", yes)]), "{text}: keys are case-sensitive, and an absent one fails");
            let text = format!(r#"{{"{operator}_if_exist":{{"k":{value}}}}}"#);
            assert!(holds(&text, &[]), "{text}");
            assert!(holds(&text, &[("k", yes)]), "{text} {yes}");
            assert!(!holds(&text, &[("k", no)]), "{text} {no}");
        }
        assert!(holds(r#"{"null_equal":{"k":"true"}}"#, &[]));
        assert!(!holds(r#"{"null_equal":{"k":true}}"#, &[("k", "")]));
        assert!(holds(r#"{"null_equal":{"k":false}}"#, &[("k", "")]));
    }

    #[test]
    fn qualifiers_speak_of_keys_with_several_values() {
        let tags = [("t", "a&1"), ("t", "b&2")];
        for (text, expected) in [
            (r#"{"for_any_value:string_equal":{"t":"a&1"}}"#, true),
            (r#"{"for_all_value:string_equal":{"t":"a&1"}}"#, false),
            (r#"{"for_all_value:string_equal":{"t":["a&1","b&2","c&3"]}}"#, true),
            (r#"{"for_any_value:string_not_equal":{"t":"a&1"}}"#, true),
            (r#"{"string_not_equal":{"t":"a&1"}}"#, false),
            (r#"{"string_equal":{"t":"b&2"}}"#, true),
            (r#"{"for_all_value:string_equal":{"x":"a"}}"#, false),
            (r#"{"for_all_value:string_equal_if_exist":{"x":"a"}}"#, true),
        ] {
            assert_eq!(holds(text, &tags), expected, "{text}");
        }
    }

    #[test]
    fn keys_and_operators_all_have_to_hold() {
        let text = r#"{"string_equal":{"a":"1","b":"2"},"numeric_less_than":{"c":3}}"#;
        assert!(holds(text, &[("a", "1"), ("b", "2"), ("c", "2")]));
        assert!(!holds(text, &[("a", "1"), ("b", "2"), ("c", "3")]));
        assert!(!holds(text, &[("a", "1"), ("c", "2")]));
    }

    #[test]
    fn what_is_no_condition_is_named() {
        for (text, fault) in [
            ("[]", Fault::Condition),
            (r#"{"string_equal":"x"}"#, Fault::Condition),
            (r#"{"string_equal":{"":"x"}}"#, Fault::Condition),
            (r#"{"string_equals":{"k":"x"}}"#, Fault::ConditionType),
            (r#"{"for_some_value:string_equal":{"k":"x"}}"#, Fault::ConditionType),
            (r#"{"null_equal_if_exist":{"k":"true"}}"#, Fault::ConditionType),
            (r#"{"numeric_about":{"k":1}}"#, Fault::ConditionType),
            (r#"{"string_equal":{"k":[]}}"#, Fault::ConditionContent),
            (r#"{"string_equal":{"k":{}}}"#, Fault::ConditionContent),
            (r#"{"numeric_equal":{"k":"ten"}}"#, Fault::ConditionContent),
            (r#"{"numeric_equal":{"k":"inf"}}"#, Fault::ConditionContent),
            (r#"{"date_equal":{"k":"soon"}}"#, Fault::ConditionContent),
            (r#"{"bool_equal":{"k":"yes"}}"#, Fault::ConditionContent),
            (r#"{"binary_equal":{"k":"!"}}"#, Fault::ConditionContent),
            (r#"{"ip_equal":{"k":"10.0.0.0/33"}}"#, Fault::ConditionContent),
            (r#"{"null_equal":{"k":"maybe"}}"#, Fault::ConditionContent),
        ] {
            assert_eq!(conditions(text).unwrap_err().fault, fault, "{text}");
        }
    }
}
