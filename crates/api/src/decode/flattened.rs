//! Parameters flattened to text, as queries and forms carry them: `Filters.0.Values.1=b`.

use std::collections::BTreeMap;

use super::{DecodeError, Node};

/// More dots than any structure of the models has levels; deeper names are unknown parameters, not work.
const DEPTH_LIMIT: usize = 32;

/// One decoded `name=value`.
pub type Pair = (String, String);

/// Splits and decodes a query or form. `+` is a space; `%XY` may use either case (the documents' own example
/// does, whatever their text says).
pub fn pairs(text: &[u8]) -> Result<Vec<Pair>, DecodeError> {
    let mut pairs = Vec::new();
    for part in text.split(|&b| b == b'&').filter(|part| !part.is_empty()) {
        let equals = part.iter().position(|&b| b == b'=').ok_or(DecodeError::NoEquals)?;
        let (name, value) = (&part[..equals], &part[equals + 1..]);
        if name.is_empty() {
            return Err(DecodeError::EmptyName);
        }
        let name = decode(name).ok_or_else(|| broken(name))?;
        let value = decode(value).ok_or_else(|| DecodeError::Encoding(name.clone()))?;
        pairs.push((name, value));
    }
    Ok(pairs)
}

fn broken(name: &[u8]) -> DecodeError {
    DecodeError::Encoding(String::from_utf8_lossy(name).into_owned())
}

fn decode(text: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(&byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let high = char::from(*rest.next()?).to_digit(16)?;
                let low = char::from(*rest.next()?).to_digit(16)?;
                u8::try_from(high * 16 + low).ok()?
            }
            plain => plain,
        });
    }
    String::from_utf8(bytes).ok()
}

/// Gathers flattened pairs into the tree that they spell.
pub fn gather(pairs: impl IntoIterator<Item = Pair>) -> Result<Node, DecodeError> {
    gather_nodes(pairs.into_iter().map(|(name, value)| (name, Node::Untyped(value))))
}

/// Gathers flattened names whose values need not be text: the parts of a multipart body.
pub fn gather_nodes(pairs: impl IntoIterator<Item = (String, Node)>) -> Result<Node, DecodeError> {
    let mut top = Branch::default();
    for (name, value) in pairs {
        if name.split('.').count() > DEPTH_LIMIT {
            return Err(DecodeError::Unknown(name));
        }
        top.insert(&name, value);
    }
    Ok(top.into_object())
}

/// A level of the tree: a value, deeper levels, or (a mistake) both.
#[derive(Default)]
struct Branch {
    value: Option<Node>,
    repeated: bool,
    children: BTreeMap<String, Branch>,
}

impl Branch {
    fn insert(&mut self, name: &str, value: Node) {
        let mut at = self;
        for segment in name.split('.') {
            at = at.children.entry(segment.to_owned()).or_default();
        }
        at.repeated |= at.value.replace(value).is_some();
    }

    fn into_node(self) -> Node {
        match (self.value, self.repeated, self.children.is_empty()) {
            (Some(value), false, true) => value,
            (None, _, false) if self.children.keys().all(|name| is_index(name)) => into_list(self.children),
            (None, _, _) => Branch { value: None, ..self }.into_object(),
            _ => Node::Repeated,
        }
    }

    fn into_object(self) -> Node {
        Node::Object(self.children.into_iter().map(|(name, branch)| (name, branch.into_node())).collect())
    }
}

fn is_index(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit())
}

fn into_list(children: BTreeMap<String, Branch>) -> Node {
    let mut items: Vec<(usize, Branch)> = Vec::with_capacity(children.len());
    for (name, branch) in children {
        // `00` would be a second spelling of `0`.
        let canonical = name == "0" || !name.starts_with('0');
        match name.parse() {
            Ok(index) if canonical => items.push((index, branch)),
            _ => return Node::BrokenList,
        }
    }
    items.sort_by_key(|(index, _)| *index);
    if items.iter().enumerate().any(|(at, (index, _))| at != *index) {
        return Node::BrokenList;
    }
    Node::List(items.into_iter().map(|(_, branch)| branch.into_node()).collect())
}
