//! Queries and forms against the shapes of every product.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rookery_api::decode::{Side, conform, flattened};

fuzz_target!(|data: (u16, &[u8])| {
    let (choice, form) = data;
    let actions: Vec<_> = rookery_api::PRODUCTS.iter().flat_map(|product| product.actions).collect();
    let shape = actions[usize::from(choice) % actions.len()].input;
    let node = flattened::pairs(form).and_then(flattened::gather);
    let _ = node.and_then(|node| conform(node, shape, Side::Request));
});
