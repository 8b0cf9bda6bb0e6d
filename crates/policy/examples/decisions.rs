//! How long a decision takes over 10, 100 and 1,000 statements of which the last one matches: `cargo run --release -p rookery-policy --example decisions`.

#![allow(clippy::print_stdout, reason = "it prints what it measured")]

use std::hint::black_box;
use std::time::Instant;

use rookery_policy::{Document, Request, ResourceName, SyntaxError, decide};

const OWNER: u64 = 100_000_000_001;
const ROUNDS: u32 = 20_000;

/// Documents of ten statements each, about as many repositories, half of them with a condition.
fn documents(statements: usize) -> Result<Vec<Document>, SyntaxError> {
    (0..statements.div_ceil(10))
        .map(|document| {
            let statements: Vec<String> = (0..10)
                .map(|position| {
                    let number = document * 10 + position;
                    let condition = if position % 2 == 0 {
                        r#","condition":{"string_equal":{"k":"v"}}"#
                    } else {
                        ""
                    };
                    format!(
                        r#"{{"effect":"allow","action":["tcr:Pull*","tcr:Push*"],"resource":"qcs::tcr:ap-guangzhou::repository/tcr-1/team{number}/*"{condition}}}"#
                    )
                })
                .collect();
            Document::parse(&format!(r#"{{"version":"2.0","statement":[{}]}}"#, statements.join(",")))
        })
        .collect()
}

fn main() -> Result<(), SyntaxError> {
    for statements in [10, 100, 1000] {
        let documents = documents(statements)?;
        let name = format!("qcs::tcr:ap-guangzhou:uin/{OWNER}:repository/tcr-1/team{}/app", statements - 1);
        let resource = ResourceName::parse(&name, OWNER, 1);
        let request =
            Request { owner: OWNER, service: "tcr", action: "PullRepository", resource, context: &() };
        let allowed = decide(documents.iter().enumerate(), &request).is_allowed();
        let started = Instant::now();
        for _ in 0..ROUNDS {
            black_box(decide(documents.iter().enumerate(), black_box(&request)));
        }
        let each = started.elapsed().as_nanos() / u128::from(ROUNDS);
        println!("{statements:>5} statements: {each} ns a decision, allowed: {allowed}");
    }
    Ok(())
}
