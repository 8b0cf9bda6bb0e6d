//! From a request path to what it addresses. Repository names contain slashes, so the path is read from its end.

use percent_encoding::percent_decode_str;

use crate::digest::Digest;
use crate::errors::Error;
use crate::names::{Reference, is_repository_name};

/// What a path addresses. Names are as the client sees them: the prefix that chooses a registry is still on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// `/v2/`
    Ping,
    /// `/v2/_catalog`
    Catalog,
    /// `/service/token`
    Token,
    /// Below a repository.
    Repository { name: String, resource: Resource },
}

/// What a path addresses within a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Resource {
    /// `tags/list`
    Tags,
    /// `manifests/<reference>`
    Manifest(Reference),
    /// `blobs/<digest>`
    Blob(Digest),
    /// `blobs/uploads/`
    Uploads,
    /// `blobs/uploads/<uuid>`
    Upload(String),
    /// `referrers/<digest>`
    Referrers(Digest),
}

/// Where tokens are asked for.
pub(crate) const TOKEN_PATH: &str = "/service/token";

/// Whether `path` belongs to the registry: `/v2`, everything under `/v2/`, and `/service/token`.
#[must_use]
pub fn serves(path: &str) -> bool {
    path == TOKEN_PATH || path == "/v2" || path.starts_with("/v2/")
}

/// What a path asks for, as far as a monitor tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `/v2/`
    Ping,
    /// A token.
    Token,
    /// The list of repositories.
    Catalog,
    /// A manifest.
    Manifest,
    /// A blob.
    Blob,
    /// An upload.
    Upload,
    /// The list of tags.
    Tags,
    /// What refers to a manifest.
    Referrers,
    /// Nothing that there is.
    Other,
}

impl Operation {
    /// Every operation, in the order of their numbers.
    pub const ALL: [Self; 9] = [
        Self::Ping,
        Self::Token,
        Self::Catalog,
        Self::Manifest,
        Self::Blob,
        Self::Upload,
        Self::Tags,
        Self::Referrers,
        Self::Other,
    ];

    /// What a path asks for, by its form alone: the same for a well-formed name and for one that will be refused.
    #[must_use]
    pub fn of(path: &str) -> Self {
        let mut ends = path.rsplitn(4, '/');
        let (last, before, third) = (ends.next(), ends.next(), ends.next());
        match (third, before, last) {
            _ if path == TOKEN_PATH => Self::Token,
            _ if path == "/v2" || path == "/v2/" => Self::Ping,
            (_, Some("v2"), Some("_catalog")) => Self::Catalog,
            (Some("blobs"), Some("uploads"), _) | (_, Some("blobs"), Some("uploads")) => Self::Upload,
            (_, Some("tags"), Some("list")) => Self::Tags,
            (_, Some("manifests"), _) => Self::Manifest,
            (_, Some("blobs"), _) => Self::Blob,
            (_, Some("referrers"), _) => Self::Referrers,
            _ => Self::Other,
        }
    }

    /// Its name in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Token => "token",
            Self::Catalog => "catalog",
            Self::Manifest => "manifest",
            Self::Blob => "blob",
            Self::Upload => "upload",
            Self::Tags => "tags",
            Self::Referrers => "referrers",
            Self::Other => "other",
        }
    }
}

impl Route {
    /// Reads the path of a request, percent-encoding and all. It is decoded once, then held to the strict grammar, so no
    /// encoding of `..` or of a slash comes through.
    pub(crate) fn parse(path: &str) -> Result<Self, Error> {
        let path = percent_decode_str(path).decode_utf8().map_err(|_| Error::NameInvalid)?;
        if path == TOKEN_PATH {
            return Ok(Self::Token);
        }
        let rest = path.strip_prefix("/v2").ok_or(Error::NameUnknown)?;
        match rest {
            "" | "/" => return Ok(Self::Ping),
            "/_catalog" => return Ok(Self::Catalog),
            _ => {}
        }
        let rest = rest.strip_prefix('/').ok_or(Error::NameUnknown)?;
        let segments: Vec<&str> = rest.split('/').collect();
        let (name, resource) = match segments.as_slice() {
            [name @ .., "tags", "list"] => (checked(name)?, Resource::Tags),
            [name @ .., "manifests", reference] => (checked(name)?, Resource::Manifest(reference.parse()?)),
            [name @ .., "blobs", "uploads", ""] | [name @ .., "blobs", "uploads"] => {
                (checked(name)?, Resource::Uploads)
            }
            [name @ .., "blobs", "uploads", id] => (checked(name)?, Resource::Upload((*id).to_owned())),
            [name @ .., "blobs", digest] => (checked(name)?, Resource::Blob(digest.parse()?)),
            [name @ .., "referrers", digest] => (checked(name)?, Resource::Referrers(digest.parse()?)),
            // Not a resource of the specification; a bad name is said first, so that a traversal is called what it is.
            other => return Err(checked(other).err().unwrap_or(Error::NameUnknown)),
        };
        Ok(Self::Repository { name, resource })
    }
}

fn checked(segments: &[&str]) -> Result<String, Error> {
    let name = segments.join("/");
    if is_repository_name(&name) { Ok(name) } else { Err(Error::NameInvalid) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn repository(path: &str) -> (String, Resource) {
        match Route::parse(path) {
            Ok(Route::Repository { name, resource }) => (name, resource),
            other => panic!("{path}: {other:?}"),
        }
    }

    #[test]
    fn operations_are_told_by_the_form_of_a_path() {
        for (path, expected) in [
            ("/v2", Operation::Ping),
            ("/v2/", Operation::Ping),
            ("/service/token", Operation::Token),
            ("/v2/_catalog", Operation::Catalog),
            ("/v2/a/b/manifests/latest", Operation::Manifest),
            ("/v2/a/blobs/sha256:0", Operation::Blob),
            ("/v2/a/blobs/uploads", Operation::Upload),
            ("/v2/a/blobs/uploads/", Operation::Upload),
            ("/v2/a/blobs/uploads/id", Operation::Upload),
            ("/v2/tags/tags/list", Operation::Tags),
            ("/v2/a/referrers/sha256:0", Operation::Referrers),
            ("/v2/a", Operation::Other),
            ("/", Operation::Other),
        ] {
            assert_eq!(Operation::of(path), expected, "{path}");
        }
        for (number, operation) in Operation::ALL.into_iter().enumerate() {
            assert_eq!(operation as usize, number);
        }
    }

    #[test]
    fn every_resource_of_the_specification_is_found() {
        let digest = Digest::sha256(b"");
        assert_eq!(Route::parse("/v2").ok(), Some(Route::Ping));
        assert_eq!(Route::parse("/v2/").ok(), Some(Route::Ping));
        assert_eq!(Route::parse("/v2/_catalog").ok(), Some(Route::Catalog));
        assert_eq!(Route::parse("/service/token").ok(), Some(Route::Token));
        assert_eq!(repository("/v2/a/b/tags/list"), ("a/b".into(), Resource::Tags));
        assert_eq!(repository("/v2/a/blobs/uploads"), ("a".into(), Resource::Uploads));
        assert_eq!(repository("/v2/a/blobs/uploads/"), ("a".into(), Resource::Uploads));
        assert_eq!(repository("/v2/a/blobs/uploads/x"), ("a".into(), Resource::Upload("x".into())));
        assert_eq!(
            repository(&format!("/v2/a/blobs/{digest}")),
            ("a".into(), Resource::Blob(digest.clone()))
        );
        assert_eq!(
            repository(&format!("/v2/a/blobs/{}", digest.as_str().replace(':', "%3A"))),
            ("a".into(), Resource::Blob(digest.clone()))
        );
        assert_eq!(
            repository(&format!("/v2/a/referrers/{digest}")),
            ("a".into(), Resource::Referrers(digest))
        );
        assert!(matches!(repository("/v2/a/b/c/manifests/v1").1, Resource::Manifest(Reference::Tag(_))));
    }

    #[test]
    fn names_may_contain_the_words_of_the_paths() {
        assert_eq!(repository("/v2/tags/list/tags/list").0, "tags/list");
        assert_eq!(repository("/v2/manifests/manifests/manifests").0, "manifests");
        assert_eq!(repository("/v2/blobs/uploads/tags/list").0, "blobs/uploads");
    }

    #[test]
    fn traversals_are_invalid_names() {
        for path in [
            "/v2/../etc/passwd",
            "/v2/a/../../b/manifests/v1",
            "/v2/%2e%2e/%2e%2e/tags/list",
            "/v2/a%2f..%2f..%2fb/tags/list",
            "/v2/a%252f..%252fb/tags/list",
            "/v2//a/tags/list",
            "/v2/A/tags/list",
            "/v2/%ff/tags/list",
            "/v2/a%00b/tags/list",
            "/v2/tags/list",
        ] {
            assert!(matches!(Route::parse(path), Err(Error::NameInvalid)), "{path}");
        }
    }

    #[test]
    fn bad_references_and_unknown_paths_are_told_apart() {
        assert!(matches!(Route::parse("/v2/a/blobs/sha256:x"), Err(Error::DigestInvalid(_))));
        assert!(matches!(Route::parse("/v2/a/blobs/..%2f..%2fx"), Err(Error::NameInvalid)));
        assert!(matches!(Route::parse("/v2/a/manifests/sha256:x"), Err(Error::DigestInvalid(_))));
        assert!(matches!(Route::parse("/v2/a/manifests/.x"), Err(Error::TagInvalid)));
        assert!(matches!(Route::parse("/v2/a/b"), Err(Error::NameUnknown)));
        assert!(matches!(Route::parse("/v2x"), Err(Error::NameUnknown)));
        assert!(matches!(Route::parse("/v1/"), Err(Error::NameUnknown)));
    }

    proptest! {
        #[test]
        fn whatever_is_routed_has_a_valid_name(path in "/v2/[a-z./%0-9:_-]{0,60}") {
            if let Ok(Route::Repository { name, .. }) = Route::parse(&path) {
                prop_assert!(is_repository_name(&name));
            }
        }
    }
}
