//! From a tree of parameters to the flattened text of queries and forms; the other way is [`crate::decode::flattened`].
//!
//! Flattened text has no word for an empty list, an empty object, bytes or null: they are left out, as every SDK does.

use std::fmt::Write;

use crate::decode::Node;
use crate::decode::flattened::Pair;

/// The pairs that spell `node`, depth first and in its order: `Filters.0.Values.1` → `b`. A `node` that is no object has none.
#[must_use]
pub fn flatten(node: &Node) -> Vec<Pair> {
    let mut pairs = Vec::new();
    if let Node::Object(members) = node {
        for (name, member) in members {
            descend(&mut name.clone(), member, &mut pairs);
        }
    }
    pairs
}

/// Appends the pairs of the member whose dotted name is `name`; `name` is as before when it returns.
fn descend(name: &mut String, node: &Node, pairs: &mut Vec<Pair>) {
    match node {
        Node::Text(text) | Node::Untyped(text) => pairs.push((name.clone(), text.clone())),
        Node::Number(number) => pairs.push((name.clone(), number.to_string())),
        Node::Boolean(boolean) => pairs.push((name.clone(), boolean.to_string())),
        Node::List(items) => {
            for (index, item) in items.iter().enumerate() {
                below(name, &index.to_string(), item, pairs);
            }
        }
        Node::Object(members) => {
            for (member, node) in members {
                below(name, member, node, pairs);
            }
        }
        // Bytes travel in bodies of their own form; the last two are what a reader makes of mistakes in flattened text.
        Node::Null | Node::Bytes(_) | Node::BrokenList | Node::Repeated => {}
    }
}

fn below(name: &mut String, segment: &str, node: &Node, pairs: &mut Vec<Pair>) {
    let length = name.len();
    name.push('.');
    name.push_str(segment);
    descend(name, node, pairs);
    name.truncate(length);
}

/// Pairs as a query or a form: everything but RFC 3986's unreserved characters is percent-encoded, in upper case, a space as `%20`.
#[must_use]
pub fn encode(pairs: &[Pair]) -> String {
    let mut text = String::with_capacity(64 * pairs.len());
    for (position, (name, value)) in pairs.iter().enumerate() {
        if position > 0 {
            text.push('&');
        }
        escape(name, &mut text);
        text.push('=');
        escape(value, &mut text);
    }
    text
}

fn escape(part: &str, text: &mut String) {
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing into a String has no way to fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::PRODUCTS;
    use crate::codec::{Value, write_value};
    use crate::decode::{Side, conform, flattened, json};
    use crate::shape::{ActionShape, Kind, StructureShape};

    #[test]
    fn lists_and_structures_are_dotted_and_nothing_stands_for_nothing() {
        let body = r#"{"Filters":[{"Name":"a b","Values":["1","ü"]}],"Limit":5,"All":true,"None":null,"E":[],"S":{}}"#;
        let pairs = flatten(&json::read(body.as_bytes()).unwrap());
        assert_eq!(
            encode(&pairs),
            "Filters.0.Name=a%20b&Filters.0.Values.0=1&Filters.0.Values.1=%C3%BC&Limit=5&All=true"
        );
        assert!(flatten(&Node::Text("top".to_owned())).is_empty());
    }

    /// A value of the shape without what flattened text cannot say: empty lists and empty structures.
    fn value_of(shape: &'static StructureShape, depth: u32) -> BoxedStrategy<Value> {
        let members: Vec<_> = shape
            .members
            .iter()
            .map(|member| {
                let present = member_of(&member.kind, depth);
                if member.required { present } else { prop_oneof![Just(Value::Absent), present].boxed() }
            })
            .collect();
        members.prop_map(Value::Structure).boxed()
    }

    fn member_of(kind: &'static Kind, depth: u32) -> BoxedStrategy<Value> {
        match kind {
            Kind::Binary => Just(Value::Absent).boxed(),
            Kind::String | Kind::Date | Kind::DateTime | Kind::DateTimeIso => {
                any::<String>().prop_map(Value::Text).boxed()
            }
            Kind::Integer => any::<i64>().prop_map(Value::Integer).boxed(),
            Kind::Unsigned => any::<u64>().prop_map(Value::Unsigned).boxed(),
            Kind::Float => (-1e15_f64..1e15).prop_map(Value::Float).boxed(),
            Kind::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
            Kind::List(_) | Kind::Structure(_) if depth == 0 => Just(Value::Absent).boxed(),
            Kind::List(item) => vec(member_of(item, depth - 1), 1..4)
                .prop_map(
                    |items| if items.iter().any(is_nothing) { Value::Absent } else { Value::List(items) },
                )
                .boxed(),
            Kind::Structure(shape) => value_of(shape, depth - 1)
                .prop_map(|value| if is_nothing(&value) { Value::Absent } else { value })
                .boxed(),
        }
    }

    fn is_nothing(value: &Value) -> bool {
        match value {
            Value::Absent => true,
            Value::Structure(members) => members.iter().all(is_nothing),
            _ => false,
        }
    }

    fn request() -> impl Strategy<Value = (&'static ActionShape, Value)> {
        let actions: Vec<&ActionShape> = PRODUCTS.iter().flat_map(|product| product.actions).collect();
        proptest::sample::select(actions).prop_flat_map(|action| (Just(action), value_of(action.input, 4)))
    }

    proptest! {
        #[test]
        fn what_is_flattened_is_read_back((action, value) in request()) {
            let mut body = Vec::new();
            write_value(&value, action.input, &mut body).unwrap();
            let text = encode(&flatten(&json::read(&body).unwrap()));
            let node = flattened::gather(flattened::pairs(text.as_bytes()).unwrap()).unwrap();
            // A required member that was cut off at the depth limit is absent in both.
            match conform(json::read(&body).unwrap(), action.input, Side::Request) {
                Ok(sent) => prop_assert_eq!(conform(node, action.input, Side::Request), Ok(sent)),
                Err(refused) => prop_assert_eq!(conform(node, action.input, Side::Request), Err(refused)),
            }
        }
    }
}
