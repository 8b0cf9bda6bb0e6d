//! Who does the key of this shell belong to? `eval "$(rookery env)"`, then `cargo run -p rookery-client --example who_am_i`.
//!
//! Without `ROOKERY_ENDPOINT` the real service is asked, with the key that the official SDKs would find.

#![allow(clippy::print_stdout, reason = "an example prints")]

use rookery_api::sts::GetCallerIdentityRequest;
use rookery_client::credentials::Chain;
use rookery_client::{Client, Retry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let keys = Chain::standard(None)?;
    let client = match std::env::var("ROOKERY_ENDPOINT") {
        Ok(endpoint) => Client::new(&endpoint, keys)?,
        Err(_) => Client::tencent_cloud(keys)?,
    };
    let me = client.region("ap-guangzhou").retry(Retry::times(3)).call(&GetCallerIdentityRequest {}).await?;
    println!("{} (request {})", me.response.arn, me.request_id);
    Ok(())
}
