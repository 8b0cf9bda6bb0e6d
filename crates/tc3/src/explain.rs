//! Where a client's canonical request departs from the server's. Pure comparison of two texts.

use std::fmt;

/// The first line in which two canonical requests differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Number of the line, from 1.
    pub line: usize,
    /// What the line stands for, by the server's text.
    pub meaning: Meaning,
    /// Offset in bytes, within both lines, of the first character that differs.
    pub offset: usize,
    /// The server's line, without its line feed; empty if its text has fewer lines.
    pub server: String,
    /// The client's line, without its line feed; empty if its text has fewer lines.
    pub theirs: String,
}

/// What a line of a canonical request stands for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// The HTTP method.
    Method,
    /// The canonical URI.
    Uri,
    /// The canonical query string.
    Query,
    /// The line of the header of this name.
    Header(String),
    /// The empty line between the headers and the list of their names.
    EndOfHeaders,
    /// The list of signed headers.
    SignedHeaders,
    /// The hash of the payload.
    PayloadHash,
    /// A line after the payload hash, which has to be the last. A final line feed makes one.
    AfterPayloadHash,
}

impl fmt::Display for Meaning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Method => "method",
            Self::Uri => "uri",
            Self::Query => "query",
            Self::Header(name) => return write!(f, "header {name}"),
            Self::EndOfHeaders => "end of headers",
            Self::SignedHeaders => "signed headers",
            Self::PayloadHash => "payload hash",
            Self::AfterPayloadHash => "after payload hash",
        })
    }
}

/// The first line of `theirs` that differs from the `server`'s canonical request, or `None` if the texts are equal.
///
/// Lines end in a line feed and in nothing else: a carriage return before it is a difference, at its offset.
#[must_use]
pub fn first_difference(server: &str, theirs: &str) -> Option<Difference> {
    let total = server.split('\n').count();
    let (mut ours, mut others) = (server.split('\n'), theirs.split('\n'));
    let mut line = 0;
    loop {
        line += 1;
        let (our, other) = match (ours.next(), others.next()) {
            (None, None) => return None,
            (our, other) if our == other => continue,
            pair => pair,
        };
        let (our, other) = (our.unwrap_or_default(), other.unwrap_or_default());
        return Some(Difference {
            line,
            meaning: meaning(line, total, our),
            offset: common_prefix(our, other),
            server: our.to_owned(),
            theirs: other.to_owned(),
        });
    }
}

/// What line `line` of the server's `total` lines stands for. The last three are fixed, the headers are what is between.
fn meaning(line: usize, total: usize, text: &str) -> Meaning {
    match line {
        1 => Meaning::Method,
        2 => Meaning::Uri,
        3 => Meaning::Query,
        _ if line > total => Meaning::AfterPayloadHash,
        _ if line == total => Meaning::PayloadHash,
        _ if line + 1 == total => Meaning::SignedHeaders,
        _ if line + 2 == total => Meaning::EndOfHeaders,
        _ => Meaning::Header(text.split(':').next().unwrap_or_default().to_owned()),
    }
}

/// Length in bytes of the longest common prefix of whole characters.
fn common_prefix(one: &str, other: &str) -> usize {
    one.chars().zip(other.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: &str = "POST\n/\n\ncontent-type:application/json; charset=utf-8\nhost:cvm.tencentcloudapi.com\n\n\
                          content-type;host\n35e9c5b0e3ae67532d3c9f17ead6c90222632e5b1ff7f6e89887f1398934f064";

    fn difference(theirs: &str) -> (usize, String, usize) {
        let found = first_difference(SERVER, theirs).unwrap();
        (found.line, found.meaning.to_string(), found.offset)
    }

    #[test]
    fn equal_texts_do_not_differ() {
        assert_eq!(first_difference(SERVER, SERVER), None);
        assert_eq!(first_difference("", ""), None);
    }

    #[test]
    fn each_line_is_named() {
        for (from, to, expected) in [
            ("POST", "GET", (1, "method", 0)),
            ("\n/\n", "\n/v2\n", (2, "uri", 1)),
            ("/\n\n", "/\na=1\n", (3, "query", 0)),
            ("; charset=utf-8", "", (4, "header content-type", 29)),
            ("com\n\n", "com:443\n\n", (5, "header host", 28)),
            ("com\n\n", "com\n", (6, "end of headers", 0)),
            ("type;host", "type;host;x-tc-action", (7, "signed headers", 17)),
            ("35e9", "35e8", (8, "payload hash", 3)),
        ] {
            let (line, meaning, offset) = expected;
            assert_eq!(difference(&SERVER.replacen(from, to, 1)), (line, meaning.to_owned(), offset), "{to}");
        }
    }

    #[test]
    fn both_lines_are_shown() {
        let found = first_difference(SERVER, &SERVER.replace("utf-8", "UTF-8")).unwrap();
        assert_eq!(found.meaning, Meaning::Header("content-type".to_owned()));
        assert_eq!(found.server, "content-type:application/json; charset=utf-8");
        assert_eq!(found.theirs, "content-type:application/json; charset=UTF-8");
        assert_eq!(&found.server[found.offset..], "utf-8");
    }

    #[test]
    fn a_final_line_feed_is_a_line_too_many() {
        assert_eq!(difference(&format!("{SERVER}\n")), (9, "after payload hash".to_owned(), 0));
    }

    #[test]
    fn a_text_that_ends_early_lacks_the_next_line() {
        let (short, _) = SERVER.rsplit_once('\n').unwrap();
        assert_eq!(difference(short), (8, "payload hash".to_owned(), 0));
    }

    #[test]
    fn a_carriage_return_is_a_difference() {
        assert_eq!(difference(&SERVER.replace('\n', "\r\n")), (1, "method".to_owned(), 4));
    }

    #[test]
    fn the_offset_is_at_the_start_of_a_character() {
        // The two characters share their first byte.
        let found = first_difference("POST\n/\na=é", "POST\n/\na=è").unwrap();
        assert_eq!((found.meaning, found.offset), (Meaning::Query, 2));
        assert_eq!(&found.theirs[found.offset..], "è");
    }
}
