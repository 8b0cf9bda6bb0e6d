//! `multipart/form-data`: a body in parts, one for each parameter.
//!
//! Clients differ (`protocol.md` §3.6): binary parts have a `filename` (Python, Java, PHP, Ruby) or only a content type (Node); lists and
//! structures are JSON with a content type of their own (Python, PHP) or flattened into names (Java). So no header decides what a part
//! is: the shape of the action does, and a part is read as JSON only where it says so. What a part's name spells is gathered as in
//! flattened text.
//!
//! Delimiters are strict: nothing before the first, nothing but a line end after the last. The lines may end in CRLF, as every client's
//! do, or all in LF, as in the documents' example; the first line decides.

use rookery_api::decode::flattened;
use rookery_api::decode::{DecodeError, Node, json};

use crate::error::CommonError;

/// RFC 2046 allows a boundary this many characters.
const BOUNDARY_LIMIT: usize = 70;

/// Why a body is no multipart body. The client is told only that it is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedMultipart {
    /// The content type has no boundary, or one that RFC 2046 does not allow.
    #[error("the content type has no usable boundary")]
    Boundary,
    /// The body does not begin with the boundary.
    #[error("the body does not begin with its boundary")]
    Start,
    /// The body ends without its closing delimiter, or goes on after it.
    #[error("the body does not end with its closing delimiter")]
    End,
    /// A part's headers do not end, or one of them is no header.
    #[error("the headers of a part are malformed")]
    Headers,
    /// A part has no `Content-Disposition: form-data` with a name.
    #[error("a part has no name")]
    Name,
    /// A part is in a transfer encoding, which form data does not have.
    #[error("a part has a transfer encoding")]
    Encoding,
}

/// One part.
#[derive(Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// The name of the parameter.
    pub name: String,
    /// The file's name, where the client gave one.
    pub filename: Option<String>,
    /// The media type, lower-case and without parameters, where the client gave one.
    pub media_type: Option<String>,
    /// What is in it.
    pub content: &'a [u8],
}

/// The parameters that a body in parts spells.
pub fn read(content_type: &str, body: &[u8]) -> Result<Node, CommonError> {
    let parts = parts(boundary(content_type)?.as_bytes(), body)?;
    let mut nodes = Vec::with_capacity(parts.len());
    for part in parts {
        let node = if part.media_type.as_deref() == Some("application/json") {
            json::value(part.content).ok_or_else(|| DecodeError::PartNotJson(part.name.clone()))?
        } else {
            Node::Bytes(part.content.to_vec())
        };
        nodes.push((part.name, node));
    }
    Ok(flattened::gather_nodes(nodes)?)
}

/// The boundary that a content type names.
pub fn boundary(content_type: &str) -> Result<String, MalformedMultipart> {
    let (_, parameters) = content_type.split_once(';').ok_or(MalformedMultipart::Boundary)?;
    let boundary = parameter(parameters, "boundary").ok_or(MalformedMultipart::Boundary)?;
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&b);
    if boundary.is_empty()
        || boundary.len() > BOUNDARY_LIMIT
        || boundary.ends_with(' ')
        || !boundary.bytes().all(allowed)
    {
        return Err(MalformedMultipart::Boundary);
    }
    Ok(boundary)
}

/// Splits a body at its delimiters.
pub fn parts<'a>(boundary: &[u8], body: &'a [u8]) -> Result<Vec<Part<'a>>, MalformedMultipart> {
    let first = [b"--", boundary].concat();
    let mut rest = body.strip_prefix(first.as_slice()).ok_or(MalformedMultipart::Start)?;
    if let Some(end) = rest.strip_prefix(b"--") {
        return if matches!(end, b"" | b"\r\n" | b"\n") {
            Ok(Vec::new())
        } else {
            Err(MalformedMultipart::End)
        };
    }
    let line_end: &[u8] = if rest.starts_with(b"\r\n") { b"\r\n" } else { b"\n" };
    let delimiter = [line_end, &first].concat();
    let mut parts = Vec::new();
    loop {
        rest = rest.strip_prefix(line_end).ok_or(MalformedMultipart::Start)?;
        let (mut part, content) = headers(rest, line_end)?;
        let length = find(content, &delimiter).ok_or(MalformedMultipart::End)?;
        part.content = content.get(..length).unwrap_or_default();
        parts.push(part);
        rest = content.get(length + delimiter.len()..).unwrap_or_default();
        if let Some(end) = rest.strip_prefix(b"--") {
            return if end.is_empty() || end == line_end { Ok(parts) } else { Err(MalformedMultipart::End) };
        }
    }
}

/// The headers of a part, and what follows the empty line after them.
fn headers<'a>(mut rest: &'a [u8], line_end: &[u8]) -> Result<(Part<'a>, &'a [u8]), MalformedMultipart> {
    let (mut disposition, mut media_type) = (None, None);
    loop {
        let length = find(rest, line_end).ok_or(MalformedMultipart::Headers)?;
        let line = rest.get(..length).unwrap_or_default();
        rest = rest.get(length + line_end.len()..).unwrap_or_default();
        if line.is_empty() {
            break;
        }
        let line = std::str::from_utf8(line).map_err(|_| MalformedMultipart::Headers)?;
        let (name, value) = line.split_once(':').ok_or(MalformedMultipart::Headers)?;
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-disposition") {
            if disposition.replace(value).is_some() {
                return Err(MalformedMultipart::Headers);
            }
        } else if name.eq_ignore_ascii_case("content-type") {
            let value = value.split(';').next().unwrap_or_default();
            media_type = Some(value.trim().to_ascii_lowercase());
        } else if name.eq_ignore_ascii_case("content-transfer-encoding")
            && !["binary", "8bit", "7bit"].iter().any(|plain| value.eq_ignore_ascii_case(plain))
        {
            return Err(MalformedMultipart::Encoding);
        }
    }
    let (kind, parameters) =
        disposition.and_then(|value| value.split_once(';')).ok_or(MalformedMultipart::Name)?;
    if !kind.trim().eq_ignore_ascii_case("form-data") {
        return Err(MalformedMultipart::Name);
    }
    let name =
        parameter(parameters, "name").filter(|name| !name.is_empty()).ok_or(MalformedMultipart::Name)?;
    Ok((Part { name, filename: parameter(parameters, "filename"), media_type, content: &[] }, rest))
}

/// The value of one parameter of a header, quoted or not. Absent also where the parameters cannot be read.
fn parameter(parameters: &str, wanted: &str) -> Option<String> {
    let mut rest = parameters.trim_start_matches([' ', '\t', ';']);
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=')?;
        let (value, after) = if let Some(quoted) = after.strip_prefix('"') {
            unquote(quoted)?
        } else {
            let end = after.find(';').unwrap_or(after.len());
            let (value, after) = after.split_at_checked(end)?;
            (value.trim().to_owned(), after)
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = after.trim_start_matches([' ', '\t', ';']);
    }
    None
}

/// The text up to the closing quote, and what follows it. A backslash keeps the next character.
fn unquote(quoted: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = quoted.chars();
    loop {
        match characters.next()? {
            '"' => return Some((value, characters.as_str())),
            '\\' => value.push(characters.next()?),
            character => value.push(character),
        }
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=B";

    fn bytes(text: &str) -> Node {
        Node::Bytes(text.as_bytes().to_vec())
    }

    fn object(members: &[(&str, Node)]) -> Node {
        Node::Object(members.iter().map(|(name, node)| ((*name).to_owned(), node.clone())).collect())
    }

    #[test]
    fn boundaries_are_read_as_each_client_writes_them() {
        for (content_type, expected) in [
            (
                "multipart/form-data; boundary=dba3a65558d9462ab01c620ab10e030d",
                "dba3a65558d9462ab01c620ab10e030d",
            ),
            ("multipart/form-data; charset=utf-8; boundary=3b1-0f", "3b1-0f"),
            ("multipart/form-data; boundary=\"a b\"; charset=utf-8", "a b"),
            ("multipart/form-data;BOUNDARY=65f0", "65f0"),
            (
                "multipart/form-data; boundary=--------------------------bda1c019026f04688046186d",
                "--------------------------bda1c019026f04688046186d",
            ),
        ] {
            assert_eq!(boundary(content_type).as_deref(), Ok(expected));
        }
        let long = format!("multipart/form-data; boundary={}", "b".repeat(71));
        for content_type in [
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/form-data; boundary=\"\"",
            "multipart/form-data; boundary=\"open",
            "multipart/form-data; boundary=\"b \"",
            "multipart/form-data; boundary=b*",
            "multipart/form-data; charset=utf-8",
            "multipart/form-data; boundary",
            &long,
        ] {
            assert_eq!(boundary(content_type), Err(MalformedMultipart::Boundary), "{content_type}");
        }
    }

    #[test]
    fn the_documents_example_is_read_to_the_letter() {
        // 'Common Params', 2026-03-23; the page shows it with LF.
        let example = "--58731222010402\nContent-Disposition: form-data; name=\"Offset\"\n\n0\n--58731222010402\nContent-Disposition: form-data; name=\"Limit\"\n\n10\n--58731222010402--\n";
        let expected = object(&[("Limit", bytes("10")), ("Offset", bytes("0"))]);
        for example in [example.to_owned(), example.replace('\n', "\r\n"), example.trim_end().to_owned()] {
            let node = read("multipart/form-data; boundary=58731222010402", example.as_bytes());
            assert_eq!(node.as_ref(), Ok(&expected));
        }
    }

    #[test]
    fn files_text_and_json_are_told_apart_by_what_they_say() {
        let body = "--B\r\nContent-Disposition: form-data; name=\"File\"; filename=\"Fi\\\"le\"\r\n\r\nBI\r\nN\r\n--B\r\ncontent-disposition: form-data; name=\"S\"\r\nX-Other: 1\r\n\r\n\r\n--B\r\nContent-Disposition: form-data; name=\"L\"\r\nContent-Type: application/json; charset=utf-8\r\n\r\n[\"a\"]\r\n--B--\r\n";
        let list = parts(b"B", body.as_bytes()).unwrap();
        assert_eq!(list.len(), 3);
        assert_eq!(list[0].filename.as_deref(), Some("Fi\"le"));
        assert_eq!(
            read(TYPE, body.as_bytes()),
            Ok(object(&[
                ("File", bytes("BI\r\nN")),
                ("L", Node::List(vec![Node::Text("a".to_owned())])),
                ("S", bytes("")),
            ]))
        );
    }

    #[test]
    fn names_spell_a_tree_as_in_flattened_text() {
        let body = "--B\nContent-Disposition: form-data; name=\"F.0.Name\"\n\nn\n--B--";
        let inner = object(&[("Name", bytes("n"))]);
        assert_eq!(read(TYPE, body.as_bytes()), Ok(object(&[("F", Node::List(vec![inner]))])));
        let twice = "--B\nContent-Disposition: form-data; name=A\n\n1\n--B\nContent-Disposition: form-data; name=A\n\n2\n--B--";
        assert_eq!(read(TYPE, twice.as_bytes()), Ok(object(&[("A", Node::Repeated)])));
        assert_eq!(read(TYPE, b"--B--\r\n"), Ok(object(&[])));
    }

    #[test]
    fn every_malformed_body_says_what_is_wrong() {
        let name = "Content-Disposition: form-data; name=\"A\"";
        for (body, expected) in [
            (String::new(), MalformedMultipart::Start),
            (format!("preamble\r\n--B\r\n{name}\r\n\r\n1\r\n--B--\r\n"), MalformedMultipart::Start),
            (format!("--C\r\n{name}\r\n\r\n1\r\n--C--\r\n"), MalformedMultipart::Start),
            (format!("--Bx\r\n{name}\r\n\r\n1\r\n--B--\r\n"), MalformedMultipart::Start),
            (format!("--B\r\n{name}\r\n\r\n1\r\n--Bx\r\n"), MalformedMultipart::Start),
            (format!("--B\r\n{name}\r\n\r\n1"), MalformedMultipart::End),
            (format!("--B\r\n{name}\r\n\r\n1\r\n--B\r\n"), MalformedMultipart::Headers),
            (format!("--B\r\n{name}\r\n\r\n1\r\n--B--\r\nmore"), MalformedMultipart::End),
            (format!("--B\r\n{name}\r\n\r\n1\n--B--\n"), MalformedMultipart::End),
            ("--B--more".to_owned(), MalformedMultipart::End),
            (format!("--B\r\n{name}\r\n"), MalformedMultipart::Headers),
            ("--B\r\nno header\r\n\r\n1\r\n--B--\r\n".to_owned(), MalformedMultipart::Headers),
            (format!("--B\r\n{name}\r\n{name}\r\n\r\n1\r\n--B--\r\n"), MalformedMultipart::Headers),
            ("--B\r\n\r\n1\r\n--B--\r\n".to_owned(), MalformedMultipart::Name),
            ("--B\r\nContent-Disposition: form-data\r\n\r\n1\r\n--B--".to_owned(), MalformedMultipart::Name),
            (
                "--B\r\nContent-Disposition: form-data; name=\"\"\r\n\r\n1\r\n--B--".to_owned(),
                MalformedMultipart::Name,
            ),
            (
                "--B\r\nContent-Disposition: attachment; name=\"A\"\r\n\r\n1\r\n--B--".to_owned(),
                MalformedMultipart::Name,
            ),
            (
                format!("--B\r\n{name}\r\nContent-Transfer-Encoding: base64\r\n\r\nMQ==\r\n--B--"),
                MalformedMultipart::Encoding,
            ),
        ] {
            assert_eq!(read(TYPE, body.as_bytes()), Err(CommonError::InvalidRequest(expected)), "{body}");
        }
        let json = format!("--B\r\n{name}\r\nContent-Type: application/json\r\n\r\n{{\r\n--B--");
        let not_json = DecodeError::PartNotJson("A".to_owned());
        assert_eq!(read(TYPE, json.as_bytes()), Err(CommonError::Parameters(not_json)));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(contents in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 1..5)) {
            // No content can hold this boundary but by a chance of 1 in 2^120.
            let boundary = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
            let mut body = Vec::new();
            for (at, content) in contents.iter().enumerate() {
                body.extend_from_slice(format!("--{boundary}\r\nContent-Disposition: form-data; name=\"P{at}\"; filename=\"P\"\r\n\r\n").as_bytes());
                body.extend_from_slice(content);
                body.extend_from_slice(b"\r\n");
            }
            body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
            let read: Vec<_> = parts(boundary.as_bytes(), &body).unwrap().iter().map(|part| part.content.to_vec()).collect();
            prop_assert_eq!(read, contents);
        }

        #[test]
        fn no_bytes_make_it_fail_otherwise(body in proptest::collection::vec(prop_oneof![Just(b'-'), Just(b'B'), Just(b'\r'), Just(b'\n'), any::<u8>()], 0..120)) {
            let _ = read(TYPE, &body);
            let _ = read(&String::from_utf8_lossy(&body), b"");
        }
    }
}
