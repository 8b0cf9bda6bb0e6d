//! Assertions of an identity provider: whatever is made of signed ones, nobody gets in as somebody else.
#![no_main]

use std::sync::LazyLock;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use libfuzzer_sys::fuzz_target;
use rookery_identity::saml::Provider;
use time::OffsetDateTime;
use time::macros::datetime;

const NOW: OffsetDateTime = datetime!(2026-11-22 09:05 UTC);
const METADATA: &str = include_str!("../../crates/identity/src/saml/testdata/metadata.xml");
const SUBJECT: &str = "alice & \"b\" <x>";

static PROVIDER: LazyLock<Provider> =
    LazyLock::new(|| Provider::read(&BASE64_STANDARD.encode(METADATA)).expect("the metadata is good"));

fuzz_target!(|xml: &[u8]| {
    if let Ok(claims) = PROVIDER.verify(&BASE64_STANDARD.encode(xml), NOW) {
        assert_eq!(claims.subject, SUBJECT);
        assert_eq!(claims.roles.map(|roles| roles.len()), Some(1));
    }
});
