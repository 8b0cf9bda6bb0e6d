//! What is attached to another image (a signature, an attestation, an SBOM, any referrer) and so is never signed
//! itself: by its tag, by its media types, or by its `subject`.

/// What is known of a manifest when it is pushed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pushed<'a> {
    /// The tag, where it was pushed under one.
    pub tag: Option<&'a str>,
    /// `artifactType` of the manifest.
    pub artifact_type: Option<&'a str>,
    /// `config.mediaType` of the manifest; an index has none.
    pub config_media_type: Option<&'a str>,
    /// `mediaType` of each layer; an index has none.
    pub layer_media_types: &'a [&'a str],
    /// Whether the manifest names a `subject`.
    pub has_subject: bool,
}

impl Pushed<'_> {
    /// Whether the manifest stands for itself, so that a signature policy applies to it.
    #[must_use]
    pub fn is_signable(&self) -> bool {
        !self.has_subject && !self.tag.is_some_and(is_attached_tag) && !self.is_signature()
    }

    /// Whether the manifest is an image signature, whatever its tag: cosign simple signing, a Sigstore bundle (of any
    /// version; attestations come in the same type) or a Notation envelope.
    #[must_use]
    pub fn is_signature(&self) -> bool {
        let types = [self.artifact_type, self.config_media_type];
        types.into_iter().flatten().chain(self.layer_media_types.iter().copied()).any(is_signature_type)
    }
}

/// Whether a tag is the one that cosign stores the signatures of an image under: `sha256-<64 hex digits>.sig`.
#[must_use]
pub fn is_signature_tag(tag: &str) -> bool {
    digest_tag(tag).is_some_and(|(algorithm, suffix)| algorithm == "sha256" && suffix == ".sig")
}

/// Whether a tag stands for something attached to the image whose digest it spells: cosign's signatures, attestations
/// and SBOMs, and the index that clients keep under `sha256-<hex>` where a registry has no referrers API.
#[must_use]
pub fn is_attached_tag(tag: &str) -> bool {
    digest_tag(tag).is_some_and(|(_, suffix)| matches!(suffix, "" | ".sig" | ".att" | ".sbom"))
}

/// The algorithm and what follows the digest in a tag such as `sha256-<hex>.sig`. The referrers tag cuts longer digests
/// to 64 digits, so 64 are expected of either algorithm.
fn digest_tag(tag: &str) -> Option<(&str, &str)> {
    let (algorithm, rest) = tag.split_once('-')?;
    let (digits, suffix) = rest.split_at_checked(64)?;
    let spelt = matches!(algorithm, "sha256" | "sha512")
        && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    spelt.then_some((algorithm, suffix))
}

/// Whether a media type or artefact type is only ever used by signatures.
fn is_signature_type(media_type: &str) -> bool {
    matches!(
        media_type,
        crate::simple::PAYLOAD_MEDIA_TYPE
            | "application/vnd.dev.cosign.artifact.sig.v1+json"
            | crate::notation::ARTIFACT_TYPE
    ) || media_type.starts_with("application/vnd.dev.sigstore.bundle")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEX: &str = "a1801b843b1bfaf77c501e7a6d3f709401a1e0c83863037fa3aab063a7fdb9dc";

    #[test]
    fn tags_made_of_a_digest_are_told_apart() {
        let cases = [
            (format!("sha256-{HEX}.sig"), true, true),
            (format!("sha256-{HEX}.att"), false, true),
            (format!("sha256-{HEX}.sbom"), false, true),
            (format!("sha256-{HEX}"), false, true),
            (format!("sha512-{HEX}"), false, true),
            (format!("sha512-{HEX}.sig"), false, true),
            (format!("sha256-{HEX}.sig2"), false, false),
            (format!("sha256-{HEX}0.sig"), false, false),
            (format!("sha256-{}.sig", &HEX[1..]), false, false),
            (format!("sha256-{}.sig", HEX.to_uppercase()), false, false),
            (format!("sha256:{HEX}.sig"), false, false),
            (format!("md5-{HEX}.sig"), false, false),
            (format!("v1-sha256-{HEX}.sig"), false, false),
            ("latest".to_owned(), false, false),
            (String::new(), false, false),
        ];
        for (tag, signature, attached) in cases {
            assert_eq!((is_signature_tag(&tag), is_attached_tag(&tag)), (signature, attached), "{tag}");
        }
    }

    #[test]
    fn an_image_an_index_and_a_helm_chart_are_signable() {
        let layer = ["application/vnd.oci.image.layer.v1.tar+gzip"];
        let chart = ["application/vnd.cncf.helm.chart.content.v1.tar+gzip"];
        let image = Pushed {
            tag: Some("1.25"),
            config_media_type: Some("application/vnd.oci.image.config.v1+json"),
            layer_media_types: &layer,
            ..Pushed::default()
        };
        let helm = Pushed {
            config_media_type: Some("application/vnd.cncf.helm.config.v1+json"),
            layer_media_types: &chart,
            ..Pushed::default()
        };
        for pushed in [image, helm, Pushed::default()] {
            assert!(pushed.is_signable(), "{pushed:?}");
            assert!(!pushed.is_signature(), "{pushed:?}");
        }
    }

    #[test]
    fn signatures_are_known_by_any_of_their_types() {
        let simple = ["application/vnd.dev.cosign.simplesigning.v1+json"];
        let bundle = ["application/vnd.dev.sigstore.bundle.v0.3+json"];
        let cases = [
            Pushed { layer_media_types: &simple, ..Pushed::default() },
            Pushed { layer_media_types: &bundle, ..Pushed::default() },
            Pushed { artifact_type: Some(bundle[0]), ..Pushed::default() },
            Pushed {
                artifact_type: Some("application/vnd.dev.sigstore.bundle+json;version=0.2"),
                ..Pushed::default()
            },
            Pushed { artifact_type: Some("application/vnd.cncf.notary.signature"), ..Pushed::default() },
            Pushed { config_media_type: Some("application/vnd.cncf.notary.signature"), ..Pushed::default() },
            Pushed {
                artifact_type: Some("application/vnd.dev.cosign.artifact.sig.v1+json"),
                ..Pushed::default()
            },
        ];
        for pushed in cases {
            assert!(pushed.is_signature(), "{pushed:?}");
            assert!(!pushed.is_signable(), "{pushed:?}");
        }
    }

    #[test]
    fn referrers_and_attached_tags_are_not_signable_whatever_they_hold() {
        let tag = format!("sha256-{HEX}");
        for pushed in [
            Pushed { has_subject: true, ..Pushed::default() },
            Pushed { tag: Some(&tag), ..Pushed::default() },
        ] {
            assert!(!pushed.is_signable(), "{pushed:?}");
            assert!(!pushed.is_signature(), "{pushed:?}");
        }
    }

    proptest! {
        #[test]
        fn any_tag_can_be_asked_about(tag in "\\PC{0,90}") {
            // A signature tag is attached by definition.
            prop_assert!(!is_signature_tag(&tag) || is_attached_tag(&tag));
        }

        #[test]
        fn the_tag_of_any_digest_is_a_signature_tag(content: Vec<u8>) {
            let tag = crate::simple::tag(&crate::Digest::of(&content));
            prop_assert!(is_signature_tag(&tag));
        }
    }
}
