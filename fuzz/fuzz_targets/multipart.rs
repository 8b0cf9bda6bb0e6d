//! Bodies in parts, under any content type.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rookery_gateway::multipart;

fuzz_target!(|data: (&str, &[u8])| {
    let (boundary, body) = data;
    let _ = multipart::read(&format!("multipart/form-data; boundary={boundary}"), body);
    let _ = multipart::read(boundary, body);
    // What is held is part of what was sent, without the delimiters.
    if let Ok(parts) = multipart::parts(b"B", body) {
        let held: usize = parts.iter().map(|part| part.content.len()).sum();
        assert!(held < body.len());
    }
});
