//! Manifests that users pushed under a signature's tag, which a new signature is added to.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rookery_signing::{Digest, KeyName, simple};

fuzz_target!(|existing: &[u8]| {
    let image = Digest::of(b"image");
    let key = KeyName { account: 1, region: "ap-guangzhou".to_owned(), id: "k".to_owned() };
    let payload = simple::payload("registry.test/library/app", &image);
    let signature = simple::Signature { payload: &payload, raw: b"raw", key: &key };
    if let Ok(artefact) = simple::artefact(Some(existing), &image, signature) {
        // What was added can be taken away again.
        assert!(simple::without(&artefact.manifest, &image, &key).is_ok());
    }
});
