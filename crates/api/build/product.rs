//! One product's module: structures, shapes, actions, error codes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::model::{Member, Model};
use crate::names;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Where a structure travels; it decides which of its members are optional in Rust.
#[derive(Clone, Copy, Default)]
struct Usage {
    input: bool,
    output: bool,
}

pub(crate) fn module(model: &Model) -> Result<String> {
    let usages = usages(model)?;
    let mut out = String::from("use crate::codec::*;\nuse crate::shape::*;\n");
    let mut shapes = String::from("pub mod shapes {\nuse crate::shape::*;\n");
    for (name, members) in &model.structures {
        let usage = usages.get(name.as_str()).copied().unwrap_or_default();
        structure(&mut out, name, members, usage)?;
        shape(&mut shapes, name, members)?;
    }
    out.push_str(&shapes);
    out.push_str("}\n");
    actions(&mut out, model)?;
    errors(&mut out, model)?;
    Ok(out)
}

fn usages(model: &Model) -> Result<BTreeMap<&str, Usage>> {
    let mut usages: BTreeMap<&str, Usage> = BTreeMap::new();
    for action in model.actions.values() {
        for (root, input) in [(&action.input, true), (&action.output, false)] {
            let mut pending = vec![root.as_str()];
            let mut seen = BTreeSet::new();
            while let Some(name) = pending.pop() {
                if !seen.insert(name) {
                    continue;
                }
                let usage = usages.entry(name).or_default();
                if input {
                    usage.input = true;
                } else {
                    usage.output = true;
                }
                let members = model.structures.get(name).ok_or_else(|| format!("no structure {name}"))?;
                pending.extend(members.iter().filter_map(Member::structure));
            }
        }
    }
    Ok(usages)
}

fn rust_type(kind: &str) -> Result<String> {
    if let Some(inner) = kind.strip_prefix('[').and_then(|k| k.strip_suffix(']')) {
        return Ok(format!("Vec<{}>", rust_type(inner)?));
    }
    Ok(match kind {
        "string" | "date" | "datetime" | "datetime_iso" => "String".to_owned(),
        "binary" => "Binary".to_owned(),
        "int64" => "i64".to_owned(),
        "uint64" => "u64".to_owned(),
        "float" | "double" => "f64".to_owned(),
        "bool" => "bool".to_owned(),
        structure if structure.starts_with(|c: char| c.is_ascii_uppercase()) => structure.to_owned(),
        other => return Err(format!("unknown type {other}").into()),
    })
}

fn shape_kind(kind: &str) -> Result<String> {
    if let Some(inner) = kind.strip_prefix('[').and_then(|k| k.strip_suffix(']')) {
        return Ok(format!("Kind::List(&{})", shape_kind(inner)?));
    }
    Ok(match kind {
        "string" => "Kind::String".to_owned(),
        "date" => "Kind::Date".to_owned(),
        "datetime" => "Kind::DateTime".to_owned(),
        "datetime_iso" => "Kind::DateTimeIso".to_owned(),
        "binary" => "Kind::Binary".to_owned(),
        "int64" => "Kind::Integer".to_owned(),
        "uint64" => "Kind::Unsigned".to_owned(),
        "float" | "double" => "Kind::Float".to_owned(),
        "bool" => "Kind::Boolean".to_owned(),
        structure => format!("Kind::Structure(&{})", names::constant(structure)),
    })
}

/// A member is an `Option` where the side that writes it may leave it out, or the side that reads it may get null.
fn is_optional(member: &Member, usage: Usage) -> bool {
    match (usage.input, usage.output) {
        (true, false) => !member.required,
        (false, true) => member.nullable,
        _ => !member.required || member.nullable,
    }
}

fn structure(out: &mut String, name: &str, members: &[Member], usage: Usage) -> Result<()> {
    let mut fields = Vec::new();
    for member in members {
        let mut rust = rust_type(&member.kind)?;
        // A structure inside itself needs a box; the models have none today, and this says so if one appears.
        if member.structure() == Some(name) && !member.kind.starts_with('[') {
            return Err(format!("{name}.{} holds itself", member.name).into());
        }
        if is_optional(member, usage) {
            rust = format!("Option<{rust}>");
        }
        fields.push((names::field(&member.name), rust, &member.name));
    }
    let unique: BTreeSet<_> = fields.iter().map(|f| &f.0).collect();
    if unique.len() != fields.len() {
        return Err(format!("{name}: two members become one field").into());
    }

    writeln!(out, "#[derive(Clone, Default, PartialEq)]\npub struct {name} {{")?;
    for (field, rust, _) in &fields {
        writeln!(out, "pub {field}: {rust},")?;
    }
    // Opaque on purpose: a request may hold a password, and Debug ends up in logs.
    writeln!(out, "}}\nopaque_debug!({name});\nimpl Structure for {name} {{")?;
    writeln!(out, "const SHAPE: &'static StructureShape = &shapes::{};", names::constant(name))?;
    if fields.is_empty() {
        writeln!(out, "fn from_members(_: Members) -> Result<Self, Mismatch> {{ Ok(Self {{}}) }}")?;
        writeln!(out, "fn write_members(&self, _: &mut ObjectWriter<'_>) {{}}\n}}")?;
    } else {
        writeln!(out, "fn from_members(mut m: Members) -> Result<Self, Mismatch> {{ Ok(Self {{")?;
        for (at, (field, _, _)) in fields.iter().enumerate() {
            writeln!(out, "{field}: m.take({at})?,")?;
        }
        writeln!(out, "}}) }}\nfn write_members(&self, w: &mut ObjectWriter<'_>) {{")?;
        for (field, _, original) in &fields {
            writeln!(out, "w.member({original:?}, &self.{field});")?;
        }
        writeln!(out, "}}\n}}")?;
    }
    writeln!(out, "structure_value!({name});")?;
    Ok(())
}

fn shape(out: &mut String, name: &str, members: &[Member]) -> Result<()> {
    writeln!(
        out,
        "pub static {}: StructureShape = StructureShape {{ name: {name:?}, members: &[",
        names::constant(name)
    )?;
    for member in members {
        writeln!(
            out,
            "MemberShape {{ name: {:?}, kind: {}, required: {}, nullable: {}, always: {} }},",
            member.name,
            shape_kind(&member.kind)?,
            member.required,
            member.nullable,
            member.always,
        )?;
    }
    writeln!(out, "] }};")?;
    Ok(())
}

fn actions(out: &mut String, model: &Model) -> Result<()> {
    writeln!(
        out,
        "pub static PRODUCT: ProductShape = ProductShape {{ name: {:?}, version: {:?}, errors: ErrorCode::NAMES, actions: &[",
        model.product, model.version
    )?;
    for (name, action) in &model.actions {
        writeln!(
            out,
            "ActionShape {{ name: {name:?}, input: &shapes::{}, output: &shapes::{}, unsigned: {}, status: Status::{} }},",
            names::constant(&action.input),
            names::constant(&action.output),
            action.unsigned,
            action.status.map_or("Online".to_owned(), |status| format!("{status:?}")),
        )?;
    }
    writeln!(out, "] }};")?;
    // Two actions that share an input structure would make its action ambiguous.
    let mut inputs = BTreeSet::new();
    for (at, action) in model.actions.values().enumerate() {
        if !inputs.insert(&action.input) {
            return Err(format!("{} is the input of two actions", action.input).into());
        }
        writeln!(
            out,
            "impl Request for {} {{ type Response = {}; const PRODUCT: &'static ProductShape = &PRODUCT; const ACTION: usize = {at}; }}",
            action.input, action.output
        )?;
    }
    Ok(())
}

fn errors(out: &mut String, model: &Model) -> Result<()> {
    writeln!(out, "#[derive(Clone, Copy, Debug, PartialEq, Eq)]\npub enum ErrorCode {{")?;
    let mut seen = BTreeSet::new();
    for code in &model.errors {
        let mut variant = names::variant(code);
        // CVM has both `InvalidParameterValue.TooLarge` and the same without its dot.
        if !seen.insert(variant.clone()) {
            variant.push_str("Undotted");
        }
        writeln!(out, "/// `{code}`\n{variant},")?;
    }
    writeln!(
        out,
        "}}\nimpl ErrorCode {{\npub const NAMES: &'static [&'static str] = &{:?};\n}}",
        model.errors
    )?;
    writeln!(
        out,
        "impl crate::ErrorCode for ErrorCode {{ fn name(self) -> &'static str {{ Self::NAMES[self as usize] }} }}"
    )?;
    Ok(())
}
