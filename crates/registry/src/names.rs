//! The names of the distribution specification: registries, repositories, tags and references, held to their grammar.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::digest::{Digest, DigestError};

/// The longest repository name taken: 255 bytes, what clients and proxies are known to carry.
pub const MAX_NAME_LENGTH: usize = 255;

/// The longest tag of the grammar: 128 characters.
pub const MAX_TAG_LENGTH: usize = 128;

/// A name that the grammar refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*` per path component, or longer than [`MAX_NAME_LENGTH`].
    #[error("invalid repository name")]
    Repository,
    /// Not `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`.
    #[error("invalid tag")]
    Tag,
    /// Contains a colon, hence a digest, but not one this registry knows.
    #[error(transparent)]
    Digest(#[from] DigestError),
}

/// Identifies one registry inside the store, for example `tcr-ab12cd34`. Opaque to this crate: it comes from the
/// product's [`Access`](crate::Access), never from a client.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RegistryId(String);

impl RegistryId {
    /// Takes the product's own identifier as it is.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The identifier's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RegistryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One repository of one registry. The name is valid by construction.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Repository {
    registry: RegistryId,
    name: String,
}

impl Repository {
    /// Checks `name` (`library/app`) against the grammar.
    pub fn new(registry: RegistryId, name: impl Into<String>) -> Result<Self, NameError> {
        let name = name.into();
        if is_repository_name(&name) { Ok(Self { registry, name }) } else { Err(NameError::Repository) }
    }

    /// The registry that holds it.
    #[must_use]
    pub fn registry(&self) -> &RegistryId {
        &self.registry
    }

    /// The name within the registry, `library/app`; never empty.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The part of the name before the first slash, which products use as a namespace; the whole name when there is none.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.name.split_once('/').map_or(self.name.as_str(), |(first, _)| first)
    }

    /// `<registry id>/<name>`: the same for one repository however a client addressed it. Tokens carry this form.
    #[must_use]
    pub fn canonical(&self) -> String {
        format!("{}/{}", self.registry, self.name)
    }

    /// Whether `canonical` is its [`canonical`](Self::canonical) name. Asked at each request, so nothing is allocated.
    pub(crate) fn is_called(&self, canonical: &str) -> bool {
        let rest = canonical.strip_prefix(self.registry.as_str()).and_then(|rest| rest.strip_prefix('/'));
        rest == Some(self.name.as_str())
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.name)
    }
}

/// A tag, valid by construction.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Tag(String);

impl Tag {
    /// Checks `tag` against the grammar.
    pub fn new(tag: impl Into<String>) -> Result<Self, NameError> {
        let tag = tag.into();
        if is_tag(&tag) { Ok(Self(tag)) } else { Err(NameError::Tag) }
    }

    /// The tag's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Tag {
    type Error = NameError;

    fn try_from(tag: String) -> Result<Self, NameError> {
        Self::new(tag)
    }
}

impl From<Tag> for String {
    fn from(tag: Tag) -> Self {
        tag.0
    }
}

/// What follows `/manifests/`: a tag or a digest.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Reference {
    /// A movable name.
    Tag(Tag),
    /// The content itself.
    Digest(Digest),
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => tag.fmt(f),
            Self::Digest(digest) => digest.fmt(f),
        }
    }
}

impl FromStr for Reference {
    type Err = NameError;

    /// Whatever contains a colon is a digest: no tag can contain one.
    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.contains(':') { Ok(Self::Digest(text.parse()?)) } else { Tag::new(text).map(Self::Tag) }
    }
}

impl From<Tag> for Reference {
    fn from(tag: Tag) -> Self {
        Self::Tag(tag)
    }
}

impl From<Digest> for Reference {
    fn from(digest: Digest) -> Self {
        Self::Digest(digest)
    }
}

/// Whether `name` is a repository name of the specification and no longer than [`MAX_NAME_LENGTH`].
#[must_use]
pub fn is_repository_name(name: &str) -> bool {
    name.len() <= MAX_NAME_LENGTH && name.split('/').all(is_component)
}

/// One path component: runs of `[a-z0-9]` joined by `.`, `_`, `__` or any number of `-`.
fn is_component(component: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = component.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
    if !is_word(*first) || !is_word(*last) {
        return false;
    }
    bytes.split(|byte| is_word(*byte)).all(|separator| {
        matches!(separator, b"" | b"." | b"_" | b"__") || separator.iter().all(|b| *b == b'-')
    })
}

fn is_tag(tag: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    tag.len() <= MAX_TAG_LENGTH
        && tag.as_bytes().first().is_some_and(|first| is_word(*first))
        && tag.bytes().all(|byte| is_word(byte) || matches!(byte, b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_repository_knows_its_canonical_name() {
        let repository = Repository::new(RegistryId::new("tcr-1"), "library/app").expect("valid");
        assert!(repository.is_called(&repository.canonical()));
        for other in [
            "tcr-1/library/ap",
            "tcr-1/library/app/",
            "tcr-1library/app",
            "tcr-2/library/app",
            "library/app",
            "",
        ] {
            assert!(!repository.is_called(other), "{other}");
        }
    }

    #[test]
    fn names_of_the_grammar_are_taken() {
        for name in ["a", "library/app", "a.b/c_d/e__f/g---h", "0/1", "conformance/repo1"] {
            assert!(is_repository_name(name), "{name}");
        }
    }

    #[test]
    fn names_outside_the_grammar_are_refused() {
        let long = "a".repeat(MAX_NAME_LENGTH + 1);
        for name in [
            "",
            "/",
            "a/",
            "/a",
            "a//b",
            "A",
            "a..b",
            "a___b",
            "a._b",
            "-a",
            "a-",
            ".",
            "..",
            "a/../b",
            "a%2fb",
            "é",
            "a b",
            "a\\b",
            "a:b",
            "_a",
            long.as_str(),
        ] {
            assert!(!is_repository_name(name), "{name}");
            assert_eq!(Repository::new(RegistryId::new("r"), name), Err(NameError::Repository));
        }
    }

    #[test]
    fn tags_are_held_to_their_grammar() {
        let (longest, too_long) = ("a".repeat(128), "a".repeat(129));
        for tag in ["v1", "_x", "A.b-c_d", "0", "sha256-abc.sig", longest.as_str()] {
            assert!(Tag::new(tag).is_ok(), "{tag}");
        }
        for tag in ["", ".a", "-a", "a/b", "a b", "a:b", "é", too_long.as_str()] {
            assert_eq!(Tag::new(tag), Err(NameError::Tag), "{tag}");
        }
    }

    #[test]
    fn a_colon_makes_a_reference_a_digest() {
        assert!(matches!("v1".parse(), Ok(Reference::Tag(_))));
        assert!(matches!("sha256:totallywrong".parse::<Reference>(), Err(NameError::Digest(_))));
        let digest = format!("sha256:{}", "0".repeat(64));
        assert!(matches!(digest.parse(), Ok(Reference::Digest(_))));
    }

    #[test]
    fn the_namespace_is_the_first_component() {
        let of =
            |name: &str| Repository::new(RegistryId::new("r"), name).expect("valid").namespace().to_owned();
        assert_eq!(of("library/app/x"), "library");
        assert_eq!(of("app"), "app");
    }

    /// The grammar of the specification, transcribed independently of the parser: a generator of words and separators.
    fn component() -> impl Strategy<Value = String> {
        ("[a-z0-9]{1,4}", prop::collection::vec(("(\\.|_|__|-{1,3})", "[a-z0-9]{1,4}"), 0..3)).prop_map(
            |(first, rest)| rest.into_iter().fold(first, |name, (separator, word)| name + &separator + &word),
        )
    }

    proptest! {
        #[test]
        fn every_generated_name_is_taken(parts in prop::collection::vec(component(), 1..4)) {
            prop_assert!(is_repository_name(&parts.join("/")));
        }

        #[test]
        fn no_name_taken_can_leave_a_directory(name in "[a-z0-9./_%\\\\-]{0,24}") {
            if is_repository_name(&name) {
                prop_assert!(!name.contains("..") && !name.starts_with('/') && !name.contains('\\') && !name.contains('%'));
            }
        }

        #[test]
        fn references_survive_a_round_trip(text in "\\PC{0,140}") {
            if let Ok(reference) = text.parse::<Reference>() {
                prop_assert_eq!(reference.to_string(), text);
            }
        }
    }
}
