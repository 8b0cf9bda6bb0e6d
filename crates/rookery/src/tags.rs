//! `rookery tags`: what tags named before, and letting them name it again.

use std::error::Error;

use rookery_tcr::PastTag;
use serde::Deserialize;

use crate::commands::{Tags, TagsCommand};
use crate::data_directory::{Endpoints, past_tags, restore_tag};

/// What the admin page answers to a restoration.
#[derive(Deserialize)]
struct Restored {
    digest: String,
}

pub(crate) fn run(options: &Tags) -> Result<(), Box<dyn Error>> {
    let endpoints = Endpoints::of_running(&options.directory.data)?;
    match &options.command {
        TagsCommand::History { image, json } => {
            let told = past_tags(&endpoints, checked(image)?)?;
            if *json {
                println!("{told}");
            } else {
                let past: Vec<PastTag> = serde_json::from_str(&told)?;
                past.iter().for_each(tell);
            }
        }
        TagsCommand::Restore { image } => {
            let told: Restored = serde_json::from_str(&restore_tag(&endpoints, checked(image)?)?)?;
            println!("{image} is {}", told.digest);
        }
    }
    Ok(())
}

/// What can be put into an address as it is.
fn checked(image: &str) -> Result<&str, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-:@".contains(&byte);
    if image.bytes().all(plain) { Ok(image) } else { Err(format!("{image}: no name of an image")) }
}

fn tell(past: &PastTag) {
    let by = past.by.as_deref().unwrap_or("rookery");
    let how = match &past.replaced_by {
        Some(digest) => format!("overwritten with {digest}"),
        None => past.ended.clone(),
    };
    let gone = if past.restorable { "" } else { "; cannot be restored, its manifest is gone" };
    println!("{}  {}  {} to {}  {how} by {by}{gone}", past.tag, past.digest, past.pushed_at, past.ended_at);
}
