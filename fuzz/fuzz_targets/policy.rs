//! Policy documents: no text breaks the reader, and what it takes is taken again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rookery_policy::Document;

fuzz_target!(|text: &str| {
    for read in [Document::parse, Document::parse_trust] {
        if let Ok(document) = read(text) {
            assert_eq!(read(document.text()).as_ref(), Ok(&document));
        }
    }
});
