//! From the platform's names to Rust's.

/// `EnableCosMAZ` → `enable_cos_maz`, `AIFeature` → `ai_feature`; a keyword becomes a raw identifier.
pub(crate) fn field(name: &str) -> String {
    let characters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (at, &c) in characters.iter().enumerate() {
        if c.is_ascii_uppercase() {
            let after_lower = at > 0 && !characters[at - 1].is_ascii_uppercase() && characters[at - 1] != '_';
            let starts_word = at > 0
                && characters[at - 1].is_ascii_uppercase()
                && characters.get(at + 1).is_some_and(char::is_ascii_lowercase);
            if after_lower || starts_word {
                snake.push('_');
            }
            snake.push(c.to_ascii_lowercase());
        } else {
            snake.push(if c.is_ascii_alphanumeric() { c } else { '_' });
        }
    }
    match snake.as_str() {
        "abstract" | "as" | "async" | "await" | "become" | "box" | "break" | "const" | "continue" | "do"
        | "dyn" | "else" | "enum" | "extern" | "false" | "final" | "fn" | "for" | "gen" | "if" | "impl"
        | "in" | "let" | "loop" | "macro" | "match" | "mod" | "move" | "mut" | "override" | "priv"
        | "pub" | "ref" | "return" | "static" | "struct" | "trait" | "true" | "try" | "type" | "typeof"
        | "unsafe" | "unsized" | "use" | "virtual" | "where" | "while" | "yield" => format!("r#{snake}"),
        _ => snake,
    }
}

/// `TagSpecification` → `TAG_SPECIFICATION`, the name of its shape.
pub(crate) fn constant(name: &str) -> String {
    field(name).trim_start_matches("r#").to_ascii_uppercase()
}

/// `FailedOperation.DbError` → `FailedOperationDbError`.
pub(crate) fn variant(code: &str) -> String {
    let mut variant = String::new();
    for part in code.split(|c: char| !c.is_ascii_alphanumeric()) {
        let mut characters = part.chars();
        variant.extend(characters.next().map(|c| c.to_ascii_uppercase()));
        variant.push_str(characters.as_str());
    }
    variant
}
