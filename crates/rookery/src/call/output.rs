//! Replies as JSON, tables or text, whole or filtered.

use std::fmt::Write;

use jmespath::{Expression, Variable};
use rookery_api::decode::{Node, json};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use unicode_width::UnicodeWidthStr;

use super::Failure;

/// How a reply is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Output {
    /// JSON, members in the server's order.
    Json,
    /// Members beside their values, lists of structures as tables.
    Table,
    /// Values without names, one list item a line, columns divided by tabs: for other programs.
    Text,
}

impl Output {
    /// Reads the word of `--output`.
    pub(super) fn parse(word: &str) -> Result<Self, String> {
        match word {
            "json" => Ok(Self::Json),
            "table" => Ok(Self::Table),
            "text" => Ok(Self::Text),
            _ => Err(format!("--output takes json, table or text, not `{word}`")),
        }
    }
}

/// An expression of `--filter`.
pub(super) struct Filter(Expression<'static>);

impl Filter {
    /// Reads an expression.
    pub(super) fn compile(text: &str) -> Result<Self, Failure> {
        Ok(Self(jmespath::compile(text).map_err(|error| format!("--filter: {error}"))?))
    }

    /// What the expression takes out of a reply.
    pub(super) fn apply(&self, reply: &Node) -> Result<Node, Failure> {
        let variable = Variable::from_json(&serde_json::to_string(&Ordered(reply))?)?;
        let found = self.0.search(variable).map_err(|error| format!("--filter: {error}"))?;
        Ok(json::value(serde_json::to_string(&found)?.as_bytes()).unwrap_or(Node::Null))
    }
}

/// A tree as indented JSON.
pub(super) fn pretty(node: &Node) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(&Ordered(node))
}

/// A reply in the form asked for, with the line break at its end.
pub(super) fn write(reply: &Node, output: Output) -> Result<String, Failure> {
    let mut text = match output {
        Output::Json => pretty(reply)?,
        Output::Table => table(reply),
        Output::Text => lines(reply).join("\n"),
    };
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

/// Writes members in the order in which they came.
struct Ordered<'a>(&'a Node);

impl Serialize for Ordered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Node::Boolean(boolean) => serializer.serialize_bool(*boolean),
            Node::Number(number) => number.serialize(serializer),
            Node::Text(text) | Node::Untyped(text) => serializer.serialize_str(text),
            Node::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| list.serialize_element(&Ordered(item)))?;
                list.end()
            }
            Node::Object(members) => {
                let mut object = serializer.serialize_map(Some(members.len()))?;
                members
                    .iter()
                    .try_for_each(|(name, member)| object.serialize_entry(name, &Ordered(member)))?;
                object.end()
            }
            // JSON gives none of the others.
            Node::Null | Node::Bytes(_) | Node::BrokenList | Node::Repeated => serializer.serialize_unit(),
        }
    }
}

/// A value within a row: bare where it is a scalar, compact JSON where it is not. On one line, whatever it holds.
fn cell(node: &Node) -> String {
    let text = match node {
        Node::Null => String::new(),
        Node::Text(text) => text.clone(),
        other => serde_json::to_string(&Ordered(other)).unwrap_or_default(),
    };
    text.replace('\t', "\\t").replace('\r', "\\r").replace('\n', "\\n")
}

fn lines(node: &Node) -> Vec<String> {
    match node {
        Node::List(items) => items.iter().map(row_text).collect(),
        Node::Object(members) => {
            let (deep, flat): (Vec<_>, Vec<_>) = members.iter().partition(|(_, member)| is_rows(member));
            let flat = flat.iter().map(|(_, member)| cell(member)).collect::<Vec<_>>().join("\t");
            deep.into_iter().flat_map(|(_, member)| lines(member)).chain([flat]).collect()
        }
        scalar => vec![cell(scalar)],
    }
}

fn row_text(item: &Node) -> String {
    let cells: Vec<_> = match item {
        Node::Object(members) => members.iter().map(|(_, member)| cell(member)).collect(),
        Node::List(items) => items.iter().map(cell).collect(),
        scalar => vec![cell(scalar)],
    };
    cells.join("\t")
}

fn is_rows(node: &Node) -> bool {
    matches!(node, Node::List(items) if items.iter().any(|item| matches!(item, Node::Object(_))))
}

fn table(node: &Node) -> String {
    match node {
        Node::List(items) => grid(&columns(items), items),
        Node::Object(members) => {
            let (deep, flat): (Vec<_>, Vec<_>) = members.iter().partition(|(_, member)| is_rows(member));
            let mut text = String::new();
            if !flat.is_empty() {
                let rows: Vec<_> =
                    flat.iter().map(|(name, member)| vec![name.clone(), cell(member)]).collect();
                text.push_str(&frame(None, &rows));
            }
            for (name, member) in deep {
                let Node::List(items) = member else { continue };
                let _ = write!(text, "\n{name}\n{}", grid(&columns(items), items));
            }
            text
        }
        scalar => cell(scalar),
    }
}

/// The names of all items' members, in order of first appearance; none for items that are no structures.
fn columns(items: &[Node]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for item in items {
        let Node::Object(members) = item else { continue };
        for (name, _) in members {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
    }
    names
}

fn grid(names: &[String], items: &[Node]) -> String {
    let row = |item: &Node| match item {
        Node::Object(members) => {
            let of = |name: &String| {
                members.iter().find(|(other, _)| other == name).map(|(_, member)| cell(member))
            };
            names.iter().map(|name| of(name).unwrap_or_default()).collect()
        }
        Node::List(items) => items.iter().map(cell).collect(),
        scalar => vec![cell(scalar)],
    };
    let rows: Vec<Vec<String>> = items.iter().map(row).collect();
    frame((!names.is_empty()).then_some(names), &rows)
}

/// Rows between lines, columns as wide as their widest cell on a terminal.
fn frame(head: Option<&[String]>, rows: &[Vec<String>]) -> String {
    let all = || head.into_iter().chain(rows.iter().map(Vec::as_slice));
    let mut widths = vec![0; all().map(<[String]>::len).max().unwrap_or(0)];
    for row in all() {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.width().max(*width);
        }
    }
    let rule = widths.iter().fold("+".to_owned(), |line, width| line + &"-".repeat(width + 2) + "+") + "\n";
    let line = |row: &[String]| {
        let mut line = "|".to_owned();
        for (at, width) in widths.iter().enumerate() {
            let cell = row.get(at).map_or("", String::as_str);
            let blanks = " ".repeat(width - cell.width());
            let _ = write!(line, " {cell}{blanks} |");
        }
        line + "\n"
    };
    let mut text = rule.clone();
    if let Some(head) = head {
        text.push_str(&line(head));
        text.push_str(&rule);
    }
    for row in rows {
        text.push_str(&line(row));
    }
    if !rows.is_empty() {
        text.push_str(&rule);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPLY: &str = r#"{"TotalCount":2,"Registries":[{"Name":"a","Tags":["x"]},{"Name":"上海","Id":7}],"Ids":["p","q"],"RequestId":"r"}"#;

    fn written(output: Output, filter: Option<&str>) -> String {
        let mut reply = json::read(REPLY.as_bytes()).unwrap();
        if let Some(filter) = filter {
            reply = Filter::compile(filter).unwrap().apply(&reply).unwrap();
        }
        write(&reply, output).unwrap()
    }

    #[test]
    fn json_keeps_the_servers_order() {
        let text = written(Output::Json, None);
        let at = |name: &str| text.find(name).unwrap();
        assert!(at("TotalCount") < at("Registries") && at("Registries") < at("RequestId"));
        assert!(text.ends_with("}\n"));
    }

    #[test]
    fn filters_take_out_what_they_say() {
        assert_eq!(written(Output::Json, Some("Registries[?Name=='a'].Tags[0] | [0]")), "\"x\"\n");
        assert_eq!(written(Output::Text, Some("Registries[].Name")), "a\n上海\n");
        assert_eq!(written(Output::Json, Some("NoSuch")), "null\n");
        assert_eq!(written(Output::Text, Some("NoSuch")), "");
        assert!(Filter::compile("a[").is_err());
        let reply = json::read(REPLY.as_bytes()).unwrap();
        assert!(Filter::compile("length(TotalCount)").unwrap().apply(&reply).is_err());
    }

    #[test]
    fn text_is_rows_then_the_scalars() {
        assert_eq!(written(Output::Text, None), "a\t[\"x\"]\n上海\t7\n2\t[\"p\",\"q\"]\tr\n");
        assert_eq!(cell(&Node::Text("a\tb\nc".to_owned())), "a\\tb\\nc");
    }

    #[test]
    fn tables_line_up_on_a_terminal() {
        let expected = "\
+------------+-----------+
| TotalCount | 2         |
| Ids        | [\"p\",\"q\"] |
| RequestId  | r         |
+------------+-----------+

Registries
+------+-------+----+
| Name | Tags  | Id |
+------+-------+----+
| a    | [\"x\"] |    |
| 上海 |       | 7  |
+------+-------+----+
";
        assert_eq!(written(Output::Table, None), expected);
        assert_eq!(written(Output::Table, Some("Registries[].[Name, Id]")).lines().count(), 4);
        assert_eq!(written(Output::Table, Some("TotalCount")), "2\n");
        assert_eq!(written(Output::Table, Some("Registries[?Name=='z']")), "+\n");
    }
}
