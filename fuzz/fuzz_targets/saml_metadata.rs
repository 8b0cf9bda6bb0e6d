//! Metadata of an identity provider, certificates included.
#![no_main]

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use libfuzzer_sys::fuzz_target;
use rookery_identity::saml::Provider;

fuzz_target!(|xml: &[u8]| {
    let _ = Provider::read(&BASE64_STANDARD.encode(xml));
});
