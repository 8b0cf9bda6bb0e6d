//! SAML 2.0 assertions, signed by an identity provider whose metadata an account has registered.
//!
//! No well-kept crate verifies XML signatures without a C library or a second stack of cryptography, so this is the strict subset that
//! SAML needs (SAML core, §5.4), and everything else is refused:
//!
//! - no DTD, comments or processing instructions; one assertion in the document, not encrypted, in the place where one has to be;
//! - each signature is a child of the element whose ID its one reference names, IDs are unique, and there is no other signature;
//! - exclusive canonicalisation, RSA or ECDSA with SHA-2, the two transforms of SAML in their order;
//! - keys come from the metadata, never from the signature;
//! - what is read is read from the element that the signature covers.

mod canonical;
mod certificate;
mod signature;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use roxmltree::{Document, Node, ParsingOptions};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::cam::providers::decoded;

const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";
const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";
const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
/// The attribute by which a provider says which roles the bearer may take.
const ROLES: &str = "https://cloud.tencent.com/SAML/Attributes/Role";

/// Seconds by which the provider's clock may be ahead.
const LEEWAY: i64 = 60;
/// The longest assertion, in Base64.
const LONGEST: usize = 256 * 1024;
/// How many nodes a document may have.
const NODES: u32 = 20_000;

/// Who a provider is: its name and the keys that sign.
#[derive(Debug)]
pub struct Provider {
    entity: String,
    keys: Vec<Vec<u8>>,
}

/// What an assertion says of its bearer.
#[derive(Debug, PartialEq, Eq)]
pub struct Claims {
    /// The provider's name for itself.
    pub issuer: String,
    /// The provider's name for the bearer.
    pub subject: String,
    /// Whom the assertion is for.
    pub audiences: Vec<String>,
    /// Where the assertion was sent to.
    pub recipients: Vec<String>,
    /// Pairs of role and provider that the provider lets the bearer take; `None` where it says nothing of roles.
    pub roles: Option<Vec<String>>,
}

fn parse(xml: &str) -> Result<Document<'_>, &'static str> {
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES, ..ParsingOptions::default() };
    Document::parse_with_options(xml, options).map_err(|_| "it is not XML of the kind that is read here")
}

impl Provider {
    /// Reads a metadata document, in Base64 as it is kept.
    ///
    /// # Errors
    /// In words, what is wrong with it.
    pub fn read(metadata: &str) -> Result<Self, &'static str> {
        let xml = decoded(metadata).ok_or("the provider's metadata cannot be read")?;
        let document = parse(&xml).map_err(|_| "the provider's metadata cannot be read")?;
        let entity = document
            .descendants()
            .find(|node| node.has_tag_name((METADATA, "EntityDescriptor")))
            .ok_or("the provider's metadata names nobody")?;
        let keys = entity
            .children()
            .filter(|node| node.has_tag_name((METADATA, "IDPSSODescriptor")))
            .flat_map(|descriptor| descriptor.children())
            .filter(|node| node.has_tag_name((METADATA, "KeyDescriptor")))
            .filter(|node| node.attribute("use").is_none_or(|purpose| purpose == "signing"))
            .flat_map(|key| key.descendants())
            .filter(|node| node.has_tag_name((SIGNATURE, "X509Certificate")))
            .filter_map(|node| base64(&text(node)))
            // Metadata is its own authority: whether a certificate in it has expired is the provider's affair.
            .filter_map(|certificate| certificate::public_key(&certificate).map(<[u8]>::to_vec))
            .collect();
        let entity = entity.attribute("entityID").unwrap_or_default().to_owned();
        Ok(Self { entity, keys })
    }

    /// Verifies an assertion, in Base64, alone or in a response.
    ///
    /// # Errors
    /// In words, what is wrong with it.
    pub fn verify(&self, sent: &str, now: OffsetDateTime) -> Result<Claims, &'static str> {
        if sent.len() > LONGEST {
            return Err("it is too long");
        }
        let xml = decoded(sent).ok_or("it is not Base64 of a text")?;
        let document = parse(&xml)?;
        if document.descendants().any(|node| node.is_comment() || node.is_pi()) {
            return Err("it has comments or processing instructions");
        }
        let assertion = the_assertion(&document)?;
        self.check_signatures(&document, assertion)?;
        self.claims(assertion, now.unix_timestamp())
    }

    /// The assertion itself is signed, or the response that it is in, or both; then both have to verify.
    fn check_signatures(&self, document: &Document<'_>, assertion: Node<'_, '_>) -> Result<(), &'static str> {
        let root = document.root_element();
        let mut signed = 0;
        let mut elements = vec![assertion];
        if root != assertion {
            elements.push(root);
        }
        for element in elements {
            let mut signatures =
                element.children().filter(|node| node.has_tag_name((SIGNATURE, "Signature")));
            if let Some(one) = signatures.next() {
                signature::verify(document, element, one, &self.keys)?;
                signed += 1;
            }
        }
        let all = document.descendants().filter(|node| node.has_tag_name((SIGNATURE, "Signature"))).count();
        match (signed, all) {
            (0, _) => Err("it is not signed"),
            (signed, all) if signed == all => Ok(()),
            _ => Err("it has a signature where none belongs"),
        }
    }

    fn claims(&self, assertion: Node<'_, '_>, now: i64) -> Result<Claims, &'static str> {
        let issuer = text(only(assertion, "Issuer").ok_or("it names no issuer")?);
        if issuer != self.entity || issuer.is_empty() {
            return Err("its issuer is not the provider");
        }
        let subject = only(assertion, "Subject").ok_or("it names no subject")?;
        let name = text(only(subject, "NameID").ok_or("it names no subject")?);
        let recipients = confirmed(subject, now)?;
        let conditions = only(assertion, "Conditions").ok_or("it has no conditions")?;
        in_time(conditions, now)?;
        let audiences: Vec<String> = children(conditions, "AudienceRestriction")
            .flat_map(|restriction| children(restriction, "Audience"))
            .map(text)
            .collect();
        if audiences.is_empty() {
            return Err("it is for no audience");
        }
        let roles: Vec<String> = children(assertion, "AttributeStatement")
            .flat_map(|statement| children(statement, "Attribute"))
            .filter(|attribute| attribute.attribute("Name") == Some(ROLES))
            .flat_map(|attribute| children(attribute, "AttributeValue"))
            .flat_map(|value| text(value).split(';').map(str::to_owned).collect::<Vec<_>>())
            .collect();
        let roles = (!roles.is_empty()).then_some(roles);
        Ok(Claims { issuer, subject: name, audiences, recipients, roles })
    }
}

/// The one assertion of a document: its root, or a child of the response that is its root.
fn the_assertion<'a, 'i>(document: &'a Document<'i>) -> Result<Node<'a, 'i>, &'static str> {
    let mut all = document.descendants().filter(|node| node.has_tag_name((ASSERTION, "Assertion")));
    let (Some(assertion), None) = (all.next(), all.next()) else {
        return Err("it has to hold exactly one assertion");
    };
    let root = document.root_element();
    if root == assertion {
        return Ok(assertion);
    }
    if !root.has_tag_name((PROTOCOL, "Response")) || assertion.parent() != Some(root) {
        return Err("its assertion is not where one belongs");
    }
    let code = root
        .children()
        .find(|node| node.has_tag_name((PROTOCOL, "Status")))
        .and_then(|status| status.children().find(|node| node.has_tag_name((PROTOCOL, "StatusCode"))));
    match code.and_then(|code| code.attribute("Value")) {
        Some(SUCCESS) => Ok(assertion),
        _ => Err("its response is no success"),
    }
}

fn children<'a, 'i: 'a>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| child.has_tag_name((ASSERTION, name)))
}

/// The child of that name, where there is one and no other.
fn only<'a, 'i: 'a>(node: Node<'a, 'i>, name: &'static str) -> Option<Node<'a, 'i>> {
    let mut found = children(node, name);
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// All the text of an element without children. There are no comments, which could cut it in two.
fn text(node: Node<'_, '_>) -> String {
    node.children()
        .filter(Node::is_text)
        .filter_map(|child| child.text())
        .collect::<String>()
        .trim()
        .to_owned()
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let dense: String = text.chars().filter(|character| !character.is_ascii_whitespace()).collect();
    BASE64_STANDARD.decode(dense).ok()
}

/// Where the assertion was sent to: a confirmation by bearing it, in its time, is there.
fn confirmed(subject: Node<'_, '_>, now: i64) -> Result<Vec<String>, &'static str> {
    let mut recipients = Vec::new();
    let mut good = false;
    for confirmation in children(subject, "SubjectConfirmation") {
        let Some(data) = only(confirmation, "SubjectConfirmationData") else { continue };
        if confirmation.attribute("Method") == Some(BEARER) && in_time(data, now).is_ok() {
            good = true;
            recipients.extend(data.attribute("Recipient").map(str::to_owned));
        }
    }
    if good { Ok(recipients) } else { Err("its subject is not confirmed, or no longer") }
}

/// `NotBefore` and `NotOnOrAfter`; the latter has to be there.
fn in_time(node: Node<'_, '_>, now: i64) -> Result<(), &'static str> {
    let moment = |name: &str| match node.attribute(name) {
        None => Ok(None),
        Some(text) => OffsetDateTime::parse(text, &Rfc3339)
            .map(|at| Some(at.unix_timestamp()))
            .map_err(|_| "a time in it cannot be read"),
    };
    if moment("NotOnOrAfter")?.ok_or("it has no end")? <= now {
        return Err("it has expired");
    }
    if moment("NotBefore")?.is_some_and(|from| from > now + LEEWAY) {
        return Err("it is from the future");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
