//! `rookery trace`: what happened to a request.

use std::error::Error;

use serde_json::Value;

use crate::commands::Trace;
use crate::data_directory::{Endpoints, traces};

pub(crate) fn run(options: &Trace) -> Result<(), Box<dyn Error>> {
    let endpoints = Endpoints::of_running(&options.directory.data)?;
    let text = traces(&endpoints, options.request_id.as_deref())?
        .ok_or("no record of that request: it is too old, or was never answered here")?;
    let found: Value = serde_json::from_str(&text)?;
    let Value::Array(records) = found else {
        println!("{}", serde_json::to_string_pretty(&found)?);
        return Ok(());
    };
    for record in records {
        let field = |name: &str| record[name].as_str().unwrap_or("-").to_owned();
        println!(
            "{}  {}  {:>8} µs  {}:{}  {}",
            field("received_at"),
            field("request_id"),
            record["duration_micros"],
            field("product"),
            field("action"),
            record["error"]["code"].as_str().unwrap_or("ok"),
        );
    }
    Ok(())
}
