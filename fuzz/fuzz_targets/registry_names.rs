//! Repository names, tags and digests: what is accepted can be no path out of the blob directory.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rookery_registry::{Digest, RegistryId, Repository, Tag};

fuzz_target!(|text: &str| {
    if let Ok(repository) = Repository::new(RegistryId::new("tcr-1"), text) {
        assert!(!repository.name().split('/').any(|part| part.is_empty() || part.starts_with('.')));
    }
    if let Ok(tag) = Tag::new(text) {
        assert!(!tag.as_str().contains(['/', ':']) && !tag.as_str().starts_with('.'));
    }
    if let Ok(digest) = text.parse::<Digest>() {
        assert!(digest.hex().bytes().all(|b| b.is_ascii_hexdigit()));
    }
});
