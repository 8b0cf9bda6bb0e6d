//! Writes down which members of requests the actions never read, for the trace: found by reading their sources beside the models, so that no
//! action keeps a list of its own.

#![allow(clippy::print_stdout, reason = "a build script speaks to cargo on its standard output")]

mod reading;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use reading::{Code, snake};
use serde::Deserialize;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[derive(Deserialize)]
struct Model {
    product: String,
    version: String,
    actions: BTreeMap<String, Action>,
    structures: BTreeMap<String, Vec<Member>>,
}

#[derive(Deserialize)]
struct Action {
    input: String,
}

#[derive(Deserialize)]
struct Member {
    name: String,
    #[serde(rename = "type")]
    kind: String,
}

impl Member {
    /// The structure that the member holds, directly or in lists.
    fn structure(&self) -> Option<&str> {
        let inner = self.kind.trim_start_matches('[').trim_end_matches(']');
        inner.starts_with(|first: char| first.is_ascii_uppercase()).then_some(inner)
    }
}

fn main() -> Result<()> {
    let crates = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("..");
    let models = models(&crates.join("../models"))?;
    let mut table = String::from("&[\n");
    for product in entries(&crates)? {
        let actions = product.join("src/actions");
        if !actions.is_dir() {
            continue;
        }
        println!("cargo::rerun-if-changed={}", product.join("src").display());
        let code: BTreeMap<PathBuf, Code> = sources(&product.join("src"))?
            .into_iter()
            .map(|path| Ok((path.clone(), Code::of(&fs::read_to_string(path)?))))
            .collect::<Result<_>>()?;
        for path in code.keys().filter(|path| path.starts_with(&actions)) {
            for (model, name, action) in meant(&models, path, &code) {
                let members = never_read(model, &action.input, &code);
                writeln!(
                    table,
                    "Unread {{ product: {:?}, version: {:?}, action: {name:?}, members: &{members:?} }},",
                    model.product, model.version,
                )?;
            }
        }
    }
    table.push_str("]\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("never_read.rs"), table)?;
    Ok(())
}

fn models(directory: &Path) -> Result<Vec<Model>> {
    println!("cargo::rerun-if-changed={}", directory.display());
    let files = entries(directory)?.into_iter();
    let models = files
        .filter(|path| path.extension().is_some_and(|end| end == "json") && !path.ends_with("SOURCES.json"));
    models.map(|path| Ok(serde_json::from_slice(&fs::read(path)?)?)).collect()
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut entries = fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    entries.sort();
    Ok(entries)
}

/// The source files below `directory`, without those of tests.
fn sources(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in entries(directory)? {
        if path.is_dir() && !path.ends_with("tests") {
            found.extend(sources(&path)?);
        } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs") {
            found.push(path);
        }
    }
    Ok(found)
}

/// The actions that the file at `path` is: by its name, and by the product and the request that its code names.
fn meant<'a>(
    models: &'a [Model],
    path: &Path,
    code: &BTreeMap<PathBuf, Code>,
) -> Vec<(&'a Model, &'a String, &'a Action)> {
    let file = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let source = fs::read_to_string(path).unwrap_or_default();
    let names_request = |input: &str| code.get(path).is_some_and(|code| code.names(input));
    let of = |model: &'a Model| {
        let named = source.contains(&format!("{}::", model.product));
        model
            .actions
            .iter()
            .filter(move |(name, _)| named && snake(name) == file)
            .map(move |(name, action)| (model, name, action))
    };
    models.iter().flat_map(of).filter(|(_, _, action)| names_request(&action.input)).collect()
}

/// The members below `input` that no code reads, as dotted names. What is inside a member that is not read is not listed beside it.
fn never_read(model: &Model, input: &str, code: &BTreeMap<PathBuf, Code>) -> Vec<String> {
    let near: BTreeSet<&str> =
        code.values().filter(|code| code.names(input)).flat_map(|code| code.reads(input)).collect();
    let mut unread = Vec::new();
    let mut pending = vec![(String::new(), input, near)];
    while let Some((prefix, structure, read)) = pending.pop() {
        for member in model.structures.get(structure).into_iter().flatten() {
            let name = format!("{prefix}{}", member.name);
            if !read.contains(snake(&member.name).as_str()) {
                unread.push(name);
            } else if let Some(inner) = member.structure()
                // A structure inside itself is looked at once.
                && inner != structure
            {
                let anywhere = code.values().flat_map(|code| code.reads(inner)).collect();
                pending.push((format!("{name}."), inner, anywhere));
            }
        }
    }
    unread.sort();
    unread
}
