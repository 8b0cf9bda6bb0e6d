//! From what a client sent to values that conform to a shape, or to the first thing that is wrong with it.
//!
//! Two spellings of the same parameters exist, JSON ([`json`]) and flattened text ([`flattened`]), and a body in parts mixes them. Each first becomes a
//! [`Node`], a tree without types, which [`conform`] then holds against the shape; so a parameter that is missing, unknown or
//! mistyped is refused the same way however it was sent.

pub mod flattened;
pub mod json;

use crate::codec::Value;
use crate::shape::{Kind, StructureShape};

/// Parameters as they were sent, before any shape.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// JSON null.
    Null,
    /// JSON true or false.
    Boolean(bool),
    /// A JSON number.
    Number(serde_json::Number),
    /// A JSON string.
    Text(String),
    /// Text of a query or form, whose type only the shape knows.
    Untyped(String),
    /// The bytes of a part or of a whole body, which only the shape knows to be a file or text.
    Bytes(Vec<u8>),
    /// A JSON array, or flattened indices 0, 1, 2 … without a gap.
    List(Vec<Node>),
    /// A JSON object, in the order sent; a name may repeat.
    Object(Vec<(String, Node)>),
    /// Flattened indices that do not count up from 0 without a gap.
    BrokenList,
    /// Flattened text given twice, or both as text and as a structure.
    Repeated,
}

/// What is wrong with the parameters of a request. Paths are dotted, with indices (`Filters.0.Values.1`).
///
/// The platform's words for each are the gateway's business.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The body is not JSON, or its top is not an object.
    #[error("the body is not a JSON object")]
    NotJson,
    /// A part that says it is JSON is not.
    #[error("parameter `{0}` is not JSON")]
    PartNotJson(String),
    /// A flattened parameter has no `=`.
    #[error("a parameter has no `=`")]
    NoEquals,
    /// A flattened parameter's name is empty.
    #[error("a parameter has an empty name")]
    EmptyName,
    /// A percent escape is broken, or the text is not UTF-8.
    #[error("parameter `{0}` is not UTF-8, or not percent-encoded")]
    Encoding(String),
    /// The shape has no such member.
    #[error("unknown parameter `{0}`")]
    Unknown(String),
    /// A required member is absent.
    #[error("missing parameter `{0}`")]
    Missing(String),
    /// The member was sent more than once.
    #[error("parameter `{0}` was sent more than once")]
    Repeated(String),
    /// Flattened indices have a gap, or do not start with 0.
    #[error("parameter `{0}` has broken array indices")]
    ArrayIndices(String),
    /// The value has another type than the member.
    #[error("parameter `{path}` should be {expected}")]
    Type {
        /// The member.
        path: String,
        /// The kind's word.
        expected: &'static str,
    },
}

/// How strict [`conform`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// A request: unknown members and missing required ones are errors.
    Request,
    /// A reply, as a client reads it: unknown members are ignored, absent ones take their zero value.
    Reply,
}

/// Holds `node` against `shape`.
pub fn conform(node: Node, shape: &'static StructureShape, side: Side) -> Result<Value, DecodeError> {
    structure(node, shape, side, &mut Path::default())
}

/// The dotted path of the member at hand; turned into text only when something is wrong.
#[derive(Default)]
struct Path {
    segments: Vec<Segment>,
}

enum Segment {
    Name(String),
    Index(usize),
}

impl Path {
    fn text(&self) -> String {
        let mut text = String::new();
        for segment in &self.segments {
            if !text.is_empty() {
                text.push('.');
            }
            match segment {
                Segment::Name(name) => text.push_str(name),
                Segment::Index(index) => text.push_str(&index.to_string()),
            }
        }
        text
    }
}

fn structure(
    node: Node,
    shape: &'static StructureShape,
    side: Side,
    path: &mut Path,
) -> Result<Value, DecodeError> {
    let sent = match node {
        Node::Object(sent) => sent,
        Node::Repeated => return Err(DecodeError::Repeated(path.text())),
        // An empty list of members flattens to nothing, so `A.0=` can only be a mistake.
        _ => return Err(DecodeError::Type { path: path.text(), expected: "object" }),
    };
    let mut members = vec![None; shape.members.len()];
    for (name, node) in sent {
        let Some(at) = shape.position(&name) else {
            if side == Side::Reply {
                continue;
            }
            path.segments.push(Segment::Name(name));
            return Err(DecodeError::Unknown(path.text()));
        };
        path.segments.push(Segment::Name(name));
        if members[at].is_some() {
            return Err(DecodeError::Repeated(path.text()));
        }
        members[at] = Some(member(node, &shape.members[at].kind, side, path)?);
        path.segments.pop();
    }
    let mut values = Vec::with_capacity(members.len());
    for (value, member) in members.into_iter().zip(shape.members) {
        let value = value.unwrap_or(Value::Absent);
        if value != Value::Absent {
            values.push(value);
        } else if side == Side::Reply {
            values.push(if member.nullable { Value::Absent } else { zero(&member.kind) });
        } else if member.required {
            path.segments.push(Segment::Name(member.name.to_owned()));
            return Err(DecodeError::Missing(path.text()));
        } else {
            values.push(Value::Absent);
        }
    }
    Ok(Value::Structure(values))
}

fn member(node: Node, kind: &'static Kind, side: Side, path: &mut Path) -> Result<Value, DecodeError> {
    let mistyped = |path: &Path| DecodeError::Type { path: path.text(), expected: kind.word() };
    match node {
        Node::Null => return Ok(Value::Absent),
        Node::Repeated => return Err(DecodeError::Repeated(path.text())),
        Node::BrokenList if matches!(kind, Kind::List(_)) => {
            return Err(DecodeError::ArrayIndices(path.text()));
        }
        _ => {}
    }
    let node = match node {
        // A part that is no file is text.
        Node::Bytes(bytes) if !matches!(kind, Kind::Binary) => {
            Node::Untyped(String::from_utf8(bytes).map_err(|_| DecodeError::Encoding(path.text()))?)
        }
        node => node,
    };
    match kind {
        Kind::Structure(shape) => structure(node, shape, side, path),
        Kind::List(item) => {
            let Node::List(nodes) = node else { return Err(mistyped(path)) };
            let mut items = Vec::with_capacity(nodes.len());
            for (index, node) in nodes.into_iter().enumerate() {
                path.segments.push(Segment::Index(index));
                match member(node, item, side, path)? {
                    Value::Absent => {
                        return Err(DecodeError::Type { path: path.text(), expected: item.word() });
                    }
                    value => items.push(value),
                }
                path.segments.pop();
            }
            Ok(Value::List(items))
        }
        scalar => scalar_value(node, scalar).ok_or_else(|| mistyped(path)),
    }
}

/// A scalar of the kind. Text is accepted for numbers and booleans, because the platform's own examples send
/// `"Limit":"20"` and `"IsPublic":"true"`; a number for text is not (captured refusals).
fn scalar_value(node: Node, kind: &Kind) -> Option<Value> {
    match (kind, node) {
        (
            Kind::String | Kind::Date | Kind::DateTime | Kind::DateTimeIso,
            Node::Text(text) | Node::Untyped(text),
        ) => Some(Value::Text(text)),
        (Kind::Binary, Node::Bytes(bytes)) => Some(Value::Bytes(bytes)),
        (Kind::Integer, Node::Number(number)) => number.as_i64().map(Value::Integer),
        (Kind::Integer, Node::Text(text) | Node::Untyped(text)) => text.parse().ok().map(Value::Integer),
        (Kind::Unsigned, Node::Number(number)) => number.as_u64().map(Value::Unsigned),
        (Kind::Unsigned, Node::Text(text) | Node::Untyped(text)) => text.parse().ok().map(Value::Unsigned),
        (Kind::Float, Node::Number(number)) => number.as_f64().map(Value::Float),
        (Kind::Float, Node::Text(text) | Node::Untyped(text)) => {
            text.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Float)
        }
        (Kind::Boolean, Node::Boolean(boolean)) => Some(Value::Boolean(boolean)),
        (Kind::Boolean, Node::Text(text)) => boolean(&text),
        // PHP spells booleans 1 and 0 in queries and forms.
        (Kind::Boolean, Node::Untyped(text)) => match text.as_str() {
            "1" => Some(Value::Boolean(true)),
            "0" => Some(Value::Boolean(false)),
            text => boolean(text),
        },
        _ => None,
    }
}

/// `true`/`false`, and `True`/`False` as Python and .NET spell them.
fn boolean(text: &str) -> Option<Value> {
    match text {
        "true" | "True" => Some(Value::Boolean(true)),
        "false" | "False" => Some(Value::Boolean(false)),
        _ => None,
    }
}

fn zero(kind: &Kind) -> Value {
    match kind {
        Kind::String | Kind::Date | Kind::DateTime | Kind::DateTimeIso => Value::Text(String::new()),
        Kind::Binary => Value::Bytes(Vec::new()),
        Kind::Integer => Value::Integer(0),
        Kind::Unsigned => Value::Unsigned(0),
        Kind::Float => Value::Float(0.0),
        Kind::Boolean => Value::Boolean(false),
        Kind::List(_) => Value::List(Vec::new()),
        Kind::Structure(shape) => Value::Structure(
            shape
                .members
                .iter()
                .map(|member| if member.nullable { Value::Absent } else { zero(&member.kind) })
                .collect(),
        ),
    }
}
