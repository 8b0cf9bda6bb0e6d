//! `rookery explain`: why a request was refused.

use std::error::Error;

use rookery_tc3::explain::first_difference;
use serde_json::Value;

use crate::commands::Explain;
use crate::data_directory::{Endpoints, traces};

pub(crate) fn run(options: &Explain) -> Result<(), Box<dyn Error>> {
    let endpoints = Endpoints::of_running(&options.directory.data)?;
    let text = traces(&endpoints, Some(&options.request_id))?
        .ok_or("no record of that request: it is too old, or was never answered here")?;
    let record: Value = serde_json::from_str(&text)?;
    let Some(code) = record["error"]["code"].as_str() else {
        println!("Request {} was not refused.", options.request_id);
        return Ok(());
    };
    println!("{code}: {}", record["error"]["message"].as_str().unwrap_or_default());
    if let Some(detail) = record["error"]["detail"].as_str() {
        println!("\nMore exactly: {detail}.");
    }
    let cause = &record["likely_cause"];
    if let Some(sentence) = cause["sentence"].as_str() {
        println!("\nLikely cause: {sentence}");
    }
    let Some(string_to_sign) = record["computed"]["string_to_sign"].as_str() else { return Ok(()) };
    let canonical = record["computed"]["canonical_request"].as_str();
    let server = canonical.unwrap_or(string_to_sign);
    match &options.canonical_request {
        Some(path) => {
            compare(server, std::fs::read_to_string(path)?.trim_end_matches('\n'), canonical.is_some());
        }
        None => match cause["signed"].as_str() {
            Some(signed) => compare(server, signed, canonical.is_some()),
            None => println!(
                "\nNo known mistake explains the signature. Write the canonical request that you signed to a file and give it with --canonical-request: the first line that differs is shown."
            ),
        },
    }
    if let Some(canonical) = canonical {
        println!("\nThe server's canonical request, from the bytes it received:\n\n{}", indented(canonical));
    }
    println!("\nThe string that the server expected to be signed:\n\n{}", indented(string_to_sign));
    Ok(())
}

/// Shows the first line in which what the client signed differs from what the server computed. The source string of signature v1 is one
/// line, whose place in a canonical request means nothing.
fn compare(server: &str, theirs: &str, has_lines: bool) {
    match first_difference(server, theirs) {
        None => println!(
            "\nWhat you signed is the same: the SecretKey is another, or the signature was made otherwise."
        ),
        Some(difference) if !has_lines => println!(
            "\nThe source string differs at byte {}:\n  server: {}\n  yours:  {}",
            difference.offset, difference.server, difference.theirs
        ),
        Some(difference) => println!(
            "\nLine {} ({}) differs at byte {}:\n  server: {}\n  yours:  {}",
            difference.line, difference.meaning, difference.offset, difference.server, difference.theirs
        ),
    }
}

fn indented(text: &str) -> String {
    text.lines().fold(String::new(), |out, line| out + "  " + line + "\n")
}
