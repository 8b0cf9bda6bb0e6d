//! Which image is meant.

use crate::data_directory::Endpoints;

/// An image of the running cloud.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ImageName {
    pub(crate) instance: String,
    /// `<instance>/<namespace>/<repository>`, as the registry's paths have it.
    pub(crate) path: String,
    /// A tag or a digest.
    pub(crate) reference: String,
}

impl ImageName {
    /// `INSTANCE/NAMESPACE/REPOSITORY[:TAG][@DIGEST]`, with or without a host that is the cloud's; or a host that names the instance.
    pub(crate) fn parse(text: &str, endpoints: &Endpoints) -> Result<Self, String> {
        let (name, reference) = match text.split_once('@') {
            // A digest says more than the tag in front of it.
            Some((name, digest)) => (without_tag(name).0, digest),
            None => without_tag(text),
        };
        let (first, rest) = name.split_once('/').unwrap_or((name, ""));
        let path = match host_of(first, endpoints) {
            First::Instance => name.to_owned(),
            First::Host => rest.to_owned(),
            First::HostOf(instance) => format!("{instance}/{rest}"),
        };
        let parts: Vec<&str> = path.split('/').collect();
        if parts.len() < 3 || parts.iter().any(|part| part.is_empty()) || !path.bytes().all(is_plain) {
            return Err(format!("{text}: an image is named INSTANCE/NAMESPACE/REPOSITORY:TAG"));
        }
        if reference.is_empty() || !reference.bytes().all(|byte| is_plain(byte) || byte == b':') {
            return Err(format!("{text}: {reference:?} is neither a tag nor a digest"));
        }
        let instance = parts.first().copied().unwrap_or_default().to_owned();
        Ok(Self { instance, path: path.clone(), reference: reference.to_owned() })
    }

    pub(crate) fn namespace(&self) -> &str {
        self.path.split('/').nth(1).unwrap_or_default()
    }

    /// Without the instance: `<namespace>/<repository>`.
    pub(crate) fn repository(&self) -> &str {
        self.path.split_once('/').map_or("", |(_, rest)| rest)
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/._-".contains(&byte)
}

/// Name and tag; a colon before the last slash belongs to a port.
fn without_tag(text: &str) -> (&str, &str) {
    match text.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (text, "latest"),
    }
}

/// What the first segment of a name is.
enum First {
    Instance,
    /// A host of the cloud that names no instance.
    Host,
    /// A host that names the instance.
    HostOf(String),
}

fn host_of(first: &str, endpoints: &Endpoints) -> First {
    let host = first.split(':').next().unwrap_or_default();
    if let Some(instance) =
        host.strip_suffix(&endpoints.registry_suffix).and_then(|name| name.strip_suffix('.'))
    {
        return First::HostOf(instance.to_owned());
    }
    if first.contains(':') || host == "localhost" { First::Host } else { First::Instance }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn parse(text: &str) -> Result<(String, String), String> {
        let endpoints = Endpoints {
            http: String::new(),
            https: String::new(),
            registry: "127.0.0.1:8080".to_owned(),
            registry_suffix: "cr.localhost".to_owned(),
            region: String::new(),
            ca: PathBuf::new(),
            pid: 0,
        };
        ImageName::parse(text, &endpoints).map(|name| (name.path, name.reference))
    }

    #[test]
    fn an_image_has_one_name_with_or_without_a_host() {
        for text in [
            "demo/library/app:1",
            "127.0.0.1:8080/demo/library/app:1",
            "localhost:8080/demo/library/app:1",
            "demo.cr.localhost:8080/library/app:1",
            "demo.cr.localhost/library/app:1",
        ] {
            assert_eq!(parse(text), Ok(("demo/library/app".to_owned(), "1".to_owned())), "{text}");
        }
    }

    #[test]
    fn a_digest_says_more_than_a_tag() {
        let digest = format!("sha256:{}", "0".repeat(64));
        for text in [format!("demo/library/a/b:1@{digest}"), format!("demo/library/a/b@{digest}")] {
            assert_eq!(parse(&text), Ok(("demo/library/a/b".to_owned(), digest.clone())), "{text}");
        }
        assert_eq!(parse("demo/library/app").unwrap().1, "latest");
    }

    #[test]
    fn other_names_are_refused() {
        for text in
            ["", "demo", "demo/library", "demo//app:1", "demo/library/app:", "demo/library/a?b:1", "a/b/c@"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
