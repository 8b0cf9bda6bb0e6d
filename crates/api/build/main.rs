//! Turns `models/*.json` into Rust: for each product its typed structures, their static shapes, the list of its
//! actions and its error codes. The generated code is plain (no derive of a serialisation framework), because
//! some 1,300 structures pass through the compiler at every clean build.

#![allow(clippy::print_stdout, reason = "a build script speaks to cargo on its standard output")]

mod model;
mod names;
mod product;

use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let models = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../models");
    let out = env::var("OUT_DIR")?;
    println!("cargo::rerun-if-changed={}", models.display());

    let mut files: Vec<_> = fs::read_dir(&models)?.collect::<Result<_, _>>()?;
    files.sort_by_key(fs::DirEntry::file_name);
    let mut index = String::new();
    let mut products = Vec::new();
    for file in files {
        let path = file.path();
        let is_model = path.extension().is_some_and(|e| e == "json") && !path.ends_with("SOURCES.json");
        if !is_model {
            continue;
        }
        println!("cargo::rerun-if-changed={}", path.display());
        let model: model::Model = serde_json::from_slice(&fs::read(&path)?)?;
        fs::write(Path::new(&out).join(format!("{}.rs", model.product)), product::module(&model)?)?;
        write!(
            index,
            "/// `{p}` {v}.\n#[allow(missing_docs, clippy::all, clippy::pedantic, reason = \"generated from the model\")]\npub mod {p} {{ include!(concat!(env!(\"OUT_DIR\"), \"/{p}.rs\")); }}\n",
            p = model.product,
            v = model.version,
        )?;
        products.push(format!("&{}::PRODUCT", model.product));
    }
    writeln!(
        index,
        "/// Every product of the models.\npub static PRODUCTS: &[&crate::shape::ProductShape] = &[{}];",
        products.join(", ")
    )?;
    fs::write(Path::new(&out).join("products.rs"), index)?;
    Ok(())
}
