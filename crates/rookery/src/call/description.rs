//! What `rookery call` says of products, actions and parameters.

use rookery_api::shape::{ActionShape, Kind, ProductShape};

use super::words::CHOICES;

/// Prints every product.
pub(super) fn products() {
    for product in rookery_api::PRODUCTS {
        println!("{:10} {}  {} actions", product.name, product.version, product.actions.len());
    }
}

/// Prints the names of a product's actions.
pub(super) fn actions(product: &ProductShape) {
    for action in product.actions {
        println!("{}", action.name);
    }
}

/// Prints the parameters of an action and the options of a call.
pub(super) fn action(product: &ProductShape, action: &ActionShape) {
    println!("{} {} {}\n", product.name, product.version, action.name);
    if action.input.members.is_empty() {
        println!("  takes no parameters");
    }
    for member in action.input.members {
        let required = if member.required { "  required" } else { "" };
        println!("  --{:32} {}{required}", member.name, kind(&member.kind));
    }
    println!("\nOptions\n");
    for choice in &CHOICES {
        let option = format!("{} {}", choice.name, choice.value);
        let values =
            if choice.values.is_empty() { String::new() } else { format!(" ({})", choice.values.join(", ")) };
        println!("  --{option:32} {}{values}", choice.about);
    }
}

fn kind(kind: &Kind) -> String {
    match kind {
        Kind::List(item) => format!("list of {}", self::kind(item)),
        Kind::Structure(shape) => {
            let members: Vec<_> = shape.members.iter().map(|member| member.name).collect();
            format!("{{{}}}", members.join(", "))
        }
        scalar => scalar.word().to_owned(),
    }
}
