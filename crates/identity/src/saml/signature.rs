//! XML signatures of the one form that SAML has: enveloped, by one reference to the element that they are in.

use aws_lc_rs::digest::{self, digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, UnparsedPublicKey, VerificationAlgorithm,
};
use roxmltree::{Document, Node};

use super::canonical::Canonical;
use super::{SIGNATURE, base64, text};

const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

/// Verifies that `signature`, a child of `element`, signs it with one of the keys (`SubjectPublicKeyInfo`).
pub(crate) fn verify<'a, 'i>(
    document: &'a Document<'i>,
    element: Node<'a, 'i>,
    signature: Node<'a, 'i>,
    keys: &[Vec<u8>],
) -> Result<(), &'static str> {
    let child = |node: Node<'a, 'i>, name| only(node, name).ok_or("its signature is incomplete");
    let info = child(signature, "SignedInfo")?;
    let method = child(info, "CanonicalizationMethod")?;
    if method.attribute("Algorithm") != Some(EXCLUSIVE) {
        return Err("its signature is canonicalised in a way that is not known here");
    }
    check_reference(document, element, signature, child(info, "Reference")?)?;
    let canonical = Canonical { document, without: None, inclusive: prefixes(method) };
    let signed = canonical.write(info).ok_or("its signature cannot be canonicalised")?;
    let algorithm = algorithm(child(info, "SignatureMethod")?)?;
    let value = base64(&text(child(signature, "SignatureValue")?)).ok_or("its signature is not Base64")?;
    let verifies =
        |key: &Vec<u8>| UnparsedPublicKey::new(algorithm, key).verify(signed.as_bytes(), &value).is_ok();
    if keys.iter().any(verifies) { Ok(()) } else { Err("no key of the provider verifies its signature") }
}

fn only<'a, 'i: 'a>(node: Node<'a, 'i>, name: &'static str) -> Option<Node<'a, 'i>> {
    let mut found = node.children().filter(|child| child.has_tag_name((SIGNATURE, name)));
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

fn algorithm(method: Node<'_, '_>) -> Result<&'static dyn VerificationAlgorithm, &'static str> {
    let name = method.attribute("Algorithm").unwrap_or_default();
    match name.strip_prefix("http://www.w3.org/2001/04/xmldsig-more#") {
        Some("rsa-sha256") => Ok(&RSA_PKCS1_2048_8192_SHA256),
        Some("rsa-sha384") => Ok(&RSA_PKCS1_2048_8192_SHA384),
        Some("rsa-sha512") => Ok(&RSA_PKCS1_2048_8192_SHA512),
        Some("ecdsa-sha256") => Ok(&ECDSA_P256_SHA256_FIXED),
        Some("ecdsa-sha384") => Ok(&ECDSA_P384_SHA384_FIXED),
        _ => Err("its signature has an algorithm that is not taken here"),
    }
}

/// The reference names this very element, and its digest is the element's without the signature.
fn check_reference<'a, 'i>(
    document: &'a Document<'i>,
    element: Node<'a, 'i>,
    signature: Node<'a, 'i>,
    reference: Node<'a, 'i>,
) -> Result<(), &'static str> {
    let id = element.attribute("ID").filter(|id| !id.is_empty()).ok_or("what is signed has no ID")?;
    let named = reference.attribute("URI").and_then(|uri| uri.strip_prefix('#'));
    if named != Some(id) {
        return Err("its signature is for another element");
    }
    let bearers = document
        .descendants()
        .filter(|node| {
            node.attributes()
                .any(|attribute| attribute.name().eq_ignore_ascii_case("id") && attribute.value() == id)
        })
        .count();
    if bearers != 1 {
        return Err("an ID in it is not unique");
    }
    let transforms = only(reference, "Transforms").ok_or("its signature has no transforms")?;
    let transforms: Vec<Node<'_, '_>> = transforms.children().filter(Node::is_element).collect();
    let [enveloped, exclusive] = transforms[..] else {
        return Err("its signature has other transforms than SAML's");
    };
    let is = |node: Node<'_, '_>, algorithm| {
        node.has_tag_name((SIGNATURE, "Transform")) && node.attribute("Algorithm") == Some(algorithm)
    };
    if !is(enveloped, ENVELOPED) || !is(exclusive, EXCLUSIVE) {
        return Err("its signature has other transforms than SAML's");
    }
    let canonical = Canonical { document, without: Some(signature), inclusive: prefixes(exclusive) };
    let signed = canonical.write(element).ok_or("it cannot be canonicalised")?;
    let method = only(reference, "DigestMethod").and_then(|method| method.attribute("Algorithm"));
    let hash = match method {
        Some("http://www.w3.org/2001/04/xmlenc#sha256") => digest(&digest::SHA256, signed.as_bytes()),
        Some("http://www.w3.org/2001/04/xmldsig-more#sha384") => digest(&digest::SHA384, signed.as_bytes()),
        Some("http://www.w3.org/2001/04/xmlenc#sha512") => digest(&digest::SHA512, signed.as_bytes()),
        _ => return Err("its digest has an algorithm that is not taken here"),
    };
    let given = only(reference, "DigestValue").and_then(|value| base64(&text(value)));
    if given.as_deref() == Some(hash.as_ref()) { Ok(()) } else { Err("it was altered after it was signed") }
}

/// The prefixes of an `InclusiveNamespaces` in a method or a transform.
fn prefixes(method: Node<'_, '_>) -> Vec<String> {
    method
        .children()
        .filter(|node| node.has_tag_name((EXCLUSIVE, "InclusiveNamespaces")))
        .filter_map(|node| node.attribute("PrefixList"))
        .flat_map(str::split_ascii_whitespace)
        .map(|prefix| if prefix == "#default" { String::new() } else { prefix.to_owned() })
        .collect()
}
