//! The little of XML that a bucket's answers hold: elements without attributes, with text in them.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// An object of a listing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) key: String,
    pub(super) modified: OffsetDateTime,
}

/// The objects of a `ListBucketResult`; what has no key or no moment is left out.
pub(super) fn objects(xml: &str) -> Vec<Object> {
    let mut found = Vec::new();
    let mut rest = xml;
    while let Some((element, after)) = element(rest, "Contents") {
        rest = after;
        let modified = text_of(element, "LastModified");
        let modified = modified.and_then(|text| OffsetDateTime::parse(&text, &Rfc3339).ok());
        if let (Some(key), Some(modified)) = (text_of(element, "Key"), modified) {
            found.push(Object { key, modified });
        }
    }
    found
}

/// An upload in parts that has not ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Begun {
    pub(super) key: String,
    pub(super) id: String,
    pub(super) at: OffsetDateTime,
}

/// The uploads of a `ListMultipartUploadsResult`; what has no key, no id or no moment is left out.
pub(super) fn uploads(xml: &str) -> Vec<Begun> {
    let mut found = Vec::new();
    let mut rest = xml;
    while let Some((element, after)) = element(rest, "Upload") {
        rest = after;
        let at = text_of(element, "Initiated").and_then(|text| OffsetDateTime::parse(&text, &Rfc3339).ok());
        if let (Some(key), Some(id), Some(at)) = (text_of(element, "Key"), text_of(element, "UploadId"), at) {
            found.push(Begun { key, id, at });
        }
    }
    found
}

/// The text of the first element of this name.
pub(super) fn text_of(xml: &str, name: &str) -> Option<String> {
    let (text, _) = element(xml, name)?;
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        let (entity, behind) = after.split_once(';')?;
        plain.push_str(before);
        plain.push(character(entity)?);
        rest = behind;
    }
    plain.push_str(rest);
    Some(plain)
}

/// What is in the first element of this name, and what follows it.
fn element<'x>(xml: &'x str, name: &str) -> Option<(&'x str, &'x str)> {
    let (_, inside) = xml.split_once(&format!("<{name}>"))?;
    inside.split_once(&format!("</{name}>"))
}

fn character(entity: &str) -> Option<char> {
    match entity {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = entity.strip_prefix('#')?;
            let number = match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            number.ok().and_then(char::from_u32)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::datetime;

    #[test]
    fn a_listing_is_read() {
        let xml = "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"x\"><Contents><Key>a&amp;b/&#x41;&#66;</Key>\
            <LastModified>2026-01-02T03:04:05.678Z</LastModified><Size>1</Size></Contents>\
            <Contents><Key>no moment</Key></Contents><Contents><Key>broken&</Key></Contents>\
            <NextContinuationToken>t/=</NextContinuationToken></ListBucketResult>";
        let expected = Object { key: "a&b/AB".to_owned(), modified: datetime!(2026-01-02 03:04:05.678 UTC) };
        assert_eq!(objects(xml), vec![expected]);
        assert_eq!(text_of(xml, "NextContinuationToken").as_deref(), Some("t/="));
        assert_eq!(text_of(xml, "Code"), None);
    }

    #[test]
    fn a_listing_of_uploads_is_read() {
        let xml = "<ListMultipartUploadsResult><Upload><Key>a/b</Key><UploadId>1&amp;2</UploadId>\
            <Initiated>2026-01-02T03:04:05Z</Initiated></Upload><Upload><Key>no id</Key></Upload>\
            <IsTruncated>false</IsTruncated></ListMultipartUploadsResult>";
        let at = datetime!(2026-01-02 03:04:05 UTC);
        assert_eq!(uploads(xml), vec![Begun { key: "a/b".to_owned(), id: "1&2".to_owned(), at }]);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(xml in "(<Contents>|</Contents>|<Key>|</Key>|&|;|#|x|[a-z0-9]){0,40}") {
            let read = objects(&xml);
            prop_assert!(read.len() <= xml.matches("<Contents>").count());
        }
    }
}
