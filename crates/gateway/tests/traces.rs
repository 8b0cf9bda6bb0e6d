//! What the trace masks: every member of the models that looks like a secret, listed in `masked_members.txt`. And what it need not say:
//! no action leaves a member of its request unread.

#![allow(clippy::unwrap_used, reason = "a test says what it expects by failing")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rookery_api::PRODUCTS;
use rookery_api::shape::{Kind, StructureShape};
use rookery_gateway::masking::is_secret;

/// Parts of names that make one look twice.
const SUSPICIOUS: [&str; 12] = [
    "secret",
    "pass",
    "token",
    "key",
    "plain",
    "material",
    "userdata",
    "credential",
    "assertion",
    "private",
    "auth",
    "header",
];

fn walk(product: &str, shape: &StructureShape, seen: &mut BTreeSet<String>, found: &mut BTreeSet<String>) {
    if !seen.insert(format!("{product}.{}", shape.name)) {
        return;
    }
    for member in shape.members {
        let name = format!("{product}.{}.{}", shape.name, member.name);
        let lower = member.name.to_ascii_lowercase();
        if is_secret(member.name) {
            found.insert(format!("masked {name}"));
        } else if SUSPICIOUS.iter().any(|part| lower.contains(part)) {
            found.insert(format!("shown  {name}"));
        }
        let mut kind = &member.kind;
        while let Kind::List(item) = kind {
            kind = item;
        }
        if let Kind::Structure(inner) = kind {
            walk(product, inner, seen, found);
        }
    }
}

/// A new member that looks like a secret shows up here: decide whether it is one (`crates/gateway/src/masking.rs`), then write the list anew
/// with `UPDATE_SNAPSHOT=1`.
#[test]
fn every_member_that_looks_like_a_secret_is_decided() {
    let (mut seen, mut found) = (BTreeSet::new(), BTreeSet::new());
    for product in PRODUCTS {
        for action in product.actions {
            walk(product.name, action.input, &mut seen, &mut found);
        }
    }
    let listed: String = found.into_iter().map(|line| line + "\n").collect();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/masked_members.txt");
    if std::env::var_os("UPDATE_SNAPSHOT").is_some() {
        std::fs::write(path, &listed).unwrap();
    }
    let expected = std::fs::read_to_string(path).unwrap();
    for (line, expected) in listed.lines().zip(expected.lines()) {
        assert_eq!(line, expected, "see the test's comment");
    }
    assert_eq!(listed.lines().count(), expected.lines().count(), "see the test's comment");
}

/// `EnableCosMAZ` as `enable_cos_maz`: names of files and fields.
fn snake(name: &str) -> String {
    let characters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (at, character) in characters.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| characters[before]);
        let starts = before.is_some_and(|before| {
            !before.is_ascii_uppercase() || characters.get(at + 1).is_some_and(char::is_ascii_lowercase)
        });
        if character.is_ascii_uppercase() && starts && before != Some('_') {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}

fn names(text: &str, word: &str) -> bool {
    text.split(|character: char| !character.is_alphanumeric() && character != '_').any(|found| found == word)
}

/// The source files of all actions, as (name, text).
fn action_files() -> Vec<(String, String)> {
    let mut files = Vec::new();
    let directory =
        |path: &Path| std::fs::read_dir(path).into_iter().flatten().map(|entry| entry.unwrap().path());
    let products = directory(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    let mut found: Vec<PathBuf> =
        products.flat_map(|product| directory(&product.join("src/actions"))).collect();
    while let Some(path) = found.pop() {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() && !name.ends_with("tests") {
            found.extend(directory(&path));
        } else if path.is_file() {
            files.push((name, std::fs::read_to_string(path).unwrap()));
        }
    }
    files
}

/// A member that a client sends is read, or refused by name: each stands in the source of its action.
#[test]
fn no_action_leaves_a_member_of_its_request_unread() {
    let (mut actions, mut unread) = (0, Vec::new());
    for (name, text) in action_files() {
        for product in PRODUCTS.iter().filter(|product| text.contains(&format!("{}::", product.name))) {
            for action in product.actions.iter().filter(|action| snake(action.name) == name) {
                actions += 1;
                let missing = action.input.members.iter().filter(|member| !names(&text, &snake(member.name)));
                unread.extend(
                    missing.map(|member| format!("{}:{}.{}", product.name, action.name, member.name)),
                );
            }
        }
    }
    assert!(actions >= 30, "only {actions} actions were found");
    assert_eq!(unread, [""; 0], "sent by clients and read by nobody");
}
