//! The engine against an evaluator that was written apart from it: straight over the JSON, by backtracking, with nothing prepared.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::float_cmp,
    reason = "an evaluator for tests, over documents that the tests make"
)]

use proptest::prelude::*;
use rookery_policy::{Context, Decision, Document, Request, ResourceName, Value as Attribute, decide};
use serde_json::{Value, json};

const OWNER: u64 = 100;
const APP_ID: u64 = 7;

/// The circumstances of a request: keys and their values.
#[derive(Clone, Debug)]
struct Facts(Vec<(String, Vec<String>)>);

impl Facts {
    fn of(&self, key: &str) -> &[String] {
        self.0.iter().find(|(name, _)| name == key).map_or(&[], |(_, values)| values)
    }
}

impl Context for Facts {
    fn values(&self, key: &str) -> Vec<Attribute<'_>> {
        self.of(key).iter().map(|value| Attribute::Text(value.as_str().into())).collect()
    }
}

mod naive {
    use super::*;

    /// `*` by trying every length.
    pub(super) fn glob(pattern: &[u8], text: &[u8]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((b'*', rest)) => (0..=text.len()).any(|from| glob(rest, &text[from..])),
            Some((first, rest)) => text.first() == Some(first) && glob(rest, &text[1..]),
        }
    }

    fn list(value: &Value) -> Vec<&Value> {
        value.as_array().map_or_else(|| vec![value], |items| items.iter().collect())
    }

    fn is_about(statement: &Value, operation: &str) -> bool {
        list(&statement["action"]).into_iter().any(|action| {
            let action = action.as_str().unwrap();
            let action = action.strip_prefix("name/").unwrap_or(action);
            let Some((service, name)) = action.split_once(':') else { return action == "*" };
            let (asked_service, asked_name) = operation.split_once(':').unwrap();
            glob(service.as_bytes(), asked_service.as_bytes()) && glob(name.as_bytes(), asked_name.as_bytes())
        })
    }

    fn touches(statement: &Value, resource: Option<&str>) -> bool {
        list(&statement["resource"]).into_iter().any(|pattern| {
            let pattern = pattern.as_str().unwrap();
            if pattern == "*" {
                return true;
            }
            let Some(resource) = resource else { return false };
            let (pattern, resource): (Vec<_>, Vec<_>) =
                (pattern.splitn(6, ':').collect(), resource.splitn(6, ':').collect());
            let segment =
                |at: usize| pattern[at].is_empty() || glob(pattern[at].as_bytes(), resource[at].as_bytes());
            let account = match pattern[4] {
                "" | "uin/" | "uid/" => resource[4] == format!("uin/{OWNER}"),
                "*" | "uin/*" | "uid/*" => true,
                uid if uid.starts_with("uid/") => {
                    uid == format!("uid/{APP_ID}") && resource[4] == format!("uin/{OWNER}")
                }
                uin => uin == resource[4],
            };
            segment(2)
                && (resource[3].is_empty() || segment(3))
                && account
                && glob(pattern[5].as_bytes(), resource[5].as_bytes())
        })
    }

    fn compare(operator: &str, fact: &str, value: &Value) -> bool {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let number = |holds: fn(f64, f64) -> bool| {
            let (Ok(fact), Ok(value)) = (fact.parse(), text.parse()) else { return false };
            holds(fact, value)
        };
        match operator {
            "string_equal" | "bool_equal" => fact == text,
            "string_equal_ignore_case" => fact.eq_ignore_ascii_case(&text),
            "string_like" => glob(text.as_bytes(), fact.as_bytes()),
            "numeric_equal" => number(|one, other| one == other),
            "numeric_less_than" => number(|one, other| one < other),
            "numeric_less_than_equal" => number(|one, other| one <= other),
            "numeric_greater_than" => number(|one, other| one > other),
            "numeric_greater_than_equal" => number(|one, other| one >= other),
            // Dates of one form are in the order of their texts.
            "date_less_than" => fact < text.as_str(),
            // One network, by hand.
            "ip_equal" => fact.starts_with("10.1."),
            other => panic!("{other}"),
        }
    }

    fn holds(name: &str, facts: &[String], values: &Value) -> bool {
        let (qualifier, rest) = name.split_once(':').unwrap_or(("", name));
        let (bare, if_exist) = rest.strip_suffix("_if_exist").map_or((rest, false), |bare| (bare, true));
        if bare == "null_equal" {
            let absent = facts.is_empty().to_string();
            return list(values)
                .iter()
                .any(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned) == absent);
        }
        if facts.is_empty() {
            return if_exist;
        }
        let (positive, negative) = match bare.replace("_not_", "_") {
            same if same == bare => (same, false),
            without => (without, true),
        };
        let one = |fact: &String| {
            let mut equal = false;
            for value in list(values) {
                equal |= compare(&positive, fact, value);
            }
            if negative { !equal } else { equal }
        };
        let mut verdicts = facts.iter().map(one);
        match qualifier {
            "for_all_value" => verdicts.all(|verdict| verdict),
            "for_any_value" => verdicts.any(|verdict| verdict),
            _ if negative => verdicts.all(|verdict| verdict),
            _ => verdicts.any(|verdict| verdict),
        }
    }

    /// `None`, or whether it is allowed.
    pub(super) fn evaluate(
        documents: &[Value],
        operation: &str,
        resource: Option<&str>,
        facts: &Facts,
    ) -> Option<bool> {
        let mut verdict = None;
        for statement in documents.iter().flat_map(|document| list(&document["statement"])) {
            let no_condition = json!({});
            let conditions = statement.get("condition").unwrap_or(&no_condition).as_object().unwrap();
            let met = conditions.iter().all(|(operator, keys)| {
                keys.as_object().unwrap().iter().all(|(key, values)| holds(operator, facts.of(key), values))
            });
            if is_about(statement, operation) && touches(statement, resource) && met {
                let allows = statement["effect"] == "allow";
                verdict = Some(verdict.unwrap_or(true) && allows);
            }
        }
        verdict
    }
}

fn text_or_list(one: impl Strategy<Value = String> + 'static) -> impl Strategy<Value = Value> {
    prop::collection::vec(one, 1..3).prop_flat_map(|items| {
        let alone = json!(items[0]);
        prop_oneof![Just(json!(items)), Just(alone)]
    })
}

fn action() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "*",
        "tcr:*",
        "name/tcr:*",
        "tcr:Pull*",
        "tcr:PullRepository",
        "kms:*",
        "t*:*Repo*",
        "*:Push*",
        "tcr:*l*R*y",
    ])
    .prop_map(str::to_owned)
}

fn resource() -> impl Strategy<Value = String> {
    let account =
        prop::sample::select(vec!["", "uin/", "uin/100", "uin/200", "uid/7", "uid/8", "*", "uin/*"]);
    let region = prop::sample::select(vec!["", "*", "ap-guangzhou", "ap-*", "ap-shanghai"]);
    let path = "(repository|\\*|r\\*)(/[ab*]{1,3}){0,2}";
    let named = (prop::sample::select(vec!["", "tcr", "kms", "t*"]), region, account, path)
        .prop_map(|(service, region, account, path)| format!("qcs::{service}:{region}:{account}:{path}"));
    prop_oneof![1 => Just("*".to_owned()), 3 => named]
}

fn condition() -> impl Strategy<Value = Value> {
    let values = |values: &[Value]| prop::collection::vec(prop::sample::select(values.to_vec()), 1..3);
    let operator = |names: &'static [&'static str], values: BoxedStrategy<Vec<Value>>, null: bool| {
        let prefix = prop::sample::select(vec!["", "for_any_value:", "for_all_value:"]);
        let suffix = prop::sample::select(vec!["", "_if_exist"]);
        let key = prop::sample::select(vec!["k", "m", "absent"]);
        (prop::sample::select(names.to_vec()), prefix, suffix, key, values).prop_map(
            move |(name, prefix, suffix, key, values)| {
                let name = if null { name.to_owned() } else { format!("{prefix}{name}{suffix}") };
                json!({ name: { key: values } })
            },
        )
    };
    let texts = [json!("a"), json!("B"), json!("b"), json!("a*"), json!("10.1.2.3")];
    let numbers = [json!(1), json!("2"), json!(1.5)];
    let booleans = [json!(true), json!("false")];
    prop_oneof![
        operator(
            &[
                "string_equal",
                "string_not_equal",
                "string_equal_ignore_case",
                "string_not_equal_ignore_case",
                "string_like",
                "string_not_like"
            ],
            values(&texts).boxed(),
            false
        ),
        operator(
            &[
                "numeric_equal",
                "numeric_not_equal",
                "numeric_less_than",
                "numeric_less_than_equal",
                "numeric_greater_than",
                "numeric_greater_than_equal"
            ],
            values(&numbers).boxed(),
            false
        ),
        operator(&["bool_equal"], values(&booleans).boxed(), false),
        operator(&["null_equal"], values(&booleans).boxed(), true),
        operator(&["ip_equal", "ip_not_equal"], values(&[json!("10.1.0.0/16")]).boxed(), false),
    ]
}

fn document() -> impl Strategy<Value = Value> {
    let statement = (
        prop::sample::select(vec!["allow", "allow", "deny"]),
        text_or_list(action()),
        text_or_list(resource()),
        prop::option::of(condition()),
    )
        .prop_map(|(effect, action, resource, condition)| {
            let mut statement = json!({"effect": effect, "action": action, "resource": resource});
            if let Some(condition) = condition {
                statement["condition"] = condition;
            }
            statement
        });
    prop::collection::vec(statement, 1..4)
        .prop_map(|statements| json!({"version": "2.0", "statement": statements}))
}

fn facts() -> impl Strategy<Value = Facts> {
    let value = prop::sample::select(vec![
        "a", "A", "b", "ab", "1", "2", "1.5", "true", "false", "10.1.2.3", "10.2.0.1",
    ]);
    let values = || prop::collection::vec(value.clone().prop_map(str::to_owned), 0..3);
    (values(), values()).prop_map(|(k, m)| Facts(vec![("k".to_owned(), k), ("m".to_owned(), m)]))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn decides_as_the_naive_one_does(
        documents in prop::collection::vec(document(), 0..4),
        operation in prop::sample::select(vec!["tcr:PullRepository", "tcr:PushRepository", "kms:Encrypt"]),
        region in prop::sample::select(vec!["", "ap-guangzhou", "ap-shanghai"]),
        account in prop::sample::select(vec![100_u64, 200]),
        path in prop::option::of("repository(/[ab]{1,2}){0,2}"),
        facts in facts(),
    ) {
        let service = operation.split(':').next().unwrap();
        let name = path.map(|path| format!("qcs::{service}:{region}:uin/{account}:{path}"));
        let parsed: Vec<_> =
            documents.iter().map(|document| Document::parse(&document.to_string()).unwrap()).collect();
        let (service, action) = operation.split_once(':').unwrap();
        let resource = name.as_deref().map(|name| ResourceName::parse(name, OWNER, APP_ID).unwrap());
        let request = Request { owner: OWNER, service, action, resource, context: &facts };
        let decided = match decide(parsed.iter().enumerate(), &request) {
            Decision::Unmatched => None,
            Decision::Allowed { by, statement } => {
                prop_assert_eq!(&documents[by]["statement"][statement]["effect"], "allow");
                Some(true)
            }
            Decision::Denied { by, statement } => {
                prop_assert_eq!(&documents[by]["statement"][statement]["effect"], "deny");
                Some(false)
            }
        };
        prop_assert_eq!(decided, naive::evaluate(&documents, operation, name.as_deref(), &facts));
    }

    #[test]
    fn no_text_breaks_the_reader(text in "\\PC{0,200}") {
        let _ = (Document::parse(&text), Document::parse_trust(&text));
    }

    #[test]
    fn no_altered_document_breaks_the_reader(
        document in document(),
        position in any::<prop::sample::Index>(),
        byte in any::<char>(),
    ) {
        let mut text: Vec<char> = document.to_string().chars().collect();
        let position = position.index(text.len());
        text[position] = byte;
        let text: String = text.into_iter().collect();
        let _ = (Document::parse(&text), Document::parse_trust(&text));
    }
}
