//! Exclusive XML canonicalisation 1.0 without comments, of a subtree.

use std::collections::BTreeMap;

use roxmltree::{Document, Node};

const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// Which subtree, and how.
pub(crate) struct Canonical<'a, 'i> {
    pub(crate) document: &'a Document<'i>,
    /// What is left out: the signature, where it is in what it signs.
    pub(crate) without: Option<Node<'a, 'i>>,
    /// `InclusiveNamespaces`: prefixes that are declared wherever they are in scope. `#default` is the empty one.
    pub(crate) inclusive: Vec<String>,
}

impl<'a, 'i> Canonical<'a, 'i> {
    /// The canonical text of `element` and what is in it. `None` where the text of a name cannot be found again.
    pub(crate) fn write(&self, element: Node<'a, 'i>) -> Option<String> {
        let mut out = String::new();
        self.element(element, &BTreeMap::new(), &mut out)?;
        Some(out)
    }

    /// The prefix of an element, as it is written: the tree keeps only what it stands for.
    fn prefix(&self, element: Node<'a, 'i>) -> Option<&'a str> {
        let text = self.document.input_text().get(element.range())?.strip_prefix('<')?;
        let end = text.find(|c: char| c.is_ascii_whitespace() || c == '/' || c == '>')?;
        Some(text.get(..end)?.split_once(':').map_or("", |(prefix, _)| prefix))
    }

    fn element(
        &self,
        element: Node<'a, 'i>,
        rendered: &BTreeMap<String, String>,
        out: &mut String,
    ) -> Option<()> {
        let qualified = |prefix: &str, name: &str| {
            if prefix.is_empty() { name.to_owned() } else { format!("{prefix}:{name}") }
        };
        let own_prefix = self.prefix(element)?;
        let mut used = vec![own_prefix];
        // By namespace, then by name; those without a namespace are first.
        let mut attributes = BTreeMap::new();
        for attribute in element.attributes() {
            let written = self.document.input_text().get(attribute.range_qname())?;
            let prefix = written.split_once(':').map_or("", |(prefix, _)| prefix);
            if !prefix.is_empty() && attribute.namespace() != Some(XML) {
                used.push(prefix);
            }
            let key = (attribute.namespace().unwrap_or_default(), attribute.name());
            attributes.insert(key, (qualified(prefix, attribute.name()), attribute.value()));
        }
        used.extend(self.inclusive.iter().map(String::as_str));
        let mut rendered = rendered.clone();
        let mut declared = BTreeMap::new();
        for prefix in used {
            let scope = if prefix.is_empty() { None } else { Some(prefix) };
            let uri = element.lookup_namespace_uri(scope).unwrap_or_default();
            let known = rendered.get(prefix).map(String::as_str).unwrap_or_default();
            // No declaration, or one of nothing, is the same as nothing declared above.
            if uri != known && (!uri.is_empty() || prefix.is_empty()) && prefix != "xml" {
                declared.insert(prefix, uri);
                rendered.insert(prefix.to_owned(), uri.to_owned());
            }
        }
        let name = qualified(own_prefix, element.tag_name().name());
        out.push('<');
        out.push_str(&name);
        for (prefix, uri) in declared {
            out.push_str(if prefix.is_empty() { " xmlns" } else { " xmlns:" });
            out.push_str(prefix);
            out.push_str("=\"");
            write_attribute(uri, out);
            out.push('"');
        }
        for (name, value) in attributes.into_values() {
            out.push(' ');
            out.push_str(&name);
            out.push_str("=\"");
            write_attribute(value, out);
            out.push('"');
        }
        out.push('>');
        for child in element.children().filter(|child| Some(*child) != self.without) {
            if child.is_element() {
                self.element(child, &rendered, out)?;
            } else if child.is_text() {
                write_text(child.text().unwrap_or_default(), out);
            }
        }
        out.push_str("</");
        out.push_str(&name);
        out.push('>');
        Some(())
    }
}

fn write_text(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#xD;"),
            other => out.push(other),
        }
    }
}

fn write_attribute(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '"' => out.push_str("&quot;"),
            '\t' => out.push_str("&#x9;"),
            '\n' => out.push_str("&#xA;"),
            '\r' => out.push_str("&#xD;"),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(xml: &str, element: &str, inclusive: &[&str]) -> String {
        let document = Document::parse(xml).unwrap();
        let node = document.descendants().find(|node| node.tag_name().name() == element).unwrap();
        let inclusive = inclusive.iter().map(|&prefix| prefix.to_owned()).collect();
        Canonical { document: &document, without: None, inclusive }.write(node).unwrap()
    }

    /// The expected texts are libxml2's (`lxml.etree.tostring(…, method="c14n", exclusive=True)`), kept beside this file with their
    /// inputs.
    #[test]
    fn as_libxml2_writes_it() {
        let cases: serde_json::Value = serde_json::from_str(include_str!("testdata/canonical.json")).unwrap();
        let cases = cases.as_array().unwrap();
        assert!(cases.len() >= 8);
        for case in cases {
            let text = |name: &str| case[name].as_str().unwrap();
            let inclusive: Vec<&str> =
                case["inclusive"].as_array().unwrap().iter().map(|prefix| prefix.as_str().unwrap()).collect();
            assert_eq!(canonical(text("xml"), text("element"), &inclusive), text("canonical"), "{case}");
        }
    }
}
