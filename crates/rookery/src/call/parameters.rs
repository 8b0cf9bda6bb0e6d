//! The parameters of an action, from words and files.

use rookery_api::decode::flattened::gather;
use rookery_api::decode::{Node, json};
use rookery_api::shape::{ActionShape, Kind};

use super::Failure;

/// What tccli puts before the path of a file whose text is meant.
const FILE: &str = "file://";

/// The parameters as a tree: lists and structures may be given whole as JSON or as a file of it, everything else by its dotted
/// name. A single parameter replaces what `input` has under its first name.
pub(super) fn tree(
    action: &ActionShape,
    input: Option<&str>,
    parameters: &[(String, String)],
) -> Result<Node, Failure> {
    let takes_json = |name: &str| {
        let member = action.input.members.iter().find(|member| member.name == name);
        member.is_some_and(|member| matches!(member.kind, Kind::List(_) | Kind::Structure(_)))
    };
    let (whole, dotted): (Vec<_>, Vec<_>) =
        parameters.iter().cloned().partition(|(name, _)| takes_json(name));
    let Node::Object(mut given) = gather(dotted)? else {
        return Err("parameters do not form an object".into());
    };
    for (name, text) in whole {
        let text = text_of(&text)?;
        let value = json::value(text.as_bytes()).ok_or_else(|| {
            format!("--{name} takes JSON, file://PATH of it, or dotted names such as --{name}.0")
        })?;
        given.push((name, value));
    }
    let Some(input) = input else { return Ok(Node::Object(given)) };
    let Ok(Node::Object(mut members)) = json::read(text_of(input)?.as_bytes()) else {
        return Err("--cli-input-json takes a JSON object, or file://PATH of one".into());
    };
    members.retain(|(name, _)| !given.iter().any(|(other, _)| other == name));
    members.extend(given);
    Ok(Node::Object(members))
}

/// A value, or the text of the file that it names.
fn text_of(value: &str) -> Result<String, Failure> {
    match value.strip_prefix(FILE) {
        Some(path) => Ok(std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?),
        None => Ok(value.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use rookery_api::codec::write_value;
    use rookery_api::decode::{Side, conform};

    use super::*;

    fn body(input: Option<&str>, parameters: &[(&str, &str)]) -> Result<String, Failure> {
        let action = rookery_api::products::tcr::PRODUCT.action("DescribeInstances").unwrap();
        let parameters: Vec<_> = parameters.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let value = conform(tree(action, input, &parameters)?, action.input, Side::Request)?;
        let mut body = Vec::new();
        write_value(&value, action.input, &mut body)?;
        Ok(String::from_utf8(body)?)
    }

    #[test]
    fn parameters_become_the_requests_json() {
        let limit = r#"{"Limit":5,"AllRegion":true}"#;
        assert_eq!(body(None, &[("Limit", "5"), ("AllRegion", "true")]).unwrap(), limit);
        let filters = r#"{"Filters":[{"Name":"RegistryName","Values":["a"]}]}"#;
        let list = r#"[{"Name":"RegistryName","Values":["a"]}]"#;
        assert_eq!(body(None, &[("Filters", list)]).unwrap(), filters);
        let dotted = [("Filters.0.Name", "RegistryName"), ("Filters.0.Values.0", "a")];
        assert_eq!(body(None, &dotted).unwrap(), filters);
        for refused in
            [("Filters", "not json"), ("NoSuch", "1"), ("Limit", "many"), ("Filters", "file:///none")]
        {
            assert!(body(None, &[refused]).is_err(), "{refused:?}");
        }
    }

    #[test]
    fn an_input_object_is_overridden_by_single_parameters() {
        let input = r#"{"Limit":5,"Offset":1,"Registryids":["a","b"]}"#;
        assert_eq!(body(Some(input), &[]).unwrap(), r#"{"Registryids":["a","b"],"Offset":1,"Limit":5}"#);
        let overridden = body(Some(input), &[("Limit", "9"), ("Registryids.0", "c")]).unwrap();
        assert_eq!(overridden, r#"{"Registryids":["c"],"Offset":1,"Limit":9}"#);
        for refused in ["[]", "no json", "file:///none", r#"{"NoSuch":1}"#] {
            assert!(body(Some(refused), &[]).is_err(), "{refused}");
        }
    }

    #[test]
    fn files_hold_what_is_too_long_for_a_word() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("filters.json");
        std::fs::write(&file, r#"[{"Name":"n","Values":["v"]}]"#).unwrap();
        let word = format!("file://{}", file.display());
        assert_eq!(
            body(None, &[("Filters", &word)]).unwrap(),
            r#"{"Filters":[{"Name":"n","Values":["v"]}]}"#
        );
    }
}
