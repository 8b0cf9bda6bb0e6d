//! Assertions that another implementation signed (signxml 4 over libxml2), and what an attacker makes of them.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use proptest::prelude::*;
use time::macros::datetime;

use super::*;

const NOW: OffsetDateTime = datetime!(2026-11-22 09:05 UTC);
const SIGNED: &str = include_str!("testdata/assertion_signed.xml");
const ALONE: &str = include_str!("testdata/assertion_alone.xml");
const RESPONSE: &str = include_str!("testdata/response_signed.xml");

fn provider() -> Provider {
    Provider::read(&BASE64_STANDARD.encode(include_str!("testdata/metadata.xml"))).unwrap()
}

fn verify_at(xml: &str, now: OffsetDateTime) -> Result<Claims, &'static str> {
    provider().verify(&BASE64_STANDARD.encode(xml), now)
}

fn verify(xml: &str) -> Result<Claims, &'static str> {
    verify_at(xml, NOW)
}

#[test]
fn assertions_that_another_implementation_signed_verify() {
    let inclusive = include_str!("testdata/inclusive.xml");
    let sha512 = include_str!("testdata/sha512.xml");
    for xml in [SIGNED, ALONE, RESPONSE, inclusive, sha512] {
        let claims = verify(xml).unwrap_or_else(|why| panic!("{why}: {xml}"));
        assert_eq!(claims.issuer, "https://idp.example.com/saml");
        assert_eq!(claims.subject, "alice & \"b\" <x>");
        assert_eq!(claims.audiences, ["https://cloud.tencent.com"]);
        assert_eq!(claims.recipients, ["https://cloud.tencent.com/login/saml"]);
        assert_eq!(claims.roles.unwrap().len(), 1);
    }
}

#[test]
fn every_part_that_is_signed_counts() {
    for xml in [SIGNED, ALONE, RESPONSE] {
        for (from, to) in [
            ("alice", "mallory"),
            ("roleName/deploy", "roleName/admin"),
            ("T09:10:00Z\" Recipient", "T23:10:00Z\" Recipient"),
            ("<saml:Audience>https://cloud", "<saml:Audience>https://clouds"),
            (" Version=\"2.0\">\n    <saml:Issuer>", " Version=\"2.0\" Extra=\"x\">\n    <saml:Issuer>"),
            ("exc-c14n#\"/></ds:Transforms>", "exc-c14n#WithComments\"/></ds:Transforms>"),
            ("xmlenc#sha256", "xmlenc#sha512"),
            ("rsa-sha256", "rsa-sha1"),
            ("rsa-sha256", "hmac-sha256"),
            ("rsa-sha256", "rsa-sha512"),
        ] {
            assert!(xml.contains(from), "{from}");
            assert!(verify(&xml.replace(from, to)).is_err(), "{from} became {to}");
        }
    }
    assert_eq!(
        verify(include_str!("testdata/another_key.xml")),
        Err("no key of the provider verifies its signature"),
        "the certificate in the signature is not believed"
    );
}

/// The assertion element of a document, as text.
fn assertion(xml: &str) -> &str {
    let (from, to) = (xml.find("<saml:Assertion").unwrap(), xml.find("</saml:Assertion>").unwrap());
    &xml[from..to + "</saml:Assertion>".len()]
}

fn without_signature(xml: &str) -> String {
    let (from, to) = (xml.find("<ds:Signature").unwrap(), xml.find("</ds:Signature>").unwrap());
    format!("{}{}", &xml[..from], &xml[to + "</ds:Signature>".len()..])
}

/// Signature wrapping: the signed assertion is kept somewhere, so that its signature verifies, and another one is offered to be read.
#[test]
fn no_signature_is_wrapped() {
    let genuine = assertion(SIGNED);
    let forged = without_signature(genuine).replace("alice", "mallory");
    let renamed = forged.replace("ID=\"_a1\"", "ID=\"_evil\"");
    let signature = &genuine[genuine.find("<ds:Signature").unwrap()
        ..genuine.find("</ds:Signature>").unwrap() + "</ds:Signature>".len()];
    let in_response = |inside: &str| SIGNED.replace(genuine, inside);
    let extensions = |inner: &str| format!("<samlp:Extensions>{inner}</samlp:Extensions>");
    for attack in [
        // Beside each other, in both orders, with the same and with another ID.
        in_response(&format!("{renamed}{genuine}")),
        in_response(&format!("{genuine}{renamed}")),
        in_response(&format!("{forged}{genuine}")),
        // The genuine one hidden where nobody looks.
        in_response(&format!("{}{renamed}", extensions(genuine))),
        in_response(&format!("{renamed}{}", extensions(genuine))),
        // Within the forged one, and within its signature.
        in_response(&renamed.replace("</saml:Issuer>", &format!("</saml:Issuer>{genuine}"))),
        in_response(&renamed.replace(
            "</saml:Issuer>",
            &format!(
                    "</saml:Issuer>{}",
                    signature.replace(
                        "</ds:Signature>",
                        &format!("<ds:Object>{genuine}</ds:Object></ds:Signature>")
                    )
                ),
        )),
        // The signature moved to the forged one, which it does not name, or names wrongly.
        in_response(&renamed.replace("</saml:Issuer>", &format!("</saml:Issuer>{signature}"))),
        in_response(&forged.replace("</saml:Issuer>", &format!("</saml:Issuer>{signature}"))),
        // The signature in the response instead of the assertion.
        SIGNED.replace(genuine, &forged).replace("<samlp:Status>", &format!("{signature}<samlp:Status>")),
        // No signature at all, and two.
        in_response(&forged),
        in_response(&genuine.replace(signature, &format!("{signature}{signature}"))),
        // Another element takes the ID.
        SIGNED.replace("<samlp:Status>", "<samlp:Status id=\"_a1\">"),
        // In a place where no assertion belongs.
        in_response(&format!("<samlp:X>{genuine}</samlp:X>")),
        format!("<x>{genuine}</x>"),
    ] {
        let refused = verify(&attack);
        assert!(refused.is_err(), "{refused:?} for {attack}");
    }
}

#[test]
fn comments_entities_and_ciphertext_are_refused() {
    for attack in [
        SIGNED.replace("alice", "ali<!-- x -->ce"),
        SIGNED.replace("alice", "ali<?x y?>ce"),
        format!("<!DOCTYPE x [<!ENTITY e \"alice\">]>{SIGNED}"),
        SIGNED.replace("saml:Assertion", "saml:EncryptedAssertion"),
        SIGNED.replace("status:Success", "status:Requester"),
        String::new(),
        "<a/>".to_owned(),
        "<a>".repeat(50_000),
        "x".repeat(300_000),
    ] {
        assert!(verify(&attack).is_err());
    }
    assert!(provider().verify("not Base64!", NOW).is_err());
}

#[test]
fn assertions_have_their_time() {
    assert!(verify_at(SIGNED, datetime!(2026-11-22 09:09:59 UTC)).is_ok());
    for (now, reason) in
        [(datetime!(2026-11-22 09:10 UTC), "no longer"), (datetime!(2026-11-22 08:57:59 UTC), "future")]
    {
        assert!(verify_at(SIGNED, now).unwrap_err().contains(reason));
    }
}

#[test]
fn another_provider_verifies_nothing() {
    let metadata = include_str!("testdata/metadata.xml");
    for (from, to) in [
        ("https://idp.example.com/saml", "https://other.example.com"),
        ("use=\"signing\"", "use=\"encryption\""),
        ("IDPSSODescriptor", "SPSSODescriptor"),
    ] {
        let other = Provider::read(&BASE64_STANDARD.encode(metadata.replace(from, to))).unwrap();
        assert!(other.verify(&BASE64_STANDARD.encode(SIGNED), NOW).is_err(), "{from}");
    }
    assert!(Provider::read("x").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_change_of_a_byte_in_the_assertion_is_unseen(position in any::<prop::sample::Index>(), to in "[a-zA-Z0-9<>&\"/= ]") {
        let genuine = without_signature(assertion(SIGNED));
        let position = position.index(genuine.len());
        prop_assume!(genuine.is_char_boundary(position) && genuine.as_bytes()[position] != to.as_bytes()[0]);
        let altered = format!("{}{to}{}", &genuine[..position], &genuine[position + 1..]);
        let signature = &SIGNED[SIGNED.find("<ds:Signature").unwrap()..SIGNED.find("</ds:Signature>").unwrap() + "</ds:Signature>".len()];
        let altered = altered.replacen("</saml:Issuer>", &format!("</saml:Issuer>{signature}"), 1);
        let xml = SIGNED.replace(assertion(SIGNED), &altered);
        // A change that leaves the canonical form as it was is none: blanks between attributes, kinds of quotes.
        if let Ok(claims) = verify(&xml) {
            prop_assert_eq!(Ok(claims), verify(SIGNED));
        }
    }
}
