//! JSON bodies against the shapes of every product.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rookery_api::codec::write_value;
use rookery_api::decode::{Side, conform, json};

fuzz_target!(|data: (u16, &[u8])| {
    let (choice, body) = data;
    let actions: Vec<_> = rookery_api::PRODUCTS.iter().flat_map(|product| product.actions).collect();
    let shape = actions[usize::from(choice) % actions.len()].input;
    let Ok(node) = json::read(body) else { return };
    if let Ok(value) = conform(node, shape, Side::Request) {
        // What conforms can be written, and conforms again.
        let mut text = Vec::new();
        write_value(&value, shape, &mut text).unwrap();
        assert_eq!(conform(json::read(&text).unwrap(), shape, Side::Request).unwrap(), value);
    }
});
