//! The same JSON and the same query in the other spellings that libraries give them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;

/// JSON without white space between its tokens. Nothing else changes: neither the order of members nor the digits of numbers.
pub(super) fn compact(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    outside_strings(json, |character, in_string| {
        if in_string || !character.is_ascii_whitespace() {
            text.push(character);
        }
    });
    text
}

/// Compact JSON with a space after each comma and colon: what Python writes unless told otherwise.
pub(super) fn spaced(compact: &str) -> String {
    let mut text = String::with_capacity(compact.len() + compact.len() / 4);
    outside_strings(compact, |character, in_string| {
        text.push(character);
        if !in_string && matches!(character, ',' | ':') {
            text.push(' ');
        }
    });
    text
}

/// Calls `each` with every character and whether it is part of a string literal.
fn outside_strings(json: &str, mut each: impl FnMut(char, bool)) {
    let (mut in_string, mut escaped) = (false, false);
    for character in json.chars() {
        let inside = in_string;
        if in_string {
            if !escaped && character == '"' {
                in_string = false;
            }
            escaped = !escaped && character == '\\';
        } else if character == '"' {
            in_string = true;
        }
        each(character, inside || in_string);
    }
}

/// Compact JSON with the members of every object sorted by name; `None` for what is no JSON.
pub(super) fn sorted(json: &str) -> Option<String> {
    fn write(value: &Value, text: &mut String) {
        match value {
            Value::Object(members) => {
                let members: BTreeMap<_, _> = members.iter().collect();
                text.push('{');
                for (at, (name, value)) in members.into_iter().enumerate() {
                    if at > 0 {
                        text.push(',');
                    }
                    text.push_str(&Value::String(name.clone()).to_string());
                    text.push(':');
                    write(value, text);
                }
                text.push('}');
            }
            Value::Array(items) => {
                text.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        text.push(',');
                    }
                    write(item, text);
                }
                text.push(']');
            }
            scalar => text.push_str(&scalar.to_string()),
        }
    }
    let value: Value = serde_json::from_str(json).ok()?;
    let mut text = String::with_capacity(json.len());
    write(&value, &mut text);
    Some(text)
}

/// Characters beyond ASCII as `\u` escapes, in lower-case digits as Python and Java write them.
pub(super) fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii() {
            text.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing into a String has no way to fail.
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
    }
    text
}

/// `\u` escapes of characters beyond ASCII as the characters themselves.
pub(super) fn unescaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        text.push_str(before);
        let units: Vec<u16> = escapes(escape).take(2).collect();
        let decoded = char::decode_utf16(units).next().and_then(Result::ok).filter(|found| !found.is_ascii());
        let taken = match decoded {
            Some(found) => {
                text.push(found);
                found.len_utf16() * 6
            }
            // The backslash and what it escapes, which may be another backslash.
            None => escape.char_indices().nth(2).map_or(escape.len(), |(end, _)| end),
        };
        let (taken, after) = escape.split_at_checked(taken).unwrap_or((escape, ""));
        if decoded.is_none() {
            text.push_str(taken);
        }
        rest = after;
    }
    text + rest
}

/// The code units of the `\u` escapes that `text` begins with.
fn escapes(text: &str) -> impl Iterator<Item = u16> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (digits, after) = rest.strip_prefix("\\u")?.split_at_checked(4)?;
        rest = after;
        u16::from_str_radix(digits, 16).ok()
    })
}

/// What RFC 3986 leaves as it is.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `text` percent-encoded as RFC 3986 says.
pub(super) fn percent_encoded(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

/// Other encodings of the same query, in the same order: decoded, encoded as RFC 3986 says, as forms are, and with slashes left alone.
pub(super) fn queries(query: &str) -> [String; 4] {
    let decoded = |text: &str| {
        let spaces = text.replace('+', " ");
        percent_decode_str(&spaces).decode_utf8_lossy().into_owned()
    };
    let each = |spell: &dyn Fn(&str) -> String| {
        let pairs = query.split('&').map(|pair| match pair.split_once('=') {
            Some((name, value)) => format!("{}={}", spell(name), spell(value)),
            None => spell(pair),
        });
        pairs.collect::<Vec<_>>().join("&")
    };
    [
        each(&decoded),
        each(&|text| percent_encoded(&decoded(text))),
        each(&|text| percent_encoded(&decoded(text)).replace("%20", "+")),
        each(&|text| percent_encoded(&decoded(text)).replace("%2F", "/")),
    ]
}

/// The query with its pairs sorted by name.
pub(super) fn sorted_query(query: &str) -> String {
    let mut pairs: Vec<&str> = query.split('&').collect();
    pairs.sort_by_key(|pair| pair.split('=').next());
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in "\\PC*|[\\\\u0-9a-f\"{}:, ]*") {
            let compact = compact(&text);
            prop_assert_eq!(&super::compact(&compact), &compact);
            prop_assert_eq!(super::compact(&spaced(&compact)), compact);
            prop_assert!(escaped(&text).is_ascii());
            if let Some(sorted) = sorted(&text) {
                prop_assert_eq!(super::sorted(&sorted), Some(sorted));
            }
            unescaped(&text);
            queries(&text);
            sorted_query(&text);
        }

        #[test]
        fn what_is_escaped_is_the_same_json(text in any::<String>()) {
            let json = Value::String(text).to_string();
            prop_assert_eq!(serde_json::from_str::<Value>(&escaped(&json)).ok(), serde_json::from_str(&json).ok());
            prop_assert_eq!(
                serde_json::from_str::<Value>(&unescaped(&escaped(&json))).ok(),
                serde_json::from_str(&json).ok()
            );
        }
    }

    #[test]
    fn white_space_changes_outside_of_strings_only() {
        let json = "{ \"a b\" : [ 1.0 ,\n2 ], \"c\\\" : ,\" : {} }";
        assert_eq!(compact(json), r#"{"a b":[1.0,2],"c\" : ,":{}}"#);
        assert_eq!(spaced(&compact(json)), r#"{"a b": [1.0, 2], "c\" : ,": {}}"#);
    }

    #[test]
    fn members_are_sorted_at_every_depth() {
        assert_eq!(
            sorted(r#"{"b":{"d":1,"c":2},"a":[{"f":null,"e":"é"}]}"#).as_deref(),
            Some(r#"{"a":[{"e":"é","f":null}],"b":{"c":2,"d":1}}"#)
        );
        assert_eq!(sorted("{"), None);
    }

    #[test]
    fn escapes_go_both_ways() {
        let (raw, ascii) =
            (r#"{"é":"镜像 😀 \\u00e9 \n \""}"#, r#"{"\u00e9":"\u955c\u50cf \ud83d\ude00 \\u00e9 \n \""}"#);
        assert_eq!(escaped(raw), ascii);
        assert_eq!(unescaped(ascii), raw);
        for broken in ["\\", "\\u", "\\u12", "\\ud83d", "\\ud83dx", "\\uzzzz", "\\u0041", "é\\"] {
            assert_eq!(unescaped(broken), broken);
        }
    }

    #[test]
    fn queries_are_spelt_and_sorted() {
        let [decoded, rfc, form, slashes] = queries("B=a+b&A=%2f~%3D");
        assert_eq!((decoded.as_str(), rfc.as_str()), ("B=a b&A=/~=", "B=a%20b&A=%2F~%3D"));
        assert_eq!((form.as_str(), slashes.as_str()), ("B=a+b&A=%2F~%3D", "B=a%20b&A=/~%3D"));
        assert_eq!(sorted_query("B=1&A=2&A=1"), "A=2&A=1&B=1");
    }
}
