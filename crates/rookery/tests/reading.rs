//! What counts as reading a field, in the sources of actions.

#[path = "../build/reading.rs"]
mod reading;

use reading::{Code, snake};

const SOURCE: &str = r##"
//! call.request.in_the_docs
use crate::{limit, offset};
use rookery_api::tcr::ActRequest;
/* request.in_a_comment */
pub(crate) async fn act(call: Call<ActRequest>) -> Result<Reply, Error> {
    let ActRequest { name, r#type, renamed: other } = call.request; // .after_code
    let quote = '"';
    let text = "request.in_a_text \" .still";
    let raw = r#"request.in_raw_text " .still"#;
    fn lifetime<'a>(x: &'a str) -> &'a str { x }
    Ok(Reply { constructed: filters.first().map(|filter| filter.values.len()), method: other.method(), fine: call.request.r#as })
}
#[cfg(test)]
mod tests {
    fn nested() { request.in_a_test; }
}
fn after(request: &ActRequest) -> u64 { request.after_the_tests }
#[cfg(test)]
use request::in_a_test_import;
"##;

#[test]
fn fields_and_patterns_are_read_and_nothing_else_is() {
    let code = Code::of(SOURCE);
    let mut read: Vec<&str> = code.reads("ActRequest").into_iter().collect();
    // What is called, what follows a field and what a pattern calls the field are words like any other.
    read.retain(|word| !["other", "await", "request"].contains(word));
    assert_eq!(read, ["after_the_tests", "as", "name", "renamed", "type", "values"]);
    assert!(code.names("ActRequest") && !code.names("in_a_test") && !code.names("still"));
    assert!(!Code::of(SOURCE).reads("Another").contains("name"));
}

#[test]
fn an_unfinished_source_is_read_to_its_end() {
    for source in ["\"open", "r#\"open", "/* open", "'", "#[cfg(test)] mod open {", "use open", "a.", "a.b"] {
        let read = Code::of(source).reads("A").len();
        assert_eq!(read, usize::from(source == "a.b"), "{source}");
    }
}

#[test]
fn names_become_those_of_fields() {
    for (name, field) in [
        ("RegistryId", "registry_id"),
        ("EnableCosMAZ", "enable_cos_maz"),
        ("AIFeature", "ai_feature"),
        ("CIDRBlock", "cidr_block"),
        ("Type", "type"),
        ("Already_Set", "already_set"),
    ] {
        assert_eq!(snake(name), field);
    }
}
