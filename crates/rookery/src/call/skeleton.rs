//! An object of an action's request with every member, to be filled in and given as `--cli-input-json`.

use rookery_api::decode::Node;
use rookery_api::shape::{Kind, StructureShape};

/// Deeper structures than this are structures within themselves; they are left out.
const DEPTH: usize = 8;

/// Every member with its zero value; lists with one item.
pub(super) fn of(shape: &'static StructureShape) -> Node {
    structure(shape, 0)
}

fn structure(shape: &'static StructureShape, depth: usize) -> Node {
    let members = shape.members.iter();
    let filled = members.filter_map(|member| Some((member.name.to_owned(), value(&member.kind, depth + 1)?)));
    Node::Object(filled.collect())
}

fn value(kind: &Kind, depth: usize) -> Option<Node> {
    Some(match kind {
        Kind::String | Kind::Date | Kind::DateTime | Kind::DateTimeIso | Kind::Binary => {
            Node::Text(String::new())
        }
        Kind::Integer | Kind::Unsigned => Node::Number(0.into()),
        Kind::Float => Node::Number(serde_json::Number::from_f64(0.0)?),
        Kind::Boolean => Node::Boolean(false),
        Kind::List(_) | Kind::Structure(_) if depth >= DEPTH => return None,
        Kind::List(item) => Node::List(vec![value(item, depth + 1)?]),
        Kind::Structure(shape) => structure(shape, depth),
    })
}

#[cfg(test)]
mod tests {
    use rookery_api::decode::{Side, conform};

    use super::*;

    #[test]
    fn the_skeleton_of_every_action_is_a_request_of_it() {
        for action in rookery_api::PRODUCTS.iter().flat_map(|product| product.actions) {
            // Bytes are in no JSON body.
            if action.takes_bytes() {
                continue;
            }
            let conforms = conform(of(action.input), action.input, Side::Request);
            assert!(conforms.is_ok(), "{}: {conforms:?}", action.name);
        }
    }
}
